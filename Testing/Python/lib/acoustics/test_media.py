"""Media of walls whose every property is known."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.acoustics import MediumSettings, segment_media, volume_medium
from SkullGANLib.acoustics.media import grid_shape, stack_media, wall_rows
from SkullGANLib.data import segment_set
from SkullGANLib.data.depth import Depth
from SkullGANLib.errors import BadInputError
from walls import layered


def wall_set(*layers, count: int = 1):
    hu = layered(*layers, count=count)
    return segment_set.without_patient(hu, hu != 0, np.arange(count))


def test_a_wall_lies_in_what_was_chosen_for_either_side_and_under_its_scalp():
    settings = MediumSettings(medium="k-plan", inside="brain", scalp_mm=1.8, frequency_khz=500.0)
    found = segment_media(wall_set((1000, 3), (1950, 2)), settings)

    speed = found.sound_speed[0, :, 64]
    assert speed[:16] == pytest.approx(1500)  # water
    assert speed[16:20] == pytest.approx(1610)  # 4 rows of scalp
    assert speed[20:23] == pytest.approx(2201.9)
    assert speed[23:25] == pytest.approx(3026.5)
    assert speed[25:] == pytest.approx(1546)  # brain
    assert found.density[0, [0, 17, 21, 24, 40], 3] == pytest.approx([1000, 1090, 1530, 2150, 1046])
    # Brain attenuates by 0.59 x 0.5^1.2 dB/cm: with a power of 1, 0.59 x 0.5^0.2 a MHz.
    assert found.alpha_coeff[0, [17, 21, 40], 3] == pytest.approx([0.4, 13.3, 0.51363], rel=1e-4)
    assert found.alpha_power == 1
    assert found.bone.sum() == 5 * 128
    assert found.density.dtype == found.sound_speed.dtype == np.float32


def test_hu_are_interpolated_once_and_become_properties_then():
    """A ramp of HU: on the finer grid, between pixels, are the densities of HU between them."""
    segments = wall_set((1000, 10), (1950, 10))
    found = segment_media(segments, MediumSettings(medium="k-plan", refine=2))

    assert found.density.shape == (1, 256, 256)
    assert found.spacing_mm == (0.225, 0.225)
    # A quarter of a pixel beside the boundary: 1000 + 950 / 4 HU, on the piece 1000 to 1950.
    assert found.density[0, 59, 9] == pytest.approx(1530 + 620 / 4)
    assert found.bone.sum() == 40 * 256


def test_the_set_is_scaled_as_one_and_no_segment_by_its_own_densest_bone():
    hu = np.stack([layered((1000, 8))[0], layered((2000, 8))[0]])
    segments = segment_set.without_patient(hu, hu != 0, np.arange(2))
    settings = MediumSettings(medium="marsac")
    together = segment_media(segments, settings, 2000.0)
    alone = segment_media(segments[:1], settings, 2000.0)
    assert together.density[0, 24, 0] == pytest.approx(1000 + 1100 * 7 / 17)
    np.testing.assert_array_equal(together.density[:1], alone.density)
    fixed = segment_media(segments, MediumSettings(medium="marsac", densest_hu=1700), 2000.0)
    assert fixed.density[0, 24, 0] == pytest.approx(1550)


def test_tusnet_has_a_background_of_its_own():
    found = segment_media(wall_set((1500, 8)), MediumSettings(medium="tusnet"))
    assert found.density[0, 0, 0] == pytest.approx(997)
    assert found.alpha_coeff[0, [0, 24], 0] == pytest.approx([0.53, 13.3])
    assert found.alpha_power == 1.5


def test_columns_without_bone_have_the_wall_of_their_neighbors():
    bone = np.zeros((2, 9, 6), bool)
    bone[0, 2:5, 1] = bone[0, 4:8, 4] = True
    first, behind = wall_rows(bone)
    assert first[0, 0].tolist() == [2, 2, 2, 4, 4, 4]
    assert behind[0, 0].tolist() == [5, 5, 5, 8, 8, 8]
    assert first[1, 0].tolist() == [18] * 6


def test_a_segment_without_bone_is_all_outside():
    nothing = segment_set.without_patient(*np.zeros((2, 1, 128, 128), int), np.arange(1))
    found = segment_media(nothing, MediumSettings(inside="brain", scalp_mm=3))
    assert found.sound_speed == pytest.approx(1500)


def test_a_volume_has_the_inside_of_the_head_in_its_cavity():
    hu = np.full((4, 6, 8), -1000, np.int16)
    bone, cavity = np.zeros((2, *hu.shape), bool)
    bone[:, 2] = cavity[:, 3:] = True
    hu[:, 2] = 1000
    settings = MediumSettings(medium="k-plan", inside="brain")
    found = volume_medium(hu, bone, cavity, (2.0, 1.0, 1.0), settings)
    assert found.density[1, :, 4] == pytest.approx([1000, 1000, 1530, 1046, 1046, 1046])
    assert found.spacing_mm == (2.0, 1.0, 1.0)

    finer = volume_medium(
        hu, bone, cavity, (2.0, 1.0, 1.0), MediumSettings(spacing_mm=0.5, inside="brain")
    )
    assert list(finer.density.shape) == grid_shape(hu.shape, (2.0, 1.0, 1.0), 0.5) == [16, 12, 16]
    assert finer.spacing_mm == (0.5, 0.5, 0.5)
    assert finer.density[5, 9:, 5] == pytest.approx(1046)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"medium": "glass"}, "out of k-wave, .* found 'glass'"),
        ({"outside": "air"}, "tissue outside is 'air', expected one of water, brain"),
        ({"scalp_mm": -1}, "scalp is -1 mm thick, expected 0 to 50"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, sentence):
    with pytest.raises(BadInputError, match=sentence):
        MediumSettings(**changes)
    nothing = np.zeros((3, 3, 3))
    with pytest.raises(BadInputError, match="Scalp was asked for around a volume"):
        volume_medium(nothing, nothing > 0, nothing > 0, (1, 1, 1), MediumSettings(scalp_mm=2))


def test_stacks_in_depth_become_media_of_three_dimensions():
    """Slices 0.9 mm apart on a grid of 0.45 mm: HU between two slices are between theirs."""
    hu = np.concatenate([layered((1000, 10)), layered((1950, 10))])
    stack = segment_set.without_patient(hu, hu != 0, np.zeros(2))
    depth = Depth(2, 0.9)
    plain = stack_media(stack, depth, MediumSettings(medium="k-plan", inside="brain"))
    assert plain.spacing_mm == (0.9, 0.45, 0.45)
    flat = segment_media(stack, MediumSettings(medium="k-plan", inside="brain"))
    np.testing.assert_array_equal(plain.sound_speed[0], flat.sound_speed)

    fine = stack_media(stack, depth, MediumSettings(medium="k-plan", spacing_mm=0.45))
    assert fine.density.shape == (1, 4, 128, 128)
    assert fine.spacing_mm == (0.45, 0.45, 0.45)
    of = [1530, 1530 + 620 / 4, 1530 + 620 * 3 / 4, 2150]
    assert fine.density[0, :, 24, 9] == pytest.approx(of, rel=1e-4)
