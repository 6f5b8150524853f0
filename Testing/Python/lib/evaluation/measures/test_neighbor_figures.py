"""Which pairs are shown: copies first, then suspects, then some by chance."""

from __future__ import annotations

import numpy as np
from SkullGANLib.evaluation.measures.neighbor_figures import Shown, pairs
from SkullGANLib.evaluation.measures.neighbors import Neighbors


def shown(copies: tuple[int, ...], suspects: tuple[int, ...], nearest: list[int]) -> Shown:
    count = len(nearest)
    neighbors = Neighbors(
        segment=np.arange(count) * 10,
        nearest=np.array(nearest),
        distance=np.zeros(count),
        ratio=np.ones(count),
        flipped=np.zeros(count, bool),
        shift_px=np.zeros((count, 2), int),
        searched=count,
    )
    return Shown("SIFT", neighbors, None, copies, suspects, 0.5, 0.5)


def test_copies_come_first_then_suspects_then_others_that_have_a_neighbor():
    found = pairs(shown((70,), (70, 20), [-1, *range(8)]))
    assert found[:2].tolist() == [7, 2]
    assert len(found) == len(set(found.tolist())) == 6
    assert 0 not in found  # which has no neighbor


def test_no_more_than_there_are_are_shown():
    assert pairs(shown((), (), [0, -1])).tolist() == [0]
