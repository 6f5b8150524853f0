"""Every radiological metric, in the order of tables and files.

To add a metric, write its record and function into a module of this package and list it here.
Tables, axes, color ranges, reports, node attributes and map files follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from ..errors import BadInputError
from . import intensity, sdr, thickness
from .metric import Metric

_records: dict[str, Metric] = {}

METRICS: Mapping[str, Metric] = MappingProxyType(_records)
"""The records by name, in order; a view that ``register`` adds to."""


def register(metric: Metric) -> None:
    """Add a metric behind all others.

    Raises:
        BadInputError: if there is one of this name.
    """
    if metric.name in _records:
        raise BadInputError(f"Metric {metric.name!r} exists, expected a new name.")
    _records[metric.name] = metric


@contextmanager
def registered(metric: Metric) -> Iterator[Metric]:
    """Have a metric for a while, for instance for a test."""
    register(metric)
    try:
        yield metric
    finally:
        del _records[metric.name]


def checked_metric(name: str) -> Metric:
    """The metric of a name.

    Raises:
        BadInputError: if there is none.
    """
    if name not in _records:
        raise BadInputError(f"Expected a metric out of {', '.join(_records)}, found {name!r}.")
    return _records[name]


def compared() -> tuple[str, ...]:
    """Names of the metrics whose distributions an evaluation compares."""
    return tuple(name for name, metric in _records.items() if metric.compared)


for _metric in (*sdr.METRICS, thickness.METRIC, intensity.METRIC, thickness.LITERAL):
    register(_metric)
