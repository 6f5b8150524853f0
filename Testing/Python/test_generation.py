"""Generation: an image belongs to its seed, and the wall's mask to the image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from SkullGANLib import generation
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import draw, generate, generate_set, wall_mask
from SkullGANLib.model import Model
from SkullGANLib.networks import Discriminator, Generator, initialise


@pytest.fixture(scope="module")
def model() -> Model:
    """A generator with weights large enough that its images use the whole range."""
    generator = Generator(latent_size=10, width=32)
    initialise(generator, 0.0, torch.Generator().manual_seed(2))
    with torch.no_grad():
        generator.train()
        for _ in range(20):  # running statistics that fit the weights
            generator(generator.draw_latent(8, chance=torch.Generator().manual_seed(0)))
        generator.conv4.weight.mul_(3)
    return Model(generator.eval(), Discriminator(2), pixel_spacing_mm=0.5, recipe={"name": "test"})


def test_a_synthetic_set_says_what_it_is(model):
    segments = generate_set(model, [4, 2])
    assert len(segments) == 2
    assert segments.kind == "synthetic"
    assert segments.seed.tolist() == [4, 2]
    assert segments.hu.dtype == np.int16
    assert segments.mask.dtype == np.uint8
    assert segments.pixel_spacing_mm == 0.5
    assert segments.hu_range == model.hu_range
    assert np.isnan(segments.pixel_to_ras).all()


def test_images_use_the_range_of_hu_and_differ_from_seed_to_seed(model):
    hu = generate_set(model, range(4)).hu
    assert hu.min() >= 0
    assert 1500 < hu.max() <= 2735
    assert not np.array_equal(hu[0], hu[1])


def test_hu_outside_the_wall_are_0(model):
    segments = generate_set(model, range(3))
    assert set(np.unique(segments.mask)) == {0, 1}
    assert not segments.hu[segments.mask == 0].any()


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 12])
def test_an_image_is_the_same_at_any_batch_size(model, batch_size):
    needed = generate_set(model, range(12), batch_size=12, wall_threshold_hu=-1).hu.astype(int)
    found = generate_set(model, range(12), batch_size=batch_size, wall_threshold_hu=-1).hu
    assert np.abs(found - needed).max() <= 1


def test_an_image_is_the_same_in_any_order(model):
    seeds = np.array([9, 3, 3, 7, 0, 5])
    inwards = generate_set(model, seeds, batch_size=4, wall_threshold_hu=-1).hu.astype(int)
    backwards = generate_set(model, seeds[::-1], batch_size=4, wall_threshold_hu=-1).hu[::-1]
    assert np.abs(inwards - backwards).max() <= 1
    assert np.abs(inwards[1] - inwards[2]).max() <= 1


def test_an_image_is_the_same_on_one_thread_and_on_two_save_for_a_few_pixels(model):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = generate_set(model, range(3), wall_threshold_hu=-1).hu.astype(int)
        torch.set_num_threads(2)
        two = generate_set(model, range(3), wall_threshold_hu=-1).hu
    finally:
        torch.set_num_threads(before)
    # Rounding may carry an activation over a noise layer's threshold.
    assert (np.abs(one - two) > 1).mean() < 1e-3


def test_masks_differ_between_batch_sizes_in_a_pixel_at_most(model):
    together = generate_set(model, range(6), batch_size=6)
    alone = generate_set(model, range(6), batch_size=1)
    assert (together.mask != alone.mask).sum() <= 1


def test_generation_leaves_torchs_own_chance_alone(model):
    before = torch.random.get_rng_state()
    generate_set(model, range(2))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_all_bits_of_a_seed_count(model):
    latent, (first, second) = draw(model.generator, np.array([5, 5 + 2**32, 2**63 - 1]))
    for part in (latent, first, second):
        assert not torch.equal(part[0], part[1])
        assert not torch.equal(part[1], part[2])


def test_latent_vectors_are_uniform_and_noise_is_normal(model):
    latent, (first, second) = draw(model.generator, np.arange(200))
    assert -1 <= latent.min() < -0.98
    assert 0.98 < latent.max() <= 1
    assert first[:4].mean().item() == pytest.approx(0, abs=0.01)
    assert second[:4].std().item() == pytest.approx(1, abs=0.01)


def test_batches_come_one_by_one_with_progress(model):
    seen = []
    batches = generate(model, range(5), batch_size=2, on_progress=lambda *n: seen.append(n))
    assert len(next(batches)) == 2
    assert [len(batch) for batch in batches] == [2, 1]
    assert seen == [(2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize("seeds", [[], [-1], [1.5], [[1, 2]], [2**63], ["a"]])
def test_seeds_that_are_no_list_of_whole_numbers_are_refused(model, seeds):
    with pytest.raises(BadInputError, match="The seeds"):
        generate(model, seeds)


def test_a_batch_of_nothing_is_refused(model):
    with pytest.raises(BadInputError, match="batch_size is 0"):
        generate(model, [1], batch_size=0)


def wall(thickness: int = 20) -> np.ndarray:
    hu = np.zeros((128, 128), np.int16)
    hu[30 : 30 + thickness] = 1500
    return hu


def test_the_wall_is_what_lies_above_the_threshold():
    mask = wall_mask(wall(20))
    assert mask.sum() == 20 * 128
    assert mask[30:50].all()


def test_only_the_largest_piece_is_the_wall():
    hu = wall()
    hu[90:95, 10:50] = 2000
    assert wall_mask(hu)[:60].sum() == wall_mask(hu).sum() == 20 * 128


def test_a_soft_diploe_belongs_to_the_wall():
    hu = wall()
    hu[36:44, 30:90] = 50
    assert wall_mask(hu).sum() == 20 * 128


def test_a_soft_diploe_that_runs_out_at_the_side_belongs_to_the_wall():
    hu = wall()
    hu[36:44, :90] = 50
    assert wall_mask(hu).sum() == 20 * 128


def test_a_notch_in_the_outer_table_is_outside_the_wall():
    hu = wall()
    hu[30:35, 60:70] = 0
    assert wall_mask(hu).sum() == 20 * 128 - 50


def test_the_threshold_is_not_wall_itself():
    hu = wall()
    hu[29] = 300
    hu[50] = 301
    mask = wall_mask(hu, 300)
    assert not mask[29].any()
    assert mask[50].all()


def test_an_image_without_a_wall_has_an_empty_mask():
    assert not wall_mask(np.full((128, 128), 200, np.int16)).any()


def test_the_threshold_is_documented_as_where_bone_begins():
    assert generation.WALL_THRESHOLD_HU == 300
