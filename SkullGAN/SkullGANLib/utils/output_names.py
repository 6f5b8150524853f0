"""Which files a command may write, and in which format: by their names, before the work begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import BadInputError


def check_names(
    paths: Sequence[Path], formats: Mapping[str, tuple[str, ...]], overwrite: bool = False
) -> None:
    """Refuse names that could not be written in the end.

    Raises:
        BadInputError: if an ending is none of the formats', a file is named twice or is there
            already.
    """
    for path in paths:
        format_of(path, formats)
        if path.exists() and not overwrite:
            raise BadInputError(f"{path}: is there already, expected a new name (or --overwrite).")
        if paths.count(path) > 1:
            raise BadInputError(f"{path}: was named twice, expected once.")


def format_of(path: Path, formats: Mapping[str, tuple[str, ...]]) -> str:
    """Which format a file's name means.

    Raises:
        BadInputError: if none.
    """
    for name, endings in formats.items():
        if str(path).lower().endswith(endings):
            return name
    every = ", ".join(ending for endings in formats.values() for ending in endings)
    raise BadInputError(f"{path}: has an unknown ending, expected one of {every}.")
