"""Segment sets in the formats of others: NRRD, NIfTI, NumPy, MATLAB, PNG and DICOM.

``write`` takes segments batch by batch, ``convert`` a segment set's file; both at flat memory.
``write_metrics`` writes what ``radiology`` measures as a CSV. ``format_of`` chooses the format by a
name, ``files_of`` says what will be written and ``check`` whether it can be.

In a stack (NRRD, NIfTI, DICOM) segment k is the slice at S = k mm, centerd, and an axial view shows
it upright. The position means nothing, and the slices are 1 mm apart because some distance has to
be given.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..data import hdf5, segment_set
from ..data.segment_set import SIZE, SegmentSet
from ..data.stack import SLICE_DISTANCE_MM as DISTANCE_MM
from ..data.stack import stack_geometry
from ..errors import BadInputError, OutputError
from ..utils.atomic_files import written_aside

FORMATS = {
    "h5": (".h5", ".hdf5"),
    "nrrd": (".nrrd",),
    "nifti": (".nii.gz", ".nii"),
    "npy": (".npy",),
    "mat": (".mat",),
    "png": (".png-folder",),
    "dicom": (".dcm-folder",),
}
"""The formats and the endings that choose them; folders may have any name if that is said."""
FOLDERS = ("png", "dicom")
MOST_SEGMENTS = {
    "nifti": (32_767, "its header counts no further"),
    "mat": (20_000, "it is put together in memory"),
}
"""Formats that do not hold any number of segments, and why."""
PNG_OFFSET_HU = 1024
"""Added to the HU of a PNG, which holds no negative numbers."""
ORIGINS = {
    "real": "cut from head CTs",
    "synthetic": "made by a generative network; they show no patient",
    "artificial": "drawn by formula; they show no patient",
    "control": "for comparison; they are no skull segments of a patient",
}

_GZIP_LEVEL = 4
_BATCH = 256
_NAMES_IN_FOLDERS = re.compile(r"\d+\.dcm|hu|mask|README\.txt|segments\.json")

Progress = Callable[[int, int], None]


def write(path: str | Path, batches: Iterable[SegmentSet], format: str | None = None) -> None:
    """Write segments in any of ``FORMATS``, all or, if something raises, none.

    Args:
        path: file, or folder for ``png`` and ``dicom``; what it held is replaced.
        batches: at least one set, all of one kind, pixel size and HU range.
        format: one of ``FORMATS``; None goes by the name.

    Raises:
        BadInputError: as ``format_of`` and ``check``, or if there is no batch or they differ.
        OutputError: if the files cannot be written.
    """
    path = Path(path)
    format = format_of(path, format)
    iterator = iter(batches)
    first = next(iterator, None)
    if first is None:
        raise BadInputError(f"{path}: was given no segments, at least one is needed.")
    if format == "h5":
        _collect(path, first, iterator)
        return
    with _folder_beside(path) as folder:
        collected = folder / "segments.h5"
        try:
            _collect(collected, first, iterator)
        except OutputError as error:
            raise OutputError(str(error).replace(str(collected), str(path))) from error
        convert(collected, path, format)


def convert(
    segments_path: str | Path,
    path: str | Path,
    format: str | None = None,
    on_progress: Progress | None = None,
) -> None:
    """Write the segments in a segment set's file in another of ``FORMATS``.

    Args:
        segments_path: segment set (.h5) with at least one segment.
        path: file, or folder for ``png`` and ``dicom``; what it held is replaced. The masks are
            written beside it, see ``files_of``.
        format: one of ``FORMATS`` other than ``h5``; None goes by the name.
        on_progress: called with the segments written and those there are.

    Raises:
        BadInputError: as ``format_of`` and ``check``, or if the segment set cannot be read.
        OutputError: if the files cannot be written.
    """
    path = Path(path)
    format = format_of(path, format)
    stack = _Stack(Path(segments_path), on_progress)
    check(path, format, stack.count)
    writers: dict[str, Callable[[_Stack, Path], None]] = {
        "nrrd": _write_nrrd,
        "nifti": _write_nifti,
        "npy": _write_npy,
        "mat": _write_mat,
        "png": _write_png,
        "dicom": _write_dicom,
    }
    if format not in writers:
        raise BadInputError(f"{path}: a segment set is not converted into another one.")
    writers[format](stack, path)


def write_metrics(
    path: str | Path,
    batches: Iterable[SegmentSet],
    on_progress: Callable[[int], None] | None = None,
) -> None:
    """Write a CSV with a row per segment: number, seed, origin and ``metrics.METRICS``.

    A metric that does not exist, of a segment without bone, is left empty.

    Args:
        path: the CSV, written aside and renamed.
        batches: segments in order.
        on_progress: called with the segments measured.

    Raises:
        OutputError: if the file cannot be written.
    """
    from ..metrics import METRICS, measure

    origin = ("seed", "kind", "subject", "ct", "bone", "side", "plane")
    number = 0
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("segment", *origin, *METRICS))
        for batch in batches:
            metrics = measure(batch)
            for row in range(len(batch)):
                texts = [getattr(batch, name)[row] for name in origin if name != "kind"]
                texts.insert(1, batch.kind)
                values = (metrics[name][row] for name in METRICS)
                rows.writerow(
                    (number, *texts, *("" if np.isnan(v) else f"{v:.6g}" for v in values))
                )
                number += 1
            if on_progress:
                on_progress(number)


def format_of(path: str | Path, format: str | None = None) -> str:
    """Choose one of ``FORMATS``, by the name of a file unless it is said.

    Raises:
        BadInputError: if the format is unknown, or the name has not its ending.
    """
    name = Path(path).name.lower()
    by_name = next((f for f, endings in FORMATS.items() if name.endswith(endings)), None)
    if format is None and by_name is None:
        endings = ", ".join(endings[0] for f, endings in FORMATS.items() if f not in FOLDERS)
        raise BadInputError(
            f"{path}: a name that ends in {endings} is needed, or the format of a folder "
            f"(--format {' or '.join(FOLDERS)})."
        )
    if format is not None and format not in FORMATS:
        raise BadInputError(
            f"{path}: the format {format!r} is unknown, one of {', '.join(FORMATS)} is needed."
        )
    if format is not None and format not in FOLDERS and by_name != format:
        raise BadInputError(
            f"{path}: a name that ends in {' or '.join(FORMATS[format])} is needed."
        )
    return format or by_name


def files_of(path: str | Path, format: str | None = None) -> dict[str, Path]:
    """What belongs to an output, by the name of its part.

    Returns:
        ``segments``: the path itself. ``mask``: where the format keeps masks apart: a segmentation
        that Slicer opens as such (.seg.nrrd) beside NRRD and DICOM, else a file of the same format.
        ``metrics``: the CSV of ``write_metrics``.
    """
    path = Path(path)
    format = format_of(path, format)
    ending = next((e for e in FORMATS[format] if path.name.lower().endswith(e)), "")
    stem = path.name[: len(path.name) - len(ending)]
    found = {"segments": path}
    if format in ("nrrd", "dicom"):
        found["mask"] = path.with_name(f"{stem}-mask.seg.nrrd")
    elif format in ("nifti", "npy"):
        found["mask"] = path.with_name(f"{stem}-mask{ending}")
    found["metrics"] = path.with_name(f"{stem}.csv")
    return found


def check(path: str | Path, format: str, count: int) -> None:
    """Raise unless segments can be written there; worth knowing before they are made.

    Raises:
        BadInputError: if the format does not hold so many, or a folder would be replaced that
            holds anything that is not from here.
    """
    path = Path(path)
    most, why = MOST_SEGMENTS.get(format, (np.inf, ""))
    if count > most:
        raise BadInputError(
            f"{path}: {count} segments were asked for, at most {most} go into this format ({why}); "
            "a segment set (.h5) holds any number."
        )
    if count < 1:
        raise BadInputError(f"{path}: was given no segments, at least one is needed.")
    if format not in FOLDERS or not path.exists():
        return
    if not path.is_dir():
        raise BadInputError(f"{path}: is a file, the name of a folder is needed.")
    strange = sorted(p.name for p in path.iterdir() if not _NAMES_IN_FOLDERS.fullmatch(p.name))
    if strange:
        raise BadInputError(
            f"{path}: holds {strange[0]}, which was not written by SkullGAN; a new or an empty "
            "folder is needed."
        )


class _Stack:
    """A segment set's file as what a format's writer needs of it.

    Attributes:
        path: the segment set.
        header: the set without its segments.
        count: its segments.
        about: a sentence on what the segments are.
    """

    def __init__(self, path: Path, on_progress: Progress | None = None) -> None:
        self.path = path
        self.header = hdf5.read(path, slice(0))
        self.count = hdf5.count(path)
        self.about = (
            f"{self.count} {self.header.kind} skull segments, {ORIGINS[self.header.kind]}. "
            "The position in space means nothing."
        )
        self._on_progress = on_progress or (lambda done, of: None)

    def batches(self, quiet: bool = False) -> Iterator[SegmentSet]:
        done = 0
        for batch in hdf5.iterate(self.path, _BATCH):
            yield batch
            done += len(batch)
            if not quiet:
                self._on_progress(done, self.count)

    def write_pixels(self, file: IO[bytes], name: str) -> None:
        """Write all HU (int16) or masks (uint8), little endian, columns fastest."""
        for batch in self.batches(quiet=name == "mask"):
            pixels = getattr(batch, name)
            file.write(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).data)

    @property
    def ijk_to_ras(self) -> np.ndarray:
        """float64 (4, 4): (column, row, slice, 1) to RAS mm."""
        return stack_geometry(self.header.pixel_spacing_mm)


def _collect(path: Path, first: SegmentSet, others: Iterable[SegmentSet]) -> None:
    with hdf5.Writer.of(path, first) as writer:
        for batch in chain([first], others):
            writer.append(batch)


def _write_nrrd(stack: _Stack, path: Path) -> None:
    about = {"content": stack.about, "kind": stack.header.kind}
    about["created_by"] = stack.header.created_by
    with _both_aside(path, "nrrd") as (hu, mask):
        _write_mask_nrrd(stack, mask)
        _write_one_nrrd(stack, hu, "hu", about)


def _write_mask_nrrd(stack: _Stack, path: Path) -> None:
    # The fields by which Slicer takes a label map for a segmentation; SNOMED CT's code for bone.
    _write_one_nrrd(
        stack,
        path,
        "mask",
        {
            "Segment0_Color": "0.945098 0.839216 0.568627",
            "Segment0_Extent": f"0 {SIZE - 1} 0 {SIZE - 1} 0 {stack.count - 1}",
            "Segment0_ID": "SkullWall",
            "Segment0_LabelValue": "1",
            "Segment0_Layer": "0",
            "Segment0_Name": "Skull wall",
            "Segment0_Tags": "TerminologyEntry:Segmentation category and type - 3D Slicer General "
            "Anatomy list~SCT^123037004^Anatomical Structure~SCT^272673000^Bone~^^~Anatomic codes "
            "- DICOM master list~^^~^^|",
            "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
            "Segmentation_MasterRepresentation": "Binary labelmap",
            "Segmentation_ReferenceImageExtentOffset": "0 0 0",
        },
    )


def _write_one_nrrd(stack: _Stack, path: Path, name: str, fields: dict[str, str]) -> None:
    """An NRRD file (version 4) by hand, for no writer takes its voxels bit by bit."""
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ stack.ijk_to_ras
    vectors = [f"({','.join(f'{v:.17g}' for v in lps[:3, column] + 0.0)})" for column in range(4)]
    header = [
        "NRRD0004",
        f"type: {'int16' if name == 'hu' else 'uint8'}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {SIZE} {SIZE} {stack.count}",
        f"space directions: {' '.join(vectors[:3])}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {vectors[3]}",
        *(f"{key}:={value}" for key, value in fields.items()),
    ]
    with open(path, "wb") as file:
        file.write(("\n".join(header) + "\n\n").encode())
        with _gzipped(file) as packed:
            stack.write_pixels(packed, name)


def _write_nifti(stack: _Stack, path: Path) -> None:
    packed = path.name.lower().endswith(".gz")
    with _both_aside(path, "nifti") as both:
        for name, temporary in zip(("hu", "mask"), both, strict=True):
            with open(temporary, "wb") as plain, _gzipped(plain) if packed else plain as file:
                file.write(_nifti_header(stack, name))
                stack.write_pixels(file, name)


def _nifti_header(stack: _Stack, name: str) -> bytes:
    """The 352 bytes before the voxels, by the fields' places in nifti1.h."""
    code, bits = (4, 16) if name == "hu" else (2, 8)
    affine = stack.ijk_to_ras
    spacing = stack.header.pixel_spacing_mm
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, SIZE, SIZE, stack.count, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, 1.0, spacing, spacing, DISTANCE_MM, 0, 0, 0, 0)
    struct.pack_into("<fff", header, 108, 352.0, 1.0, 0.0)  # voxels' offset, slope, intercept
    header[123] = 2  # mm
    header[148:228] = f"{stack.header.kind} skull segments, HU".encode().ljust(80, b"\0")
    struct.pack_into("<hh", header, 252, 1, 1)
    # The quaternion (0, 0, 0, 1) is the half turn about S that the matrix is, too.
    struct.pack_into("<6f", header, 256, 0, 0, 1, *affine[:3, 3])
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header)


