"""What a judge is given: pairs of sets, shared features, blanks of its columns."""

from __future__ import annotations

import numpy as np
import pytest
from examples import straight_walls as walls
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.measures import measure
from SkullGANLib.evaluation.measures.features import describe
from SkullGANLib.evaluation.measures.measure import LEARNED, Column, Inputs, PairFeatures


def inputs(*names: str) -> Inputs:
    sets = evaluation_set.prepare_sets({name: walls(3, 0) for name in names})
    compared = {name: one.segments for name, one in sets.items()}
    places = {name: np.arange(3) for name in names}
    return Inputs(sets, places, compared, None, 0, PairFeatures(compared))


def test_sets_are_compared_with_the_test_set_and_else_with_the_training_set():
    assert inputs("train", "test", "synthetic").pairs == {
        "train": ("test", "train"),
        "synthetic": ("test", "synthetic"),
        LEARNED: ("train", "synthetic"),
    }
    assert inputs("train", "synthetic").pairs == {"synthetic": ("train", "synthetic")}
    assert inputs("synthetic", "control").pairs == {}


def test_features_of_a_pair_are_computed_once(monkeypatch):
    calls: list[int] = []
    monkeypatch.setattr(measure, "joint_features", lambda *sets: calls.append(1) or [np.zeros(1)])
    features = inputs("test", "synthetic").features
    assert features.of("test", "synthetic") is features.of("test", "synthetic")
    assert len(calls) == 1


def test_a_set_of_several_pairs_is_described_once(monkeypatch):
    calls: list[int] = []
    monkeypatch.setattr(measure, "describe", lambda *one: calls.append(1) or describe(*one))
    features = inputs("train", "test", "synthetic").features
    for pair in (("test", "train"), ("test", "synthetic"), ("train", "synthetic")):
        features.of(*pair)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column("a", int), [-1, -1]),
        (Column("a", int, blank=0), [0, 0]),
        (Column("a", bool), [False, False]),
        (Column("a", str), ["", ""]),
    ],
)
def test_what_was_not_judged_is_blank(column, expected):
    assert column.empty(2).tolist() == expected
    assert np.isnan(Column("a").empty(2)).all()
