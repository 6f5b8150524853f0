"""Which pairs are shown: copies first, then suspects, then some by chance."""

from __future__ import annotations

import numpy as np
from SkullGANLib.evaluation.measures.neighbor_figures import Shown, pairs, what_is_dashed
from SkullGANLib.evaluation.measures.neighbors import Neighbors


def shown(
    copies: tuple[int, ...], suspects: tuple[int, ...], nearest: list[int], rate: float = 0.01
) -> Shown:
    count = len(nearest)
    neighbors = Neighbors(
        segment=np.arange(count) * 10,
        nearest=np.array(nearest),
        distance=np.zeros(count),
        ratio=np.ones(count),
        flipped=np.zeros(count, bool),
        shift_px=np.zeros((count, 2)),
        searched=count,
        turn_deg=np.zeros(count),
        gain=np.ones(count),
        rms_hu=np.zeros(count),
    )
    return Shown("SIFT", neighbors, None, copies, suspects, 0.5, 0.5, rate)


def test_copies_come_first_then_suspects_then_others_that_have_a_neighbor():
    found = pairs(shown((70,), (70, 20), [-1, *range(8)]))
    assert found[:2].tolist() == [7, 2]
    assert len(found) == len(set(found.tolist())) == 6
    assert 0 not in found  # which has no neighbor


def test_one_in_a_hundred_is_only_said_where_there_are_a_hundred():
    for rate, words in ((0.0099, "at most 1 % of held-out"), (1 / 39, "the least ratio of a held")):
        assert words in what_is_dashed({"sift": shown((), (), [0], rate)})


def test_no_more_than_there_are_are_shown():
    assert pairs(shown((), (), [0, -1])).tolist() == [0]
