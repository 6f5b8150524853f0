"""An iteration: the rules of the game, against the same game written out plainly."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from examples import TINY, arches
from SkullGANLib.networks.dcgan import Discriminator, Generator
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.training import augmentation
from SkullGANLib.training.presets import named
from SkullGANLib.training.state import TrainingState
from SkullGANLib.training.step import iterate


def test_in_an_iteration_both_networks_learn_and_both_can_learn_again():
    state = TrainingState(arches(), replace(TINY, update_gate="off"), torch.device("cpu"), 1)
    networks = (state.generator, state.discriminator)
    before = [[p.detach().clone() for p in network.parameters()] for network in networks]

    found = iterate(state)

    for network, old in zip(networks, before, strict=True):
        assert any(not torch.equal(p, o) for p, o in zip(network.parameters(), old, strict=True))
        assert all(p.requires_grad for p in network.parameters())
    assert state.iteration == 1
    assert (found["generator_updates"], found["discriminator_updates"]) == (1, 1)
    assert all(value.shape == () and not value.requires_grad for value in found.values())


@pytest.mark.parametrize("name", ["published", "paper"])
def test_the_papers_recipes_play_to_the_bit_the_game_written_out_plainly(name):
    recipe = replace(
        named(name),
        latent_size=6,
        generator_width=16,
        discriminator_width=2,
        batch_size=4,
        epochs=5,
        samples_per_epoch=16,
        blurred_from_epoch=1,
        blur_sigma_least_px=0.7,
        update_gate_from_epoch=min(2, named(name).update_gate_from_epoch),
    )
    reals = arches(8)
    state = TrainingState(reals, recipe, torch.device("cpu"), 3)
    plain = played_plainly(reals, recipe, seed=3, iterations=20)
    for _ in range(20):
        iterate(state)
    for network, other in zip((state.generator, state.discriminator), plain, strict=True):
        for tensor, expected in zip(
            network.state_dict().values(), other.state_dict().values(), strict=True
        ):
            assert torch.equal(tensor, expected)


def played_plainly(reals, recipe, seed: int, iterations: int):
    """The game of the paper as one would write it: losses are fetched and decide in Python."""
    draw = torch.Generator().manual_seed(seed)
    generator = Generator(recipe.latent_size, recipe.generator_width)
    discriminator = Discriminator(recipe.discriminator_width)
    for network in (generator, discriminator):
        network.to(memory_format=torch.channels_last)
        initialize(network, 0.01, draw)
    adams = [
        torch.optim.Adam(network.parameters(), torch.tensor(3e-4), (0.5, 0.999), fused=True)
        for network in (generator, discriminator)
    ]
    images = torch.from_numpy(reals.hu).float()[:, None] * (2 / 2734.53) - 1
    images = images.clamp(-1, 1)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    last = [0.0, 0.0]

    def learn(which: int, loss: torch.Tensor, epoch: int) -> None:
        adams[which].zero_grad()
        loss.backward()
        compared = last[which] if recipe.update_gate == "below" else loss.item()
        is_open = compared < 0.9 if recipe.update_gate == "below" else compared > 0.9
        if is_open or epoch < recipe.update_gate_from_epoch:
            adams[which].step()
        last[which] = loss.item()

    for iteration in range(iterations):
        epoch, batch = divmod(iteration, 4)
        if batch == 0:
            order = torch.cat([torch.randperm(8, generator=draw) for _ in range(2)])
        real = images[order[4 * batch : 4 * batch + 4]]
        latent = torch.rand(4, recipe.latent_size, generator=draw) * 2 - 1
        noise = tuple(torch.randn(4, *s, generator=draw) for s in generator.noise_shapes)
        made = generator(latent, noise)
        fake, count = made.detach(), min(max(epoch - 1, 0), 2)
        if count:
            blurred = augmentation.blurred(real[:count], max(0.7, 15 / epoch))
            fake = torch.cat([fake[count:], blurred])
        of_real, of_fake = discriminator(real), discriminator(fake)
        loss = bce(of_real, torch.full((4,), 0.9)) + bce(of_fake, torch.zeros(4))
        learn(1, loss, epoch)
        learn(0, bce(discriminator(made), torch.ones(4)), epoch)
    return generator, discriminator
