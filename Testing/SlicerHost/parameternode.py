"""``slicer.parameterNodeWrapper``: a class of typed fields, kept in a node of the scene.

``parameterfields`` says which types. Widgets are kept equal to fields by ``connectGui``, for those
whose dynamic property ``SlicerParameterName`` names one, or ``connectParametersToGui``. The pairs
of widget and type are Slicer's, where the exact class decides; others raise ``RuntimeError``.

As in Slicer, ``connectGui`` gives no tag to disconnect by (Slicer/Slicer#7547), so that only
``connectParametersToGui`` can be undone.
"""

# ruff: noqa: N802 - the names are Slicer's
from __future__ import annotations

import enum
import functools
import math
import pathlib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import slicer
import vtk
from PySide6 import QtWidgets

from . import parameterfields, widgets
from .parameterfields import Choice, Field, FloatRange

WIDGET_PROPERTY = "SlicerParameterName"

CONNECTED: dict[int, Any] = {}
"""The wrappers that are connected with widgets, by their ``id``."""


def parameterNodeWrapper(description: type) -> type:
    """Turn a class of annotated fields into a wrapper of a ``vtkMRMLScriptedModuleNode``."""
    hints = typing.get_type_hints(description, include_extras=True)
    fields = {name: Field(description, name, hint) for name, hint in hints.items()}
    members = {name: _property(one) for name, one in fields.items()}
    own = {
        name: value
        for name, value in vars(description).items()
        if not name.startswith("__") and name not in fields
    }
    return type(
        description.__name__,
        (_Wrapper,),
        {
            **own,
            "__doc__": description.__doc__,
            "__module__": description.__module__,
            **members,
        },
        fields=fields,
    )


class _Wrapper:
    """What every parameter node has beside its fields."""

    _fields: typing.ClassVar[dict[str, Field]]

    def __init_subclass__(cls, fields: dict[str, Field]) -> None:
        cls._fields = fields

    def __init__(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        self.parameterNode = node
        self._connected: dict[int, list[_Link]] = {}
        self._observers: dict[int, int] = {}
        self._next_tag = 0
        self._updating = False
        for field in self._fields.values():
            if not field.is_in(node):
                field.write(node, field.default)

    def connectGui(self, panel: QtWidgets.QWidget) -> None:
        """Keep the widgets of a panel and the fields that they name equal from now on."""
        named = {
            widget.property(WIDGET_PROPERTY): widget
            for widget in panel.findChildren(QtWidgets.QWidget)
            if widget.property(WIDGET_PROPERTY)
        }
        self.connectParametersToGui(named)

    def connectParametersToGui(self, mapping: Mapping[str, QtWidgets.QWidget]) -> int:
        """Keep fields and widgets equal; give the tag for ``disconnectGui``."""
        for name in mapping:
            if name not in self._fields:
                raise ValueError(
                    f"{mapping[name].name} names the parameter {name!r}, which is none"
                )
        links = [_link(widget, self._fields[name]) for name, widget in mapping.items()]
        tag = self._next_tag
        self._next_tag += 1
        self._connected[tag] = links
        CONNECTED[id(self)] = self
        for link in links:
            link.write(link.field.read(self.parameterNode))
            link.listen(functools.partial(_call, self._take, link))
        self._observers[tag] = self.AddObserver(
            vtk.vtkCommand.ModifiedEvent, lambda _node, _event: self._show()
        )
        return tag

    def disconnectGui(self, tag: int) -> None:
        """End what ``connectParametersToGui`` began; nothing happens for an unknown tag."""
        for link in self._connected.pop(tag, []):
            link.ignore()
        # Slicer 5.10 forgets the observer, and with it the wrapper stays.
        if tag in self._observers and (slicer.app.majorVersion, slicer.app.minorVersion) > (5, 10):
            self.RemoveObserver(self._observers.pop(tag))
        if not self._connected:
            CONNECTED.pop(id(self), None)

    def getValue(self, name: str) -> Any:
        return self._fields[name].read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:
        self._fields[name].write(self.parameterNode, value)

    def default(self, name: str) -> parameterfields.Default:
        return parameterfields.Default(self._fields[name].default)

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, before: int) -> int:
        return self.parameterNode.EndModify(before)

    def Modified(self) -> None:
        self.parameterNode.Modified()

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
    field: Field
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


def _link(widget: QtWidgets.QWidget, field: Field) -> _Link:
    for kinds, fits, make in _PAIRS:
        if type(widget) in kinds and fits(field.kind):
            return make(widget, field)
    raise RuntimeError(f"{type(widget).__name__} {widget.name} cannot show {field.kind}")


def _is_a(*kinds: type) -> Callable[[Any], bool]:
    return lambda kind: kind in kinds


def _is_path(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pathlib.PurePath)


