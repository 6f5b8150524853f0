"""Commands about files: ``import-weights``, ``info``, and ``demo``."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import add_device, add_output, command, refuse_to_overwrite, setting


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


def info(options: argparse.Namespace) -> None:
    """Say what a segment set, a model, a run, a map or a head CT is."""
    from .info import describe

    for number, path in enumerate(options.file):
        if len(options.file) > 1:
            print(f"{'' if number == 0 else chr(10)}{path}")
        print(describe(path))


def demo(options: argparse.Namespace) -> None:
    """Walk the whole road on the embedded sample data."""
    from .demo import run_demo

    run_demo(
        options.output,
        count=options.n,
        settings=dict(setting(text) for text in options.set),
        device=options.device,
        style=options.progress,
        say=lambda line: print(line, flush=True),
    )


def add_import_weights(commands: argparse._SubParsersAction) -> None:
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
        help=f"size of a pixel, which the weights do not tell ({PIXEL_SPACING_MM})",
    )
    one.add_argument(
        "--licence", default="", metavar="TEXT", help="under which the weights may be used"
    )


def add_info(commands: argparse._SubParsersAction) -> None:
    one = command(commands, info, "skullgan info segments.h5 model.safetensors runs/first")
    one.add_argument("file", nargs="+", type=Path, metavar="FILE")


def add_demo(commands: argparse._SubParsersAction) -> None:
    one = command(commands, demo, "skullgan demo -o demo")
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write it all"
    )
    one.add_argument("-n", type=int, default=64, help="number of synthetic segments (64)")
    one.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change the demo recipe"
    )
    add_device(one)
