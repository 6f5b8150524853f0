"""One foldable part of the SkullGAN panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from SkullGANGui.protocols import Panel
    from SkullGANGui.sections.logic import SectionsLogic
    from SkullGANGui.sections.parameters import SkullGANParameterNode

    class SectionsPanel(Panel, Protocol):
        """The SkullGAN panel, as its sections know it."""

        logic: SectionsLogic
        node: SkullGANParameterNode | None


class Section:
    """Has its own widgets of the panel's ``.ui`` file, and nothing of the other sections.

    Args:
        panel: the ``PanelWidget`` it stands in.
    """

    def __init__(self, panel: SectionsPanel) -> None:
        self.panel = panel
        self.ui = panel.ui
        self.logic = panel.logic

    @property
    def node(self) -> SkullGANParameterNode:
        """The parameter node of the panel that is open.

        None while it is closed: what comes of a task, perhaps later, asks whether there is one.
        """
        return cast("SkullGANParameterNode", self.panel.node)

    def show(self) -> None:
        """Show the parameters; called when one of them changed."""

    def update(self, busy: str) -> None:
        """Enable what can be done; ``busy`` says why nothing new can be begun, or is empty."""

    def forget(self) -> None:
        """Let go of the scene's nodes: it closes, or the panel goes."""
