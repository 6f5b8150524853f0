"""What an export format is: a record of its name, endings and limits, and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .segment_stack import SegmentStack

METRICS_ENDING = ".metrics.csv"
"""Of the table beside an output: ``set.csv`` is the table of the batch that cut ``set.h5``."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format that segment sets are written in.

    Attributes:
        name: what ``--format`` calls it.
        title: what a save dialog calls it.
        endings: of file names that choose it, the usual one first.
        further_endings: of names that are right where the format is asked for, but choose another
            where it is not.
        description: one line on what is written, for the command's help.
        write: writes all segments of a stack to a path; called with a path that ``check`` accepted.
        mask_ending: what takes the ending's place in the name of the file of masks, ``{ending}``
            being that ending; empty where the masks are in the file or folder itself.
        is_folder: whether a folder is written, of any name if the format is given.
        folder_names: regular expression of the names that the format writes into its folder. A
            folder that holds any other is not replaced.
        reads_back: whether it is a segment set again, which an interrupted generation can resume.
        most_segments: how many it holds at most; None is any number.
        most_reason: why no more.

    Example:
        >>> names = Format(
        ...     name="names", title="Names", endings=(".txt",), description="a subject a line",
        ...     write=lambda stack, path: None, mask_ending="-mask{ending}",
        ... )
        >>> {part: str(path) for part, path in names.files("a/set.txt").items()}
        {'segments': 'a/set.txt', 'mask': 'a/set-mask.txt', 'metrics': 'a/set.metrics.csv'}
    """

    name: str
    title: str
    endings: tuple[str, ...]
    description: str
    write: Callable[[SegmentStack, Path], None]
    further_endings: tuple[str, ...] = ()
    mask_ending: str = ""
    is_folder: bool = False
    folder_names: str = ""
    reads_back: bool = False
    most_segments: int | None = None
    most_reason: str = ""

    def fits(self, path: str | Path) -> bool:
        """Tell whether a name has one of the endings that choose the format."""
        return Path(path).name.lower().endswith(self.endings)

    def allows(self, path: str | Path) -> bool:
        """Tell whether a name is right where the format is asked for."""
        return Path(path).name.lower().endswith((*self.endings, *self.further_endings))

    def files(self, path: str | Path) -> dict[str, Path]:
        """What belongs to an output, by the name of its part.

        Returns:
            ``segments``: the path itself. ``mask``: where the format keeps masks apart.
            ``metrics``: the CSV of ``write_metrics``.
        """
        path = Path(path)
        known = (*self.endings, *self.further_endings)
        ending = next((e for e in known if path.name.lower().endswith(e)), "")
        stem = path.name[: len(path.name) - len(ending)]
        found = {"segments": path}
        if self.mask_ending:
            found["mask"] = path.with_name(stem + self.mask_ending.format(ending=ending))
        found["metrics"] = path.with_name(f"{stem}{METRICS_ENDING}")
        return found
