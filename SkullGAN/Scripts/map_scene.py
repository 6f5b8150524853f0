"""Map thickness and SDR on the skull in a head CT, as a scene for 3D Slicer, a picture and tables.

In Slicer, without its window, or in plain Python with slicer-core:

    Slicer --no-main-window --python-script SkullGAN/Scripts/map_scene.py -- <arguments>
    python SkullGAN/Scripts/map_scene.py <arguments>

    --ct head.nrrd -o map.mrb --picture map.png --summary map.csv --rays rays.csv

``--ct`` takes what skullgan map takes, a folder of such files, or a scene (.mrb), whose CTs are all
mapped; with several CTs, one that cannot be mapped does not stop the others. The scene holds each
CT with its colored surface, the overlay for its slices, the summary by bone and side and what an
ultrasound array sees.

Exit code 0 when done, 1 with one sentence on stderr when not. A picture that cannot be rendered for
want of a graphics library is no failure: the sentence says what to install.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

# Slicer runs the script by its path: the libraries stand beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import slicer
from SkullGANLib.cli.options import add_output
from SkullGANLib.ct.volume import read_ct, read_mask
from SkullGANLib.errors import BadInputError, SkullGANError
from SkullGANLib.mapping import array_geometry, array_table, head_maps
from SkullGANLib.mapping.head_maps import HeadMaps
from SkullGANLib.mapping.wall_overlay import vertex_numbers
from SkullGANLib.metrics import METRICS
from SkullGANLib.utils import atomic_files
from SkullGANScene.nodes import map_overlay, map_surface, map_tables, mrb, volumes
from SkullGANScene.offscreen import headless, rendering, scene_pictures
from SkullGANScene.scripting import head_files, scripts


@dataclass(frozen=True, eq=False)
class Mapped:
    """A CT in the scene with its maps."""

    ct: slicer.vtkMRMLScalarVolumeNode
    surface: slicer.vtkMRMLModelNode
    overlay: slicer.vtkMRMLScalarVolumeNode
    found: HeadMaps


def work(options: argparse.Namespace) -> None:
    """Do what the command line asks for.

    Raises:
        BadInputError: if an input is not what is needed or a CT could not be mapped.
        OutputError: if a result cannot be written.
    """
    atomic_files.check_new(options.output, (".mrb",), overwrite=options.overwrite)
    scene = headless.application_scene()
    nodes = cts(scene, options.ct, options.keep_names)
    alone = len(nodes) == 1
    named = {"--skull-mask": options.skull_mask, "--target": options.target}
    given = [name for name, value in named.items() if value]
    if given and not alone:
        raise BadInputError(f"{given[0]} goes with one CT, {options.ct} has {len(nodes)}.")
    mapped, failed = [], []
    for node in nodes:
        try:
            mapped.append(map_ct(node, options))
        except SkullGANError as error:
            if alone:
                raise
            failed.append(node.GetName())
            print(f"{node.GetName()}: {error}", file=sys.stderr)
    if not mapped:
        raise BadInputError(f"{options.ct}: none of {len(nodes)} volumes can be mapped.")
    mrb.save(scene, options.output)
    print(f"{options.output}: {len(mapped)} CT{'s' if len(mapped) > 1 else ''} with their maps")
    for one in mapped:
        write_beside(one, options, alone)
    if failed:
        raise BadInputError(f"{len(failed)} of {len(nodes)} volumes could not be mapped.")


def cts(
    scene: slicer.vtkMRMLScene, path: Path, keep_names: bool = False
) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Bring the CTs of a file, folder or scene into the scene; those of files are called by their
    pseudonyms, or with ``keep_names`` by the names of their files.

    Raises:
        BadInputError: if there is none.
    """
    if path.suffix.lower() == ".mrb":
        mrb.open_bundle(scene, path)
        found = volumes.cts_in(scene)
        if not found:
            raise BadInputError(f"{path}: expected a scene with a CT, found none in it.")
        return found
    found = []
    for file in head_files.files_in(path):
        ct = read_ct(file)
        name = head_files.node_name(ct, file, keep_names)
        if scene.GetFirstNodeByName(name) is not None:  # the same voxels in another file
            name = f"{name} ({len(found) + 1})"
        found.append(volumes.add_ct(scene, ct, name))
        print(f"{file}: is {found[-1].GetName()} in the scene")
    return found


