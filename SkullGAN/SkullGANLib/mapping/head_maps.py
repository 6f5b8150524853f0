"""Everything about one head's maps, made together and written as files, the format by the ending.

``make`` maps the calvaria and casts the rays of an array; ``write`` puts the result into any of
``FORMATS``; ``told`` says it in lines for a terminal. The command ``skullgan map`` and the headless
scripts are built on these.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ct.volume import HeadCT, read_on_grid, write_volume
from ..data.segment_set import SegmentSet
from ..data.stack import stack_geometry
from ..errors import BadInputError
from ..metrics import METRICS
from ..utils.atomic_files import written_aside
from . import calvaria_map, transducer, vtp
from .calvaria_map import CalvariaMap, Head
from .transducer import ArrayRays

if TYPE_CHECKING:
    from ..networks.model_file import Model

FORMATS = {
    "surface": (".vtp",),
    "overlay": (".nrrd", ".nii.gz", ".nii", ".mha"),
    "summary": (".csv",),
    "numbers": (".json",),
}
"""What is written, by the ending of the file's name."""
REALNESS_FORMATS = {
    "a slice per segment": (".nrrd", ".nii.gz", ".nii", ".mha"),
    "an array": (".npy",),
    "scores": (".csv",),
    "scores on the map": (".vtp",),
}
VERTEX = "vertex"
"""The overlay's scalar that is no value: the number of the vertex on whose ray a voxel lies. With
it and the map, the overlay of any scalar is a look-up (``maps.overlay``)."""
SCALARS = (*METRICS, VERTEX)
FORMAT = "skullgan-map"


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
    spacing_mm: float = calvaria_map.surface.SPACING_MM,
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
        target_ras: of the array, RAS mm; ``transducer.default_target`` if None.
        elements: (N, 3), the array as ``transducer.hemisphere`` gives it; that one if None.
        most_incidence_deg: up to which an element is active.
        threads: how many work at once; None is one a core, up to four.
        on_progress: called with the share of the work done, 0 to 1.

    Raises:
        BadInputError: as ``maps.prepare``, ``maps.calvaria`` and ``transducer.cast``.
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
    target = transducer.checked_target(head.cavity, target_ras)
    calvaria = calvaria_map.calvaria(head, spacing_mm)
    report_progress(0.9)
    over_head = None
    if elements is not None:
        over_head = transducer.place(elements, target, head.cavity.frame)
    array = transducer.cast(head, calvaria, target, over_head, most_incidence_deg)
    report_progress(1.0)
    found = calvaria_map.caveats(calvaria.source, calvaria.code)
    return HeadMaps(head, mask, calvaria, array, tuple(found))


def check_names(
    paths: Sequence[Path], formats: Mapping[str, tuple[str, ...]], overwrite: bool = False
) -> None:
    """Refuse names that could not be written in the end.

    Raises:
        BadInputError: if an ending is none of the formats', a file is named twice or is there
            already.
    """
    for path in paths:
        format_of(path, formats)
        if path.exists() and not overwrite:
            raise BadInputError(f"{path}: is there already, a new name is needed (or --overwrite).")
        if paths.count(path) > 1:
            raise BadInputError(f"{path}: was named twice, once is needed.")


def format_of(path: Path, formats: Mapping[str, tuple[str, ...]] = FORMATS) -> str:
    """Which format a file's name means.

    Raises:
        BadInputError: if none.
    """
    for name, endings in formats.items():
        if str(path).lower().endswith(endings):
            return name
    every = ", ".join(ending for endings in formats.values() for ending in endings)
    raise BadInputError(f"{path}: has an unknown ending, one of {every} is needed.")


def write(
    path: Path,
    found: HeadMaps,
    ct: HeadCT,
    scalar: str = "thickness_mm",
    *,
    compress: bool = True,
) -> None:
    """Write a map in the format that the file's name means, aside and renamed.

    Args:
        path: where to write.
        found: what ``make`` gave.
        ct: its CT, for the grid of an overlay.
        scalar: of an overlay, one of ``SCALARS``.
        compress: whether to compress an overlay in NRRD or MHA.

    Raises:
        BadInputError: if the ending or the scalar is not known.
        OutputError: if the file cannot be written.
    """
    format = format_of(path)
    if format == "surface":
        vtp.write(path, found.calvaria)
    elif format == "overlay":
        voxels = calvaria_map.vertex_numbers(found.calvaria, found.mask, ct.ijk_to_ras)
        if scalar != VERTEX:
            voxels = calvaria_map.overlay(found.calvaria, voxels, scalar)
        write_volume(path, voxels, ct.ijk_to_ras, ct.source, compress=compress)
    elif format == "summary":
        write_summary(path, found)
    else:
        _write_numbers(path, found)


def read_numbers(path: str | Path) -> dict[str, Any]:
    """Read what ``write`` put into a .json file.

    Raises:
        BadInputError: if there is no such file or it is something else.
    """
    try:
        told = json.loads(Path(path).read_text("utf-8"))
        if told["format"] == FORMAT:
            return told
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"{path}: cannot be read as the numbers of a map (.json).") from error
    raise BadInputError(f"{path}: is {told['format']!r}, the numbers of a map are needed.")


def read_vertices(path: str | Path, ct: HeadCT) -> np.ndarray:
    """Read the overlay ``vertex``, int32 (slices, rows, columns), of a CT.

    Raises:
        BadInputError: if there is no such file, it is something else or lies on another grid.
    """
    needed = "an overlay of skullgan map --scalar vertex is needed"
    voxels = read_on_grid(path, ct, "overlay", needed)
    if not np.issubdtype(voxels.dtype, np.integer) or voxels.min() != -1:
        raise BadInputError(f"{path}: holds no numbers of vertices, --scalar vertex is needed.")
    return voxels.astype(np.int32)


