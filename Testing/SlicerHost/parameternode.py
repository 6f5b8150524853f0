"""``slicer.parameterNodeWrapper``: a class of typed fields, kept in a node of the scene.

Fields are ``bool``, ``int``, ``float``, ``str`` or a MRML node class, plain or ``Annotated`` with
``WithinRange`` or ``Choice``, with a default. Widgets whose dynamic property
``SlicerParameterName`` names a field are kept equal to it by ``connectGui``. Types and widgets that
our modules do not use raise ``TypeError``.
"""

# ruff: noqa: N802 - the names are Slicer's
from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import slicer
import vtk
from PySide6 import QtWidgets

from . import widgets

WIDGET_PROPERTY = "SlicerParameterName"


@dataclass(frozen=True)
class WithinRange:
    """Annotation of a number: its bounds, which the widget takes over."""

    minimum: float
    maximum: float


@dataclass(frozen=True)
class Choice:
    """Annotation of a text: the texts it may be, which fill the combo box."""

    choices: Sequence[str]


@dataclass(frozen=True)
class _Field:
    """One field: how it is kept in the node."""

    name: str
    kind: type
    notes: tuple[Any, ...]
    default: Any

    @classmethod
    def of(cls, owner: type, name: str, hint: Any) -> _Field:
        notes: tuple[Any, ...] = ()
        if typing.get_origin(hint) is typing.Annotated:
            hint, *rest = typing.get_args(hint)
            notes = tuple(rest)
        if hint not in (bool, int, float, str) and not _is_node(hint):
            raise TypeError(f"{owner.__name__}.{name}: the host keeps no {hint}")
        empty = None if _is_node(hint) else hint()
        return cls(name, hint, notes, getattr(owner, name, empty))

    def read(self, node: slicer.vtkMRMLScriptedModuleNode) -> Any:
        if _is_node(self.kind):
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        return text == "True" if self.kind is bool else self.kind(text)

    def write(self, node: slicer.vtkMRMLScriptedModuleNode, value: Any) -> None:
        self._check(value)
        if _is_node(self.kind):
            node.SetParameter(self.name, "")  # says that the field has been written
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
        else:
            node.SetParameter(self.name, str(value))

    def is_in(self, node: slicer.vtkMRMLScriptedModuleNode) -> bool:
        return node.HasParameter(self.name)

    def _check(self, value: Any) -> None:
        allowed = (int, float) if self.kind is float else self.kind
        if not isinstance(value, allowed) and not (value is None and _is_node(self.kind)):
            raise ValueError(f"{self.name} is {value!r}, needed is {self.kind.__name__}")
        for note in self.notes:
            if isinstance(note, WithinRange) and not note.minimum <= value <= note.maximum:
                raise ValueError(f"{self.name} is {value}, needed is {note}")
            if isinstance(note, Choice) and value not in note.choices:
                raise ValueError(f"{self.name} is {value!r}, needed is {note}")


def parameterNodeWrapper(description: type) -> type:
    """Turn a class of annotated fields into a wrapper of a ``vtkMRMLScriptedModuleNode``."""
    hints = typing.get_type_hints(description, include_extras=True)
    fields = {name: _Field.of(description, name, hint) for name, hint in hints.items()}
    members = {name: _property(one) for name, one in fields.items()}
    return type(
        description.__name__,
        (_Wrapper,),
        {"__doc__": description.__doc__, "__module__": description.__module__, **members},
        fields=fields,
    )


