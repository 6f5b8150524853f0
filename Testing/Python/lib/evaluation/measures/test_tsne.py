"""t-SNE: what differs lies apart, what does not is mixed, and how much of both is measured."""

from __future__ import annotations

import numpy as np
import pytest
from examples import straight_walls as walls
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import tsne
from SkullGANLib.evaluation.measures.tsne import embed


def test_tsne_of_pixels_parts_what_differs_and_mixes_what_does_not():
    sets = {"real": walls(60, 0), "alike": walls(60, 1), "low": walls(40, 2, row=50)}
    found = embed(sets)
    assert found.points.shape == (160, 2)
    assert np.array_equal(np.unique(found.which), ["alike", "low", "real"])
    assert found.chance["real"] == pytest.approx(59 / 159)
    assert found.same["low"] > 0.95
    assert found.same["real"] == pytest.approx(0.5, abs=0.12)  # half of what is not low
    assert np.array_equal(embed(sets).points, found.points)


def test_tsne_of_metrics_leaves_out_segments_without_bone():
    blank = segment_set.without_patient(np.zeros((2, 128, 128)), np.zeros((2, 128, 128)), [0, 1])
    found = embed({"blank": blank, "real": walls(20, 0)}, by="metrics")
    assert set(found.which) == {"real"}
    assert found.place.tolist() == list(range(20))


def test_of_large_sets_as_many_are_laid_out_as_there_is_room_for(monkeypatch):
    monkeypatch.setattr(tsne, "MOST", 30)
    found = embed({"many": walls(50, 0), "few": walls(5, 1)}, by="metrics")
    assert (np.sum(found.which == "many"), np.sum(found.which == "few")) == (25, 5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: embed({"a": walls(3, 0)}), "3 segments cannot be embedded"),
        (lambda: embed({"a": walls(1, 0)[[0] * 5]}), "5 segments that are all alike"),
        (lambda: embed({"a": walls(5, 0)}, by="taste"), "'taste'"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(call, sentence):
    with pytest.raises(BadInputError, match=sentence):
        call()
