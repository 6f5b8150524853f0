"""Which files a command may write, and in which format: by their names, before the work begins."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import BadInputError, OutputError

_MOST_NAME_BYTES = 255


def check_names(
    paths: Sequence[Path], formats: Mapping[str, tuple[str, ...]], overwrite: bool = False
) -> None:
    """Refuse names that could not be written in the end.

    Raises:
        BadInputError: if an ending is none of the formats', a file is named twice or is there
            already, or its name is too long.
        OutputError: if nothing can be written in its folder.
    """
    for path in paths:
        format_of(path, formats)
        if path.exists() and not overwrite:
            raise BadInputError(f"{path}: is there already, expected a new name (or --overwrite).")
        if paths.count(path) > 1:
            raise BadInputError(f"{path}: was named twice, expected once.")
    check_places(paths)


def check_places(paths: Iterable[Path]) -> None:
    """Say before the work what would keep files from being written after it; nothing is left.

    Raises:
        BadInputError: if a name is longer than file systems take.
        OutputError: if there is no folder to write in and none can be made.
    """
    folders: dict[Path, Path] = {}
    for path in paths:
        if len(os.fsencode(path.name)) > _MOST_NAME_BYTES:
            raise BadInputError(
                f"{path}: its name has {len(os.fsencode(path.name))} bytes, expected at most "
                f"{_MOST_NAME_BYTES}."
            )
        folders.setdefault(path.parent, path)
    for folder, path in folders.items():
        made = []
        try:
            above = folder
            while not above.exists() and above != above.parent:
                made.append(above)
                above = above.parent
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"{path}: cannot be written ({reason}).") from error
        finally:
            with suppress(OSError):
                for one in made:
                    one.rmdir()


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
