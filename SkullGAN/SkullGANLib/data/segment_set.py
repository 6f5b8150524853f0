"""Segment sets: skull segments with their masks, their place in the patient and their provenance.

``SegmentSet`` holds them in memory, ``concatenate`` joins sets and ``without_patient`` makes one of
segments that show nobody. Their file is ``hdf5``'s matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .. import __version__
from ..errors import BadInputError

SIZE = 128
"""Rows and columns of a segment."""
PIXEL_SPACING_MM = 0.45
"""Default size of a pixel: 128 columns are 57.6 mm, every 4th is one of the paper's 32 sections."""
HU_RANGE = (0.0, 2734.53)
"""Default HU that networks see as -1 and +1: those of the published model."""
ORIGINS = {
    "real": "cut from head CTs",
    "synthetic": "made by a generative network; they show no patient",
    "artificial": "drawn by formula; they show no patient",
    "control": "for comparison; they are no skull segments of a patient",
}
"""What the segments of each kind are, in the words of files and nodes."""
KINDS = tuple(ORIGINS)
SIDES = ("left", "right", "midline", "unknown")

PER_SEGMENT = (
    *("hu", "mask", "pixel_to_ras", "subject", "bone", "side", "plane", "seed", "ct"),
    *("stack", "slice_number"),
)
"""What a set holds one of for each segment."""
TEXTS = ("subject", "bone", "side", "plane", "ct")
"""The texts among ``PER_SEGMENT``."""
IN_DEPTH = ("stack", "slice_number")
"""The numbers among ``PER_SEGMENT`` that only sets with depth have, see ``depth``."""
NO_STACK = -1
"""In their place for a segment that is of no stack."""


@dataclass(frozen=True, eq=False)
class SegmentSet:
    """N skull segments of 128 x 128 pixels, row 0 outside the head, columns along the wall.

    Attributes:
        hu: int16 (N, 128, 128), HU; 0 wherever the mask is 0.
        mask: uint8 (N, 128, 128), 1 inside the skull wall, else 0.
        pixel_to_ras: float64 (N, 4, 4), takes (column, row, 0, 1) to RAS mm; NaN where the
            segment belongs to no patient.
        subject: (N,) texts, a pseudonym; a segment of no patient has an empty one.
        bone, plane: (N,) texts, as ``anatomy.cut_plan`` names them today, or ``unknown``; a set
            may hold others, of a version that cuts more.
        side: (N,) texts out of ``SIDES``.
        seed: int64 (N,), the generator's seed, -1 where there is none.
        kind: one of ``KINDS``.
        pixel_spacing_mm: size of the square pixels.
        hu_range: HU that networks see as -1 and +1.
        source: what is known of the origin and holds no identity (scanner, kernel, kVp, slice
            thickness, model); anything that JSON can hold. ``cts`` holds the same for each CT
            alone, under its ``ct``.
        created_by: program and version that made the segments.
        ct: (N,) texts, the pseudonym of the CT each segment was cut from; empty where there is none
            and in files of earlier versions, which do not have it.
        stack: int64 (N,), the number of the stack in depth that the segment is a slice of: among
            those of its CT, or the seed of a synthetic one; -1 where it is of none.
        slice_number: int64 (N,), its place in the stack, from 0; -1 where it is of none.

    ``len(segments)`` is N; ``segments[index]`` with a slice, an index array or a boolean array is
    the set of those segments.

    Raises:
        BadInputError: if shapes do not match each other, a text is not one of those named, a pixel
            has no size or the HU range is empty.
    """

    hu: np.ndarray
    mask: np.ndarray
    pixel_to_ras: np.ndarray
    subject: np.ndarray
    bone: np.ndarray
    side: np.ndarray
    plane: np.ndarray
    seed: np.ndarray
    kind: str
    pixel_spacing_mm: float = PIXEL_SPACING_MM
    hu_range: tuple[float, float] = HU_RANGE
    source: Mapping[str, Any] = field(default_factory=dict)
    created_by: str = f"skullgan {__version__}"
    ct: np.ndarray | None = None
    stack: np.ndarray | None = None
    slice_number: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.hu)
        if self.ct is None:
            object.__setattr__(self, "ct", np.full(count, ""))
        for name in IN_DEPTH:
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(count, NO_STACK, np.int64))
        shapes = {
            "hu": (count, SIZE, SIZE),
            "mask": (count, SIZE, SIZE),
            "pixel_to_ras": (count, 4, 4),
        }
        for name in PER_SEGMENT:
            expected = shapes.get(name, (count,))
            found = np.shape(getattr(self, name))
            if found != expected:
                raise BadInputError(
                    f"A segment set's {name} has the shape {found}, expected {expected}."
                )
        strange = sorted(set(map(str, self.side)) - set(SIDES))
        if strange:
            raise BadInputError(f"A segment set's side is {strange[0]!r}, expected one of {SIDES}.")
        for name in ("bone", "plane"):
            if "" in set(map(str, getattr(self, name))):
                raise BadInputError(
                    f"A segment set's {name} is empty, expected a name ('unknown' where it is)."
                )
        if self.kind not in KINDS:
            raise BadInputError(f"A segment set's kind is {self.kind!r}, expected one of {KINDS}.")
        if not 0 < self.pixel_spacing_mm < np.inf:
            raise BadInputError(
                f"A segment set's pixel_spacing_mm is {self.pixel_spacing_mm}, expected more "
                "than 0."
            )
        if len(self.hu_range) != 2 or not self.hu_range[0] < self.hu_range[1]:
            raise BadInputError(
                f"A segment set's hu_range is {self.hu_range}, expected two HU, the lower first."
            )
        if not isinstance(self.source, Mapping):
            raise BadInputError(
                f"A segment set's source is {self.source!r}, expected names with values."
            )

    def __len__(self) -> int:
        return len(self.hu)

    def __getitem__(self, index: slice | Sequence[int] | np.ndarray) -> SegmentSet:
        return replace(self, **{name: getattr(self, name)[index] for name in PER_SEGMENT})


