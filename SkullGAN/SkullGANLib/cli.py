"""The command ``skullgan``: every stage of the library from a terminal.

Each command parses its options, calls one stage and writes what it gives. Exit codes: 0 done,
1 failed with one sentence on standard error, 2 cancelled (Ctrl-C, or a run's ``stop`` file).
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from . import __version__, progress
from .errors import BadInputError, CancelledError, SkullGANError

DONE, FAILED, CANCELLED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``skullgan`` and give its exit code."""
    logging.basicConfig(level=logging.WARNING, format="skullgan: %(message)s")
    try:
        options = _parser().parse_args(arguments)
        options.command(options)
    except CancelledError as error:
        print(f"skullgan: {error}", file=sys.stderr)
        return CANCELLED
    except KeyboardInterrupt:
        print("skullgan: interrupted.", file=sys.stderr)
        return CANCELLED
    except SkullGANError as error:
        print(f"skullgan: {error}", file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:
        # An extra that was not installed; a module of ours that is missing is a bug.
        if (error.name or "").startswith("SkullGAN"):
            raise
        print(
            f"skullgan: the Python package {error.name} is not installed, it is needed here; "
            "pip install 'skullgan[dicom,evaluate,scene]' brings all.",
            file=sys.stderr,
        )
        return FAILED
    return DONE


def extract(options: argparse.Namespace) -> None:
    """Cut segments out of head CTs into one segment set."""
    from . import pictures, segments, segmentset
    from .volume import read_ct, read_mask

    _refuse_to_overwrite(options)
    if options.skull_mask and len(options.ct) > 1:
        raise BadInputError(
            f"--skull-mask goes with one CT, {len(options.ct)} were given; call once for each."
        )
    found = []
    for number, path in enumerate(options.ct):
        with progress.shown(f"Cutting {path.name}", options.progress) as tell:
            ct = read_ct(path)
            try:
                extraction = segments.extract(
                    ct,
                    read_mask(options.skull_mask, ct) if options.skull_mask else None,
                    bones=options.bones,
                    interval_mm=options.interval_mm,
                    spacing_mm=options.spacing_mm,
                    threshold_hu=options.threshold_hu,
                    subject=_subject(options, number),
                    on_progress=tell,
                )
            except BadInputError as error:
                raise BadInputError(f"{path}: {error}") from error
        found.append(extraction.segments)
        dropped = ", ".join(f"{n} {reason}" for reason, n in extraction.dropped.items())
        print(f"{path}: {len(extraction.segments)} segments (dropped: {dropped or 'none'})")
    joined = segmentset.concatenate(found)
    segmentset.write(options.output, joined)
    print(f"{options.output}: {len(joined)} segments")
    if options.contact_sheet:
        pictures.write_contact_sheet(
            options.contact_sheet,
            joined.hu,
            captions=[f"{b} {s}" for b, s in zip(joined.bone, joined.side, strict=True)],
        )


def train(options: argparse.Namespace) -> None:
    """Train a SkullGAN on segment sets, in a run directory."""
    from . import recipe, segmentset, training

    settings = dict(_setting(text) for text in options.set)
    for name in ("epochs", "batch_size"):
        if getattr(options, name) is not None:
            settings[name] = str(getattr(options, name))
    chosen = recipe.named(options.recipe).with_settings(settings)
    together = segmentset.concatenate([segmentset.read(path) for path in options.segments])
    with (
        _signals_noted() as interrupted,
        progress.shown(f"Training {options.output.name}", options.progress) as tell,
    ):
        training.train(
            together,
            options.output,
            chosen,
            device=options.device,
            seed=options.seed,
            on_progress=lambda done, of: tell(done / of, f"{done}/{of}"),
            should_stop=interrupted.is_set,
            resume=options.resume,
            allowed_kinds=("real", together.kind) if options.any_kind else ("real",),
        )
    print(f"{options.output / 'model.safetensors'}: trained on {len(together)} segments")


def generate(options: argparse.Namespace) -> None:
    """Generate synthetic segments with a model."""
    import numpy as np

    from . import generation, model, pictures, segmentset
    from .networks import chosen_device

    _refuse_to_overwrite(options)
    if options.n < 1 or options.seed < 0:
        raise BadInputError(
            f"-n is {options.n} and --seed {options.seed}, at least 1 segment and a seed of 0 or "
            "more are needed."
        )
    trained = model.read(options.model, chosen_device(options.device))
    seeds = options.seed + np.arange(options.n, dtype=np.int64)
    with progress.shown(f"Generating {options.n} segments", options.progress) as tell:
        made = generation.generate_set(
            trained,
            seeds,
            batch_size=options.batch_size,
            on_progress=lambda done, of: tell(done / of, f"{done}/{of}"),
        )
    segmentset.write(options.output, made)
    print(f"{options.output}: {len(made)} synthetic segments, seeds {seeds[0]} to {seeds[-1]}")
    if options.contact_sheet:
        pictures.write_contact_sheet(options.contact_sheet, made.hu)


def info(options: argparse.Namespace) -> None:
    """Say what a segment set, a model, a run or a head CT is."""
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
        settings=dict(_setting(text) for text in options.set),
        device=options.device,
        style=options.progress,
        say=lambda line: print(line, flush=True),
    )


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line as bad input (exit code 1): 2 means cancelled here."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{self.prog}: {message} (--help shows an example).")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="skullgan",
        description="Skull segments from head CTs, and synthetic ones by the thousand.",
    )
    parser.add_argument("--version", action="version", version=f"skullgan {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for add in (_add_extract, _add_train, _add_generate, _add_info, _add_demo):
        add(commands)
    return parser


def _add_extract(commands: argparse._SubParsersAction) -> None:
    from .segmentset import PIXEL_SPACING_MM

    one = _command(
        commands,
        extract,
        "skullgan extract head.dicom.zip more/ -o segments.h5 --contact-sheet segments.png",
    )
    one.add_argument(
        "ct", nargs="+", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA"
    )
    _add_output(one, "segment set to write (.h5)")
    one.add_argument(
        "--bones",
        type=lambda text: text.split(","),
        default=["temporal", "parietal"],
        metavar="BONE,BONE",
        help="which to cut (temporal,parietal)",
    )
    one.add_argument(
        "--interval-mm", type=float, default=3.1, metavar="MM", help="between planes (3.1)"
    )
    one.add_argument(
        "--spacing-mm",
        type=float,
        default=PIXEL_SPACING_MM,
        metavar="MM",
        help=f"size of a pixel ({PIXEL_SPACING_MM})",
    )
    one.add_argument(
        "--threshold-hu", type=float, default=300.0, metavar="HU", help="where bone begins (300)"
    )
    one.add_argument(
        "--subject",
        action="append",
        default=[],
        metavar="NAME",
        help="pseudonym of a CT's subject, once per CT (a hash of the voxels)",
    )
    one.add_argument(
        "--skull-mask", type=Path, metavar="FILE", help="your own mask, on the CT's grid"
    )
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of all segments")


def _add_train(commands: argparse._SubParsersAction) -> None:
    from .recipe import RECIPES

    one = _command(
        commands,
        train,
        "skullgan train segments.h5 -o runs/first --recipe demo --set epochs=50",
    )
    one.add_argument(
        "segments", nargs="+", type=Path, metavar="SEGMENTS", help="segment sets (.h5)"
    )
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="run directory to make"
    )
    # Not "paper": its update gate, taken literally, stops the generator (see RECIPES).
    one.add_argument("--recipe", default="published", help=f"{', '.join(RECIPES)} (published)")
    one.add_argument("--epochs", type=int, help="passes over the set, instead of the recipe's")
    one.add_argument("--batch-size", type=int, help="segments a step, instead of the recipe's")
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other setting of the recipe",
    )
    _add_device(one)
    _add_seed(one, "what all chance of the training follows from (0)")
    one.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    one.add_argument(
        "--any-kind", action="store_true", help="learn from segments that are not real, too"
    )


