"""Colors and legends of maps."""

from __future__ import annotations

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import METRICS
from SkullGANScene.nodes import color_tables, map_display, map_surface


def test_the_surface_shows_thickness_in_our_colors_with_a_legend_in_mm(surface):
    display = surface.GetDisplayNode()
    assert display.GetActiveScalarName() == "thickness_mm"
    assert display.GetScalarVisibility()
    assert display.GetScalarRange() == METRICS["thickness_mm"].color_range
    assert display.GetColorNode().GetName() == color_tables.SEQUENTIAL
    legend = color_tables.legend_of(surface)
    assert legend.GetTitleText() == "Thickness (mm)"
    assert legend.GetVisibility()


def test_another_scalar_and_range_are_shown_without_making_anything_again(scene, surface):
    nodes_before = scene.GetNumberOfNodes()
    map_surface.show_scalar(surface, "sdr_peaks")
    map_display.set_range(surface, 0.3, 0.7)
    display = surface.GetDisplayNode()
    assert display.GetActiveScalarName() == "sdr_peaks"
    assert display.GetScalarRange() == (0.3, 0.7)
    assert color_tables.legend_of(surface).GetTitleText() == "SDR (peaks)"
    assert scene.GetNumberOfNodes() == nodes_before


def test_a_range_that_ends_before_it_begins_is_refused(surface):
    with pytest.raises(BadInputError, match="found 2 to 1"):
        map_display.set_range(surface, 2.0, 1.0)


def test_a_realness_is_called_what_it_may_be_read_as():
    assert map_display.title("realness") == "Realness (not calibrated)"
    assert map_display.title("realness", "calibrated") == "Realness (calibrated)"
    assert map_display.title("thickness_mm", "calibrated") == "Thickness (mm)"
