"""How long a selection will take: told after some hundred draws, and refused if that is too long.

``Forecast.look`` is told of every batch. At 512 draws, and each time they have doubled since, it
gives a sentence for the user, or raises where it is plain that too few will fit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from ..errors import BadInputError
from ..metrics.registry import METRICS
from .selection import Limits

FIRST_LOOK = 512
_CONFIDENCE = 0.95
_SAMPLED = 65_536  # draws whose metrics are held for the sentence: 4 MB


class Forecast:
    """Foresees how many segments have to be made.

    Args:
        count: segments to be kept.
        most: to be made at most.
        limits: for the sentence about each.
        lacking: says more about what does not come, if anything can be said.
        steady: whether the rate stays, so that all draws tell of it. Else only those since the last
            look do: the more is kept, the less fits what is still wanted.
        began_s: when the first draw began, by the clock; now if None.
        drawn_before: draws that were made since, which it is told of all the same.
        clock: seconds.

    Attributes:
        promising: whether what was seen so far lets expect that the selection ends in time.
    """

    def __init__(
        self,
        count: int,
        most: int,
        limits: Limits,
        lacking: Callable[[], str] = str,
        *,
        steady: bool = True,
        began_s: float | None = None,
        drawn_before: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count, self._most, self._limits = count, most, limits
        self._lacking, self._steady, self._clock = lacking, steady, clock
        self._began_s = clock() if began_s is None else began_s
        self._drawn_before = drawn_before
        self._drawn = self._fitting = 0  # by this process
        self._last = (0, 0)  # when it was looked at last
        self._next = FIRST_LOOK
        self._told = np.inf
        self._sample: list[dict[str, np.ndarray]] = []
        self.promising = False

    def look(
        self, drawn: int, fitting: int, made: int, kept: int, metrics: Mapping[str, np.ndarray]
    ) -> str | None:
        """Take a batch in; give a sentence where there is news.

        Args:
            drawn, fitting: segments in the batch, and those of them that fit.
            made, kept: in all, earlier processes included.
            metrics: of the batch, float64 (drawn,) each.

        Raises:
            BadInputError: if more segments would have to be made than are to be at most.
        """
        if self._drawn < _SAMPLED:
            self._sample.append(dict(metrics))
        self._drawn += drawn
        self._fitting += fitting
        if self._drawn < self._next or kept >= self._count:
            return None
        while self._next <= self._drawn:
            self._next *= 2
        before = (0, 0) if self._steady or not self._fitting else self._last
        since, fit = self._drawn - before[0], self._fitting - before[1]
        self._last = (self._drawn, self._fitting)
        highest = highest_rate(fit, since)
        if made + (self._count - kept) / highest > self._most:
            raise BadInputError(self._too_rare(fit, since, highest, made, kept))
        total = made + (self._count - kept) * since / fit if fit else np.inf
        self.promising = total <= self._most
        if fit and 0.5 < total / self._told < 2:
            return None
        self._told = total if fit else np.inf
        return self._sentence(fit, since, highest, made, kept)

    def used_up(self, made: int, kept: int) -> BadInputError:
        """Give what is raised where as many as allowed were made."""
        return BadInputError(
            f"{kept:,} of {made:,} segments fit, {self._count:,} were to be kept and no more are "
            f"to be made. {self._reach()} Expected wider limits, fewer segments or more to be made."
        )

    def _sentence(self, fit: int, since: int, highest: float, made: int, kept: int) -> str:
        left = self._count - kept
        pace_s = (self._clock() - self._began_s) / max(self._drawn, self._drawn_before)
        need = left * since / fit if fit else left / highest
        about = "about" if fit else "more than"
        return (
            f"{_found(fit, since, highest)}; {left:,}{' more' if kept else ''} take {about} "
            f"{_rounded(need)} segments and {duration(need * pace_s)}."
        )

    def _too_rare(self, fit: int, since: int, highest: float, made: int, kept: int) -> str:
        need = made + (self._count - kept) / highest
        return (
            f"{_found(fit, since, highest)}, so that {self._count:,} need more than "
            f"{_rounded(need)}, and {self._most:,} are made at most. {self._reach()} Expected "
            "wider limits, fewer segments or more to be made."
        )

    def _reach(self) -> str:
        """Say how many fit each limit and what the model makes of every metric concerned."""
        names = list(self._limits.ranges) or [name for name in METRICS if METRICS[name].compared]
        said = [self._reach_of(name) for name in names]
        return " ".join(filter(None, (*said, self._lacking())))

    def _reach_of(self, name: str) -> str:
        metric = METRICS[name]
        values = np.concatenate([np.empty(0), *(one[name] for one in self._sample)])
        finite = values[np.isfinite(values)]
        if not finite.size:
            return f"{metric.quantity}: no segment has it."
        low, tenth, last_tenth, high = np.quantile(finite, [0, 0.05, 0.95, 1])
        made = (
            f"the model makes {metric.text(low)} to {metric.text(high)}, in nine of ten "
            f"{metric.text(tenth)} to {metric.text(last_tenth)}"
        )
        if name not in self._limits.ranges:
            return f"{metric.quantity}: {made}."
        within = Limits({name: self._limits.ranges[name]}).accept({name: values})
        return f"{metric.quantity}: {share(within.mean())} are within the limits, {made}."


def highest_rate(fit: int, drawn: int) -> float:
    """Give the highest rate, at 95 % confidence, at which so few of the draws would fit.

    The upper bound of a Poisson count (Garwood 1936); with none of N it is the rule of three, 3/N.

    Example:
        >>> round(highest_rate(0, 1000), 4), round(highest_rate(10, 1000), 4)
        (0.003, 0.017)
    """
    from scipy import special

    return min(1.0, float(special.gammaincinv(fit + 1, _CONFIDENCE)) / drawn)


def duration(seconds: float) -> str:
    """Say how long something takes.

    Example:
        >>> duration(40.2), duration(600), duration(10_000), duration(400_000)
        ('40 s', '10 min', '2.8 h', '4.6 days')
    """
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{max(1, seconds / unit):.{1 if name == 'h' else 0}f} {name}"
    return f"{seconds / 86_400:.1f} days"


def share(value: float) -> str:
    """Say a share in per cent, to two digits.

    Example:
        >>> share(0.5), share(0.0123), share(0.0), share(1.0)
        ('50 %', '1.2 %', 'none', 'all')
    """
    if value in (0, 1):
        return "all" if value else "none"
    return f"{float(f'{100 * value:.2g}'):g} %"


def _found(fit: int, since: int, highest: float) -> str:
    if fit:
        return f"{fit:,} of {since:,} segments fit ({share(fit / since)})"
    return f"None of {since:,} segments fits (at most {share(highest)}, 95 % confidence)"


def _rounded(count: float) -> str:
    return f"{int(float(f'{count:.2g}')):,}"
