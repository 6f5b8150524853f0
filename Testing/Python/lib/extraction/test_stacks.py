"""Stacks in depth around cuts: of a phantom whose wall is known, and of the real head."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.data.depth import Depth, whole_stacks
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import cutting, single_ct

DEPTH = Depth(4, 1.5)
WHERE = {"planes": ["axial"], "interval_mm": 9.0}


@pytest.fixture(scope="module")
def stacked(coarse_head):
    return single_ct.extract(coarse_head, depth=DEPTH, **WHERE)


def test_the_central_slice_in_depth_is_the_cut_without_it(coarse_head, stacked):
    single = single_ct.extract(coarse_head, **WHERE)
    _depth, rows = whole_stacks(stacked.segments)
    central = stacked.segments[rows[:, DEPTH.central]]
    kept = {matrix.tobytes(): number for number, matrix in enumerate(single.segments.pixel_to_ras)}
    places = [kept[matrix.tobytes()] for matrix in central.pixel_to_ras]
    np.testing.assert_array_equal(central.hu, single.segments.hu[places])
    np.testing.assert_array_equal(central.mask, single.segments.mask[places])
    of_stacks = sum(n for reason, n in stacked.dropped.items() if reason.startswith("in depth: "))
    assert len(rows) + of_stacks == len(single.segments)


def test_slices_in_depth_lie_a_step_apart_along_their_normal_and_are_cuts_of_the_ct(
    coarse_head, stacked
):
    found = stacked.segments
    _depth, rows = whole_stacks(found)
    for stack in rows:
        matrices = found.pixel_to_ras[stack]
        np.testing.assert_array_equal(matrices[:, :3, :3], matrices[:1, :3, :3].repeat(4, 0))
        normal = matrices[0, :3, 2] / found.pixel_spacing_mm
        np.testing.assert_allclose(np.diff(matrices[:, :3, 3], axis=0), [1.5 * normal] * 3)
        assert len(set(found.bone[stack].tolist())) == 1
    from SkullGANLib.anatomy.skull import skull_mask

    threshold_hu = found.source["threshold_hu"]
    mask = skull_mask(coarse_head, threshold_hu=threshold_hu)
    last = rows[0, -1]
    hu, wall = cutting.cut(coarse_head, mask, found.pixel_to_ras[last], threshold_hu)
    np.testing.assert_array_equal(hu, found.hu[last])
    np.testing.assert_array_equal(wall, found.mask[last])
    assert found.source["depth"] == {"slices": 4, "step_mm": 1.5}


def test_depth_that_leaves_the_field_of_view_is_dropped_with_that_reason_or_refused(coarse_head):
    """The field of view ends 12 mm below the lowest of these planes, 26 below the next."""
    low = {"bones": ["temporal"], "planes": ["axial"], "interval_mm": 14.0}
    found = single_ct.extract(coarse_head, depth=Depth(4, 8.0), **low)
    assert len(found.segments) == 2 * 4
    assert found.dropped == {"in depth: leaves the field of view": 2}
    with pytest.raises(
        BadInputError, match=r"No stack of 4 slices 15 mm apart .*field of view': 4"
    ):
        single_ct.extract(coarse_head, depth=Depth(4, 15.0), **low)


def test_the_real_head_gives_nearly_as_many_stacks_in_depth_as_cuts(sample_ct, sample_mask):
    chosen = {"planes": ["coronal"], "interval_mm": 12.0, "threshold_hu": 321.0}
    single = single_ct.extract(sample_ct, sample_mask, **chosen)
    found = single_ct.extract(sample_ct, sample_mask, depth=Depth(3, 0.9), **chosen)
    assert 0.8 * 3 * len(single.segments) <= len(found.segments) <= 3 * len(single.segments)
    own = found.segments.source["cts"][found.segments.ct[0]]
    assert own["segments"] == len(found.segments)
