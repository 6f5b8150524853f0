"""The command ``artificial``: a control for the evaluation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..utils import progress
from ..utils.file_lock import writing
from .options import Commands, add_output, add_seed, command, refuse_to_overwrite

if TYPE_CHECKING:
    from ..data.segment_set import SegmentSet
    from ..generation.artificial import Match


def artificial(options: argparse.Namespace) -> None:
    """Make segments that are no skull but measure as real ones do, as a control for evaluation."""
    from ..data import hdf5
    from ..generation.artificial import styles_of
    from ..generation.likeness import check_real
    from ..plots import contact_sheet

    refuse_to_overwrite(options)
    if options.output.exists() and options.output.samefile(options.like):
        raise BadInputError(
            f"{options.output}: is the real set that is to be followed, expected another name."
        )
    check_real(options.like)
    like = hdf5.read(options.like)
    with writing(options.output):
        found = _write(options, like)
    statistics = ", ".join(f"{name} {value:.3f}" for name, value in found.ks.items())
    print(
        f"{options.output}: {options.n} artificial segments; Kolmogorov-Smirnov statistic against "
        f"{options.like}: {statistics}; modes of intensity: {found.modes[0]} there, "
        f"{found.modes[1]} here"
    )
    if options.n < len(like):
        print(f"Fewer than the {len(like)} segments of {options.like} follow them less closely.")
    if options.contact_sheet:
        shown = hdf5.read(options.output, slice(0, 1000))
        contact_sheet.write_contact_sheet(
            options.contact_sheet, shown.hu, captions=styles_of(shown).tolist()
        )


def _write(options: argparse.Namespace, like: SegmentSet) -> Match:
    """Write the segments, and say how well they follow the real ones."""
    import numpy as np

    from ..data import hdf5
    from ..generation import artificial as walls
    from ..metrics import measure

    measured = []
    with (
        progress.shown(f"Making {options.n} segments", options.progress) as report_progress,
        hdf5.Writer(
            options.output,
            kind="artificial",
            pixel_spacing_mm=like.pixel_spacing_mm,
            hu_range=like.hu_range,
            commit_every_s=None,
        ) as writer,
    ):
        for batch in walls.batches(
            like,
            options.n,
            style=options.kind,
            seed=options.seed,
            on_progress=lambda count, of: report_progress(count / of, f"{count}/{of}"),
        ):
            writer.append(batch)
            measured.append(measure(batch))
    return walls.match(
        measure(like),
        {name: np.concatenate([each[name] for each in measured]) for name in walls.METRICS},
    )


def add_artificial(commands: Commands) -> None:
    from ..generation.artificial_walls import STYLES

    one = command(
        commands, artificial, "skullgan artificial -n 1000 --like segments.h5 -o artificial.h5"
    )
    one.add_argument("-n", type=int, default=1000, help="number of segments (1000)")
    one.add_argument(
        "--like", type=Path, required=True, metavar="SEGMENTS", help="real set to follow (.h5)"
    )
    add_output(one, "segment set to write (.h5)")
    one.add_argument(
        "--kind", choices=(*STYLES, "both"), default="both", help="what they look like (both)"
    )
    add_seed(one, "seed of the first segment; the others count up (0)")
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of all segments")
