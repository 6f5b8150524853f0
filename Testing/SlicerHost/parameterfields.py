"""Typed fields of a parameter node: how values of a type are kept in its parameters.

A field is a ``bool``, ``int``, ``float``, ``str``, path, enumeration, ``FloatRange`` or MRML node,
a ``list`` of one of these or an ``Optional`` one, plain or ``Annotated`` with validators. Other
types raise ``TypeError``.
"""

from __future__ import annotations

import enum
import pathlib
import types
import typing
from collections.abc import Iterable, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

import slicer
import slicer.util

Node = slicer.vtkMRMLScriptedModuleNode


@dataclass(frozen=True)
class FloatRange:
    """Two ends of a range, which a ctkRangeWidget shows."""

    minimum: float
    maximum: float


@dataclass(frozen=True)
class WithinRange:
    """Annotation of a number: its bounds, which the widget takes over."""

    minimum: float
    maximum: float

    def validate(self, value: float) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not {self}")


@dataclass(frozen=True)
class Minimum:
    """Annotation of a number: its lower bound."""

    minimum: float

    def validate(self, value: float) -> None:
        if value < self.minimum:
            raise ValueError(f"{value} is not {self}")


@dataclass(frozen=True)
class Maximum:
    """Annotation of a number: its upper bound."""

    maximum: float

    def validate(self, value: float) -> None:
        if value > self.maximum:
            raise ValueError(f"{value} is not {self}")


@dataclass(frozen=True)
class RangeBounds:
    """Annotation of a ``FloatRange``: the bounds of both ends."""

    minimum: float
    maximum: float

    def validate(self, value: FloatRange) -> None:
        if not self.minimum <= value.minimum <= value.maximum <= self.maximum:
            raise ValueError(f"{value} is not {self}")


@dataclass(frozen=True)
class Choice:
    """Annotation: the values it may have, which fill the combo box."""

    choices: Sequence[Any]

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"{value!r} is not {self}")


@dataclass(frozen=True)
class Default:
    """Annotation: the value at first."""

    value: Any


@dataclass(frozen=True)
class Decimals:
    """Annotation of a number: the decimals that its widget shows."""

    value: int


@dataclass(frozen=True)
class SingleStep:
    """Annotation of a number: the step of its widget's arrows."""

    value: float


ANNOTATIONS = (
    Choice,
    Decimals,
    Default,
    FloatRange,
    Maximum,
    Minimum,
    RangeBounds,
    SingleStep,
    WithinRange,
)


def split(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Give a type and its annotations."""
    if typing.get_origin(hint) is typing.Annotated:
        hint, *notes = typing.get_args(hint)
        return hint, tuple(notes)
    return hint, ()


def node_types(kind: Any) -> list[type]:
    """Give the MRML classes that a type stands for, none if it is another type."""
    kinds = [one for one in typing.get_args(kind) or (kind,) if one is not type(None)]
    is_union = typing.get_origin(kind) in (None, typing.Union, types.UnionType)
    return kinds if is_union and all(_is_node(one) for one in kinds) else []


class Field:
    """One field: its type, its default and its place in the node.

    Raises:
        TypeError: if the host keeps no such type.
    """

    def __init__(self, owner: type, name: str, hint: Any) -> None:
        self.name = name
        self.kind, self.notes = split(hint)
        try:
            self._keeper = _keeper(self.kind)
        except TypeError as error:
            raise TypeError(f"{owner.__name__}.{name}: {error}") from error
        noted = [note.value for note in self.notes if isinstance(note, Default)]
        self.default = getattr(owner, name, noted[0] if noted else self._keeper.empty())

    def note(self, kind: type) -> Any:
        """Give its annotation of a kind, or None."""
        return next((note for note in self.notes if isinstance(note, kind)), None)

    def read(self, node: Node) -> Any:
        if not self.is_in(node):  # a scene that was closed or opened took it away
            self.write(node, self.default)
        return self._keeper.read(node, self.name)

    def write(self, node: Node, value: Any) -> None:
        """Keep a value; ``TypeError`` or ``ValueError`` if the field cannot be that."""
        try:
            self._keeper.check(value)
            for note in self.notes:
                if hasattr(note, "validate"):
                    note.validate(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.name}: {error}") from error
        with slicer.util.NodeModify(node):
            self._keeper.write(node, self.name, value)

    def is_in(self, node: Node) -> bool:
        return self._keeper.is_in(node, self.name)


class _Text:
    """A value that is one parameter: a number, a text, a path, a member of an enumeration."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def empty(self) -> Any:
        if issubclass(self._kind, enum.Enum):
            return next(iter(self._kind))
        return self._kind()

    def check(self, value: Any) -> None:
        allowed = (int, float) if self._kind is float else self._kind
        if not isinstance(value, allowed):
            raise TypeError(f"expected {self._kind.__name__}, found {value!r}")

    def is_in(self, node: Node, name: str) -> bool:
        return node.HasParameter(name)

    def write(self, node: Node, name: str, value: Any) -> None:
        node.SetParameter(name, value.name if isinstance(value, enum.Enum) else str(value))

    def read(self, node: Node, name: str) -> Any:
        text = node.GetParameter(name)
        if self._kind is bool:
            return text == "True"
        return self._kind[text] if issubclass(self._kind, enum.Enum) else self._kind(text)

    def remove(self, node: Node, name: str) -> None:
        node.UnsetParameter(name)


class _Reference:
    """A node of the scene, or None."""

    def __init__(self, kinds: list[type]) -> None:
        self._kinds = tuple(kinds)

    def empty(self) -> None:
        return None

    def check(self, value: Any) -> None:
        if value is not None and not isinstance(value, self._kinds):
            raise TypeError(f"expected {self._kinds[0].__name__}, found {value!r}")

    def is_in(self, node: Node, name: str) -> bool:
        return node.HasParameter(name)

    def write(self, node: Node, name: str, value: Any) -> None:
        node.SetParameter(name, "")  # says that the field has been written
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Node, name: str) -> Any:
        return node.GetNodeReference(name)

    def remove(self, node: Node, name: str) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class _Parts:
    """A ``FloatRange``."""

    def empty(self) -> FloatRange:
        return FloatRange(0.0, 0.0)

    def check(self, value: Any) -> None:
        if not isinstance(value, FloatRange):
            raise TypeError(f"expected a FloatRange, found {value!r}")

    def is_in(self, node: Node, name: str) -> bool:
        return node.HasParameter(name)

    def write(self, node: Node, name: str, value: FloatRange) -> None:
        node.SetParameter(name, f"{value.minimum},{value.maximum}")

    def read(self, node: Node, name: str) -> FloatRange:
        return FloatRange(*map(float, node.GetParameter(name).split(",")))

    def remove(self, node: Node, name: str) -> None:
        node.UnsetParameter(name)


