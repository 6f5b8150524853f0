"""The quality of a training's snapshots: how far their segments are from reals that it never saw.

The distance is the squared kernel distance of the features of the wall plus the mean
Kolmogorov-Smirnov distance of SDR, thickness and mean intensity: the first sees profile, outline
and texture, the second what the segments are made for. Where segments are asked for conditions,
what the correlations of asked and measured lack of 1 is added. It is no absolute scale, and says
which snapshot of a training is the better one.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from ..data.segment_set import SegmentSet
from ..generation.conditions import measured
from ..metrics import measure
from ..metrics.fine_structure import fine_structure
from ..metrics.kernel_distance import squared_kernel_distance
from ..metrics.wall_features import wall_features
from ..networks.conditions import BONE

DISTANCE = "quality_distance"
"""What events call the distance that the best snapshot is chosen by."""
COMPARED = {"sdr_peaks": "sdr", "thickness_mm": "thickness", "mean_intensity_hu": "intensity"}

_WORST = 1e6
"""Instead of what is no number or beyond all bounds, as of segments without a wall."""


class QualityJudge:
    """Compares synthetic segments with a fixed choice of reals.

    Args:
        reals: segments to compare with, best held out from the training.
        count: how many of them are used, the same number of each subject as far as there are.

    Attributes:
        reals: those that are.
        count: how many they are.
    """

    def __init__(self, reals: SegmentSet, count: int) -> None:
        chosen = self.reals = reals[_spread_over_subjects(reals.subject, count)]
        self.count = len(chosen)
        features = wall_features(chosen)
        self._mean, spread = features.mean(axis=0), features.std(axis=0)
        self._scale = np.where(spread > 0, spread, 1)
        self._features = (features - self._mean) / self._scale
        self._metrics = _measured(chosen)
        self._fine_std_hu = fine_structure(chosen).std_hu

    def judge(self, segments: SegmentSet) -> dict[str, float]:
        """Give what events hold of a snapshot's quality.

        Returns:
            ``quality_distance``; its parts ``quality_kernel``, ``quality_ks_sdr``,
            ``quality_ks_thickness`` and ``quality_ks_intensity``; and of the fine structure
            ``quality_fine_std`` (as a share of that of the reals), ``quality_grid`` and
            ``quality_kurtosis``.
        """
        features = (wall_features(segments) - self._mean) / self._scale
        found = {"quality_kernel": squared_kernel_distance(self._features, features)}
        metrics = _measured(segments)
        distances = []
        for metric, name in COMPARED.items():
            own, real = metrics[metric], self._metrics[metric]
            distance = stats.ks_2samp(own, real).statistic if own.size and real.size else 1.0
            found[f"quality_ks_{name}"] = float(distance)
            distances.append(distance)
        fine = fine_structure(segments)
        found |= {
            "quality_fine_std": fine.std_hu / self._fine_std_hu,
            "quality_grid": fine.grid,
            "quality_kurtosis": fine.kurtosis,
            DISTANCE: found["quality_kernel"] + float(np.mean(distances)),
        }
        return {name: min(v, _WORST) if np.isfinite(v) else _WORST for name, v in found.items()}


def with_conditions(
    quality: dict[str, float], asked: dict[str, np.ndarray], segments: SegmentSet
) -> dict[str, float]:
    """Add to a snapshot's quality how well it follows what was asked of it.

    Args:
        quality: of ``QualityJudge``.
        asked: float (N,) by the name of each condition.
        segments: N of them, in the same order.

    Returns:
        Of each quantity, too, ``condition_<name>``, Pearson's correlation of asked and measured (0
        where there is none), and ``quality_conditions``, the mean of what they lack of 1, which
        the distance contains. Without conditions, the quality as it is.
    """
    found = {}
    for name, own in measured([one for one in asked if one != BONE], segments).items():
        known = np.isfinite(own)
        # Not by their deviations: of equal numbers rounding leaves one.
        varies = known.sum() > 2 and np.ptp(own[known]) > 0 and np.ptp(asked[name][known]) > 0
        correlation = np.corrcoef(asked[name][known], own[known])[0, 1] if varies else 0.0
        found[f"condition_{name}"] = float(correlation)
    if not found:
        return quality
    lack = float(np.mean([1 - value for value in found.values()]))
    return quality | found | {"quality_conditions": lack, DISTANCE: quality[DISTANCE] + lack}


def _measured(segments: SegmentSet) -> dict[str, np.ndarray]:
    """What is compared, where it could be measured."""
    metrics = measure(segments)
    return {name: metrics[name][np.isfinite(metrics[name])] for name in COMPARED}


def _spread_over_subjects(subject: np.ndarray, count: int) -> np.ndarray:
    """Choose up to so many, spread evenly over each subject's segments and over the subjects."""
    names = np.unique(subject)
    chosen = []
    for number, name in enumerate(names):
        own = np.flatnonzero(subject == name)
        wanted = count // len(names) + (number < count % len(names))
        chosen.append(
            own[np.unique(np.linspace(0, len(own) - 1, min(wanted, len(own))).astype(int))]
        )
    return np.sort(np.concatenate(chosen))
