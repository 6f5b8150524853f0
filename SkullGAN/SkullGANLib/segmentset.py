"""Segment sets: skull segments with their masks, their place in the patient and their provenance.

``read`` and ``write`` move a ``SegmentSet`` between memory and one HDF5 file that MATLAB and any
HDF5 reader open as it is; ``append`` adds to a file so that a crash at any moment leaves what was
there before; ``concatenate`` joins sets in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .errors import BadInputError
from .files import written_aside

FORMAT = "skullgan-segments"
FORMAT_VERSION = 1
SIZE = 128
"""Rows and columns of a segment."""
PIXEL_SPACING_MM = 0.45
"""Default size of a pixel: 128 columns are 57.6 mm, every 4th is one of the paper's 32 sections."""
HU_RANGE = (0.0, 2734.53)
"""Default HU that networks see as -1 and +1: those of the published model."""
KINDS = ("real", "synthetic", "artificial", "control")
BONES = ("temporal", "parietal", "frontal", "occipital", "unknown")
SIDES = ("left", "right", "midline", "unknown")
PLANES = ("axial", "coronal", "sagittal", "oblique", "unknown")

_PER_SEGMENT = ("hu", "mask", "pixel_to_ras", "subject", "bone", "side", "plane", "seed")
_TEXTS = ("subject", "bone", "side", "plane")
_TYPES = {"hu": np.int16, "mask": np.uint8, "pixel_to_ras": np.float64, "seed": np.int64}


@dataclass(frozen=True, eq=False)
class SegmentSet:
    """N skull segments of 128 x 128 pixels, row 0 outside the head, columns along the wall.

    Attributes:
        hu: int16 (N, 128, 128), HU; 0 wherever the mask is 0.
        mask: uint8 (N, 128, 128), 1 inside the skull wall, else 0.
        pixel_to_ras: float64 (N, 4, 4), takes (column, row, 0, 1) to RAS mm; NaN where the
            segment belongs to no patient.
        subject: (N,) texts, a pseudonym; a segment of no patient has an empty one.
        bone, side, plane: (N,) texts out of ``BONES``, ``SIDES`` and ``PLANES``.
        seed: int64 (N,), the generator's seed, -1 where there is none.
        kind: one of ``KINDS``.
        pixel_spacing_mm: size of the square pixels.
        hu_range: HU that networks see as -1 and +1.
        source: what is known of the origin and holds no identity (scanner, kernel, kVp, slice
            thickness, model); anything that JSON can hold.
        created_by: program and version that made the segments.

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

    def __post_init__(self) -> None:
        count = len(self.hu)
        shapes = {
            "hu": (count, SIZE, SIZE),
            "mask": (count, SIZE, SIZE),
            "pixel_to_ras": (count, 4, 4),
        }
        for name in _PER_SEGMENT:
            needed = shapes.get(name, (count,))
            found = np.shape(getattr(self, name))
            if found != needed:
                raise BadInputError(f"A segment set's {name} is {found}, needed is {needed}.")
        for name, allowed in (("bone", BONES), ("side", SIDES), ("plane", PLANES)):
            strange = sorted(set(map(str, getattr(self, name))) - set(allowed))
            if strange:
                raise BadInputError(
                    f"A segment set's {name} is {strange[0]!r}, needed is one of {allowed}."
                )
        if self.kind not in KINDS:
            raise BadInputError(f"A segment set's kind is {self.kind!r}, needed is one of {KINDS}.")
        if not 0 < self.pixel_spacing_mm < np.inf:
            raise BadInputError(
                f"A segment set's pixel_spacing_mm is {self.pixel_spacing_mm}, more than 0 is "
                "needed."
            )
        if len(self.hu_range) != 2 or not self.hu_range[0] < self.hu_range[1]:
            raise BadInputError(
                f"A segment set's hu_range is {self.hu_range}, needed are two HU, the lower first."
            )
        if not isinstance(self.source, Mapping):
            raise BadInputError(
                f"A segment set's source is {self.source!r}, needed are names with values."
            )

    def __len__(self) -> int:
        return len(self.hu)

    def __getitem__(self, index: slice | Sequence[int] | np.ndarray) -> SegmentSet:
        return replace(self, **{name: getattr(self, name)[index] for name in _PER_SEGMENT})


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

    A source entry survives if all sets agree on it; one that differs becomes the list of values.

    Raises:
        BadInputError: if there is no set, or kind, pixel size or HU range differ.
    """
    if not sets:
        raise BadInputError("No segment set was given, at least one is needed.")
    first = sets[0]
    for other in sets[1:]:
        for name in ("kind", "pixel_spacing_mm", "hu_range"):
            if getattr(other, name) != getattr(first, name):
                raise BadInputError(
                    f"Segment sets differ in {name}: {getattr(first, name)} and "
                    f"{getattr(other, name)}; one is needed for all."
                )
    joined = {name: np.concatenate([getattr(s, name) for s in sets]) for name in _PER_SEGMENT}
    return replace(first, source=_merged_source([s.source for s in sets]), **joined)


