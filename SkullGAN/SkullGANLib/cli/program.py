"""The command ``skullgan``: every stage of the library from a terminal.

Exit codes: 0 done, 1 failed with one sentence on standard error, 2 cancelled (Ctrl-C, or a run's
``stop`` file).
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import CancelledError, SkullGANError
from ..utils import memory
from ..utils.printable import harmless_streams, printable
from . import (
    artificial,
    check,
    demo,
    evaluate,
    export,
    extract,
    generate,
    import_weights,
    info,
    map,
    merge,
    pretrain,
    realness,
    skull,
    study,
    train,
    validate,
)
from .options import Parser, quiet

DONE, FAILED, CANCELLED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``skullgan`` and give its exit code."""
    logging.basicConfig(level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setFormatter(_Harmless("skullgan: %(message)s"))
    with harmless_streams():
        return _run(arguments)


class _Harmless(logging.Formatter):
    """Writes out what a terminal would obey."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = parser().parse_args(arguments)
        with quiet(options):
            options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads the output (head, less) has enough. Python flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
            f"skullgan: the Python package {error.name} is not installed, it is needed here. In "
            "Slicer the panels offer to install it; a checkout brings all with its extras dicom, "
            "evaluate and scene.",
            file=sys.stderr,
        )
        return FAILED
    except (MemoryError, RuntimeError) as error:
        sentence = memory.lack_sentence(error)
        if not sentence:
            raise
        print(f"skullgan: {sentence}", file=sys.stderr)
        return FAILED
    return DONE


def parser() -> argparse.ArgumentParser:
    """Give the parser of the whole program; ``options.command(options)`` does what was asked."""
    program = Parser(
        prog="skullgan",
        description="Skull segments from head CTs, and synthetic ones by the thousand.",
    )
    program.add_argument("--version", action="version", version=f"skullgan {__version__}")
    commands = program.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for add in (
        extract.add_extract,
        skull.add_skull,
        pretrain.add_pretrain,
        train.add_train,
        check.add_check,
        generate.add_generate,
        export.add_export,
        artificial.add_artificial,
        evaluate.add_evaluate,
        study.add_study,
        map.add_map,
        realness.add_realness,
        import_weights.add_import_weights,
        info.add_info,
        validate.add_validate,
        merge.add_merge,
        demo.add_demo,
    ):
        add(commands)
    return program