class _Maybe:
    """A value or None."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def empty(self) -> None:
        return None

    def check(self, value: Any) -> None:
        if value is not None:
            self._inner.check(value)

    def is_in(self, node: Node, name: str) -> bool:
        return self._inner.is_in(node, f"{name}.0") or node.HasParameter(f"{name}.1")

    def write(self, node: Node, name: str, value: Any) -> None:
        self.remove(node, name)
        if value is None:
            node.SetParameter(f"{name}.1", "True")
        else:
            self._inner.write(node, f"{name}.0", value)

    def read(self, node: Node, name: str) -> Any:
        is_there = self._inner.is_in(node, f"{name}.0")
        return self._inner.read(node, f"{name}.0") if is_there else None

    def remove(self, node: Node, name: str) -> None:
        self._inner.remove(node, f"{name}.0")
        node.UnsetParameter(f"{name}.1")


class _Many:
    """A list; what is read writes its changes into the node."""

    def __init__(self, item: Any) -> None:
        self._item = item

    def empty(self) -> list:
        return []

    def check(self, values: Any) -> None:
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise TypeError(f"expected a list, found {values!r}")
        for value in values:
            self._item.check(value)

    def is_in(self, node: Node, name: str) -> bool:
        return node.HasParameter(f"{name}.len")

    def write(self, node: Node, name: str, values: Iterable[Any]) -> None:
        values = list(values)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            node.SetParameter(f"{name}.len", str(len(values)))
            for index, value in enumerate(values):
                self._item.check(value)
                self._item.write(node, f"{name}.{index}", value)

    def read(self, node: Node, name: str) -> _KeptList:
        return _KeptList(self, node, name)

    def values(self, node: Node, name: str) -> list:
        count = int(node.GetParameter(f"{name}.len") or 0)
        return [self._item.read(node, f"{name}.{index}") for index in range(count)]

    def remove(self, node: Node, name: str) -> None:
        for index in range(int(node.GetParameter(f"{name}.len") or 0)):
            self._item.remove(node, f"{name}.{index}")
        node.UnsetParameter(f"{name}.len")


class _KeptList(MutableSequence):
    """A list in a parameter node, as Slicer's ``ObservedList``: ``+`` is not for it."""

    def __init__(self, keeper: _Many, node: Node, name: str) -> None:
        self._keeper, self._node, self._name = keeper, node, name
        self._values = keeper.values(node, name)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._values[index] = value
        self._keep()

    def __delitem__(self, index: Any) -> None:
        del self._values[index]
        self._keep()

    def insert(self, index: int, value: Any) -> None:
        self._values.insert(index, value)
        self._keep()

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, _KeptList) else other)

    __hash__ = None

    def __repr__(self) -> str:
        return f"ObservedList({self._values})"

    def _keep(self) -> None:
        self._keeper.write(self._node, self._name, self._values)


def _keeper(kind: Any) -> Any:
    if node_types(kind):
        keeper = _Reference(node_types(kind))
        is_optional = type(None) in typing.get_args(kind)
        return _Maybe(keeper) if is_optional else keeper
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        inner = [one for one in typing.get_args(kind) if one is not type(None)]
        if len(inner) == 1:
            return _Maybe(_keeper(inner[0]))
    if typing.get_origin(kind) is list and len(typing.get_args(kind)) == 1:
        return _Many(_keeper(typing.get_args(kind)[0]))
    if kind is FloatRange:
        return _Parts()
    if isinstance(kind, type) and issubclass(
        kind, (bool, int, float, str, pathlib.PurePath, enum.Enum)
    ):
        return _Text(kind)
    raise TypeError(f"the host keeps no {kind}")


def _is_node(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)
