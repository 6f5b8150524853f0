"""The command ``realness``: a discriminator's scores of segments, and where these come from."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..evaluation.names import REALNESS_METHODS
from ..utils import progress
from .options import Commands, add_device, add_outputs, command


def realness(options: argparse.Namespace) -> None:
    """Say where in segments a discriminator's decision comes from."""
    from ..data import hdf5
    from ..evaluation import realness_files
    from ..networks import model_file
    from ..networks.devices import chosen_device
    from ..utils import resources
    from ..utils.output_names import check_names

    check_names(options.output, realness_files.FORMATS, options.overwrite)
    segments = hdf5.read(options.segments)
    path = options.model or resources.bundled_model()
    trained = model_file.read(path, chosen_device(options.device))
    with progress.shown(f"Judging {options.segments.name}", options.progress) as report_progress:
        scores = realness_files.write(
            options.output,
            segments,
            trained,
            method=options.method,
            on_surface=options.map,
            on_progress=report_progress,
        )
    print(
        f"{options.segments}: realness {scores.mean():.2f} ± {scores.std():.2f} of "
        f"{len(scores)} segments by {path.name} (not calibrated: not a probability)"
    )
    for one in options.output:
        print(f"{one}: written")


def add_realness(commands: Commands) -> None:
    from ..evaluation.realness_files import FORMATS

    one = command(
        commands,
        realness,
        "skullgan realness segments.h5 --model model.safetensors -o why.nrrd -o scores.csv",
    )
    one.add_argument("segments", type=Path, metavar="SEGMENTS", help="segment set (.h5)")
    one.add_argument(
        "--model", type=Path, metavar="MODEL", help="whose discriminator judges (the bundled one)"
    )
    add_outputs(one, FORMATS)
    one.add_argument(
        "--method",
        choices=REALNESS_METHODS,
        default=REALNESS_METHODS[0],
        help="how the score is explained (positions); occlusion is a second opinion and slower",
    )
    one.add_argument(
        "--map",
        type=Path,
        metavar="VTP",
        help="map of the CT that the segments were cut from, to lay their scores on",
    )
    add_device(one)
