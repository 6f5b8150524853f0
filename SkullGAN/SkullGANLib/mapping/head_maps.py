"""Everything about one head's maps, made together and written as files, the format by the ending.

``make`` maps the calvaria and casts the rays of an array; ``write`` puts the result into any of
``FORMATS``; ``format_lines`` gives it in lines for a terminal. The command ``skullgan map`` and the
headless scripts are built on these.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..ct.volume import HeadCT, read_on_grid, write_volume
from ..data.provenance import checked_source
from ..errors import BadInputError
from ..metrics import METRICS
from ..metrics.sdr import SDR_LIMIT
from ..metrics.voxels import describe_voxels
from ..utils.atomic_files import written_aside
from ..utils.json_text import read_json
from ..utils.output_names import format_of
from ..utils.printable import csv_cell
from . import array_geometry, calvaria_map, map_summary, transducer, vtp, wall_overlay
from .array_table import numbers_of
from .calvaria_map import CalvariaMap, Head
from .codes import REASONS
from .surface import SPACING_MM
from .transducer import ArrayRays

FORMATS = {
    "surface": (".vtp",),
    "overlay": (".nrrd", ".nii.gz", ".nii", ".mha"),
    "summary": (".csv",),
    "numbers": (".json",),
}
"""What is written, by the ending of the file's name."""
VERTEX = "vertex"
"""The overlay's scalar that is no value: the number of the vertex on whose ray a voxel lies. With
it and the map, the overlay of any scalar is a look-up (``wall_overlay.overlay``)."""
FORMAT = "skullgan-map"
FORMAT_VERSION = 1
"""Of the numbers (.json); those of later versions are refused."""


@dataclass(frozen=True, eq=False)
class HeadMaps:
    """The maps of one head.

    Attributes:
        head: what was measured in.
        mask: uint8 (slices, rows, columns), the skull wall, on the CT's grid.
        calvaria: the map.
        array: what the elements of an array see.
        caveats: what must be known beside the numbers, a sentence each.
    """

    head: Head
    mask: np.ndarray
    calvaria: CalvariaMap
    array: ArrayRays
    caveats: tuple[str, ...]


