"""What headless scripts share: their command line, their exit code, and how they end in Slicer.

A script defines its parser, a function that does the work, and ends with

    if __name__ == "__main__":
        scripts.run(work, parser())

Exit codes: 0 done, 1 with one sentence on standard error when the user can mend it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import slicer.util
from SkullGANLib.errors import BadInputError, SkullGANError

from . import headless


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line as bad input (exit code 1); 2 means cancelled."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{self.prog}: {message} (--help shows an example).")


def exit_code(
    work: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    arguments: Sequence[str],
) -> int:
    """Do the work that a command line asks for and give the exit code."""
    # Slicer hands the separator on.
    given = [argument for argument in arguments if argument != "--"]
    try:
        work(parser.parse_args(given))
    except SkullGANError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run(work: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser) -> NoReturn:
    """Do what this process's command line asks for, and end the process, or Slicer, with it."""
    code: object = 1
    try:
        code = exit_code(work, parser, sys.argv[1:])
    except SystemExit as ended:  # of --help
        code = ended.code
    finally:
        # Slicer would stay open, without a window, when the script ends or fails.
        if headless.inside_slicer():
            slicer.util.exit(code or 0)
    sys.exit(code)
