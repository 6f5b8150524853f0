"""What the segments of a set are and how they measure, in numbers and in plain text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...data.segment_set import SegmentSet
from ...metrics import METRICS, kernel_is_soft
from ...metrics.voxels import describe_voxels
from ...utils.atomic_files import written_aside

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
KINDS = {
    "real": "cut from head CTs of patients or volunteers",
    "synthetic": "made by a neural network; no patient, not for diagnosis",
    "artificial": "drawn by formula; no patient, not for diagnosis",
    "control": "made by a weaker neural network on purpose; no patient, not for diagnosis",
}
"""What each kind of segments is."""


def describe_set(segments: SegmentSet, metrics: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Describe a set, and the distributions of what ``metrics.measure`` gave for it.

    Args:
        segments: N segments.
        metrics: float64 (N,) for each of ``metrics.METRICS``; NaN where it has none.
    """
    subjects = {str(subject) for subject in segments.subject} - {""}
    return {
        "kind": segments.kind,
        "segments": len(segments),
        "subjects": len(subjects),
        "bones": counts(segments.bone),
        "sides": counts(segments.side),
        "planes": counts(segments.plane),
        "pixel_spacing_mm": segments.pixel_spacing_mm,
        "hu_range": list(segments.hu_range),
        "source": dict(segments.source),
        "created_by": segments.created_by,
        "metrics": {name: summarize(metrics[name]) for name in METRICS},
    }


def counts(texts: np.ndarray) -> dict[str, int]:
    """Count each text, in the order of the alphabet.

    Example:
        >>> counts(np.array(["temporal", "parietal", "temporal"]))
        {'parietal': 1, 'temporal': 2}
    """
    return dict(sorted(Counter(str(text) for text in texts).items()))


def summarize(values: np.ndarray) -> dict[str, Any]:
    """Describe a distribution; values that are NaN are left out and ``n`` counts the others.

    Args:
        values: float64 (N,).

    Returns:
        ``n``, ``mean``, ``sd`` (of a sample: divided by n - 1), ``minimum``, ``maximum`` and
        ``quantiles`` (by their text, as "0.5"); None where n is too small to say.
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    some = values.size > 0
    return {
        "n": int(values.size),
        "mean": float(values.mean()) if some else None,
        "sd": float(values.std(ddof=1)) if values.size > 1 else None,
        "minimum": float(values.min()) if some else None,
        "maximum": float(values.max()) if some else None,
        "quantiles": {str(q): float(np.quantile(values, q)) if some else None for q in QUANTILES},
    }


def cautions(described: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Give a sentence for all that makes the metrics of sets less comparable than they look.

    Args:
        described: what ``describe_set`` gave, by the name of the set that the sentences use.
    """
    found = []
    for name, one in described.items():
        kernels = (_with_kernel(one["source"]) or {}).get("kernel") or []
        for kernel in kernels if isinstance(kernels, list) else [kernels]:
            if kernel_is_soft(str(kernel)):
                found.append(
                    f"{name} comes from the soft kernel {kernel}, which blurs the diploë into the "
                    "tables: its SDR is not that of a bone kernel."
                )
        unmeasured = one["segments"] - one["metrics"]["thickness_mm"]["n"]
        if unmeasured:
            found.append(
                f"{unmeasured:,} of {one['segments']:,} segments of {name} have no column of bone "
                "without air and are left out of SDR and thickness."
            )
    if len({one["pixel_spacing_mm"] for one in described.values()}) > 1:
        found.append("The sets differ in pixel size; their SDR cannot be compared directly.")
    return found


def describe_ct(one: Mapping[str, Any]) -> str:
    """Name the kernel, slice thickness, voxels and pixel size, without which an SDR means little.

    Args:
        one: what ``describe_set`` gave.
    """
    pixel = f"pixel {one['pixel_spacing_mm']:g} mm"
    source = _with_kernel(one["source"]) or one["source"]
    # Made segments look like those that the network learned from, which their source may name.
    learned = "" if source is one["source"] else "learned from "
    kernel, slices = source.get("kernel"), source.get("slice_thickness_mm")
    voxels = describe_voxels(one["source"])
    if kernel is None and slices is None:
        return f"CT kernel and slice thickness not recorded, {voxels}, {pixel}"
    named = f"kernel {plain(kernel)}" if kernel is not None else "CT kernel not recorded"
    thick = f"{plain(slices)} mm slices" if slices is not None else "slice thickness not recorded"
    return f"{learned}{named}, {thick}, {voxels}, {pixel}"


def plain(value: object) -> str:
    """Put what JSON holds into plain text.

    Example:
        >>> plain({"kernel": ["BONE", "BONEPLUS"], "kvp": 120.0})
        'kernel: BONE, BONEPLUS; kvp: 120'
    """
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain(value[key])}" for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def finite(value: Any) -> Any:
    """Replace what JSON cannot hold, the not-a-number of a training that failed, by null."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_text(path: Path, text: str) -> None:
    """Write a text, aside and renamed; what is no Unicode in it is replaced.

    Raises:
        OutputError: if it cannot be written.
    """
    with written_aside(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", errors="replace"))


def _with_kernel(source: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if "kernel" in source:
        return source
    inner = (_with_kernel(value) for value in source.values() if isinstance(value, Mapping))
    return next((found for found in inner if found is not None), None)
