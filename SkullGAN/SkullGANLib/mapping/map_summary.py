"""A map in numbers, by bone and side, and what must be known beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..anatomy.cut_plan import BONES, SIDES
from ..metrics import METRICS, Metric, cautions
from .calvaria_map import CalvariaMap
from .codes import METAL, OUTSIDE, REASONS

ALL = "all"
"""Bone and side of the whole calvaria."""

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_MENTIONED = 0.01  # share of the map from which rays not measured are mentioned


def summary(found: CalvariaMap) -> list[dict[str, Any]]:
    """Put a map into numbers: a row per metric, bone and side, and for the whole calvaria.

    Metrics that the map lacks, since another version made it, have no row.

    Returns:
        Dictionaries with ``bone``, ``side`` (both ``all`` for the whole), ``metric``, ``unit``,
        what ``statistics`` gives of the vertices that were measured, and the number of those that
        were not, by reason.
    """
    groups = [(ALL, ALL, np.ones(len(found), bool))]
    groups += [
        (bone, side, (found.bone == bone) & (found.side == side))
        for bone in _bones_of(found)
        for side in SIDES
    ]
    return [
        {
            "bone": bone,
            "side": side,
            "metric": name,
            "unit": metric.unit,
            **statistics(found.values[name][where], metric),
            **not_measured(found.code[where]),
        }
        for bone, side, where in groups
        for name, metric in METRICS.items()
        if name in found.values
    ]


def _bones_of(found: CalvariaMap) -> list[str]:
    return [*BONES, *sorted(set(found.bone.tolist()) - set(BONES))]


def not_measured(code: np.ndarray) -> dict[str, int]:
    """How many rays were not measured, for each of ``REASONS``."""
    return {name: int(np.count_nonzero(code == each)) for name, each in REASONS.items()}


def statistics(values: np.ndarray, metric: Metric | None = None) -> dict[str, Any]:
    """Count, mean, standard deviation and quantiles of what is not NaN, ready for JSON.

    Args:
        values: float64 (N,).
        metric: whose values they are, for its limit.

    Returns:
        ``count``, ``mean``, ``sd``, ``q05``, ``q25``, ``q50``, ``q75``, ``q95``, and for each limit
        that any metric has the share of values below it, as ``share_below_0.40``: None of metrics
        that do not have it. Statistics of no value are None.
    """
    values = values[~np.isnan(values)]
    some = bool(values.size)
    quantiles = np.quantile(values, _QUANTILES) if some else [None] * len(_QUANTILES)
    limits = sorted({one.limit for one in METRICS.values() if one.limit is not None})
    own = metric.limit if metric is not None and some else None
    return {
        "count": int(values.size),
        "mean": float(values.mean()) if some else None,
        "sd": float(values.std()) if some else None,
        **{
            f"q{round(100 * q):02d}": None if value is None else float(value)
            for q, value in zip(_QUANTILES, quantiles, strict=True)
        },
        **{
            share_below(limit): float((values < limit).mean()) if limit == own else None
            for limit in limits
        },
    }


def share_below(limit: float) -> str:
    """Name of the column with the share of values below a metric's limit."""
    return f"share_below_{limit:.2f}"


def caveats(source: Mapping[str, Any], code: np.ndarray | None = None) -> list[str]:
    """Say what must be known beside an SDR: a sentence for each thing, none if all is well.

    Args:
        source: of the map or the CT.
        code: of the map's vertices or the array's rays, to mention those not measured.
    """
    found = cautions.of_ct(source)
    if code is not None and len(code):
        for which, what in (
            (METAL, "meets metal; values beside it suffer from streaks"),
            (OUTSIDE, "leaves the field of view"),
        ):
            share = float(np.mean(np.asarray(code) == which))
            if share > (0 if which == METAL else _MENTIONED):
                found.append(f"{share:.1%} of the map {what}; it is not measured there.")
    return found