def write(path: str | Path, segments: SegmentSet) -> None:
    """Write a segment set to an HDF5 file, aside and renamed; the same set gives the same bytes.

    Raises:
        OutputError: if the file cannot be written.
    """
    import h5py

    with written_aside(path) as aside, h5py.File(aside, "w") as file:
        compressed = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
        for name in ("hu", "mask"):
            file.create_dataset(
                name,
                data=getattr(segments, name),
                dtype=np.int16 if name == "hu" else np.uint8,
                chunks=(1, SIZE, SIZE),
                maxshape=(None, SIZE, SIZE),
                **compressed,
            )
        file.create_dataset("pixel_to_ras", data=segments.pixel_to_ras, dtype=np.float64)
        file.create_dataset("seed", data=segments.seed, dtype=np.int64)
        for name in _TEXTS:
            texts = [str(text) for text in getattr(segments, name)]
            file.create_dataset(name, data=texts, dtype=h5py.string_dtype("utf-8"))
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["kind"] = segments.kind
        file.attrs["pixel_spacing_mm"] = float(segments.pixel_spacing_mm)
        file.attrs["hu_range"] = np.asarray(segments.hu_range, np.float64)
        file.attrs["created_by"] = segments.created_by
        file.attrs["source"] = json.dumps(dict(segments.source), sort_keys=True)


def append(path: str | Path, segments: SegmentSet) -> None:
    """Add segments to the set in a file, or start the file.

    The joined set is written aside and renamed, so that a crash leaves either the old file or the
    new one. That costs a copy of the file a call: append batches, not single segments.

    Raises:
        BadInputError: if the file is not a segment set or does not fit (kind, pixel size, range).
        OutputError: if the file cannot be written.
    """
    path = Path(path)
    write(path, concatenate([read(path), segments]) if path.exists() else segments)


def read(path: str | Path) -> SegmentSet:
    """Read a whole segment set.

    Raises:
        BadInputError: if the file does not exist, is not HDF5, is not a segment set, is of a later
            version or lacks a part.
    """
    import h5py

    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, a segment set (.h5) is needed.")
    try:
        with h5py.File(path, "r") as file:
            _check_format(path, file)
            _check_types(path, file)
            parts: dict[str, Any] = {name: file[name][...] for name in _PER_SEGMENT}
            parts.update(
                {name: np.array(file[name].asstr()[...], dtype=np.str_) for name in _TEXTS}
            )
            parts.update(
                kind=str(file.attrs["kind"]),
                pixel_spacing_mm=float(file.attrs["pixel_spacing_mm"]),
                hu_range=tuple(float(hu) for hu in file.attrs["hu_range"]),
                source=json.loads(file.attrs["source"]),
                created_by=str(file.attrs["created_by"]),
            )
            return SegmentSet(**parts)
    except KeyError as error:
        raise BadInputError(f"{path}: the segment set is incomplete: {error.args[0]}.") from error
    except BadInputError as error:
        raise error if str(path) in str(error) else BadInputError(f"{path}: {error}") from error
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"{path}: cannot be read as a segment set (.h5); the file is damaged or something else."
        ) from error


def _check_format(path: Path, file: Any) -> None:
    found = file.attrs.get("format")
    if found != FORMAT:
        raise BadInputError(
            f"{path}: is an HDF5 file of format {found!r}, a segment set ({FORMAT!r}) is needed."
        )
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise BadInputError(
            f"{path}: is a segment set of version {version}, this program reads up to version "
            f"{FORMAT_VERSION}; a newer SkullGAN is needed."
        )


def _check_types(path: Path, file: Any) -> None:
    for name, needed in _TYPES.items():
        found = file[name].dtype
        if found != needed:
            raise BadInputError(
                f"{path}: the segment set's {name} is of type {found}, needed is "
                f"{np.dtype(needed)}."
            )


def _merged_source(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in sorted({key for source in sources for key in source}):
        values: list[Any] = []
        for source in sources:
            value = source.get(key)
            for one in value if isinstance(value, list) else [value]:
                if one is not None and one not in values:
                    values.append(one)
        merged[key] = values[0] if len(values) == 1 else values
    return merged
