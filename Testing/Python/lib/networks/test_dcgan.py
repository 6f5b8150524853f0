"""The networks: Table 1's shapes, numbers and names, and the noise layer on small numbers."""

from __future__ import annotations

import math

import pytest
import torch
from SkullGANLib.networks.dcgan import Discriminator, Generator, inject_noise, trainable_parameters
from SkullGANLib.networks.initial_weights import initialize


def narrow_generator() -> Generator:
    generator = Generator(latent_size=12, width=16)
    initialize(generator, 0.0, torch.Generator().manual_seed(3))
    return generator.eval()


def test_the_generator_of_table_1_has_192002304_parameters():
    with torch.device("meta"):
        assert trainable_parameters(Generator()) == 192_002_304


def test_the_discriminator_of_table_1_has_11164353_parameters():
    with torch.device("meta"):
        assert trainable_parameters(Discriminator()) == 11_164_353


def test_the_generator_halves_its_channels_from_layer_to_layer():
    with torch.device("meta"):
        weights = {n: tuple(w.shape) for n, w in Generator().state_dict().items() if w.ndim == 4}
    assert weights == {
        "main1.0.weight": (200, 4096, 4, 4),
        "main2.0.weight": (4096, 2048, 4, 4),
        "main3.0.weight": (2048, 1024, 4, 4),
        "main4.0.weight": (1024, 512, 4, 4),
        "main5.0.weight": (512, 256, 4, 4),
        "main6.0.weight": (256, 128, 4, 4),
        "conv1.weight": (64, 128, 3, 3),
        "conv2.weight": (32, 64, 3, 3),
        "conv3.weight": (16, 32, 3, 3),
        "conv4.weight": (1, 16, 3, 3),
    }


def test_a_narrow_generator_keeps_eight_channels_to_the_end():
    with torch.device("meta"):
        generator = Generator(width=64)
    assert generator.main3[0].out_channels == 16
    assert generator.main4[0].out_channels == 8
    assert generator.conv3.out_channels == 8
    assert generator.conv4.out_channels == 1


def test_the_generators_tensors_are_named_as_in_the_published_weights():
    with torch.device("meta"):
        names = set(Generator(width=16).state_dict())
    normalized = {"1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"}
    needed = {f"main{n}.{part}" for n in range(1, 6) for part in normalized | {"0.weight"}}
    needed |= {"main6.0.weight", "conv4.weight"}
    needed |= {f"conv{n}.{part}" for n in (1, 2, 3) for part in ("weight", "bias")}
    assert names == needed


def test_the_discriminators_layers_stand_where_the_published_weights_have_them():
    with torch.device("meta"):
        layers = dict(Discriminator().main.named_children())
    found = {int(n): type(layer).__name__ for n, layer in layers.items()}
    assert [n for n, kind in found.items() if kind == "Conv2d"] == [0, 2, 5, 8, 11, 14]
    assert [n for n, kind in found.items() if kind == "BatchNorm2d"] == [3, 6, 9, 12]
    assert [n for n, kind in found.items() if kind == "LeakyReLU"] == [1, 4, 7, 10, 13]


def test_full_width_networks_run_from_latent_to_realness():
    with torch.device("meta"):
        images = Generator()(torch.empty(2, 200))
        realness = Discriminator().realness(images)
    assert images.shape == (2, 1, 128, 128)
    assert realness.shape == (2,)


def test_latent_vectors_may_have_the_papers_shape():
    generator = narrow_generator()
    latent = generator.draw_latent(2)
    noise = generator.draw_noise(latent)
    flat = generator(latent, noise)
    assert torch.equal(generator(latent[:, :, None, None], noise), flat)


def test_latent_vectors_are_uniform_between_minus_one_and_one():
    latent = Generator(latent_size=200, width=8).draw_latent(
        500, generator=torch.Generator().manual_seed(0)
    )
    assert -1 <= latent.min() < -0.99
    assert 0.99 < latent.max() <= 1
    assert latent.std().item() == pytest.approx(1 / math.sqrt(3), rel=0.01)


def test_images_lie_between_minus_one_and_one():
    generator = narrow_generator()
    images = generator(100 * generator.draw_latent(4))
    assert images.abs().max() <= 1


def test_an_image_follows_from_latent_and_noise_alone():
    generator = narrow_generator()
    latent = generator.draw_latent(3)
    noise = generator.draw_noise(latent)
    together = generator(latent, noise)
    alone = generator(latent[1:2], (noise[0][1:2], noise[1][1:2]))
    torch.testing.assert_close(alone, together[1:2])


def test_other_noise_gives_another_image_of_the_same_latent():
    generator = narrow_generator()
    latent = generator.draw_latent(1)
    assert not torch.equal(generator(latent), generator(latent))


def test_drawn_noise_follows_from_the_generator_of_chance():
    generator = narrow_generator()
    latent = generator.draw_latent(1)
    first, second = (
        generator(latent, generator=torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_noise_reaches_only_activations_between_minus_half_and_quarter_of_the_maximum():
    # Maximum 4, so the range is -2 ... 1, both ends included.
    x = torch.tensor([-3.0, -2.0, -1.0, 0.0, 1.0, 1.5, 3.0, 4.0]).reshape(1, 1, 2, 4)
    moved = (inject_noise(x, torch.ones_like(x)) != x).flatten().tolist()
    assert moved == [False, True, True, False, True, False, False, False]


def test_noise_is_scaled_by_the_activation_and_the_unbiased_deviation():
    # 0, 1, 2, 5: mean 2, squared deviations 4 + 1 + 0 + 9 = 14, unbiased variance 14/3.
    x = torch.tensor([[[[0.0, 1.0], [2.0, 5.0]]]])
    noise = torch.tensor([[[[9.0, -2.0], [9.0, 9.0]]]])
    needed = torch.tensor([[[[0.0, 1 - 2 * math.sqrt(14 / 3)], [2.0, 5.0]]]])
    torch.testing.assert_close(inject_noise(x, noise), needed)


def test_noise_looks_at_each_sample_and_channel_alone():
    x = torch.randn(3, 2, 8, 8)
    noise = torch.randn_like(x)
    together = inject_noise(x, noise)
    for sample in range(3):
        for channel in range(2):
            one = (slice(sample, sample + 1), slice(channel, channel + 1))
            torch.testing.assert_close(inject_noise(x[one], noise[one]), together[one])


def test_noise_leaves_channels_without_a_positive_value_alone():
    x = -torch.rand(1, 1, 8, 8) - 0.1
    assert torch.equal(inject_noise(x, torch.randn_like(x)), x)


def test_realness_is_the_sigmoid_of_the_logit():
    judge = Discriminator(width=8).eval()
    images = torch.rand(2, 1, 128, 128) * 2 - 1
    torch.testing.assert_close(judge.realness(images), 1 / (1 + torch.exp(-judge(images))))
