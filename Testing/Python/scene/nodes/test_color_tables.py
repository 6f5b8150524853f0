"""Our color tables and legends in a scene."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.plots import colormaps
from SkullGANScene.nodes import color_tables, volumes


@pytest.fixture
def ct_node(scene):
    return volumes.add_ct(scene, HeadCT(np.zeros((2, 3, 4), np.int16), np.eye(4)), "Head")


def colors(table) -> np.ndarray:
    """RGB of every color of a table, (N, 3)."""
    found = np.zeros((table.GetNumberOfColors(), 4))
    for number, color in enumerate(found):
        table.GetColor(number, color)
    return found[:, :3]


@pytest.mark.parametrize(
    ("name", "made"),
    [
        (color_tables.SEQUENTIAL, colormaps.sequential),
        (color_tables.DIVERGING, colormaps.diverging),
    ],
)
def test_a_table_has_the_colors_of_our_charts(scene, name, made):
    table = color_tables.table(scene, name)
    assert table.GetName() == name
    assert np.allclose(colors(table), made(256), atol=1 / 255)  # kept as bytes


def test_a_table_is_made_once_in_a_scene(scene):
    table = color_tables.table(scene)
    nodes = scene.GetNumberOfNodes()
    assert color_tables.table(scene) is table
    assert scene.GetNumberOfNodes() == nodes


def test_zero_is_gray_between_blue_below_and_orange_above(scene):
    below, middle, above = colors(color_tables.table(scene, color_tables.DIVERGING))[[0, 128, -1]]
    assert np.ptp(middle) < 0.05
    assert below[2] > below[0] + 0.2
    assert above[0] > above[2] + 0.2


def test_a_legend_is_changed_in_its_place(scene, ct_node):
    legend = color_tables.add_legend(ct_node, "Thickness (mm)", 1)
    assert color_tables.legend_of(ct_node) is legend
    assert (legend.GetTitleText(), legend.GetLabelFormat()) == ("Thickness (mm)", "%.1f")
    assert color_tables.add_legend(ct_node, "SDR", 2) is legend
    assert (legend.GetTitleText(), legend.GetLabelFormat()) == ("SDR", "%.2f")


def test_a_legend_is_made_anew_with_its_words_only_where_there_is_one(scene, ct_node):
    color_tables.renew_legend(ct_node)
    assert color_tables.legend_of(ct_node) is None
    old = color_tables.add_legend(ct_node, "Thickness (mm)", 1)
    color_tables.renew_legend(ct_node)
    legend = color_tables.legend_of(ct_node)
    assert legend is not old
    assert (legend.GetTitleText(), legend.GetLabelFormat()) == ("Thickness (mm)", "%.1f")
