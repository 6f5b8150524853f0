"""What judges of pairs have in common: numbers of every pair, rows in a figure they share."""

from __future__ import annotations

import numpy as np
from examples import straight_walls as walls
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.measures.measure import LEARNED, Inputs, PairFeatures
from SkullGANLib.evaluation.measures.mmd import KernelDistance
from SkullGANLib.evaluation.measures.statistics import Estimate
from SkullGANLib.evaluation.measures.two_sample import pair_numbers, pair_panel, percent_column

DISTANCE = KernelDistance(Estimate(0.1, 0.0, 0.2), (3, 3))


def inputs(*names: str) -> Inputs:
    sets = evaluation_set.prepare_sets({name: walls(3, 0) for name in names})
    compared = {name: one.segments for name, one in sets.items()}
    return Inputs(sets, {}, compared, None, 0, PairFeatures(compared))


def test_every_pair_has_numbers_or_says_that_there_are_none():
    found = pair_numbers(inputs("train", "test", "synthetic"), "kernel", {"train": DISTANCE})
    assert found == {
        "judges": {"train": {"kernel": DISTANCE}, "synthetic": {"kernel": None}},
        "learned": {"kernel": None},
    }
    assert pair_numbers(inputs("test"), "kernel", {}) == {"judges": {}, "learned": None}


def test_every_pair_has_a_row_the_first_at_the_top():
    from matplotlib.figure import Figure

    given = inputs("train", "test", "synthetic")
    found = {"train": DISTANCE, LEARNED: DISTANCE}
    (panel,) = pair_panel(
        given, found, {"mmd2": "o"}, lambda axes: None, alternative="", caption=""
    )
    axes = Figure().subplots()
    panel.draw(axes)
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["Synthetic against\ntraining", "Synthetic", "Training\n(real, too)"]
    values = [line.get_ydata()[0] for line in axes.get_lines() if len(line.get_xdata()) == 1]
    assert values == [0, 2]
    assert pair_panel(given, {}, {}, lambda axes: None, alternative="", caption="") == ()


def test_a_share_of_the_summary_is_in_per_cent_and_none_where_it_is_not_known():
    numbers = {"judges": {"train": {"test": {"value": 0.25}}, "control": {"test": None}}}
    column = percent_column("Share (%)", numbers, ("test", "value"), "")
    assert column.values == {"train": 25, "control": None}
    assert np.isclose(column.digits, 1)