class _Wrapper:
    """What every parameter node has beside its fields."""

    _fields: typing.ClassVar[dict[str, _Field]]

    def __init_subclass__(cls, fields: dict[str, _Field]) -> None:
        cls._fields = fields

    def __init__(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        self.parameterNode = node
        self._connected: dict[int, list[_Link]] = {}
        self._observers: dict[int, int] = {}
        self._updating = False
        for field in self._fields.values():
            if not field.is_in(node):
                field.write(node, field.default)

    def connectGui(self, panel: QtWidgets.QWidget) -> int:
        """Keep the widgets of a panel and the fields that they name equal; give a tag."""
        links = []
        for widget in panel.findChildren(QtWidgets.QWidget):
            name = widget.property(WIDGET_PROPERTY)
            if name:
                if name not in self._fields:
                    raise ValueError(f"{widget.name} names the parameter {name!r}, which is none")
                links.append(_link(widget, self._fields[name]))
        tag = len(self._connected)
        self._connected[tag] = links
        for link in links:
            link.write(link.field.read(self.parameterNode))
            link.listen(functools.partial(_call, self._take, link))
        self._observers[tag] = self.AddObserver(
            vtk.vtkCommand.ModifiedEvent, lambda _node, _event: self._show()
        )
        return tag

    def disconnectGui(self, tag: int) -> None:
        """End what ``connectGui`` began."""
        for link in self._connected.pop(tag, []):
            link.ignore()
        if tag in self._observers:
            self.RemoveObserver(self._observers.pop(tag))

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, before: int) -> int:
        return self.parameterNode.EndModify(before)

    def AddObserver(self, event: Any, function: Callable, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, function, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def _take(self, link: _Link) -> None:
        if not self._updating:
            link.field.write(self.parameterNode, link.read())

    def _show(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for links in self._connected.values():
                for link in links:
                    link.write(link.field.read(self.parameterNode))
        finally:
            self._updating = False


@dataclass(eq=False)
class _Link:
    """A widget and its field."""

    widget: QtWidgets.QWidget
    field: _Field
    signal: str
    read: Callable[[], Any]
    write: Callable[[Any], None]
    _function: Callable | None = None

    def listen(self, function: Callable) -> None:
        self._function = function
        self.widget.connect(self.signal, function)

    def ignore(self) -> None:
        self.widget.disconnect(self.signal, self._function)


def _call(function: Callable, link: _Link, *_sent: Any) -> None:
    """Call with the link alone, whatever the widget's signal sends along."""
    function(link)


def _link(widget: QtWidgets.QWidget, field: _Field) -> _Link:
    """Link a widget with a field by the pairs that Slicer knows; the exact class decides there."""
    for note in field.notes:
        if isinstance(note, WithinRange):
            widget.setRange(note.minimum, note.maximum)
    if type(widget) is QtWidgets.QCheckBox and field.kind is bool:
        return _by_property(widget, field, "checked", "toggled(bool)")
    if type(widget) is QtWidgets.QSpinBox and field.kind is int:
        return _by_property(widget, field, "value", "valueChanged(int)")
    if type(widget) is QtWidgets.QDoubleSpinBox and field.kind is float:
        return _by_property(widget, field, "value", "valueChanged(double)")
    if type(widget) is QtWidgets.QComboBox and field.kind is str:
        return _combo_box(widget, field)
    if type(widget) is widgets.qMRMLNodeComboBox and _is_node(field.kind):
        return _Link(
            widget,
            field,
            "currentNodeChanged(vtkMRMLNode*)",
            widget.currentNode,
            widget.setCurrentNode,
        )
    raise TypeError(f"{type(widget).__name__} {widget.name} cannot show {field.kind.__name__}")


def _by_property(widget: QtWidgets.QWidget, field: _Field, name: str, signal: str) -> _Link:
    return _Link(
        widget,
        field,
        signal,
        lambda: getattr(widget, name),
        lambda value: setattr(widget, name, value),
    )


def _combo_box(widget: QtWidgets.QComboBox, field: _Field) -> _Link:
    choices = next((note.choices for note in field.notes if isinstance(note, Choice)), None)
    if choices is None:
        raise TypeError(f"{field.name} needs a Choice to be shown by a combo box")
    widget.clear()
    widget.addItems(list(choices))
    return _Link(
        widget,
        field,
        "currentIndexChanged(int)",
        lambda: choices[widget.currentIndex],
        lambda value: setattr(widget, "currentIndex", list(choices).index(value)),
    )


def _property(field: _Field) -> property:
    return property(
        lambda self: field.read(self.parameterNode),
        lambda self, value: field.write(self.parameterNode, value),
    )


def _is_node(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def as_module() -> types.ModuleType:
    """Give ``slicer.parameterNodeWrapper``."""
    module = types.ModuleType("slicer.parameterNodeWrapper", __doc__)
    module.parameterNodeWrapper = parameterNodeWrapper
    module.WithinRange, module.Choice = WithinRange, Choice
    return module