def _write_npy(stack: _Stack, path: Path) -> None:
    with _both_aside(path, "npy") as both:
        for name, temporary in zip(("hu", "mask"), both, strict=True):
            about = {
                "descr": "<i2" if name == "hu" else "|u1",
                "fortran_order": False,
                "shape": (stack.count, SIZE, SIZE),
            }
            with open(temporary, "wb") as file:
                np.lib.format.write_array_header_1_0(file, about)
                stack.write_pixels(file, name)


def _write_mat(stack: _Stack, path: Path) -> None:
    """MATLAB 5: hu(:, :, k) is segment k, its first row outside the head."""
    from scipy.io import savemat

    whole = hdf5.read(stack.path)
    fields: dict[str, Any] = {
        "hu": whole.hu.transpose(1, 2, 0),
        "mask": whole.mask.transpose(1, 2, 0),
        "pixel_spacing_mm": whole.pixel_spacing_mm,
        "seeds": whole.seed,
        "kind": whole.kind,
        "pixel_to_ras": whole.pixel_to_ras.transpose(1, 2, 0),
        **{name: getattr(whole, name).astype(object) for name in ("subject", "bone", "side")},
        "plane": whole.plane.astype(object),
        "hu_range": np.array(whole.hu_range),
        "source": json.dumps(dict(whole.source), sort_keys=True),
        "created_by": whole.created_by,
    }
    with written_aside(path) as temporary:
        savemat(temporary, fields, do_compression=True, oned_as="column")
        with open(
            temporary, "r+b"
        ) as file:  # where SciPy writes the time, for the same bytes again
            file.write(f"MATLAB 5.0 MAT-file, {whole.created_by}".encode()[:116].ljust(116))


