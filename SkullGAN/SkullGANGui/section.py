"""One foldable part of a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from SkullGANGui.protocols import WrappedParameters
from SkullGANGui.task_logic import TaskLogic

if TYPE_CHECKING:
    from SkullGANGui.protocols import Panel

L = TypeVar("L", bound=TaskLogic)
N = TypeVar("N", bound=WrappedParameters)


class Section(Generic[L, N]):
    """Has its own widgets of the panel's ``.ui`` file, and nothing of the other sections.

    What a section runs, it runs by ``panel.run(task, on_done=...)``: the result comes back to it.

    Args:
        panel: the ``PanelWidget`` it stands in.

    Attributes:
        ui: the panel's widgets by name.
        logic: the module's logic.
    """

    def __init__(self, panel: Panel[L, N]) -> None:
        self.panel = panel
        self.ui = panel.ui
        self.logic = panel.logic

    @property
    def node(self) -> N:
        """The parameter node of the panel that is open.

        None while it is closed: what comes of a task, perhaps later, asks whether there is one.
        """
        return cast(N, self.panel.node)

    def show(self) -> None:
        """Show the parameters; called when one of them changed."""

    def update(self, busy: str) -> None:
        """Enable what can be done; ``busy`` says why nothing new can be begun, or is empty."""

    def forget(self) -> None:
        """Let go of the scene's nodes: it closes, or the panel goes."""
