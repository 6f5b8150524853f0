"""The sets of an evaluation: read at flat memory, checked against each other, ready to compare.

``read`` goes once through the files of each set, measures every segment and keeps as many as the
comparisons take; ``prepare_sets`` does the same with what is in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import hdf5, segment_set
from ..data.segment_set import TEXTS, SegmentSet
from ..errors import BadInputError
from ..metrics import measure
from .measures.pixel_search import MOST_TRAINING
from .measures.statistics import subsample

MOST = 4_000
"""Segments of a set that are compared; larger sets are subsampled."""

_SAME_SPACING = 1e-3
_AT_ONCE = 1024


@dataclass(frozen=True)
class Source:
    """A file that segments of a set came from, and how many."""

    path: Path
    count: int


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """One set: what was measured of all N segments, and M of them to compare.

    Attributes:
        segments: the M segments.
        place: int (M,), the place of each among the N.
        metrics: float64 (N,) for each of ``metrics.METRICS``.
        texts: (N,) texts for each of ``segment_set.TEXTS``.
        seed: int64 (N,), the generator's seed, -1 where there is none.
        digest: texts (N,), equal for segments of identical HU.
        sources: the files it came from, one after the other; none for what was in memory.
        clipped: share of the pixels of bone whose HU were beyond the range common to all sets.
    """

    segments: SegmentSet
    place: np.ndarray
    metrics: Mapping[str, np.ndarray]
    texts: Mapping[str, np.ndarray]
    seed: np.ndarray
    digest: np.ndarray
    sources: tuple[Source, ...] = ()
    clipped: float = 0.0

    def __len__(self) -> int:
        return len(self.digest)

    def metrics_of(self, places: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
        """Give the metrics, float64 (n,) each, of some of ``segments``."""
        whole = self.place[places]
        return {name: values[whole] for name, values in self.metrics.items()}

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files, without their folders."""
        return tuple(one.path.name for one in self.sources)

    @property
    def subjects(self) -> set[str]:
        """The pseudonyms of the subjects in the set."""
        return set(map(str, self.texts["subject"])) - {""}


def read(
    files: Mapping[str, Sequence[str | Path]],
    *,
    most: int = MOST,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, EvaluationSet]:
    """Read the sets of an evaluation from files, each set from one or several.

    Args:
        files: paths of segment sets, by one of ``names.NAMES``.
        most: segments of each set to compare; of the training set 10,000 are kept if there are as
            many, for the search for copies.
        seed: of the subsample.
        on_progress: called with the segments read and to be read.

    Raises:
        BadInputError: if a file is no segment set, a set is empty, or the sets do not go together
            (pixel size, HU range).
    """
    headers = {
        name: [(str(path), hdf5.read(path, slice(0))) for path in paths]
        for name, paths in files.items()
    }
    counts = {name: [hdf5.count(path) for path in paths] for name, paths in files.items()}
    for name, paths in files.items():
        for path, count in zip(paths, counts[name], strict=True):
            if count == 0:
                raise BadInputError(f"{path}: the {name} set holds no segment: expected one.")
    common = _common_range([header for each in headers.values() for header in each])
    finished, of = 0, sum(map(sum, counts.values()))

    def batches(name: str) -> Iterable[SegmentSet]:
        nonlocal finished
        for path in files[name]:
            for batch in hdf5.iterate(path, _AT_ONCE):
                yield batch
                finished += len(batch)
                if on_progress:
                    on_progress(finished, of)

    return {
        name: _evaluation_set(
            name,
            batches(name),
            sum(counts[name]),
            hu_range=common,
            spacing_mm=next(iter(headers.values()))[0][1].pixel_spacing_mm,
            most=most,
            seed=seed,
            together=slices_together([header for _, header in headers[name]]),
            sources=tuple(map(Source, map(Path, paths), counts[name])),
        )
        for name, paths in files.items()
    }


def prepare_sets(
    sets: Mapping[str, SegmentSet], *, most: int = MOST, seed: int = 0
) -> dict[str, EvaluationSet]:
    """Prepare sets that are in memory; arguments and errors as for ``read``."""
    for name, one in sets.items():
        if len(one) == 0:
            raise BadInputError(f"The {name} set holds no segment: expected at least one.")
    common = _common_range([(f"The {name} set", one) for name, one in sets.items()])
    spacing_mm = next(iter(sets.values())).pixel_spacing_mm
    return {
        name: _evaluation_set(
            name,
            [one],
            len(one),
            hu_range=common,
            spacing_mm=spacing_mm,
            most=most,
            seed=seed,
            together=slices_together([one]),
        )
        for name, one in sets.items()
    }


