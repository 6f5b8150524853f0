"""Every convention by which HU become acoustic properties, in the order of help and tables.

To add a convention, write its record into a module of this package and list it here. The options of
commands, the files' notes and the tests of all conventions follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from ..errors import BadInputError
from . import k_plan, k_wave, marsac, mcdannold, pichardo, tusnet
from .convention import Convention

_records: dict[str, Convention] = {}

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(_records)
"""The records by name, in order; a view that ``register`` adds to."""


def register(convention: Convention) -> None:
    """Add a convention behind all others.

    Raises:
        BadInputError: if there is one of this name.
    """
    if convention.name in _records:
        raise BadInputError(f"Convention {convention.name!r} exists, expected a new name.")
    _records[convention.name] = convention


@contextmanager
def registered(convention: Convention) -> Iterator[Convention]:
    """Have a convention for a while, for instance for a test."""
    register(convention)
    try:
        yield convention
    finally:
        del _records[convention.name]


def checked_convention(name: str) -> Convention:
    """Give the convention of a name.

    Raises:
        BadInputError: if there is none.
    """
    if name not in _records:
        raise BadInputError(
            f"Expected an acoustic convention out of {', '.join(_records)}, found {name!r}."
        )
    return _records[name]


for _convention in (
    k_wave.CONVENTION,
    k_plan.CONVENTION,
    marsac.CONVENTION,
    tusnet.CONVENTION,
    mcdannold.CONVENTION,
    pichardo.CONVENTION,
):
    register(_convention)
