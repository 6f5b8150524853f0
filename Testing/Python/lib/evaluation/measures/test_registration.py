"""Registration finds how a segment was turned, moved and scaled."""

from __future__ import annotations

import numpy as np
from marrow_walls import walls
from SkullGANLib.evaluation.measures import disturbances
from SkullGANLib.evaluation.measures.neighbors import laid_over
from SkullGANLib.evaluation.measures.pixel_search import walls_of
from SkullGANLib.evaluation.measures.registration import GAINS, register

AS_THEY_ARE = np.zeros((8, 1), bool)


def test_what_was_done_to_each_segment_is_found():
    some, rng = walls(8, 1), np.random.default_rng(0)
    turn, shift = rng.uniform(-6, 6, 8), rng.uniform(-6, 10, (8, 2))
    gain = rng.uniform(0.8, 1.2, 8)
    changed = disturbances.laid(
        some, mirrored=np.zeros(8, bool), turn_deg=turn, shift_px=shift, gain=gain
    )
    every = np.arange(8)
    found = register(
        walls_of(changed, every), walls_of(some, every), every[:, None], AS_THEY_ARE[:8], fine=True
    )
    np.testing.assert_allclose(found.turn_deg, turn, atol=0.1)
    np.testing.assert_allclose(found.shift_px, shift, atol=0.3)
    np.testing.assert_allclose(found.gain, gain, atol=0.02)
    shown = found.gain[0] * laid_over(some.hu[0], found.turn_deg[0], found.shift_px[0])
    gap = changed.hu[0] - shown
    assert np.sqrt(np.nanmean(gap[changed.mask[0] > 0] ** 2)) < 1.3 * found.rms_hu[0]


def test_several_others_lie_over_one_segment_each():
    some = walls(6, 1)
    pairs = np.array([[0, 3, 4], [1, 2, 5]])
    first, pool = walls_of(some, np.array([3, 1])), walls_of(some, slice(None))
    found = register(first, pool, pairs, np.zeros((2, 3), bool), fine=False)
    alike = found.rms_hu < 1
    assert alike.tolist() == [False, True, False, True, False, False]


def test_what_is_not_alike_stays_within_bounds():
    some, blank = walls(2, 1), walls(2, 2)
    blank.hu[:], blank.mask[:] = 0, 0
    every = np.arange(2)
    found = register(
        walls_of(some, every), walls_of(blank, every), every[:, None], AS_THEY_ARE[:2], fine=True
    )
    assert np.isfinite(found.rms_hu).all()
    assert ((found.gain >= GAINS[0]) & (found.gain <= GAINS[1])).all()