def slices_together(sets: Sequence[SegmentSet]) -> int:
    """Give how many segments are a stack in depth and stay together; 1 where they are single ones
    or of several depths."""
    found = [one.source.get("depth") for one in sets]
    alike = all(one == found[0] for one in found)
    return int(found[0]["slices"]) if alike and isinstance(found[0], Mapping) else 1


def digests_of(hu: np.ndarray) -> np.ndarray:
    """Give texts (N,) that are equal for segments of identical HU (N, 128, 128)."""
    whole = np.ascontiguousarray(hu, "<i2")
    return np.array([hashlib.blake2b(one, digest_size=8).hexdigest() for one in whole], "U16")


def _common_range(sets: Sequence[tuple[str, SegmentSet]]) -> tuple[float, float]:
    """Check that sets go together and give the HU that all of them can hold."""
    first_name, first = sets[0]
    for name, one in sets[1:]:
        ratio = one.pixel_spacing_mm / first.pixel_spacing_mm
        if abs(ratio - 1) > _SAME_SPACING:
            raise BadInputError(
                f"{name}: its pixels are {one.pixel_spacing_mm:g} mm, those of {first_name} "
                f"{first.pixel_spacing_mm:g} mm: expected one size (skullgan extract "
                "--spacing-mm), for 128 pixels then show more or less of the skull."
            )
    low = max(one.hu_range[0] for _, one in sets)
    high = min(one.hu_range[1] for _, one in sets)
    if not low < high:
        ranges = ", ".join(f"{name} {one.hu_range}" for name, one in sets)
        raise BadInputError(
            f"The sets' HU ranges have nothing in common ({ranges}): expected an overlap."
        )
    alike = len({tuple(one.hu_range) for _, one in sets}) == 1
    return (-np.inf, np.inf) if alike else (low, high)


def _evaluation_set(
    name: str,
    batches: Iterable[SegmentSet],
    count: int,
    *,
    hu_range: tuple[float, float],
    spacing_mm: float,
    most: int,
    seed: int,
    together: int = 1,
    sources: tuple[Source, ...] = (),
) -> EvaluationSet:
    if most < 1:
        raise BadInputError(f"{most} segments of each set cannot be compared: expected 1 or more.")
    most = max(most, MOST_TRAINING) if name == "train" else most
    place = subsample(count, most, seed, together)
    kept, metrics, texts, seeds, digests = [], [], [], [], []
    clipped = bone = start = 0
    first: SegmentSet | None = None
    for batch in batches:
        first = batch if first is None else first
        if batch.kind != first.kind:
            raise BadInputError(
                f"The {name} set is made of files of kind {first.kind} and {batch.kind}: expected "
                "one kind."
            )
        digests.append(digests_of(batch.hu))
        batch, beyond = _clipped(batch, hu_range)
        batch = replace(batch, pixel_spacing_mm=spacing_mm, hu_range=_range_of(first, hu_range))
        clipped, bone = clipped + beyond, bone + int(np.count_nonzero(batch.mask))
        metrics.append(measure(batch))
        texts.append({text: getattr(batch, text) for text in TEXTS})
        seeds.append(batch.seed)
        kept.append(batch[place[(place >= start) & (place < start + len(batch))] - start])
        start += len(batch)
    return EvaluationSet(
        segments=segment_set.concatenate(kept),
        place=place,
        metrics=_joined(metrics),
        texts=_joined(texts),
        seed=np.concatenate(seeds),
        digest=np.concatenate(digests),
        sources=sources,
        clipped=clipped / max(1, bone),
    )


def _range_of(first: SegmentSet, common: tuple[float, float]) -> tuple[float, float]:
    """Give the HU range that a set has after it was cut to the common one."""
    lowest, highest = common if np.isfinite(common[0]) else first.hu_range
    return lowest, highest


def _clipped(segments: SegmentSet, hu_range: tuple[float, float]) -> tuple[SegmentSet, int]:
    """Cut the HU of the bone to a range; gives how many pixels that changed."""
    if not np.isfinite(hu_range[0]):
        return segments, 0
    cut = np.clip(segments.hu, np.ceil(hu_range[0]), np.floor(hu_range[1])).astype(np.int16)
    hu = np.where(segments.mask > 0, cut, segments.hu)
    return replace(segments, hu=hu), int(np.count_nonzero(hu != segments.hu))


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
