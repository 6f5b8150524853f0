"""What a training begins with: models that suit a recipe, and whose weights are taken how."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from examples import TINY
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks.architecture import Architecture
from SkullGANLib.networks.dcgan import Generator, networks
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.training.pretrained import begin_with, check_pretrained

_TOLD = replace(TINY, conditions="bone,sdr,thickness")


def test_a_pretrained_model_of_another_architecture_is_refused_with_what_to_set():
    fits = Architecture(8, 8, 2)
    check_pretrained(fits, TINY)
    with pytest.raises(BadInputError, match=r"latent_size 9, expected 8 .* set latent_size to 9"):
        check_pretrained(replace(fits, latent_size=9), TINY)
    with pytest.raises(BadInputError, match=r"image_rows 64, expected 128 .* set image_rows to 64"):
        check_pretrained(replace(fits, image_rows=64), TINY)
    check_pretrained(replace(fits, noise_scales=3), TINY)  # no weight's shape depends on it


def test_a_model_of_single_segments_is_what_training_in_depth_may_begin_with():
    single, deep = Architecture(8, 8, 2), Architecture(8, 8, 2, slices=3)
    check_pretrained(single, replace(TINY, slices=3))
    with pytest.raises(BadInputError, match="slices 3, expected 2"):
        check_pretrained(deep, replace(TINY, slices=2))
    pairs = zip(networks(single), networks(deep), strict=True)
    for given, own in pairs:
        begin_with(own, given)
        given.eval()
        own.eval()
        if isinstance(given, Generator):
            latent = given.draw_latent(2)
            noise = given.draw_noise(latent)
            image = given(latent, noise)
            torch.testing.assert_close(own(latent, noise), image.expand(-1, 3, -1, -1))
        else:
            torch.testing.assert_close(own(image.expand(-1, 3, -1, -1)), given(image))


def test_networks_with_conditions_begin_with_a_model_that_was_told_nothing():
    plain, told = (networks(replace(TINY, conditions=c).architecture) for c in ("", "bone,sdr"))
    for network in (*plain, *told):
        initialize(network, 0.0, torch.Generator().manual_seed(3))
        network.eval()
    for own, given in zip(told, plain, strict=True):
        begin_with(own, given)
    latent = torch.rand(3, 8)
    noise = plain[0].draw_noise(latent)
    untold = torch.cat([latent, torch.zeros(3, 9)], 1)
    torch.testing.assert_close(told[0](untold, noise), plain[0](latent, noise))
    image = torch.rand(3, 1, 128, 128)
    torch.testing.assert_close(told[1].main(image), plain[1].main(image))
    spoken = told[0](untold + torch.cat([torch.zeros(8), torch.ones(9)]), noise)
    assert (spoken - plain[0](latent, noise)).abs().max() > 1e-3


def test_a_model_with_other_conditions_is_no_beginning():
    some = replace(_TOLD, conditions="sdr").architecture
    with pytest.raises(BadInputError, match="has conditions sdr, expected bone,sdr,thickness"):
        check_pretrained(some, _TOLD)
    check_pretrained(replace(_TOLD, conditions="").architecture, _TOLD)
