"""One foldable part of the SkullGANTrain panel, and that panel as its sections know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SkullGANGui import section

from .logic import SkullGANTrainLogic
from .parameters import SkullGANTrainParameterNode

if TYPE_CHECKING:
    from SkullGANGui.protocols import Panel

    TrainPanel = Panel[SkullGANTrainLogic, SkullGANTrainParameterNode]


class Section(section.Section[SkullGANTrainLogic, SkullGANTrainParameterNode]):
    """A ``SkullGANGui.section.Section`` of the SkullGANTrain panel."""