def _is_enumeration(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _is_node(kind: Any) -> bool:
    return bool(parameterfields.node_types(kind))


def _by_property(name: str, signal: str) -> Callable[[QtWidgets.QWidget, Field], _Link]:
    def link(widget: QtWidgets.QWidget, field: Field) -> _Link:
        return _Link(
            widget,
            field,
            signal,
            lambda: getattr(widget, name),
            lambda value: setattr(widget, name, value),
        )

    return link


def _push_button(widget: QtWidgets.QPushButton, field: Field) -> _Link:
    widget.checkable = True
    return _by_property("checked", "toggled(bool)")(widget, field)


def _number(signal: str, unbounded: float) -> Callable[[QtWidgets.QWidget, Field], _Link]:
    """A box or slider takes its range from the annotations, and none if there are none."""

    def link(widget: QtWidgets.QWidget, field: Field) -> _Link:
        within = field.note(parameterfields.WithinRange)
        low = within or field.note(parameterfields.Minimum)
        high = within or field.note(parameterfields.Maximum)
        is_box = isinstance(widget, QtWidgets.QAbstractSpinBox)
        if not is_box and not (low and high):
            raise RuntimeError(f"{field.name} needs a range to be shown by a slider")
        _take_notes(widget, field)
        kind = field.kind
        widget.minimum = kind(low.minimum) if low else kind(-unbounded)
        widget.maximum = kind(high.maximum) if high else kind(unbounded)
        return _by_property("value", signal)(widget, field)

    return link


def _take_notes(widget: QtWidgets.QWidget, field: Field) -> None:
    decimals, step = field.note(parameterfields.Decimals), field.note(parameterfields.SingleStep)
    if decimals:
        widget.decimals = decimals.value
    if step:
        widget.singleStep = step.value


def _range(widget: QtWidgets.QWidget, field: Field) -> _Link:
    bounds = field.note(parameterfields.RangeBounds)
    if bounds is None:
        raise RuntimeError(f"{field.name} needs RangeBounds to be shown by a ctkRangeWidget")
    _take_notes(widget, field)
    widget.setRange(bounds.minimum, bounds.maximum)
    return _Link(
        widget,
        field,
        "valuesChanged(double,double)",
        lambda: FloatRange(widget.minimumValue, widget.maximumValue),
        lambda value: widget.setValues(value.minimum, value.maximum),
    )


def _choices(widget: QtWidgets.QComboBox, field: Field) -> _Link:
    choice = field.note(Choice)
    if choice is None:
        raise RuntimeError(f"{field.name} needs a Choice to be shown by a combo box")
    return _combo_box(widget, field, [(str(one), one) for one in choice.choices])


def _members(widget: QtWidgets.QComboBox, field: Field) -> _Link:
    label = getattr(field.kind, "label", lambda member: member.name)
    return _combo_box(widget, field, [(label(member), member) for member in field.kind])


def _combo_box(widget: QtWidgets.QComboBox, field: Field, entries: list[tuple[str, Any]]) -> _Link:
    values = [value for _, value in entries]
    widget.clear()
    widget.addItems([text for text, _ in entries])
    return _Link(
        widget,
        field,
        "currentIndexChanged(int)",
        lambda: values[widget.currentIndex],
        lambda value: setattr(widget, "currentIndex", values.index(value)),
    )


def _text(widget: QtWidgets.QTextEdit, field: Field) -> _Link:
    return _Link(widget, field, "textChanged()", widget.toPlainText, widget.setPlainText)


def _path(widget: QtWidgets.QWidget, field: Field) -> _Link:
    return _Link(
        widget,
        field,
        "currentPathChanged(QString)",
        lambda: field.kind(widget.currentPath),
        lambda value: setattr(widget, "currentPath", str(value)),
    )


def _node(widget: QtWidgets.QWidget, field: Field) -> _Link:
    kinds = parameterfields.node_types(field.kind)
    widget.nodeTypes = [kind.__name__ for kind in kinds]
    signal = "currentNodeChanged(vtkMRMLNode*)"
    return _Link(widget, field, signal, widget.currentNode, widget.setCurrentNode)


_Q = QtWidgets
_INT = _number("valueChanged(int)", 2**31 - 1)
_FLOAT = _number("valueChanged(double)", math.inf)
# Widgets, which types they can show, and how they are linked.
_PAIRS = (
    ((_Q.QCheckBox,), _is_a(bool), _by_property("checked", "toggled(bool)")),
    ((_Q.QPushButton,), _is_a(bool), _push_button),
    ((_Q.QSlider, _Q.QSpinBox), _is_a(int), _INT),
    ((_Q.QDoubleSpinBox, widgets.ctkSliderWidget), _is_a(float), _FLOAT),
    ((_Q.QComboBox,), _is_a(int, float, str, bool), _choices),
    ((_Q.QComboBox,), _is_enumeration, _members),
    ((_Q.QLineEdit,), _is_a(str), _by_property("text", "textChanged(QString)")),
    ((_Q.QTextEdit,), _is_a(str), _text),
    ((widgets.ctkRangeWidget,), _is_a(FloatRange), _range),
    ((widgets.ctkPathLineEdit,), _is_path, _path),
    ((widgets.qMRMLNodeComboBox,), _is_node, _node),
)


def _property(field: Field) -> property:
    return property(
        lambda self: field.read(self.parameterNode),
        lambda self, value: field.write(self.parameterNode, value),
    )


def as_module() -> types.ModuleType:
    """Give ``slicer.parameterNodeWrapper``."""
    module = types.ModuleType("slicer.parameterNodeWrapper", __doc__)
    module.parameterNodeWrapper = parameterNodeWrapper
    for kind in parameterfields.ANNOTATIONS:
        setattr(module, kind.__name__, kind)
    return module