def without_patient(
    hu: np.ndarray,
    mask: np.ndarray,
    seed: np.ndarray,
    *,
    kind: str = "synthetic",
    pixel_spacing_mm: float = PIXEL_SPACING_MM,
    hu_range: tuple[float, float] = HU_RANGE,
    source: Mapping[str, Any] | None = None,
) -> SegmentSet:
    """Make a set of segments that come from no patient: synthetic, artificial or control.

    Args:
        hu: int16 (N, 128, 128), HU.
        mask: uint8 (N, 128, 128).
        seed: int64 (N,), the seed that makes each segment again.
        kind: one of ``KINDS``.
        pixel_spacing_mm, hu_range, source: as in ``SegmentSet``.
    """
    count = len(hu)
    unknown = np.full(count, "unknown")
    return SegmentSet(
        hu=np.asarray(hu, np.int16),
        mask=np.asarray(mask, np.uint8),
        pixel_to_ras=np.full((count, 4, 4), np.nan),
        subject=np.full(count, ""),
        bone=unknown,
        side=unknown,
        plane=unknown,
        seed=np.asarray(seed, np.int64),
        kind=kind,
        pixel_spacing_mm=pixel_spacing_mm,
        hu_range=hu_range,
        source=dict(source or {}),
    )


def concatenate(sets: Sequence[SegmentSet]) -> SegmentSet:
    """Join sets of one kind, pixel size and HU range, in the order given.

    A source entry survives if all sets agree on it; one that differs becomes the list of values;
    ``cts`` keeps every CT's own.

    Raises:
        BadInputError: if there is no set, or kind, pixel size or HU range differ.
    """
    if not sets:
        raise BadInputError("No segment set was given, expected at least one.")
    first = sets[0]
    for other in sets[1:]:
        check_alike(first, other)
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(s, name) for s in sets]) for name in PER_SEGMENT
    }
    return replace(first, source=_merged_source([s.source for s in sets]), **joined)


def check_alike(first: SegmentSet, other: SegmentSet) -> None:
    """Raise BadInputError where two sets cannot be one: other kind, pixel size or HU range."""
    for name in ("kind", "pixel_spacing_mm", "hu_range"):
        if getattr(other, name) != getattr(first, name):
            raise BadInputError(
                f"Segment sets differ in {name}: {getattr(first, name)} and "
                f"{getattr(other, name)}; expected one for all."
            )


def joined_source(first: SegmentSet, other: SegmentSet) -> Mapping[str, Any]:
    """Merge the sources of two sets; one that says nothing leaves the other as it is."""
    if other.source == first.source or not first.source:
        return other.source
    return _merged_source([first.source, other.source])


def _merged_source(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in sorted({key for source in sources for key in source}):
        of_cts = [source[key] for source in sources if key in source]
        if key == "cts" and all(isinstance(one, Mapping) for one in of_cts):
            merged[key] = {ct: of for one in of_cts for ct, of in one.items()}
            continue
        values: list[Any] = []
        for source in sources:
            value = source.get(key)
            for one in value if isinstance(value, list) else [value]:
                if one is not None and one not in values:
                    values.append(one)
        merged[key] = values[0] if len(values) == 1 else values
    return merged
