"""Every judge of an evaluation, in the order of report, tables and answers.

To add a judge, write its ``Measure`` into a module of this package and list it here. Report, page,
``segments.csv`` and scene follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from ...errors import BadInputError
from . import (
    acoustic,
    c2st,
    conditions,
    depth,
    discriminator,
    distances,
    frechet,
    known_answers,
    mmd,
    nearest_neighbors,
    prdc,
    strata,
    tsne,
    tstr,
    whole_walls,
)
from .measure import Column, Measure, Numbers
from .tables import ReportTable

_records: dict[str, Measure[Any]] = {}

MEASURES: Mapping[str, Measure[Any]] = MappingProxyType(_records)
"""The judges by name, in order; a view that ``register`` adds to."""


def register(measure: Measure[Any]) -> None:
    """Add a judge behind all others.

    Raises:
        BadInputError: if there is one of this name, or with a column of the same name.
    """
    taken = {*_records, *columns()}
    for name in (measure.name, *(column.name for column in measure.columns)):
        if name in taken:
            raise BadInputError(f"{name!r} is a judge or a column already: expected a new name.")
    _records[measure.name] = measure


@contextmanager
def registered(measure: Measure[Any]) -> Iterator[Measure[Any]]:
    """Have a judge for a while, for instance for a test."""
    register(measure)
    try:
        yield measure
    finally:
        del _records[measure.name]


def tables(numbers: Numbers) -> list[ReportTable]:
    """Give the tables that judges lay out of the numbers of a report."""
    return [table for one in _records.values() for table in one.tables(numbers)]


def columns() -> dict[str, Column]:
    """Give the columns of ``segments.csv`` that judges fill, by name."""
    return {column.name: column for one in _records.values() for column in one.columns}


for _module in (
    c2st,
    prdc,
    mmd,
    frechet,
    distances,
    whole_walls,
    discriminator,
    tsne,
    nearest_neighbors,
    tstr,
    strata,
    known_answers,
    acoustic,
    conditions,
    depth,
):
    register(_module.MEASURE)
