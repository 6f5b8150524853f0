"""What headless scripts share: their command line, their exit code, and how they end in Slicer.

A script defines its parser, a function that does the work, and ends with

    if __name__ == "__main__":
        scripts.run(work, parser())

Exit codes: 0 done, 1 with one sentence on standard error when the user can mend it, 2 when it was
interrupted (Ctrl-C, SIGTERM); child processes are ended then. A file that makes MRML or VTK crash
ends the work with a sentence, too (``crash_shield``).
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

import slicer.util
from SkullGANLib.cli.options import Parser
from SkullGANLib.cli.selection_options import print_notes
from SkullGANLib.errors import CancelledError, SkullGANError
from SkullGANLib.utils import crash_shield
from SkullGANLib.utils.printable import harmless_streams
from SkullGANLib.utils.task import T, Task, Work

from ..offscreen import headless


def exit_code(
    work: Callable[[argparse.Namespace], None],
    parser: Parser,
    arguments: Sequence[str],
) -> int:
    """Do the work that a command line asks for and give the exit code."""
    # Slicer hands the separator on.
    given = [argument for argument in arguments if argument != "--"]
    try:
        work(parser.parse_args(given))
    except CancelledError as error:
        print(error, file=sys.stderr)
        return 2
    except SkullGANError as error:
        print(error, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("SkullGAN"):
            raise
        print(
            f"{parser.prog}: the Python package {error.name} is not installed, it is needed here; "
            "in Slicer the panels offer to install it.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted.", file=sys.stderr)
        return 2
    return 0


def run_job(
    title: str, work: Work[T], report_progress: Callable[[float], None] = lambda share: None
) -> T:
    """Do a job from its beginning to its end and give its result.

    Args:
        title: what is being done.
        work: the job, of ``SkullGANScene.jobs.segment_jobs`` for instance.
        report_progress: called with the share of it that is done.

    Raises:
        SkullGANError: with the job's sentence if it failed.
        CancelledError: if its child was ended from outside.
    """
    task, child, printed = Task(title, work), None, 0
    try:
        while task.poll() == "running":
            report_progress(task.share)
            if task.child is not child:
                child, printed = task.child, 0
            if child:
                printed = print_notes(child.output, printed)
            time.sleep(0.02 if task.child else 0.0)
    finally:
        task.end()  # with its child, if we are interrupted
    if task.state == "failed":
        raise SkullGANError(task.sentence)
    if task.state == "cancelled":
        raise CancelledError(f"{title}: was ended from outside.")
    return task.result


def run(work: Callable[[argparse.Namespace], None], parser: Parser) -> NoReturn:
    """Do what this process's command line asks for, and end the process, or Slicer, with it."""
    code: object = 1
    if not headless.inside_slicer():  # which has its own way to end
        crash_shield.enter(parser.prog)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with harmless_streams():
            code = exit_code(work, parser, sys.argv[1:])
    except SystemExit as ended:  # of --help
        code = ended.code
    finally:
        # Slicer would stay open, without a window, when the script ends or fails.
        if headless.inside_slicer():
            slicer.util.exit(code or 0)
    sys.exit(code)
