"""What the parts of a panel need of each other, so that each can be read and checked by itself."""

# ruff: noqa: N802, N803, N815 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import qt
    from SkullGANLib.utils.task import Task
    from slicer import vtkMRMLScriptedModuleNode

    from SkullGANGui.guidance import Guidance
    from SkullGANGui.task_logic import TaskLogic

T = TypeVar("T")
L = TypeVar("L", bound="TaskLogic")
N = TypeVar("N", bound="WrappedParameters")


class Widgets(Protocol):
    """The widgets of a ``.ui`` file by name: which there are, only the file knows."""

    def __getattr__(self, name: str) -> Any: ...


class Panel(Protocol[L, N]):
    """What a section needs of the ``PanelWidget`` it stands in.

    Attributes:
        ui: the panel's widgets.
        logic: the module's logic.
        node: the parameter node; None while the panel is closed.
        guidance: the lines that say what to do next.
    """

    ui: Widgets
    logic: L
    node: N | None
    guidance: Guidance

    def run(self, task: Task[T], on_done: Callable[[T], str], *, cancelled: str = "") -> None:
        """Follow a task of the logic and hand its result to who asked for it."""

    def allow(self, widget: qt.QWidget, rejection_reason: str, use: str) -> None:
        """Enable a widget if nothing speaks against it."""

    def shownErrors(self, message: str) -> AbstractContextManager[None]:
        """Show what a user can mend as a sentence."""

    def updateButtons(self) -> None:
        """Enable what can be done."""

    def keepPath(self, widget: qt.QWidget, field: str) -> None:
        """Keep a ``ctkPathLineEdit`` and a text of the parameter node equal."""

    def keepChoice(self, box: qt.QComboBox, field: str, choices: Mapping[str, str]) -> None:
        """Keep a ``QComboBox`` and a text of the parameter node equal."""

    def keepText(self, widget: qt.QLineEdit, field: str) -> None:
        """Keep a ``QLineEdit`` and a text of the parameter node equal."""


if TYPE_CHECKING:

    class WrappedParameters:
        """What ``parameterNodeWrapper`` gives to a class beside its fields."""

        parameterNode: vtkMRMLScriptedModuleNode

        def __init__(self, parameterNode: vtkMRMLScriptedModuleNode) -> None: ...

        def connectParametersToGui(self, mapping: Mapping[str, qt.QWidget]) -> int: ...

        def disconnectGui(self, tag: int) -> None: ...

        def StartModify(self) -> int: ...

        def EndModify(self, before: int) -> int: ...

else:
    WrappedParameters = object  # the wrapper takes every annotation of a base for a parameter
