"""The command ``import-weights``: what SkullGAN's authors published, as a model."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import Commands, add_output, command, refuse_to_overwrite


def import_weights(options: argparse.Namespace) -> None:
    """Turn the weights that SkullGAN's authors published into a model."""
    from ..networks import model_file, published_weights
    from ..networks.dcgan import trainable_parameters

    refuse_to_overwrite(options, (".safetensors",))
    found = published_weights.read(
        *options.weights,
        hu_range=tuple(options.hu_range),
        pixel_spacing_mm=options.spacing_mm,
        license=options.license,
    )
    model_file.write(options.output, found)
    print(
        f"{options.output}: generator of {trainable_parameters(found.generator):,} parameters, "
        f"discriminator of {trainable_parameters(found.discriminator):,}"
    )


def add_import_weights(commands: Commands) -> None:
    from ..data.segment_set import HU_RANGE, PIXEL_SPACING_MM

    one = command(
        commands, import_weights, "skullgan import-weights netG.pth netD.pth -o model.safetensors"
    )
    one.add_argument(
        "weights", nargs=2, type=Path, metavar="WEIGHTS", help="generator's and discriminator's"
    )
    add_output(one, "model to write (.safetensors)")
    one.add_argument(
        "--hu-range",
        nargs=2,
        type=float,
        default=HU_RANGE,
        metavar=("LOWEST", "HIGHEST"),
        help=f"HU that the networks see as -1 and +1 ({HU_RANGE[0]:g} {HU_RANGE[1]:g})",
    )
    one.add_argument(
        "--spacing-mm",
        type=float,
        default=PIXEL_SPACING_MM,
        metavar="MM",
        help=f"size of a pixel, which the weights do not hold ({PIXEL_SPACING_MM})",
    )
    one.add_argument(
        "--license", default="", metavar="TEXT", help="under which the weights may be used"
    )
    one.add_argument(  # as it was called before
        "--licence", dest="license", default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )
