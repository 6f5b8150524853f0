"""The command ``map``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..utils import progress
from .options import Commands, add_outputs, command

if TYPE_CHECKING:
    from ..mapping.head_maps import HeadMaps


def map_(options: argparse.Namespace) -> None:
    """Map SDR and thickness on the skull, and the rays of an ultrasound array."""
    from ..mapping import head_maps
    from ..utils.output_names import check_names

    check_names(options.output, head_maps.FORMATS, options.overwrite)
    if options.rays:
        check_names([options.rays], {"rays": (".csv",)}, options.overwrite)
    found = _mapped(options)
    for one in found.caveats:
        print(f"skullgan: WARNING: {one}", file=sys.stderr)
    for line in head_maps.format_lines(found):
        print(line)
    for path in (*options.output, *([options.rays] if options.rays else [])):
        print(f"{path}: written")


def _mapped(options: argparse.Namespace) -> HeadMaps:
    """Map the head and write its files."""
    from ..anatomy import landmarks
    from ..ct import volume
    from ..mapping import array_geometry, array_presets, array_table, head_maps

    if options.elements:
        elements = array_geometry.read_elements(options.elements)
    else:
        elements = array_presets.elements_of(options.array)
    points = landmarks.read(options.landmarks) if options.landmarks else None
    with progress.shown(f"Mapping {options.ct.name}", options.progress) as report_progress:
        ct = volume.read_ct(options.ct)
        mask = volume.read_mask(options.skull_mask, ct) if options.skull_mask else None
        report_progress(0.2)
        found = head_maps.make(
            ct,
            mask,
            landmarks=points,
            threshold_hu=options.threshold_hu,
            spacing_mm=options.spacing_mm,
            target_ras=options.target,
            elements=elements,
            most_incidence_deg=options.most_incidence_deg,
            on_progress=lambda share: report_progress(0.2 + 0.6 * share),
        )
        for number, path in enumerate(options.output):
            report_progress(0.8 + 0.2 * number / len(options.output), f"writing {path.name}")
            head_maps.write(path, found, ct, options.scalar, compress=not options.raw)
        if options.rays:
            array_table.write_csv(options.rays, found.array)
        report_progress(1.0)
    return found


def add_map(commands: Commands) -> None:
    """Add the command ``map``."""
    from ..mapping.head_maps import FORMATS, overlay_scalars
    from ..mapping.surface import SPACING_MM

    one = command(
        commands,
        map_,
        "skullgan map head.dicom.zip -o map.vtp -o map.nrrd -o map.csv --rays rays.csv "
        "--target=5,-12,3",
    )
    one.add_argument("ct", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA")
    add_outputs(one, FORMATS)
    one.add_argument(
        "--scalar",
        choices=overlay_scalars(),
        default="thickness_mm",
        help="what the overlay holds; vertex is the number of the map's vertex (thickness_mm)",
    )
    one.add_argument(
        "--skull-mask", type=Path, metavar="FILE", help="mask on the CT's grid (found in the CT)"
    )
    one.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="Slicer point list with nasion, inion, left and right porion (found in the CT)",
    )
    one.add_argument(
        "--threshold-hu", type=float, metavar="HU", help="where bone begins (fitted to the CT)"
    )
    one.add_argument(
        "--spacing-mm",
        type=float,
        default=SPACING_MM,
        metavar="MM",
        help=f"between the map's vertices ({SPACING_MM:g})",
    )
    _add_array(one)
    one.add_argument("--raw", action="store_true", help="do not compress overlays")


def _add_array(one: argparse.ArgumentParser) -> None:
    """The options of the ultrasound array."""
    from ..mapping.array_geometry import point
    from ..mapping.array_presets import DEFAULT, PRESETS
    from ..mapping.transducer import MOST_INCIDENCE_DEG

    one.add_argument(
        "--target",
        type=point,
        metavar="R,A,S",
        help="of the ultrasound array, mm; write --target=R,A,S if R is negative (the middle of "
        "the intracranial space)",
    )
    one.add_argument(
        "--array",
        choices=list(PRESETS),
        default=DEFAULT,
        help="ultrasound array: "
        + "; ".join(f"{preset.name}: {preset.title}" for preset in PRESETS.values())
        + f" ({DEFAULT})",
    )
    one.add_argument(
        "--elements",
        type=Path,
        metavar="CSV",
        help="elements of the array: columns x, y, z in mm, the focus at 0, z up (those "
        "of --array)",
    )
    one.add_argument(
        "--most-incidence-deg",
        type=float,
        default=MOST_INCIDENCE_DEG,
        metavar="DEG",
        help=f"up to which an element is active ({MOST_INCIDENCE_DEG:g})",
    )
    one.add_argument("--rays", type=Path, metavar="CSV", help="table to write, a row per element")
