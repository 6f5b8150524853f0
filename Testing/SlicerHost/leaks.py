"""What a panel leaves behind when it goes: in Slicer that fires later, into what is gone."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

from . import parameternode


def left_by(panel: Any) -> list[str]:
    """Name the observers and running timers of a panel after its ``cleanup``."""
    name = type(panel).__name__
    observed = getattr(panel, "Observations", [])
    found = [
        f"{name}.{method.__name__} still observes {target.GetClassName()}"
        for target, _event, method, *_ in observed
    ]
    timers = [value for value in vars(panel).values() if isinstance(value, QtCore.QTimer)]
    return found + [f"a timer of {name} still runs" for timer in timers if timer.active]


def connected_parameter_nodes() -> list[str]:
    """Name the parameter nodes that are still connected with widgets."""
    return [
        f"{type(wrapper).__name__} is still connected with widgets (connectGui cannot be undone)"
        for wrapper in parameternode.CONNECTED.values()
    ]