def _write_png(stack: _Stack, path: Path) -> None:
    """hu/<number>.png, 16-bit gray, and mask/<number>.png, 0 and 255."""
    from PIL import Image, PngImagePlugin

    about = (
        f"{stack.about}\n"
        f"hu/: 16-bit gray, HU = value - {PNG_OFFSET_HU}. mask/: 255 inside the skull wall, else "
        f"0. {stack.header.pixel_spacing_mm:g} mm pixels, row 0 outside the head. segments.json "
        "tells each picture's seed and origin."
    )
    with _folder_aside(path) as folder:
        for name in ("hu", "mask"):
            (folder / name).mkdir()
        origins = []
        for batch in stack.batches():
            for row in range(len(batch)):
                number = f"{len(origins):06d}.png"
                origin = {name: str(getattr(batch, name)[row]) for name in segment_set.TEXTS}
                origins.append({"file": number, "seed": int(batch.seed[row]), **origin})
                text = PngImagePlugin.PngInfo()
                text.add_text("Description", f"{batch.kind} skull segment")
                text.add_text("Comment", f"HU = value - {PNG_OFFSET_HU}")
                text.add_text("Seed", str(batch.seed[row]))
                shifted = np.clip(batch.hu[row].astype(np.int32) + PNG_OFFSET_HU, 0, None)
                gray = Image.fromarray(shifted.astype(np.uint16))
                gray.save(folder / "hu" / number, pnginfo=text)
                Image.fromarray(batch.mask[row] * np.uint8(255)).save(folder / "mask" / number)
        (folder / "README.txt").write_text(about + "\n", encoding="utf-8")
        index = {
            "kind": stack.header.kind,
            "hu_offset": -PNG_OFFSET_HU,
            "pixel_spacing_mm": stack.header.pixel_spacing_mm,
            "created_by": stack.header.created_by,
            "source": dict(stack.header.source),
            "segments": origins,
        }
        (folder / "segments.json").write_text(json.dumps(index, indent=1), encoding="utf-8")