def told(found: HeadMaps) -> Iterator[str]:
    """Say the summary and the clinical number in lines of a table."""
    yield (
        f"{'bone':<10}{'side':<7}{'vertices':>9}{'thickness (mm)':>17}{'SDR (peaks)':>14}"
        f"{f'below {calvaria_map.SDR_LIMIT:.2f}':>12}{'not measured':>14}"
    )
    rows = calvaria_map.summary(found.calvaria)
    by_metric = [[row for row in rows if row["metric"] == m] for m in ("thickness_mm", "sdr_peaks")]
    for thickness, sdr in zip(*by_metric, strict=True):
        lost = sum(thickness[reason] for reason in calvaria_map.REASONS)
        below = sdr[f"share_below_{calvaria_map.SDR_LIMIT:.2f}"]
        yield (
            f"{sdr['bone']:<10}{sdr['side']:<7}{sdr['count']:>9}{_mean(thickness, 1):>17}"
            f"{_mean(sdr, 2):>14}{'' if below is None else f'{below:.0%}':>12}{lost:>14}"
        )
    numbers = transducer.numbers(found.array)
    sdr = numbers["scalars"]["sdr_peaks"]
    where = ", ".join(f"{mm:.1f}" for mm in numbers["target_ras"])
    yield (
        f"{numbers['elements']} elements to ({where}) RAS mm: SDR {_mean(sdr, 2)} over "
        f"{numbers['measured']} rays, {numbers['active']} elements active ({numbers['rule']})."
    )
    source = found.calvaria.source
    slices = source.get("slice_thickness_mm")
    yield (
        f"Kernel {source.get('kernel', 'unknown')}, slices "
        f"{'of unknown thickness' if slices is None else f'{slices:g} mm thick'}, bone from "
        f"{source['threshold_hu']:.0f} HU."
    )


def _mean(row: Mapping[str, Any], digits: int) -> str:
    return "none" if row["mean"] is None else f"{row['mean']:.{digits}f} ± {row['sd']:.{digits}f}"


def summary(found: HeadMaps) -> list[dict[str, Any]]:
    """``maps.summary`` with kernel and slice thickness of the CT in every row, as far as known."""
    source = found.calvaria.source
    known = {name: source.get(name, "") for name in ("kernel", "slice_thickness_mm")}
    known = {name: str(value) for name, value in known.items()}
    return [{**row, **known} for row in calvaria_map.summary(found.calvaria)]


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
                    name: f"{value:.5g}" if isinstance(value, float) else value
                    for name, value in row.items()
                }
            )


def _write_numbers(path: Path, found: HeadMaps) -> None:
    numbers = {
        "format": FORMAT,
        "format_version": 1,
        "created_by": found.calvaria.created_by,
        "source": dict(found.calvaria.source),
        "caveats": list(found.caveats),
        "summary": summary(found),
        "array": transducer.numbers(found.array),
    }
    with written_aside(path) as temporary:
        temporary.write_text(json.dumps(numbers, indent=1, ensure_ascii=False), "utf-8")


def write_realness(
    paths: Sequence[Path],
    segments: SegmentSet,
    model: Model,
    *,
    method: str = "positions",
    on_surface: Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Let a discriminator judge segments, and write its scores and where they come from.

    Args:
        paths: files to write, by the endings of ``REALNESS_FORMATS``.
        segments: N segments.
        model: whose discriminator judges.
        method: one of ``realness.METHODS``.
        on_surface: map (.vtp) of the segments' CT, for the scores on the map.
        on_progress: called with the share of the work done, 0 to 1.

    Returns:
        The scores, float64 (N,).

    Raises:
        BadInputError: if the model does not fit the segments, or scores on a map are wanted and
            there is no map or no segment lies on it.
        OutputError: if a file cannot be written.
    """
    from ..evaluation.measures import realness

    report_progress = on_progress or (lambda share: None)
    formats = {path: format_of(path, REALNESS_FORMATS) for path in paths}
    on_map = [path for path, format in formats.items() if format == "scores on the map"]
    if on_map and on_surface is None:
        raise BadInputError(f"{on_map[0]}: a map to lay the scores on is needed (--map).")
    scores = realness.of_segments(
        model, segments, lambda done, of: report_progress(0.2 * done / of)
    )
    values = None
    if {"a slice per segment", "an array"} & set(formats.values()):
        values = realness.explain(
            model, segments, method, lambda done, of: report_progress(0.2 + 0.7 * done / of)
        )
    for path, format in formats.items():
        if format == "a slice per segment":
            write_volume(path, values, stack_geometry(segments.pixel_spacing_mm))
        elif format == "an array":
            with written_aside(path) as temporary, open(temporary, "wb") as file:
                np.save(file, values)
        elif format == "scores":
            _write_scores(path, segments, scores)
        else:
            found = vtp.read(on_surface)
            on_it = realness.on_surface(found.points_ras, segments, scores)
            vtp.write(path, calvaria_map.with_realness(found, on_it))
    report_progress(1.0)
    return scores


def _write_scores(path: Path, segments: SegmentSet, scores: np.ndarray) -> None:
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["segment", "bone", "side", "plane", "seed", "realness_not_calibrated"])
        rows = zip(segments.bone, segments.side, segments.plane, segments.seed, scores, strict=True)
        for number, (*known, score) in enumerate(rows):
            writer.writerow([number, *known, f"{score:.5f}"])
