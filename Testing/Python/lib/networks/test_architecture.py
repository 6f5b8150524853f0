"""Architectures: Table 1 by default, others by name, and nothing that makes no network."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks import model_file
from SkullGANLib.networks.architecture import (
    DISCRIMINATOR_LAYERS,
    GENERATOR_LAYERS,
    NORMS,
    Architecture,
    channels,
)
from SkullGANLib.networks.dcgan import (
    MinibatchDeviation,
    architecture_of,
    at_scales,
    networks,
    smoothed,
    trainable_parameters,
)
from SkullGANLib.networks.initial_weights import initialize

SMALL = Architecture(
    latent_size=6,
    generator_width=16,
    discriminator_width=4,
    generator_channels=(16, 12, 10, 8, 8, 6, 5, 4, 3),
    discriminator_channels=(4, 6, 8, 10, 12),
    image_rows=64,
    generator_smoothing=True,
    noise_scales=3,
    generator_activation="leaky_relu",
    discriminator_norm="none",
    minibatch_std=4,
)


def test_the_default_is_table_1():
    with torch.device("meta"):
        generator, discriminator = networks(Architecture())
    assert trainable_parameters(generator) == 192_002_304
    assert trainable_parameters(discriminator) == 11_164_353
    assert Architecture().to_dict() == {
        "latent_size": 200,
        "generator_width": 4096,
        "discriminator_width": 64,
        "image_size": 128,
    }


def test_channels_are_a_list_or_lie_between_a_floor_and_a_cap_or_follow_from_the_width():
    assert channels("", 256, GENERATOR_LAYERS) == ()
    assert channels("12..192", 256, GENERATOR_LAYERS) == (192, 128, 64, 32, 16, 12, 12, 12, 12)
    assert channels("16..96", 16, DISCRIMINATOR_LAYERS) == (16, 32, 64, 96, 96)
    assert channels("1, 2,3,4,5", 16, DISCRIMINATOR_LAYERS) == (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    "text", ["1,2", "a,b,c,d,e", "0,1,2,3,4", "9..3", "..", "8..", "1;2;3;4;5"]
)
def test_other_channels_are_refused_with_what_is_expected(text):
    with pytest.raises(BadInputError, match="expected 5 numbers of channels"):
        channels(text, 16, DISCRIMINATOR_LAYERS)


def test_parameters_are_as_counted_by_hand():
    generator, discriminator = networks(SMALL)
    c = (6, *SMALL.generator_channels)
    upward = sum(16 * i * o for i, o in pairwise(c[1:7])) + 8 * c[0] * c[1]
    norms = 2 * sum(c[1:6])
    plain = 9 * (c[6] * c[7] + c[7] * c[8] + c[8] * c[9]) + sum(c[7:10]) + 9 * c[9]
    assert trainable_parameters(generator) == upward + norms + plain
    d = (1, *SMALL.discriminator_channels)
    seen = sum(16 * i * o + o for i, o in pairwise(d))
    assert trainable_parameters(discriminator) == seen + 2 * 4 * (d[5] + 1) + 1


def test_rows_that_are_not_made_are_background_and_are_not_seen():
    generator, discriminator = networks(SMALL)
    for network in (generator, discriminator):
        initialize(network, 0.0, torch.Generator().manual_seed(0))
        network.eval()
    with torch.no_grad():
        images = generator(torch.rand(3, 6) * 2 - 1)
        assert images.shape == (3, 1, 128, 128)
        assert (images[:, :, 64:] == -1).all()
        other = images.clone()
        other[:, :, 64:] = 1
        assert torch.equal(discriminator(images), discriminator(other))


def test_the_low_pass_takes_away_the_pattern_that_alternates_and_keeps_what_is_even():
    stripes = torch.ones(1, 2, 8, 8)
    stripes[:, 1, ::2] = -1
    found = smoothed(stripes)
    assert found[0, 0, 1:-1, 1:-1] == pytest.approx(1)
    assert found[0, 1, 1:-1, 1:-1] == pytest.approx(0)


def test_noise_at_several_scales_has_a_variance_of_one_and_varies_as_slowly_as_its_blocks():
    noise = torch.randn(40, 6, 64, 128, generator=torch.Generator().manual_seed(0))
    found = at_scales(noise, 3)
    assert torch.equal(found[:, ::3], noise[:, ::3])
    for k, expected in ((0, 0.0), (1, 0.75), (2, 0.93)):
        channels = found[:, k::3]
        assert channels.std().item() == pytest.approx(1, abs=0.03)
        assert channels.mean().item() == pytest.approx(0, abs=0.03)
        beside = (channels[..., 1:] * channels[..., :-1]).mean().item()
        assert beside == pytest.approx(expected, abs=0.05)


def test_the_deviation_is_that_of_each_group_and_in_use_that_of_the_training():
    layer = MinibatchDeviation(2)
    x = torch.tensor([0.0, 2.0, 5.0, 5.0])[:, None, None, None].expand(4, 3, 2, 4)
    found = layer(x)
    assert found.shape == (4, 4, 2, 4)
    assert found[:, 3, 0, 0].tolist() == pytest.approx([1, 1, 0, 0], abs=1e-3)
    layer.running.fill_(0.7)
    alone = layer.eval()(x[:1])
    assert alone[0, 3] == pytest.approx(0.7)


@pytest.mark.parametrize("norm", NORMS)
def test_a_model_of_another_architecture_comes_back_out_of_its_file(tmp_path, norm):
    shape = replace(SMALL, discriminator_norm=norm)
    torch.manual_seed(0)  # spectral norm begins with vectors of its own
    generator, discriminator = networks(shape)
    for network in (generator, discriminator):
        initialize(network, 0.0, torch.Generator().manual_seed(0))
    made = model_file.Model(generator.eval(), discriminator.eval())
    model_file.write(tmp_path / "m.safetensors", made)
    read = model_file.read(tmp_path / "m.safetensors")
    assert read.architecture == architecture_of(generator, discriminator) == shape
    assert model_file.read_architecture(tmp_path / "m.safetensors") == shape
    images = torch.rand(2, 1, 128, 128) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(read.discriminator(images), discriminator(images), atol=1e-6)


def test_spectral_norm_keeps_the_largest_singular_value_of_each_layer_at_one():
    _, discriminator = networks(replace(SMALL, discriminator_norm="spectral"))
    initialize(discriminator, 0.0, torch.Generator().manual_seed(0))
    for _ in range(100):  # each pass refines the estimate
        discriminator(torch.rand(4, 1, 128, 128))
    discriminator.eval()
    for layer in discriminator.main:
        if isinstance(layer, torch.nn.Conv2d):
            largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
            assert largest.item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "changes",
    [
        {"image_rows": 70},
        {"noise_scales": 6},
        {"minibatch_std": 1},
        {"minibatch_std": True},
        {"discriminator_norm": "layer"},
        {"generator_channels": [1, 2]},
        {"generator_smoothing": 1},
        {"width": 3},
        {"latent_size": -1},
    ],
)
def test_what_is_no_architecture_is_refused(changes):
    with pytest.raises(BadInputError, match=r"the architecture is .*, expected latent_size"):
        Architecture.from_dict(SMALL.to_dict() | changes)


def test_a_model_of_table_1_is_written_for_programs_that_know_no_other(tmp_path):
    from safetensors import safe_open

    versions = []
    for shape in (Architecture(6, 8, 2), SMALL):
        model_file.write(tmp_path / "m.safetensors", model_file.Model(*networks(shape)))
        with safe_open(tmp_path / "m.safetensors", framework="pt") as file:
            versions.append(file.metadata()["format_version"])
    assert versions == ["1", "2"]


def test_slices_in_depth_are_written_only_where_there_are_several():
    assert "slices" not in Architecture().to_dict()
    given = Architecture(slices=8).to_dict()
    assert given["slices"] == 8
    assert Architecture.from_dict(given).slices == 8
    for slices in (0, 65, True, 2.0):
        with pytest.raises(BadInputError, match="architecture's slices is"):
            Architecture(slices=slices)