def _write_dicom(stack: _Stack, path: Path) -> None:
    from . import dicom

    series = dicom.Series(stack.header, stack.ijk_to_ras, stack.batches(quiet=True))
    with written_aside(files_of(path, "dicom")["mask"]) as mask, _folder_aside(path) as folder:
        _write_mask_nrrd(stack, mask)
        number = 0
        for batch in stack.batches():
            for hu, seed in zip(batch.hu, batch.seed, strict=True):
                series.write(folder / f"{number:06d}.dcm", number, hu, int(seed))
                number += 1


@contextmanager
def _both_aside(path: Path, format: str) -> Iterator[tuple[Path, Path]]:
    """Where to write HU and masks, neither of which comes to be if the other fails."""
    with written_aside(files_of(path, format)["mask"]) as mask, written_aside(path) as hu:
        yield hu, mask


@contextmanager
def _gzipped(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Compress into an open file, without name and time, for the same bytes again."""
    with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
        yield packed


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A temporary folder on the disk of ``path``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".", suffix=".partial", dir=path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}).") from error
    with folder as name:
        yield Path(name)


@contextmanager
def _folder_aside(path: Path) -> Iterator[Path]:
    """Give a folder beside ``path``; rename it to ``path`` when the block succeeds."""
    # A name of its own for each path: what a killed process left is replaced.
    token = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    temporary, before = (path.with_name(f".{token}.{what}") for what in ("partial", "before"))
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            shutil.rmtree(before, ignore_errors=True)
            os.replace(path, before)
        os.replace(temporary, path)
        shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
