"""PySide6 with the behavior of PythonQt, which Slicer uses, as the module ``qt``.

The rules that catch mistakes in panels:

- a Qt property is an attribute, to read and to set, and hides a getter of the same name:
  ``label.text`` is a text, ``label.text()`` an error; ``name`` is ``objectName``;
- a child object is an attribute by its name; an attribute that is not there cannot be set on an
  object of Qt's own classes;
- ``sender.connect("signal(type)", function)`` and ``sender.disconnect(...)`` take signatures; a
  function that takes fewer arguments gets fewer;
- an exception in a slot goes no further: Slicer prints it, here it is kept in ``SLOT_ERRORS`` for
  the test to fail on.
"""

from __future__ import annotations

import inspect
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from . import api, blocking, dialogs

SLOT_ERRORS: list[str] = []
"""Tracebacks of the exceptions that slots let out."""
QT_WARNINGS: list[str] = []
"""What Qt complained of: a connection to a signal that is not there, a timer without a thread..."""

FILE_ANSWERS = dialogs.FILE_ANSWERS

_QObject = QtCore.QObject
_get = _QObject.__getattribute__
_find_children = _QObject.findChildren
_VIRTUAL = ("sizeHint", "minimumSizeHint")  # Qt asks for these itself: they stay methods here


def build() -> types.ModuleType:
    """Give PySide6 the rules above, for the whole process, and publish the module ``qt``."""
    if "qt" in sys.modules:
        return sys.modules["qt"]
    _QObject.__getattribute__ = _getattribute
    _QObject.__getattr__ = _child_by_name
    for module in (QtCore, QtGui, QtWidgets):
        for kind in [getattr(module, name) for name in dir(module)]:
            if isinstance(kind, type) and issubclass(kind, _QObject):
                kind.__setattr__ = _setattr  # each class has its own
    single_shot = QtCore.QTimer.singleShot
    QtCore.QTimer.singleShot = staticmethod(
        lambda msec, function: single_shot(msec, _guarded(function, "QTimer.singleShot", 0))
    )
    _QObject.findChildren = _findChildren
    _QObject.findChild = lambda self, *a: next(iter(_findChildren(self, *a)), None)
    QtCore.qInstallMessageHandler(_heard)
    dialogs.install()
    qt = types.ModuleType("qt", __doc__)
    for module in (QtCore, QtGui, QtWidgets):
        names = [name for name in dir(module) if not name.startswith("_")]
        vars(qt).update({name: getattr(module, name) for name in names})
    del qt.Signal, qt.Slot, qt.Property  # as class attributes they crash PythonQt
    sys.modules["qt"] = qt
    return qt


def _heard(kind: QtCore.QtMsgType, _where: Any, message: str) -> None:
    quiet = (QtCore.QtMsgType.QtDebugMsg, QtCore.QtMsgType.QtInfoMsg)
    # Of the platform without a screen, for every window.
    if kind not in quiet and message != "This plugin does not support propagateSizeHints()":
        QT_WARNINGS.append(message)


def is_property(target: QtCore.QObject, name: str) -> bool:
    """Tell whether the object's class has a Qt property of that name."""
    return name not in _VIRTUAL and _get(target, "metaObject")().indexOfProperty(name) >= 0


def _getattribute(self: QtCore.QObject, name: str) -> Any:
    if name.startswith("__"):
        return _get(self, name)
    if name == "name":
        return _get(self, "property")("objectName")
    if name == "connect":
        return _Connector(self).connect
    if name == "disconnect":
        return _Connector(self).disconnect
    if is_property(self, name):
        return _get(self, "property")(name)
    return _get(self, name)


def _child_by_name(self: QtCore.QObject, name: str) -> Any:
    if not name.startswith("__"):
        dynamic = _get(self, "property")(name)
        if dynamic is not None:
            return dynamic
        for child in _get(self, "children")():
            if child.name == name:
                return child
    raise AttributeError(f"{type(self).__name__} has no attribute named {name!r}")


def _setattr(self: QtCore.QObject, name: str, value: Any) -> None:
    if name == "name":
        name = "objectName"
    if is_property(self, name):
        index = _get(self, "metaObject")().indexOfProperty(name)
        writable = _get(self, "metaObject")().property(index).isWritable()
        if not writable or not _set_property(self, name, value):
            what = f"a {type(value).__name__}" if writable else "anything: it is read-only"
            raise AttributeError(f"{type(self).__name__}.{name} does not take {what}")
    elif isinstance(value, QtCore.SignalInstance):  # PySide6 keeps those it has looked up
        _get(self, "__dict__")[name] = value
    elif type(self).__module__.startswith("PySide6"):
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r} to set")
    else:
        # object.__setattr__ refuses classes of Qt whose own was replaced.
        _get(self, "__dict__")[name] = value