def make(
    ct: HeadCT,
    mask: np.ndarray | None = None,
    *,
    landmarks: Mapping[str, np.ndarray] | None = None,
    threshold_hu: float | None = None,
    spacing_mm: float = SPACING_MM,
    target_ras: Sequence[float] | None = None,
    elements: np.ndarray | None = None,
    most_incidence_deg: float = transducer.MOST_INCIDENCE_DEG,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> HeadMaps:
    """Map the calvaria of a CT and cast the rays of an array.

    Args:
        ct: the head CT.
        mask: (slices, rows, columns), nonzero in the skull wall; found if None.
        landmarks: what ``landmarks.read`` gave, to lay the head frame through.
        threshold_hu: HU from which bone begins; fitted to the CT if None.
        spacing_mm: distance of the map's vertices.
        target_ras: of the array, RAS mm; ``array_geometry.default_target`` if None.
        elements: (N, 3), the array as ``array_geometry.hemisphere`` gives it; that one if None.
        most_incidence_deg: up to which an element is active.
        threads: how many work at once; None is one a core, up to four.
        on_progress: called with the share of the work done, 0 to 1.

    Raises:
        BadInputError: as ``prepare`` and ``calvaria`` of ``calvaria_map`` and ``transducer.cast``.
    """
    report_progress = on_progress or (lambda share: None)
    head, mask = calvaria_map.prepare(
        ct,
        mask,
        landmarks=landmarks,
        threshold_hu=threshold_hu,
        threads=threads,
        on_progress=lambda share: report_progress(0.6 * share),
    )
    target = array_geometry.checked_target(head.cavity, target_ras)
    calvaria = calvaria_map.calvaria(head, spacing_mm)
    report_progress(0.9)
    over_head = None
    if elements is not None:
        over_head = array_geometry.place(elements, target, head.cavity.frame)
    array = transducer.cast(head, calvaria, target, over_head, most_incidence_deg)
    report_progress(1.0)
    found = map_summary.caveats(calvaria.source, calvaria.code)
    return HeadMaps(head, mask, calvaria, array, tuple(found))


def overlay_scalars() -> tuple[str, ...]:
    """What an overlay may hold: a metric, or ``VERTEX``."""
    return (*METRICS, VERTEX)


def write(
    path: Path,
    found: HeadMaps,
    ct: HeadCT,
    scalar: str = "thickness_mm",
    *,
    compress: bool = True,
) -> None:
    """Write a map in the format that the file's name means, under a temporary
    name and renamed.

    Args:
        path: where to write.
        found: what ``make`` gave.
        ct: its CT, for the grid of an overlay.
        scalar: of an overlay, one of ``overlay_scalars``.
        compress: whether to compress an overlay in NRRD or MHA.

    Raises:
        BadInputError: if the ending or the scalar is not known.
        OutputError: if the file cannot be written.
    """
    format = format_of(path, FORMATS)
    if format == "surface":
        vtp.write(path, found.calvaria)
    elif format == "overlay":
        voxels = wall_overlay.vertex_numbers(found.calvaria, found.mask, ct.ijk_to_ras)
        if scalar != VERTEX:
            voxels = wall_overlay.overlay(found.calvaria, voxels, scalar)
        write_volume(path, voxels, ct.ijk_to_ras, ct.source, compress=compress)
    elif format == "summary":
        write_summary(path, found)
    else:
        _write_numbers(path, found)


def read_numbers(path: str | Path) -> dict[str, Any]:
    """Read what ``write`` put into a .json file.

    Raises:
        BadInputError: if there is no such file, it is something else or of a later version.
    """
    try:
        numbers = read_json(path, "the numbers of a map (.json)")
        kind, version = numbers["format"], int(numbers.get("format_version", 1))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{path}: cannot be read as the numbers of a map (.json).") from error
    if kind != FORMAT:
        raise BadInputError(f"{path}: is {kind!r}, expected the numbers of a map.")
    if version > FORMAT_VERSION:
        raise BadInputError(
            f"{path}: holds the numbers of a map in format version {version}, expected at most "
            f"{FORMAT_VERSION}; a later SkullGAN reads it."
        )
    checked_source(numbers.get("source"), str(path))
    return numbers


def read_vertices(path: str | Path, ct: HeadCT) -> np.ndarray:
    """Read the overlay ``vertex``, int32 (slices, rows, columns), of a CT.

    Raises:
        BadInputError: if there is no such file, it is something else or lies on another grid.
    """
    expected = "expected an overlay of skullgan map --scalar vertex"
    voxels = read_on_grid(path, ct, "overlay", expected)
    if not np.issubdtype(voxels.dtype, np.integer) or voxels.min() != -1:
        raise BadInputError(f"{path}: holds no numbers of vertices, expected --scalar vertex.")
    return voxels.astype(np.int32)


def format_lines(found: HeadMaps) -> Iterator[str]:
    """Give the summary and the clinical number in lines of a table."""
    yield (
        f"{'bone':<19}{'side':<7}{'vertices':>9}{'thickness (mm)':>17}{'SDR (peaks)':>14}"
        f"{f'below {SDR_LIMIT:.2f}':>12}{'not measured':>14}"
    )
    rows = map_summary.summary(found.calvaria)
    by_metric = [[row for row in rows if row["metric"] == m] for m in ("thickness_mm", "sdr_peaks")]
    for thickness, sdr in zip(*by_metric, strict=True):
        lost = sum(thickness[reason] for reason in REASONS)
        below = sdr[map_summary.share_below(SDR_LIMIT)]
        yield (
            f"{sdr['bone']:<19}{sdr['side']:<7}{sdr['count']:>9}{_mean(thickness, 1):>17}"
            f"{_mean(sdr, 2):>14}{'' if below is None else f'{below:.0%}':>12}{lost:>14}"
        )
    yield from _array_lines(numbers_of(found.array))
    source = found.calvaria.source
    slices = source.get("slice_thickness_mm")
    yield (
        f"Kernel {source.get('kernel', 'unknown')}, {describe_voxels(source)}, slices "
        f"{'of unknown thickness' if slices is None else f'{slices:g} mm thick'}, bone from "
        f"{source['threshold_hu']:.0f} HU."
    )
    if frame := source.get("frame"):
        yield f"Head frame from {frame['from']}, certainty {frame['certainty']:.2f}."


def _array_lines(numbers: Mapping[str, Any]) -> Iterator[str]:
    """The clinical number, as this program and as others measure it."""
    scalars = numbers["scalars"]
    sdr = scalars["sdr_peaks"]
    where = ", ".join(f"{mm:.1f}" for mm in numbers["target_ras"])
    yield (
        f"{numbers['elements']} elements to ({where}) RAS mm: SDR {_mean(sdr, 2)} over "
        f"{numbers['measured']} rays, {numbers['active']} elements active ({numbers['rule']})."
    )
    yield f"{'SDR':<33}{'all rays':>14}{'active elements':>18}"
    for name in transducer.SINGLE_RAY_METRICS:
        for ending, how in (("", "mean of seven rays"), (transducer.SINGLE_RAY, "one ray")):
            row = scalars[name + ending]
            what = f"{METRICS[name].definition}, {how}"
            yield f"{what:<33}{_mean(row, 3):>14}{_mean(row['active'], 3):>18}"


def _mean(row: Mapping[str, Any], digits: int) -> str:
    return "none" if row["mean"] is None else f"{row['mean']:.{digits}f} ± {row['sd']:.{digits}f}"


def summary(found: HeadMaps) -> list[dict[str, Any]]:
    """Give ``map_summary.summary`` with the CT's kernel, slice thickness and voxels in
    every row."""
    source = found.calvaria.source
    known = {name: source.get(name, "") for name in ("kernel", "slice_thickness_mm")}
    known |= {"voxels": describe_voxels(source).removeprefix("voxels ")}
    known = {name: str(value) for name, value in known.items()}
    return [{**row, **known} for row in map_summary.summary(found.calvaria)]


def write_summary(path: Path, found: HeadMaps) -> None:
    """Write ``summary`` as CSV.

    Raises:
        OutputError: if the file cannot be written.
    """
    rows = summary(found)
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    name: f"{value:.5g}" if isinstance(value, float) else csv_cell(value)
                    for name, value in row.items()
                }
            )


def _write_numbers(path: Path, found: HeadMaps) -> None:
    numbers = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created_by": found.calvaria.created_by,
        "source": dict(found.calvaria.source),
        "caveats": list(found.caveats),
        "summary": summary(found),
        "array": numbers_of(found.array),
    }
    with written_aside(path) as temporary:
        temporary.write_text(json.dumps(numbers, indent=1, ensure_ascii=False), "utf-8")
