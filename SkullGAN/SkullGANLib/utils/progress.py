"""Progress on the terminal: a bar for people, lines for programs, nothing where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

STYLES = ("auto", "bar", "lines", "none")
LINE = "progress {share:.4f} {title}"
"""What ``lines`` writes to standard error, once per thousandth of the work at most."""


class ReportProgress(Protocol):
    """Called with the share of the work that is finished (0 to 1) and a note."""

    def __call__(self, share: float, note: str = "") -> None: ...


@contextmanager
def shown(title: str, style: str = "auto") -> Iterator[ReportProgress]:
    """Give a function to call with the share of the work done (0 to 1) and a note.

    Args:
        title: what is being done.
        style: ``bar`` draws a bar with the time left, ``lines`` writes ``LINE`` for a program that
            reads along, ``none`` writes nothing, ``auto`` is a bar on a terminal and else nothing.

    Example:
        >>> with shown("Counting", style="none") as report_progress:
        ...     report_progress(0.5, "half way")
    """
    if style == "auto":
        style = "bar" if sys.stderr.isatty() else "none"
    if style == "bar":
        with _bar(title) as report_progress:
            yield report_progress
    elif style == "lines":
        yield _lines(title)
    else:
        yield _silent


def say(text: str) -> None:
    """Write a line to standard error, above the bar where one is drawn."""
    if "tqdm" in sys.modules:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)
        sys.stderr.flush()
    else:
        print(text, file=sys.stderr, flush=True)


def _silent(share: float, note: str = "") -> None:
    """Take what is reported where nobody reads it."""


@contextmanager
def _bar(title: str) -> Iterator[ReportProgress]:
    from tqdm import tqdm

    shape = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    with tqdm(total=1.0, desc=title, bar_format=shape, leave=False, file=sys.stderr) as bar:

        def report_progress(share: float, note: str = "") -> None:
            bar.set_postfix_str(note, refresh=False)
            bar.update(share - bar.n)

        yield report_progress


def _lines(title: str) -> ReportProgress:
    last = -1

    def report_progress(share: float, note: str = "") -> None:
        nonlocal last
        if int(share * 1000) > last:
            last = int(share * 1000)
            line = LINE.format(share=share, title=f"{title} {note}".rstrip())
            print(line, file=sys.stderr, flush=True)

    return report_progress
