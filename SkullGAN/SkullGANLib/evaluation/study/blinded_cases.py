"""Which segments readers are shown, in an order and under names that tell nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...data import hdf5
from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...plots.contact_sheet import used_rows
from ..evaluation_set import digests_of

REAL, SYNTHETIC = "real", "synthetic"
MOST = 1_000
"""Segments of each kind that a page holds: at 20 kB each it is 40 MB then."""

_SAME_SPACING = 1e-3


@dataclass(frozen=True)
class Case:
    """A segment that readers are shown.

    Attributes:
        name: what page and answers call it.
        truth: ``REAL`` or ``SYNTHETIC``.
        file: name of the segment set it is from, without its folder.
        place: there.
        digest: of its HU, as in ``segments.csv`` of an evaluation.
    """

    name: str
    truth: str
    file: str
    place: int
    digest: str


@dataclass(frozen=True, eq=False)
class BlindedCases:
    """All cases of a study, shuffled.

    Attributes:
        study: a name that follows from the cases.
        cases: M of them.
        hu: int16 (M, rows, columns), HU, cut to the rows and the range that all have in common.
        pixel_spacing_mm: of all.
    """

    study: str
    cases: tuple[Case, ...]
    hu: np.ndarray
    pixel_spacing_mm: float


def choose_cases(
    real: Sequence[str | Path], synthetic: Sequence[str | Path], count: int, *, seed: int = 0
) -> BlindedCases:
    """Take as many segments of both kinds by chance and shuffle them.

    HU are cut to the range that all sets can hold, and the rows to those that any segment uses, so
    that neither gives a kind away.

    Args:
        real, synthetic: segment sets (.h5).
        count: of each kind.
        seed: of choice and order.

    Raises:
        BadInputError: if a file is no segment set or of the wrong kind, pixel sizes differ, or
            there are not so many different segments.
    """
    if not 1 <= count <= MOST:
        raise BadInputError(f"{count} segments of each kind were asked for, expected 1 to {MOST}.")
    headers = {str(path): hdf5.read(path, slice(0)) for path in (*real, *synthetic)}
    _check_kinds(real, synthetic, headers)
    low, high = _common_range(headers)
    rng = np.random.default_rng(seed)
    chosen = []
    taken: set[str] = set()
    for truth, paths in ((REAL, real), (SYNTHETIC, synthetic)):
        for file, place, one in _some(paths, count, rng, taken, truth):
            hu = np.where(one.mask[0], np.clip(one.hu[0], low, high), 0).astype(np.int16)
            chosen.append((truth, file, place, digests_of(one.hu)[0], hu))
    order = rng.permutation(len(chosen))
    width = max(3, len(str(len(chosen))))
    cases = tuple(
        Case(f"{number + 1:0{width}d}", truth, file, place, str(digest))
        for number, (truth, file, place, digest, _) in enumerate(chosen[k] for k in order)
    )
    hu = np.stack([chosen[k][4] for k in order])
    content = hashlib.sha256(" ".join(one.digest for one in cases).encode()).hexdigest()
    spacing_mm = next(iter(headers.values())).pixel_spacing_mm
    return BlindedCases(content[:12], cases, hu[:, used_rows(hu)], spacing_mm)


def _check_kinds(
    real: Sequence[str | Path], synthetic: Sequence[str | Path], headers: dict[str, SegmentSet]
) -> None:
    first_name, first = next(iter(headers.items()))
    for path in map(str, real):
        if headers[path].kind != "real":
            raise BadInputError(
                f"{path}: is of kind {headers[path].kind}, expected real segments for --real."
            )
    for path in map(str, synthetic):
        if headers[path].kind == "real":
            raise BadInputError(f"{path}: holds real segments, expected made ones for --synthetic.")
    for path, one in headers.items():
        if abs(one.pixel_spacing_mm / first.pixel_spacing_mm - 1) > _SAME_SPACING:
            raise BadInputError(
                f"{path}: its pixels are {one.pixel_spacing_mm:g} mm, those of {first_name} "
                f"{first.pixel_spacing_mm:g} mm: expected one size, which would tell them apart."
            )


def _common_range(headers: dict[str, SegmentSet]) -> tuple[float, float]:
    ranges = [one.hu_range for one in headers.values()]
    low, high = max(one[0] for one in ranges), min(one[1] for one in ranges)
    if not low < high:
        raise BadInputError(f"The HU ranges {ranges} have nothing in common: expected an overlap.")
    return low, high


def _some(
    paths: Sequence[str | Path],
    count: int,
    rng: np.random.Generator,
    taken: set[str],
    truth: str,
) -> list[tuple[str, int, SegmentSet]]:
    """Give segments of which no two are alike, with file and place of each."""
    places = [(path, place) for path in paths for place in range(hdf5.count(path))]
    found: list[tuple[str, int, SegmentSet]] = []
    for number in rng.permutation(len(places)):
        path, place = places[number]
        one = hdf5.read(path, slice(place, place + 1))
        digest = str(digests_of(one.hu)[0])
        if digest not in taken and one.mask.any():
            taken.add(digest)
            found.append((Path(path).name, place, one))
        if len(found) == count:
            return found
    names = ", ".join(map(str, paths))
    raise BadInputError(
        f"{names}: {len(found)} different {truth} segments were found, expected {count}."
    )
