"""Generation: an image belongs to its seed, and the wall's mask to the image."""

from __future__ import annotations

import copy
from itertools import islice

import numpy as np
import pytest
import torch
from SkullGANLib.data.depth import whole_stacks
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation.from_seeds import SyntheticSegments, draw, generate, generate_set
from SkullGANLib.networks.architecture import Architecture
from SkullGANLib.networks.dcgan import Discriminator, Generator, networks
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.networks.model_file import Model, to_hu
from torch.utils.data import DataLoader


@pytest.fixture(scope="module")
def model() -> Model:
    """A generator with weights large enough that its images use the whole range."""
    generator = Generator(latent_size=10, width=32)
    initialize(generator, 0.0, torch.Generator().manual_seed(2))
    with torch.no_grad():
        generator.train()
        for layer in generator.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = None  # running statistics are the mean, which 2 batches tell
        for _ in range(2):
            generator(generator.draw_latent(8, generator=torch.Generator().manual_seed(0)))
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


@pytest.mark.parametrize("batch_size", [1, 3])
def test_an_image_in_bf16_is_the_same_at_any_batch_size(model, batch_size):
    how = {"precision": "bf16", "wall_threshold_hu": -1}
    needed = generate_set(model, range(6), batch_size=6, **how).hu.astype(int)
    found = generate_set(model, range(6), batch_size=batch_size, **how).hu
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


def test_generation_leaves_torchs_own_generator_alone(model):
    before = torch.random.get_rng_state()
    generate_set(model, range(2))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_bf16_makes_much_the_same_segments(model):
    exact = generate_set(model, range(4), precision="fp32", wall_threshold_hu=-1).hu.astype(int)
    rounded = generate_set(model, range(4), precision="bf16", wall_threshold_hu=-1).hu
    # Of 2735 HU. Half of the pixels are far from every threshold of the noise in all 16 channels;
    # a trained model's mean is below 1, see Testing/Benchmarks/RESULTS.md.
    assert 0 < np.median(np.abs(exact - rounded)) < 15


def test_batch_statistics_are_those_of_the_training_mode(model):
    seeds = np.arange(5)
    training = copy.deepcopy(model.generator).train()
    with torch.inference_mode():
        needed = to_hu(training(*draw(model.generator, seeds)), model.hu_range).astype(int)
    found = generate_set(model, seeds, batch_statistics=True, wall_threshold_hu=-1).hu
    assert np.abs(found - needed).max() <= 1
    own = generate_set(model, seeds, wall_threshold_hu=-1).hu
    assert np.abs(found - own.astype(int)).max() > 1


def test_batch_statistics_change_an_image_with_its_batch_and_the_model_not_at_all(model):
    before = {name: tensor.clone() for name, tensor in model.generator.state_dict().items()}
    among_five = generate_set(model, range(5), batch_statistics=True).hu[0].astype(int)
    among_two = generate_set(model, range(2), batch_statistics=True).hu[0]
    assert np.abs(among_five - among_two).max() > 1
    now = model.generator.state_dict()
    assert all(torch.equal(before[name], now[name]) for name in before)


def test_batch_statistics_in_bf16_are_refused(model):
    with pytest.raises(BadInputError, match="The precision is bf16, with batch statistics"):
        generate(model, [1], batch_statistics=True, precision="bf16")


def test_an_unknown_precision_is_refused_before_anything_is_made(model):
    with pytest.raises(BadInputError, match="The precision is 'half'"):
        generate(model, [1], precision="half")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_gets_every_seed_once(model, workers):
    loader = DataLoader(SyntheticSegments(model, 11, 100), batch_size=4, num_workers=workers)
    batches = list(loader)
    assert batches[0]["hu"].shape == (4, 1, 128, 128)
    assert batches[0]["hu"].dtype == torch.float32
    seeds = torch.cat([batch["seed"] for batch in batches])
    assert sorted(seeds.tolist()) == list(range(100, 111))
    needed = generate_set(model, seeds.numpy())
    # Workers have one thread each, and round accordingly.
    found = torch.cat([batch["hu"] for batch in batches])[:, 0].numpy()
    assert (np.abs(found - needed.hu) > 1).mean() < 1e-3
    mask = torch.cat([batch["mask"] for batch in batches])[:, 0].numpy()
    assert (mask != needed.mask).mean() < 1e-3


def test_more_workers_than_segments_are_no_trouble(model):
    assert len(list(DataLoader(SyntheticSegments(model, 1), batch_size=None, num_workers=2))) == 1


def test_an_endless_dataset_goes_on(model):
    seeds = [one["seed"] for one in islice(SyntheticSegments(model), 20)]
    assert seeds == list(range(20))


def test_a_dataset_of_nothing_is_refused(model):
    with pytest.raises(BadInputError, match="count is 0"):
        SyntheticSegments(model, 0)


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


def test_a_seed_gives_a_stack_in_depth_whose_slices_are_segments_of_one_latent_vector():
    torch.manual_seed(0)
    shape = Architecture(latent_size=4, generator_width=8, discriminator_width=2, slices=3)
    model = Model(*networks(shape), depth_step_mm=1.2)
    found = generate_set(model, [7, 9], batch_size=1, wall_threshold_hu=-1)
    depth, rows = whole_stacks(found)
    assert (depth.slices, depth.step_mm, rows.shape) == (3, 1.2, (2, 3))
    assert found.seed.tolist() == found.stack.tolist() == [7, 7, 7, 9, 9, 9]
    again = generate_set(model, [9], wall_threshold_hu=-1)
    assert abs(found.hu[3:].astype(int) - again.hu).max() <= 1
    (one,) = list(SyntheticSegments(model, 1, 7))
    assert one["hu"].shape == one["mask"].shape == (3, 128, 128)
