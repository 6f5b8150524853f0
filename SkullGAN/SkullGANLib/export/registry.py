"""Every export format, in the order of help and dialogs.

To add a format, write its record and its function into a module of this package and list it here.
The command's help and choices, the save dialog and the tests of all formats follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from ..errors import BadInputError
from . import acoustic, dicom, hdf5, mat, nifti, npy, nrrd, png
from .format import Format

_records: dict[str, Format] = {}

FORMATS: Mapping[str, Format] = MappingProxyType(_records)
"""The records by name, in order; a view that ``register`` adds to."""


def register(format: Format) -> None:
    """Add a format behind all others.

    Raises:
        BadInputError: if there is one of this name or of one of its endings.
    """
    if format.name in _records:
        raise BadInputError(f"Format {format.name!r} exists, expected a new name.")
    for other in _records.values():
        for ending in set(format.endings) & set(other.endings):
            raise BadInputError(
                f"Format {format.name!r} has the ending {ending} of format {other.name!r}, "
                "expected endings of its own."
            )
    _records[format.name] = format


@contextmanager
def registered(format: Format) -> Iterator[Format]:
    """Have a format for a while, for instance for a test."""
    register(format)
    try:
        yield format
    finally:
        del _records[format.name]


def file_formats() -> tuple[Format, ...]:
    """The formats that are files, not folders."""
    return tuple(format for format in _records.values() if not format.is_folder)


def folder_formats() -> tuple[Format, ...]:
    """The formats that are folders of files."""
    return tuple(format for format in _records.values() if format.is_folder)


def format_of(path: str | Path, format: Format | str | None = None) -> Format:
    """Choose a format by the name of a file, unless it is given.

    Raises:
        BadInputError: if the format is unknown, or the name has not its ending.
    """
    by_name = _by_name(path)
    if isinstance(format, Format):  # perhaps with settings of its own
        return _checked(path, format, by_name)
    if format is None:
        if by_name is not None:
            return by_name
        endings = ", ".join(one.endings[0] for one in file_formats())
        names = " or ".join(one.name for one in folder_formats())
        raise BadInputError(
            f"{path}: expected a name that ends in {endings}, or the format of a folder "
            f"(--format {names})."
        )
    if format not in _records:
        raise BadInputError(
            f"{path}: the format {format!r} is unknown, expected one of {', '.join(_records)}."
        )
    return _checked(path, _records[format], by_name)


def _by_name(path: str | Path) -> Format | None:
    """Give the format whose ending a name has, the longest one if several have."""
    name = Path(path).name.lower()
    fitting = [
        (len(ending), format)
        for format in _records.values()
        for ending in format.endings
        if name.endswith(ending)
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def _checked(path: str | Path, chosen: Format, by_name: Format | None) -> Format:
    belongs = by_name is not None and by_name.name == chosen.name
    if not (chosen.is_folder or belongs or chosen.allows(path)):
        endings = " or ".join((*chosen.endings, *chosen.further_endings))
        raise BadInputError(f"{path}: expected a name that ends in {endings}.")
    return chosen


for _format in (
    hdf5.FORMAT,
    nrrd.FORMAT,
    nifti.FORMAT,
    npy.FORMAT,
    mat.FORMAT,
    png.FORMAT,
    dicom.FORMAT,
    acoustic.FORMAT,
):
    register(_format)
