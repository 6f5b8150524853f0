"""What the real ctk and qMRML classes offer: properties, signals and slots.

``qtapi.json`` was read off the public headers of Slicer 5.12 and CTK (``Q_PROPERTY``, ``signals:``,
``public slots:`` and invokable methods), and cut down to the classes that our modules use. Signals
and slots are written as Qt normalizes them, "currentNodeChanged(vtkMRMLNode*)".
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@functools.cache
def classes() -> dict[str, dict[str, Any]]:
    """The classes by name, each with base, properties, signals, slots and methods."""
    return json.loads(Path(__file__).with_name("qtapi.json").read_text(encoding="utf-8"))


def properties(name: str) -> dict[str, dict[str, Any]]:
    """The properties of a class and of its bases that are known here, by name."""
    found: dict[str, dict[str, Any]] = {}
    for one in _lineage(name):
        found = {**one["properties"], **found}
    return found


def signals(name: str) -> set[str]:
    """The signals of a class and of its bases that are known here, with their arguments."""
    return {signal for one in _lineage(name) for signal in one["signals"]}


def slots(name: str) -> set[str]:
    """The slots and other callable methods, with their arguments."""
    return {slot for one in _lineage(name) for slot in (*one["slots"], *one["methods"])}


def names(name: str) -> set[str]:
    """The names of all of them."""
    called = {one.partition("(")[0] for one in signals(name) | slots(name)}
    return called | set(properties(name))


def _lineage(name: str) -> Iterator[dict[str, Any]]:
    known = classes()
    while name in known:
        yield known[name]
        name = known[name]["base"]