def _add_generate(commands: argparse._SubParsersAction) -> None:
    one = _command(
        commands, generate, "skullgan generate model.safetensors -n 1000 -o out.h5 --seed 7"
    )
    one.add_argument("model", type=Path, metavar="MODEL", help="model (.safetensors)")
    one.add_argument("-n", type=int, default=100, help="number of segments (100)")
    _add_output(one, "segment set to write (.h5)")
    _add_seed(one, "seed of the first segment; the others count up (0)")
    one.add_argument("--batch-size", type=int, default=32, help="segments made at once (32)")
    _add_device(one)
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of all segments")


def _add_info(commands: argparse._SubParsersAction) -> None:
    one = _command(commands, info, "skullgan info segments.h5 model.safetensors runs/first")
    one.add_argument("file", nargs="+", type=Path, metavar="FILE")


def _add_demo(commands: argparse._SubParsersAction) -> None:
    one = _command(commands, demo, "skullgan demo -o demo")
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write it all"
    )
    one.add_argument("-n", type=int, default=64, help="number of synthetic segments (64)")
    one.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change the demo recipe"
    )
    _add_device(one)


def _command(
    commands: argparse._SubParsersAction,
    function: Callable[[argparse.Namespace], None],
    example: str,
) -> argparse.ArgumentParser:
    summary = (function.__doc__ or "").strip().splitlines()[0]
    one = commands.add_parser(
        function.__name__, help=summary, description=summary, epilog=f"Example: {example}"
    )
    one.set_defaults(command=function)
    one.add_argument(
        "--progress",
        choices=progress.STYLES,
        default="auto",
        help="how progress is shown on standard error (a bar on a terminal)",
    )
    return one


def _add_output(one: argparse.ArgumentParser, meaning: str) -> None:
    one.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=meaning)
    one.add_argument("--overwrite", action="store_true", help="replace a file that is there")


def _add_device(one: argparse.ArgumentParser) -> None:
    one.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (auto)")


def _add_seed(one: argparse.ArgumentParser, meaning: str) -> None:
    one.add_argument("--seed", type=int, default=0, help=meaning)


@contextmanager
def _signals_noted() -> Iterator[threading.Event]:
    """Set an event on Ctrl-C and SIGTERM instead of ending at once; a second one ends at once."""
    event = threading.Event()
    before = {}

    def note(number: int, frame: object) -> None:
        event.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    if threading.current_thread() is threading.main_thread():
        before = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _refuse_to_overwrite(options: argparse.Namespace) -> None:
    if options.output.exists() and not options.overwrite:
        raise BadInputError(
            f"{options.output}: is there already, a new name is needed (or --overwrite)."
        )
    if options.output.suffix not in (".h5", ".hdf5"):
        raise BadInputError(f"{options.output}: a name that ends in .h5 is needed.")


def _subject(options: argparse.Namespace, number: int) -> str | None:
    if not options.subject:
        return None
    if len(options.subject) != len(options.ct):
        raise BadInputError(
            f"--subject was given {len(options.subject)} times for {len(options.ct)} CTs, once "
            "for each is needed."
        )
    return options.subject[number]


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInputError(f"--set {text}: KEY=VALUE is needed.")
    return name, value
