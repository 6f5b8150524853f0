"""One foldable part of the SkullGAN panel, and that panel as its sections know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SkullGANGui import section
from SkullGANGui.sections.logic import SectionsLogic
from SkullGANGui.sections.parameters import SkullGANParameterNode

if TYPE_CHECKING:
    from SkullGANGui.protocols import Panel

    SectionsPanel = Panel[SectionsLogic, SkullGANParameterNode]


class Section(section.Section[SectionsLogic, SkullGANParameterNode]):
    """A ``SkullGANGui.section.Section`` of the SkullGAN panel."""
