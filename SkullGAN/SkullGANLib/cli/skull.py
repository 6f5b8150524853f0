"""The command ``skull``: the skull wall of a head CT, as a mask."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import BadInputError
from ..utils import progress
from .options import Commands, add_output, command


def skull(options: argparse.Namespace) -> None:
    """Find the skull wall in a head CT, as a mask on its grid."""
    from ..anatomy.cavity import find_cavity
    from ..anatomy.skull import skull_mask, threshold_or_fitted
    from ..ct.volume import IMAGES, read_ct, write_volume
    from ..utils.output_names import check_names

    check_names([options.output], {"mask": IMAGES}, options.overwrite)
    with progress.shown(
        f"Finding the skull in {options.ct.name}", options.progress
    ) as report_progress:
        ct = read_ct(options.ct)
        report_progress(0.2, "read")
        try:
            cavity = find_cavity(ct)
            threshold_hu = threshold_or_fitted(options.threshold_hu, ct, cavity)
            report_progress(0.5, "brain found")
            mask = skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity)
        except BadInputError as error:
            raise BadInputError(f"{options.ct}: {error}") from error
        report_progress(0.9, "skull found")
        write_volume(options.output, mask, ct.ijk_to_ras, compress=not options.raw)
        if options.frame:
            cavity.frame.write(options.frame, threshold_hu=threshold_hu)
    milliliters = mask.sum() * ct.spacing_mm.prod() / 1000
    print(f"{options.output}: {milliliters:.0f} ml of skull, bone from {threshold_hu:.0f} HU")


def add_skull(commands: Commands) -> None:
    one = command(commands, skull, "skullgan skull head.dicom.zip -o skull.nrrd")
    one.add_argument("ct", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA")
    add_output(one, "mask to write (.nrrd, .nii.gz, .mha), for extract --skull-mask")
    one.add_argument(
        "--threshold-hu", type=float, metavar="HU", help="where bone begins (fitted to the CT)"
    )
    one.add_argument(
        "--frame", type=Path, metavar="JSON", help="where right, front and top of the head are"
    )
    one.add_argument("--raw", action="store_true", help="do not compress the mask")
