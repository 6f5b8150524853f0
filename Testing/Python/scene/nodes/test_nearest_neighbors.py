"""Nearest real neighbors in a scene: of a real report, with two copies among its segments."""

from __future__ import annotations

import numpy as np
import slicer.util
from SkullGANScene.nodes import color_tables, nearest_neighbors

FLIPPED, COPY = 9, 4
"""Places of the synthetic segments that ``four_sets`` copied from training segments 11 and 7."""


def column(table, name):
    return slicer.util.arrayFromTableColumn(table, name)


def test_pairs_that_are_copies_come_first_and_differ_by_nothing(shown):
    pairs = shown.pairs
    assert sorted(column(pairs.table, "Synthetic")[:2].tolist()) == [COPY, FLIPPED]
    difference = slicer.util.arrayFromVolume(pairs.difference)
    assert not difference[:2].any()
    assert difference[2:].any(axis=(1, 2)).all()
    row = column(pairs.table, "Synthetic").tolist().index(FLIPPED)
    said = nearest_neighbors.described(pairs, row)
    assert (said["Training"], said["Flipped"], said["Verdict"]) == ("11", "1", "copy")


def test_a_difference_is_the_synthetic_segment_minus_the_real_one_laid_over_it(shown):
    own, near, difference = (
        slicer.util.arrayFromVolume(node).astype(int)
        for node in (shown.pairs.segments, shown.pairs.nearest, shown.pairs.difference)
    )
    compared = difference != 0
    assert np.array_equal((own - near)[compared], difference[compared])
    for node in (shown.pairs.nearest, shown.pairs.difference):
        assert np.allclose(node.GetOrigin(), shown.pairs.segments.GetOrigin())
        assert np.allclose(node.GetSpacing(), shown.pairs.segments.GetSpacing())


def test_a_difference_is_gray_at_nothing_and_its_legend_has_the_unit(shown):
    node = shown.pairs.difference
    display = node.GetDisplayNode()
    assert display.GetColorNode().GetName() == color_tables.DIVERGING
    assert display.GetWindowLevelMin() == -display.GetWindowLevelMax()
    assert color_tables.legend_of(node).GetTitleText() == "Synthetic - real (HU)"


def test_slice_and_row_of_a_pair_are_the_segments_they_name(shown, report):
    pairs = shown.pairs
    stack = slicer.util.arrayFromVolume(pairs.segments)
    assert len(pairs) == len(stack)
    places = column(pairs.table, "Synthetic")
    assert (stack == report.sets["synthetic"].segments(places).hu).all()
    ratios = column(pairs.table, "Likeness ratio")
    assert (ratios[1:] >= ratios[:-1]).all()
