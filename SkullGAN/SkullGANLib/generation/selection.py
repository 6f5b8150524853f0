"""Which segments are kept: within limits, like a real set, diverse.

A ``Selection`` says what is wanted. ``set_file.generate_file`` draws segments until as many as were
asked for are kept; ``selector`` decides, segment by segment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..data.depth import depth_of, whole_stacks
from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from ..metrics.registry import METRICS, checked_metric
from ..metrics.wall_rules import rejection_reasons
from .diversity import Diversity

Range = tuple[float, float]
"""Lowest and highest value, both included."""


@dataclass(frozen=True)
class Limits:
    """Ranges of radiological metrics; no range at all lets every segment through.

    Attributes:
        ranges: lowest and highest value by name of the metric (``metrics.METRICS``).

    Raises:
        BadInputError: if a metric is unknown, or a range is not the lower value first.

    Example:
        >>> limits = Limits({"thickness_mm": (4, 8)})
        >>> limits.accept({"thickness_mm": np.array([3.0, 4.0, 8.1, np.nan])}).tolist()
        [False, True, False, False]
    """

    ranges: Mapping[str, Range] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (lowest, highest) in self.ranges.items():
            checked_metric(name)
            if not lowest <= highest:
                raise BadInputError(
                    f"The limits of {METRICS[name].label} are {lowest:g} and {highest:g}, expected "
                    "the lower one first."
                )
        ranges = {name: (float(low), float(high)) for name, (low, high) in self.ranges.items()}
        object.__setattr__(self, "ranges", MappingProxyType(ranges))

    def __bool__(self) -> bool:
        """Tell whether there is any limit."""
        return bool(self.ranges)

    def accept(self, metrics: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell of each segment, bool (N,), whether it lies within all limits.

        A metric that a segment does not have (NaN) is outside of any limit.

        Args:
            metrics: float64 (N,) each, as ``metrics.measure`` gives them; at least those that are
                limited, and any one if none is.
        """
        accepted = np.ones(len(next(iter(metrics.values()))), bool)
        for name, (lowest, highest) in self.ranges.items():
            with np.errstate(invalid="ignore"):
                accepted &= (metrics[name] >= lowest) & (metrics[name] <= highest)
        return accepted

    def as_source(self) -> dict[str, list[float]]:
        """Give the limits as a segment set's ``source`` holds them."""
        return {name: list(bounds) for name, bounds in self.ranges.items()}


MOST_PER_KEPT = 1000
LEAST_MOST = 5000
LIKE_KS = 0.1


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is kept of the segments that a model makes; nothing set keeps all.

    Attributes:
        limits: ranges of metrics.
        like: a set of real segments (.h5); what is kept follows the distributions of its SDR,
            thickness and mean intensity, of its part within the limits where there are any.
        whole: leaves out what is no whole wall by the rules of extraction
            (``metrics.wall_rules``); of stacks, those with such a slice.
        like_ks: by how much, as the Kolmogorov-Smirnov statistic of each, it may miss them.
        diverse: leaves out segments that look like one that is kept already.
        most: segments that are made at most; None is ``MOST_PER_KEPT`` for each that is to be
            kept, at least ``LEAST_MOST``.

    Raises:
        BadInputError: if ``like_ks`` or ``most`` is out of range.
    """

    limits: Limits = field(default_factory=Limits)
    whole: bool = False
    like: Path | None = None
    like_ks: float = LIKE_KS
    diverse: Diversity | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        if not 0.02 <= self.like_ks <= 1:
            raise BadInputError(
                f"The Kolmogorov-Smirnov statistic allowed is {self.like_ks:g}, expected 0.02 to 1."
            )
        if self.most is not None and self.most < 1:
            raise BadInputError(
                f"At most {self.most} segments are to be made, expected at least 1."
            )

    def __bool__(self) -> bool:
        """Tell whether anything can be left out."""
        return bool(self.limits or self.whole or self.like or self.diverse)

    def fits(self, segments: SegmentSet, metrics: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell of each segment, bool (N,), whether it is what is wanted, whatever the others are.

        Args:
            segments: N segments.
            metrics: of them, as ``metrics.measure`` gives them.
        """
        fits = self.limits.accept(metrics)
        if self.whole:
            # Only of what is within limits: it costs as much as all metrics.
            rows = np.flatnonzero(fits)
            chosen = segments[rows]
            reasons = rejection_reasons(chosen.hu, chosen.mask, chosen.pixel_spacing_mm)
            fits[rows] = [not reason for reason in reasons]
        return fits

    def most_made(self, count: int) -> int:
        """Give how many segments are made at most so that a number of them is kept.

        Raises:
            BadInputError: if that is fewer than are to be kept.
        """
        most = max(MOST_PER_KEPT * count, LEAST_MOST) if self.most is None else self.most
        if most < count:
            raise BadInputError(
                f"At most {most:,} segments are to be made, expected at least the {count:,} that "
                "are to be kept."
            )
        return most

    def as_source(self) -> dict[str, Any]:
        """Give what follows from itself, and not from a file, as a set's ``source`` holds it."""
        limits = {"limits": self.limits.as_source()} if self.limits else {}
        whole = {"whole": True} if self.whole else {}
        return limits | whole | ({"diverse": self.diverse.as_source()} if self.diverse else {})


def range_of(text: str) -> Range:
    """Read a range as it is typed: LOW,HIGH.

    Raises:
        BadInputError: if it is not two numbers, the lower one first.

    Example:
        >>> range_of("0.4,1")
        (0.4, 1.0)
    """
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high:
        raise BadInputError(f"The limits are {text!r}, expected LOW,HIGH, such as 0.4,1.")
    return low, high


def value_or_range(text: str) -> float | Range:
    """Read what is asked for as it is typed: VALUE, a condition, or LOW,HIGH, a limit.

    Raises:
        BadInputError: if it is neither.

    Example:
        >>> value_or_range("0.35"), value_or_range("0.4,1")
        (0.35, (0.4, 1.0))
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    if "," in text:
        return range_of(text)
    raise BadInputError(f"{text!r} was asked for, expected VALUE or LOW,HIGH, such as 0.4,1.")


def select(
    segments: SegmentSet, metrics: Mapping[str, np.ndarray], limits: Limits
) -> tuple[SegmentSet, dict[str, np.ndarray]]:
    """Give the segments within limits, and their metrics.

    Args:
        segments: N segments.
        metrics: of them, float64 (N,) each.
        limits: what is kept.

    Raises:
        BadInputError: if no segment is within the limits.
    """
    accepted = of_whole_stacks(segments, limits.accept(metrics))
    check_any(int(accepted.sum()), len(segments))
    return segments[accepted], {name: values[accepted] for name, values in metrics.items()}


def of_whole_stacks(segments: SegmentSet, accepted: np.ndarray) -> np.ndarray:
    """Give which segments are kept, bool (N,): slices of a stack where all of it is accepted."""
    if depth_of(segments) is None:
        return accepted
    _depth, rows = whole_stacks(segments)
    kept = np.zeros(len(segments), bool)
    kept[rows[accepted[rows].all(axis=1)]] = True
    return kept


def check_any(kept: int, made: int) -> None:
    """Raise BadInputError if of the segments that were made none was kept."""
    if not kept:
        raise BadInputError(
            f"None of {made} segments is within the limits, expected at least one; widen them or "
            "generate more."
        )
