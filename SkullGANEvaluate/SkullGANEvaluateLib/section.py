"""One foldable part of the SkullGANEvaluate panel, and that panel as its sections know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SkullGANGui import section

from .logic import SkullGANEvaluateLogic
from .parameters import SkullGANEvaluateParameterNode

if TYPE_CHECKING:
    from SkullGANGui.protocols import Panel

    EvaluatePanel = Panel[SkullGANEvaluateLogic, SkullGANEvaluateParameterNode]


class Section(section.Section[SkullGANEvaluateLogic, SkullGANEvaluateParameterNode]):
    """A ``SkullGANGui.section.Section`` of the SkullGANEvaluate panel."""