def map_ct(node: slicer.vtkMRMLScalarVolumeNode, options: argparse.Namespace) -> Mapped:
    """Map a CT in its scene."""
    ct = replace(volumes.ct_from(node), source=volumes.source_of(node))
    mask = read_mask(options.skull_mask, ct) if options.skull_mask else None
    elements = array_geometry.read_elements(options.elements) if options.elements else None
    found = head_maps.make(ct, mask, target_ras=options.target, elements=elements)
    surface = map_surface.add_surface(node, found.calvaria, options.scalar)
    numbers = vertex_numbers(found.calvaria, found.mask, ct.ijk_to_ras)
    overlay = map_overlay.add_overlay(node, surface, numbers, options.scalar)
    map_tables.add_summary(node, head_maps.summary(found))
    map_tables.add_rays(node, array_table.columns(found.array))
    for one in found.caveats:
        print(f"{node.GetName()}: WARNING: {one}", file=sys.stderr)
    return Mapped(node, surface, overlay, found)


def write_beside(one: Mapped, options: argparse.Namespace, alone: bool) -> None:
    """Write the picture and the tables of a CT; with several CTs, its name goes into theirs."""

    def named(path: Path) -> Path:
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in one.ct.GetName())
        return path if alone else path.with_name(f"{path.stem}-{name}{path.suffix}")

    print(f"{one.ct.GetName()}:")
    for line in head_maps.format_lines(one.found):
        print(line)
    if options.summary:
        head_maps.write_summary(named(options.summary), one.found)
        print(f"{named(options.summary)}: thickness and SDR by bone and side")
    if options.rays:
        array_table.write_csv(named(options.rays), one.found.array)
        print(f"{named(options.rays)}: what each element of the array sees")
    if options.picture and rendering.rendering_library() is None:
        print(f"{named(options.picture)}: not made, {rendering.NEEDED}.", file=sys.stderr)
    elif options.picture:
        picture = named(options.picture)
        scene_pictures.write_map_picture(
            picture, one.surface, one.overlay, one.ct, scalar=options.scalar
        )
        print(f"{picture}: the surface from five sides and a slice")


def _parser() -> argparse.ArgumentParser:
    parser = scripts.Parser(
        prog="map_scene.py",
        description="Thickness and SDR on the skull as a scene for 3D Slicer, picture and tables.",
        epilog="Example: map_scene.py --ct head.nrrd -o map.mrb --picture map.png",
    )
    parser.add_argument(
        "--ct",
        type=Path,
        required=True,
        help="DICOM folder or zip, NRRD, NIfTI, MHA, a folder of such files, or a scene (.mrb)",
    )
    add_output(parser, "scene to write (.mrb)")
    parser.add_argument("--picture", type=Path, help="picture to write (.png)")
    parser.add_argument("--summary", type=Path, help="table by bone and side to write (.csv)")
    parser.add_argument("--rays", type=Path, help="table of the array's rays to write (.csv)")
    parser.add_argument(
        "--scalar", choices=METRICS, default="thickness_mm", help="what is shown (thickness_mm)"
    )
    parser.add_argument(
        "--skull-mask", type=Path, help="mask of the skull on the CT's grid; found if not given"
    )
    parser.add_argument(
        "--target",
        type=array_geometry.point,
        metavar="R,A,S",
        help="of the ultrasound array, mm (the middle)",
    )
    parser.add_argument("--elements", type=Path, help="elements of the array (.csv): x, y, z in mm")
    head_files.add_keep_names(parser)
    return parser


if __name__ == "__main__":
    scripts.run(work, _parser())
