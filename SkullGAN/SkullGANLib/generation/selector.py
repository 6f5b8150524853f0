"""Selecting while generating: draws segments, seed after seed, until as many as wanted are kept.

``selected`` gives them batch by batch. A segment is kept if it is within the limits and, where that
is asked for, a whole wall; then by a chance where a real set is followed (``likeness``), then
unless it looks like one that is kept already (``diversity``). What is decided follows from the
seeds up to there alone: the chance is a function of the segment and its seed, the first sample that
it was fitted to is that of the first seeds, and what is kept already is in the file that is
resumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..data import segment_set
from ..data.segment_set import SegmentSet
from ..metrics.measurement import measure
from .diversity import Gallery
from .forecast import Forecast, share
from .likeness import Quotas, RealSet, Tilt, values_of
from .selection import Selection

SAMPLE = 2048
"""Draws within limits that the chances are fitted to,"""
ENOUGH = 256
"""or so many where limits leave few,"""
SAMPLE_DRAWS = 8192
"""once so many were made."""
AT_ONCE = 64
"""Draws come in multiples of this: one and the same rounding at any batch size, on any device."""


class Kept(NamedTuple):
    """What came of some draws.

    Attributes:
        segments: those that are kept.
        made: segments made so far, of the first seed on.
        complete: whether as many as wanted are kept with these.
    """

    segments: SegmentSet
    made: int
    complete: bool


class Draw(NamedTuple):
    """Segments that may be kept.

    Attributes:
        segments: those of a batch, or the part of it that can be kept at all.
        metrics: of them, as ``measure`` gives them.
        measured: of the whole batch.
        slices: segments that follow each other and are a stack, which is kept as a whole; else 1.
    """

    segments: SegmentSet
    metrics: dict[str, np.ndarray]
    measured: dict[str, np.ndarray]
    slices: int

    @classmethod
    def of(cls, segments: SegmentSet, slices: int) -> Draw:
        """Measure a batch."""
        metrics = measure(segments)
        return cls(segments, metrics, metrics, slices)

    @property
    def made(self) -> int:
        """How many segments, or stacks, were."""
        return len(next(iter(self.measured.values()))) // self.slices

    def part(self, rows: np.ndarray) -> Draw:
        """Give it with these rows of the segments alone."""
        metrics = {name: values[rows] for name, values in self.metrics.items()}
        return Draw(self.segments[rows], metrics, self.measured, self.slices)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where segments come from.

    Attributes:
        make: gives the segments of these seeds, int64 (N,), in batches of a size.
        first_seed: of the first segment; the others count up.
        batch_size: made at once.
        batch_statistics: whether a batch has to hold just so many, see ``from_seeds.generate``.
        slices: segments of a seed, those of a stack.
    """

    make: Callable[[Sequence[int] | np.ndarray, int], Iterator[SegmentSet]]
    first_seed: int = 0
    batch_size: int = AT_ONCE
    batch_statistics: bool = False
    slices: int = 1

    def draws(self, start: int, end: int) -> Iterator[Draw]:
        """Give the segments number ``start`` to before ``end``, measured, some at a time.

        The pieces are the same whatever the batch size, and the first sample ends with one.
        """
        together = -(-self.batch_size // AT_ONCE) * AT_ONCE
        aligned = AT_ONCE
        if self.batch_statistics:
            together = aligned = self.batch_size
        start_seed = self.first_seed + start
        # Some batches at a time: the seeds of all that may be made can be more than memory holds.
        for first in range(start - start % aligned, end, 1024 * together) if start < end else ():
            numbers = np.arange(first, min(first + 1024 * together, end), dtype=np.int64)
            made = self.make(self.first_seed + numbers, together)
            try:
                for batch in made:
                    there = batch[max(0, start_seed - int(batch.seed[0])) * self.slices :]
                    for piece in range(0, len(there), AT_ONCE * self.slices):
                        yield Draw.of(there[piece : piece + AT_ONCE * self.slices], self.slices)
            finally:
                if isinstance(made, Generator):  # batches under way are let go
                    made.close()


class Selector:
    """Decides on segments in the order of their seeds.

    Args:
        selection: what is kept.
        count: segments to be kept.
        real: the set that is followed, if one is.
        slices: of a stack. It is within limits if all of them are, and compared by the central one.

    Attributes:
        kept: how many are.
        tilt: the chances, once they are fitted to the real set.
    """

    def __init__(
        self, selection: Selection, count: int, real: RealSet | None = None, slices: int = 1
    ) -> None:
        self._selection, self._count, self._slices = selection, count, slices
        self._quotas = Quotas(real, count, selection.like_ks) if real else None
        self._gallery = Gallery(selection.diverse) if selection.diverse else None
        self._within = self._whole = 0
        self.kept = 0
        self.tilt: Tilt | None = None

    @property
    def complete(self) -> bool:
        """Whether as many as wanted are kept."""
        return self.kept >= self._count

    def remember(self, segments: SegmentSet) -> None:
        """Take in segments that an earlier process kept."""
        self.kept += len(segments) // self._slices
        if self._quotas:
            for one in values_of(measure(segments)):
                self._quotas.take(one)
        if self._gallery is not None:
            for bits in self._gallery.bits_of(segments.hu[self._slices // 2 :: self._slices]):
                self._gallery.add(bits)

    def rows_kept(self, draw: Draw) -> np.ndarray:
        """Decide on the segments of a draw and give the rows, int (K,), of those that are kept.

        Not more are than are still wanted.
        """
        slices, central = self._slices, self._slices // 2
        fits = self._selection.fits(draw.segments, draw.metrics)
        if self._selection.whole:
            self._within += int(self._selection.limits.accept(draw.metrics).sum())
            self._whole += int(fits.sum())
        fits = np.asarray(fits.reshape(-1, slices).all(axis=1))
        values = values_of(draw.metrics)[central::slices]
        if self.tilt:
            fits &= chance_of(draw.segments.seed[::slices]) < self.tilt.chances(values)
        bits = (
            None
            if self._gallery is None
            else self._gallery.bits_of(draw.segments.hu[central::slices])
        )
        rows: list[int] = []
        for row in np.flatnonzero(fits):
            if self.complete:
                break
            if self._takes(values[row], None if bits is None else bits[row]):
                rows.append(int(row))
                self.kept += 1
        return (np.array(rows, int)[:, None] * slices + np.arange(slices)).reshape(-1)

    def lacking(self) -> str:
        """Say how few walls are whole, and which part of a set that is followed is missing most;
        empty where that is not asked for."""
        walls = ""
        if self._within:
            walls = f"Whole walls: {share(self._whole / self._within)}."
        followed = self._quotas.lacking() if self._quotas and self.kept else ""
        return " ".join(filter(None, (walls, followed)))

    def _takes(self, values: np.ndarray, bits: np.ndarray | None) -> bool:
        known = self._gallery is not None and bits is not None and self._gallery.has_one_like(bits)
        if known or (self._quotas and not self._quotas.take(values)):
            return False
        if self._gallery is not None and bits is not None:
            self._gallery.add(bits)
        return True


def selected(
    source: Source,
    selection: Selection,
    count: int,
    *,
    real: RealSet | None = None,
    held: Iterable[SegmentSet] = (),
    on_note: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Kept]:
    """Draw segments until enough are kept.

    Args:
        source: where they come from.
        selection: what is kept.
        count: how many, at least 1.
        real: ``likeness.read_real`` of ``selection.like``.
        held: segments that an earlier process kept, in order.
        on_note: called with sentences on how long it will take.

    Yields:
        What is kept of each batch, often nothing. Nothing is given before it is likely that the
        selection ends in time.

    Raises:
        BadInputError: if too few segments fit, or the model makes none like the real set's.
    """
    most = selection.most_made(count)
    selector, start = Selector(selection, count, real, source.slices), 0
    for segments in held:
        selector.remember(segments)
        start = int(segments.seed[-1]) - source.first_seed + 1
    if selector.complete:
        return
    began_s, drawn_before = time.monotonic(), 0
    if real:
        on_note(f"A first sample of the model's segments is compared with {real.name}.")
        sample = yield from _sampled(source, selection, count)
        values = np.concatenate([values_of(one.metrics) for one in sample])
        selector.tilt = Tilt.fitted(values, real, selection.like_ks)
    if real and start == 0:
        drawn_before = sum(draw.made for draw in sample)
        draws = _followed_by(sample, source, most)
    else:
        draws, began_s = source.draws(start, most), time.monotonic()
    steady = not (real or selection.diverse)
    forecast = Forecast(
        count,
        most,
        selection.limits,
        selector.lacking,
        steady=steady,
        began_s=began_s,
        drawn_before=drawn_before,
    )
    yield from _kept(draws, selector, forecast, start, source.first_seed, on_note)


def _kept(
    draws: Iterator[Draw],
    selector: Selector,
    forecast: Forecast,
    made: int,
    first_seed: int,
    on_note: Callable[[str], None],
) -> Iterator[Kept]:
    waiting: list[SegmentSet] = []
    certain = selector.kept > 0
    for draw in draws:
        rows = selector.rows_kept(draw)
        made += draw.made
        if selector.complete:
            last = draw.segments[rows]
            # The rest of the batch counts for nothing, whatever its size.
            yield Kept(_joined([*waiting, last]), int(last.seed[-1]) - first_seed + 1, True)
            return
        note = forecast.look(
            draw.made, len(rows) // draw.slices, made, selector.kept, draw.measured
        )
        if note:
            on_note(note)
        certain = certain or forecast.promising
        waiting.append(draw.segments[rows])
        yield Kept(_joined(waiting) if certain else waiting[-1][:0], made, False)
        if certain:
            waiting.clear()
    if waiting:
        yield Kept(_joined(waiting), made, False)
    raise forecast.used_up(made, selector.kept)


def _sampled(source: Source, selection: Selection, count: int) -> Generator[Kept, None, list[Draw]]:
    """Draw the first sample, and give the part of it that is within limits."""
    most = selection.most_made(count)
    forecast = Forecast(count, most, selection.limits)
    sample: list[Draw] = []
    made = fitting = 0
    for draw in source.draws(0, most):
        within = np.isfinite(values_of(draw.metrics)).all(axis=1)
        within &= selection.fits(draw.segments, draw.metrics)
        sample.append(draw.part(within))
        made, fitting = made + draw.made, fitting + int(within.sum())
        forecast.look(draw.made, int(within.sum()), made, 0, draw.measured)
        yield Kept(draw.segments[:0], made, False)
        if fitting >= SAMPLE or (made >= SAMPLE_DRAWS and fitting >= ENOUGH):
            return sample
    if fitting < count:
        raise forecast.used_up(made, fitting)
    return sample


def _followed_by(sample: list[Draw], source: Source, most: int) -> Iterator[Draw]:
    """Give the sample, letting go of it, and then what comes behind it."""
    made = sum(draw.made for draw in sample)
    while sample:
        yield sample.pop(0)
    yield from source.draws(made, most)


def _joined(sets: list[SegmentSet]) -> SegmentSet:
    if len(sets) == 1:
        return sets[0]
    return replace(segment_set.concatenate(sets), source=sets[0].source)


def chance_of(seeds: np.ndarray) -> np.ndarray:
    """Give a number in [0, 1) by each seed, float64 (N,): SplitMix64 (Steele et al. 2014).

    It has nothing to do with the latent vector, which another generator draws from the seed.
    """
    with np.errstate(over="ignore"):
        mixed = seeds.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2.0**64