def _set_property(self: QtCore.QObject, name: str, value: Any) -> bool:
    if isinstance(value, tuple):  # PythonQt makes a list of it
        value = list(value)
    if _get(self, "setProperty")(name, value):
        return True
    # Some enumerations go by the setter only.
    setter = getattr(type(self), f"set{name[0].upper()}{name[1:]}", None)
    try:
        return setter is not None and setter(self, value) is None
    except TypeError:
        return False


def _findChildren(  # noqa: N802 - Qt's name
    self: QtCore.QObject, kind: Any = _QObject, name: str = ""
) -> list[QtCore.QObject]:
    """PythonQt also takes a class by its name."""
    by_name = isinstance(kind, str)
    found = _find_children(self, _QObject if by_name else kind)
    return [
        child
        for child in found
        if (not by_name or any(base.__name__ == kind for base in type(child).__mro__))
        and (not name or child.name == name)
    ]


def disconnect_all(sender: QtCore.QObject) -> None:
    """Undo every ``connect`` of an object that outlives what it was connected with."""
    for entries in _get(sender, "__dict__").pop("_connections", {}).values():
        for _function, slot, bound in entries:
            bound.disconnect(slot)


class _Connector:
    """``connect`` and ``disconnect`` of one object, with signatures as texts."""

    def __init__(self, sender: QtCore.QObject) -> None:
        self._sender = sender

    def connect(self, *given: Any) -> Any:
        if not isinstance(given[0], str):  # PySide6's own calls come by here, too
            return _get(self._sender, "connect")(*given)
        signal, *target = given
        function = _function_of(target)
        bound = self._signal(signal)
        sender = f"{type(self._sender).__name__} {self._sender.name}".strip()
        called = getattr(function, "__qualname__", type(function).__name__)
        slot = _guarded(function, f"{sender}.{signal} -> {called}", _count(signal))
        bound.connect(slot)
        self._of(signal).append((function, slot, bound))
        return True

    def disconnect(self, *given: Any) -> Any:
        if not given or not isinstance(given[0], str):
            return _get(self._sender, "disconnect")(*given)
        signal, *target = given
        function = _function_of(target)
        for entry in self._of(signal):
            if entry[0] == function:
                self._of(signal).remove(entry)
                entry[2].disconnect(entry[1])
                return True
        return False

    def _of(self, signal: str) -> list[tuple[Callable, Callable, Any]]:
        made = _get(self._sender, "__dict__").setdefault("_connections", {})
        return made.setdefault(signal, [])

    def _signal(self, signature: str) -> Any:
        kind = type(self._sender)
        name, _, arguments = signature.partition("(")
        real = api.signals(kind.__name__)  # none for Qt's own classes
        if signature in real:
            return _get(self._sender, name)
        if name in {one.partition("(")[0] for one in real}:
            raise ValueError(f"{kind.__name__} has no signal {signature!r}, but {sorted(real)}")
        meta = self._sender.metaObject()
        index = meta.indexOfSignal(str(QtCore.QMetaObject.normalizedSignature(signature), "ascii"))
        if index < 0:
            raise ValueError(f"{kind.__name__} has no signal {signature!r}")
        bound = _get(self._sender, name)
        overloads = [i for i in range(meta.methodCount()) if meta.method(i).name() == name.encode()]
        own_arguments = arguments.rstrip(")")
        if len(overloads) > 1 and own_arguments:
            return bound[tuple(own_arguments.split(","))]
        return bound


def _function_of(target: list[Any]) -> Callable:
    """A function, or receiver and ``slot(types)``."""
    if len(target) == 1 and callable(target[0]):
        return target[0]
    if len(target) == 2 and isinstance(target[1], str):
        receiver, slot = target
        return getattr(receiver, slot.partition("(")[0])
    raise TypeError(f"connect takes a function, or a receiver and its slot, not {target!r}")


def _count(signature: str) -> int:
    arguments = signature.partition("(")[2].rstrip(")")
    return len(arguments.split(",")) if arguments else 0


def _guarded(function: Callable, where: str, count: int) -> Callable:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # Qt's own methods say nothing; they take what is sent
        parameters = None
    if parameters is not None and not any(p.kind == p.VAR_POSITIONAL for p in parameters):
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        count = min(count, sum(p.kind in positional for p in parameters))

    def slot(*arguments: Any) -> None:
        try:
            with blocking.timed(where):
                function(*arguments[:count])
        except Exception:  # whatever it is, the test is to see it
            SLOT_ERRORS.append(f"{where}: {traceback.format_exc()}")

    return slot
