"""The options that select among generated segments, and the command line that asks for the same."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..networks.conditions import BONE
from ..utils import progress

if TYPE_CHECKING:
    from ..generation.selection import Selection

NOTE = "Note: "
"""How a sentence begins that is for the user and no error."""

_LIMITS = {
    "sdr": (
        "sdr_peaks",
        "sdr",
        "keep only segments of such an SDR (peaks); or one value, of a model that was trained with "
        "the condition, which then makes segments of about that SDR",
    ),
    "thickness_mm": (
        "thickness_mm",
        "thickness",
        "keep only segments so thick; or one value, as for --sdr",
    ),
    "intensity_hu": (
        "mean_intensity_hu",
        "intensity",
        "keep only segments of such a mean intensity; or one value, as for --sdr",
    ),
}
"""The metric that is limited, the condition and the meaning of each option."""


def add_selection(one: argparse.ArgumentParser) -> None:
    """Add the options of what segments are to be; ``selection_of`` and ``asked_of`` read them."""
    from ..generation.selection import LEAST_MOST, LIKE_KS, MOST_PER_KEPT, value_or_range

    for name, (_, _, meaning) in _LIMITS.items():
        one.add_argument(_flag(name), type=value_or_range, metavar="LOW,HIGH", help=meaning)
    one.add_argument(
        "--bone", metavar="NAME", help="of a model that was trained with the condition: such a bone"
    )
    one.add_argument(
        "--whole",
        action="store_true",
        help="leave out walls that are interrupted or have no tables: what extraction would drop",
    )
    one.add_argument(
        "--like",
        type=Path,
        metavar="SEGMENTS",
        help="keep segments so that they follow SDR, thickness and intensity of a real set (.h5)",
    )
    one.add_argument(
        "--like-ks",
        type=float,
        default=LIKE_KS,
        metavar="KS",
        help="with --like, by how much each may be missed, as Kolmogorov-Smirnov statistic "
        f"({LIKE_KS:g})",
    )
    one.add_argument(
        "--diverse",
        action="store_true",
        help="leave out segments that look like one that is kept already",
    )
    one.add_argument(
        "--most",
        type=int,
        metavar="N",
        help="segments to make at most where some are left out "
        f"({MOST_PER_KEPT:,} for each of -n, at least {LEAST_MOST:,})",
    )


def selection_of(options: argparse.Namespace) -> Selection:
    """Give the selection that was asked for: ranges, and what else leaves segments out.

    Raises:
        BadInputError: if a number is out of range.
    """
    from ..generation.diversity import Diversity
    from ..generation.selection import Limits, Selection

    given = {metric: getattr(options, name) for name, (metric, *_) in _LIMITS.items()}
    return Selection(
        limits=Limits({name: one for name, one in given.items() if isinstance(one, tuple)}),
        whole=options.whole,
        like=options.like,
        like_ks=options.like_ks,
        diverse=Diversity() if options.diverse else None,
        most=options.most,
    )


def asked_of(options: argparse.Namespace) -> dict[str, str | float]:
    """Give the conditions that were asked for: a bone, and single values."""
    asked: dict[str, str | float] = {BONE: options.bone} if options.bone else {}
    for name, (_, condition, _) in _LIMITS.items():
        value = getattr(options, name)
        if isinstance(value, float):
            asked[condition] = value
    return asked


def arguments_of(selection: Selection) -> list[str]:
    """Give the command line that asks for a selection, with the diversity of ``--diverse``.

    Example:
        >>> from SkullGANLib.generation import Limits, Selection
        >>> arguments_of(Selection(limits=Limits({"thickness_mm": (4, 8)}), most=500))
        ['--thickness-mm=4.0,8.0', '--most=500']
    """
    ranges = selection.limits.ranges
    arguments = [
        f"{_flag(name)}={ranges[metric][0]!r},{ranges[metric][1]!r}"
        for name, (metric, *_) in _LIMITS.items()
        if metric in ranges
    ]
    if selection.whole:
        arguments.append("--whole")
    if selection.like:
        arguments += [f"--like={selection.like}", f"--like-ks={selection.like_ks!r}"]
    if selection.diverse:
        arguments.append("--diverse")
    return arguments + ([f"--most={selection.most}"] if selection.most is not None else [])


def notes(options: argparse.Namespace) -> Callable[[str], None]:
    """Give what shows notes: on standard error, unless the command is to be quiet."""

    def show(sentence: str) -> None:
        if not getattr(options, "quiet", False):
            progress.say(NOTE + sentence)

    return show


def print_notes(lines: list[str], already: int) -> int:
    """Print the notes among the lines of a child behind the first ones; give how many there are."""
    for line in lines[already:]:
        if line.startswith(NOTE):
            print(line, file=sys.stderr, flush=True)
    return len(lines)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
