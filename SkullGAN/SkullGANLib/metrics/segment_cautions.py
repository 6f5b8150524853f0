"""What a reviewer should look at of each segment: metrics that are missing or unlike its set's.

``cautions`` speaks of whole CTs; here a sentence stands for one segment among the others of its
bone. Nothing is dropped by it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .cautions import SOLID_SDR
from .registry import METRICS

FARTHEST = 3.5
"""Modified z-score from which a value is an outlier (Iglewicz and Hoaglin, How to Detect and Handle
Outliers, 1993): 0.6745 times its distance from the median over the median of such distances."""
_FEWEST = 8  # of a bone: fewer say nothing of what is usual
_COMPARED = ("thickness_mm", "mean_intensity_hu")
_NO_SQUAMA = "temporal"  # whose squama has hardly any diploë anyway


def of_segments(metrics: Mapping[str, np.ndarray], bone: np.ndarray) -> list[str]:
    """Say of each segment what a reviewer should look at; empty where there is nothing.

    Args:
        metrics: float64 (N,) each, by name, as ``measure`` gives them; those that are not there are
            passed over.
        bone: (N,) texts; a segment is compared with the others of its bone.

    Example:
        >>> walls = {"thickness_mm": np.array([6.0, 6.2, 5.9, 6.1, 6.0, 6.3, 5.8, 6.1, 14.0])}
        >>> of_segments(walls, np.array(["parietal"] * 9))[7:]
        ['', 'Thickness 14.0 mm, unlike the 6.1 mm of most parietal segments here.']
    """
    bone = np.asarray(bone)
    found: list[list[str]] = [[] for _ in bone]
    sdr = metrics.get("sdr_peaks")
    if sdr is not None:
        for place in np.flatnonzero(~np.isfinite(sdr)):
            found[place].append("No column of it shows bone without air: SDR is not known.")
        for place in np.flatnonzero((sdr > SOLID_SDR) & (bone != _NO_SQUAMA)):
            found[place].append(f"Hardly any diploë (SDR {sdr[place]:.2f}).")
    for name in (one for one in _COMPARED if one in metrics):
        metric, values = METRICS[name], np.asarray(metrics[name], float)
        for one in np.unique(bone):
            its = np.flatnonzero((bone == one) & np.isfinite(values))
            usual = float(np.median(values[its])) if its.size else np.nan
            for place in its[_outliers(values[its])]:
                found[place].append(
                    f"{metric.quantity} {values[place]:.{metric.digits}f} {metric.unit}, "
                    f"unlike the {usual:.{metric.digits}f} {metric.unit} of most "
                    f"{one or 'other'} segments here."
                )
    return [" ".join(sentences) for sentences in found]


def _outliers(values: np.ndarray) -> np.ndarray:
    """Tell which values (N,) lie farther from the median than most do."""
    if len(values) < _FEWEST:
        return np.zeros(len(values), bool)
    away = np.abs(values - np.median(values))
    spread = float(np.median(away))
    return 0.6745 * away > FARTHEST * spread if spread > 0 else np.zeros(len(values), bool)
