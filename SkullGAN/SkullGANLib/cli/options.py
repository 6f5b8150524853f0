"""What the commands have in common: their options, signals, progress and refusals."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from ..errors import BadInputError, CancelledError
from ..utils import progress
from ..utils.output_names import check_places


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line as bad input (exit code 1): 2 means cancelled."""

    def error(self, message: str) -> NoReturn:
        # The program's name is put in front by whoever prints it.
        sentence = f"{self.prog}: {message}".removeprefix("skullgan").lstrip(" :")
        if "expected one argument" in message:  # as -5,2,3 seems to be an option
            sentence += "; a value that begins with - is written after =, as in --target=-5,2,3"
        raise BadInputError(f"{sentence} (--help shows an example).")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""What a command adds itself to."""


def command(
    commands: Commands,
    function: Callable[[argparse.Namespace], None],
    example: str,
) -> argparse.ArgumentParser:
    summary = (function.__doc__ or "").strip().splitlines()[0]
    name = function.__name__.rstrip("_").replace("_", "-")  # map_ would hide Python's own
    one = commands.add_parser(name, help=summary, description=summary, epilog=f"Example: {example}")
    one.set_defaults(command=function)
    add_progress(one)
    one.add_argument(
        "--quiet", action="store_true", help="print nothing but warnings and what went wrong"
    )
    return one


@contextmanager
def quiet(options: argparse.Namespace) -> Iterator[None]:
    """Print nothing on standard output while the block runs, if that was asked for."""
    if not getattr(options, "quiet", False):
        yield
        return
    if options.progress == "auto":
        options.progress = "none"
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield


def add_progress(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--progress",
        choices=progress.STYLES,
        default="auto",
        help="how progress is shown on standard error (a bar on a terminal)",
    )


def add_output(one: argparse.ArgumentParser, meaning: str) -> None:
    one.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=meaning)
    one.add_argument("--overwrite", action="store_true", help="replace a file that is there")


def add_outputs(one: argparse.ArgumentParser, formats: Mapping[str, Sequence[str]]) -> None:
    """Add ``-o`` for several files at once, whose endings say what they are.

    Args:
        one: the command.
        formats: the endings of each format, by what it is called.
    """
    endings = "; ".join(f"{', '.join(formats[name])}: {name}" for name in formats)
    one.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help=f"file to write, as often as there are files ({endings})",
    )
    one.add_argument("--overwrite", action="store_true", help="replace files that are there")


def add_device(
    one: argparse.ArgumentParser, choices: str = "auto, cpu, cuda, cuda:1, mps (auto)"
) -> None:
    one.add_argument("--device", default="auto", help=choices)


def add_dask(one: argparse.ArgumentParser) -> None:
    """Add ``--dask``; ``utils.dask_cluster.connected`` takes what is given."""
    one.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="on the workers of a Dask cluster: tcp://host:8786, or its scheduler's JSON file",
    )


def add_seed(one: argparse.ArgumentParser, meaning: str) -> None:
    one.add_argument("--seed", type=int, default=0, help=meaning)


@contextmanager
def signals_noted() -> Iterator[threading.Event]:
    """Set an event on Ctrl-C and SIGTERM instead of ending at once; a second one ends at once."""
    event = threading.Event()
    before: dict[signal.Signals, Any] = {}

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


@contextmanager
def counted(
    title: str, options: argparse.Namespace, interrupted: threading.Event
) -> Iterator[Callable[[int], None]]:
    """Give a function to call with how many of ``options.n`` are there, to show them.

    It raises if the user wants to stop.
    """
    with progress.shown(title, options.progress) as report_progress:

        def show(count: int) -> None:
            report_progress(count / options.n, f"{count}/{options.n}")
            if interrupted.is_set() and count < options.n:
                raise CancelledError(
                    f"{options.output}: stopped ({title}: {count} of {options.n}); the same "
                    "command with --resume does the rest."
                )

        yield show


def refuse_to_overwrite(
    options: argparse.Namespace,
    suffixes: tuple[str, ...] = (".h5", ".hdf5"),
    *,
    going_on: bool = False,
) -> None:
    if options.output.exists() and not (options.overwrite or going_on):
        raise BadInputError(
            f"{options.output}: is there already, expected a new name (or --overwrite)."
        )
    if options.output.suffix not in suffixes:
        raise BadInputError(f"{options.output}: expected a name that ends in {suffixes[0]}.")
    check_places([options.output, *beside_of(options)])


def beside_of(options: argparse.Namespace) -> list[Path]:
    """What a command writes beside its output where it is asked to."""
    names = ("contact_sheet", "json", "frame", "rays")
    return [path for name in names if isinstance(path := getattr(options, name, None), Path)]


def setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInputError(f"--set {text}: expected KEY=VALUE.")
    return name, value
