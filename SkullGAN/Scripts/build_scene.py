"""Put a head CT, its skull, synthetic segments and their metrics into a scene, saved as MRB.

In Slicer, without its window, or in plain Python with slicer-core:

    Slicer --no-main-window --python-script SkullGAN/Scripts/build_scene.py -- <arguments>
    python SkullGAN/Scripts/build_scene.py <arguments>

    --ct head.nrrd --synthetic synthetic.h5 -o scene.mrb --picture scene.png

Exit code 0 when done, 1 with one sentence on stderr when not. A picture that cannot be rendered
for want of a graphics library is no failure: the sentence says what to install.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# Slicer runs the script by its path: the libraries stand beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from SkullGANLib.anatomy.skull import skull_mask
from SkullGANLib.cli.options import add_output
from SkullGANLib.ct.volume import read_ct, read_mask
from SkullGANLib.data import hdf5
from SkullGANLib.metrics import measure
from SkullGANLib.utils import atomic_files
from SkullGANScene.nodes import mrb, segment_sets, segmentations, volumes
from SkullGANScene.offscreen import headless, rendering, scene_pictures
from SkullGANScene.scripting import head_files, scripts


def work(options: argparse.Namespace) -> None:
    """Do what the command line asks for.

    Raises:
        BadInputError: if an input is not what is needed, or the scene's name wrong or taken.
        OutputError: if the scene or the picture cannot be written.
    """
    atomic_files.check_new(options.output, (".mrb",), overwrite=options.overwrite)
    build_scene(
        options.ct,
        options.synthetic,
        options.output,
        options.picture,
        options.skull_mask,
        keep_names=options.keep_names,
    )


def build_scene(
    ct_path: Path,
    synthetic_path: Path,
    output: Path,
    picture: Path | None = None,
    mask_path: Path | None = None,
    *,
    keep_names: bool = False,
) -> None:
    """Build the scene, save it and, if asked for, write the picture.

    The CT is called by its pseudonym, or with ``keep_names`` by the name of its file.

    Raises:
        BadInputError: if an input is not what is needed.
        OutputError: if the scene or the picture cannot be written.
    """
    segments = hdf5.read(synthetic_path)
    ct = read_ct(ct_path)
    mask = read_mask(mask_path, ct) if mask_path else skull_mask(ct)
    metrics = measure(segments)

    scene = headless.application_scene()
    ct_node = volumes.add_ct(scene, ct, head_files.node_name(ct, ct_path, keep_names))
    skull_node = segmentations.add_skull(ct_node, mask)
    segmentations.show_in_3d(skull_node)
    name = f"{segments.kind.capitalize()} skull segments"
    segment_sets.add_segment_set(scene, segments, metrics, name)
    mrb.save(scene, output)
    print(f"{ct_path}: is {ct_node.GetName()} in the scene")
    print(f"{output}: a CT, its skull and {len(segments)} {segments.kind} segments")

    if picture is None:
        return
    if rendering.rendering_library() is None:
        print(f"{picture}: not made, {rendering.NEEDED}.", file=sys.stderr)
        return
    scene_pictures.write_picture(picture, ct_node, skull_node)
    print(f"{picture}: an axial slice with the skull outlined, and the skull in 3D")


def _parser() -> argparse.ArgumentParser:
    parser = scripts.Parser(
        prog="build_scene.py",
        description="Head CT, skull, synthetic segments and metrics as a scene for 3D Slicer.",
        epilog="Example: build_scene.py --ct head.nrrd --synthetic synthetic.h5 -o scene.mrb",
    )
    parser.add_argument(
        "--ct", type=Path, required=True, help="head CT: DICOM folder or zip, NRRD, NIfTI, MHA"
    )
    parser.add_argument("--synthetic", type=Path, required=True, help="segment set (.h5)")
    add_output(parser, "scene to write (.mrb)")
    parser.add_argument("--picture", type=Path, help="picture to write (.png)")
    parser.add_argument(
        "--skull-mask", type=Path, help="mask of the skull on the CT's grid; found if not given"
    )
    head_files.add_keep_names(parser)
    return parser


if __name__ == "__main__":
    scripts.run(work, _parser())
