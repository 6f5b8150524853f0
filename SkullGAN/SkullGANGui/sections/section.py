"""One foldable part of the SkullGAN panel."""

from typing import Any


class Section:
    """Has its own widgets of the panel's ``.ui`` file, and nothing of the other sections.

    Args:
        panel: the ``PanelWidget`` it stands in; its ``node`` is None while nothing is shown.
    """

    def __init__(self, panel: Any) -> None:
        self.panel = panel
        self.ui = panel.ui
        self.logic = panel.logic

    @property
    def node(self) -> Any:
        """The parameter node."""
        return self.panel.node

    def show(self) -> None:
        """Show the parameters; called when one of them changed."""

    def update(self, busy: str) -> None:
        """Enable what can be done; ``busy`` says why nothing new can be begun, or is empty."""

    def forget(self) -> None:
        """Let go of the scene's nodes: it closes, or the panel goes."""
