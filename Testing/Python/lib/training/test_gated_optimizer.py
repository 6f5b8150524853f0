"""The gate of an optimizer, its steps and its learning rate, against plain PyTorch."""

from dataclasses import replace

import pytest
import torch
from SkullGANLib.training import gated_optimizer
from SkullGANLib.training.gated_optimizer import GatedOptimizer, gate_is_open
from SkullGANLib.training.presets import named
from SkullGANLib.training.recipe import Recipe
from SkullGANLib.training.schedule import Schedule


@pytest.mark.parametrize(
    ("gate", "epoch", "loss", "last_loss", "is_open"),
    [
        ("off", 50, 5.0, 5.0, True),
        ("below", 50, 5.0, 0.8, True),
        ("below", 50, 0.1, 0.9, False),
        ("below", 50, 0.1, 1.0, False),
        ("above", 50, 1.0, 0.1, True),
        ("above", 50, 0.9, 5.0, False),
        ("above", 50, 0.5, 5.0, False),
        ("above", 9, 0.5, 0.5, True),
        ("above", 10, 0.5, 0.5, False),
    ],
)
def test_the_update_gate_opens_as_its_reading_says(gate, epoch, loss, last_loss, is_open):
    recipe = Recipe(update_gate=gate, update_gate_loss=0.9, update_gate_from_epoch=10)
    found = gate_is_open(
        recipe, at(recipe, epoch).is_gated, torch.tensor(loss), torch.tensor(last_loss)
    )
    assert found.item() == float(is_open)


def at(recipe: Recipe, epoch: int = 0) -> Schedule:
    """The numbers of an epoch's iteration, in a training of a hundred."""
    schedule = Schedule(recipe, 100, 1, torch.device("cpu"))
    schedule.begin(epoch)
    return schedule


def optimizer_of(recipe: Recipe, rate: float = 0.1, factor: float = 0.5) -> GatedOptimizer:
    torch.manual_seed(0)
    return GatedOptimizer(torch.nn.Linear(3, 1), recipe, rate, factor)


def test_a_network_whose_gate_is_closed_stays_as_it_is():
    recipe = Recipe(update_gate="above", update_gate_from_epoch=0)
    optimizer, schedule = optimizer_of(recipe), at(recipe)
    before = [p.detach().clone() for p in optimizer.network.parameters()]
    x = torch.ones(1, 3)
    assert optimizer.backward_and_step(optimizer.network(x).sum() * 0 + 0.5, schedule).item() == 0
    assert (
        optimizer.backward_and_step((optimizer.network(x) * 0.01).sum() + 0.1, schedule).item() == 0
    )
    after = list(optimizer.network.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert (
        optimizer.backward_and_step((optimizer.network(x) * 0.01).sum() + 5, schedule).item() == 1
    )
    assert not torch.equal(before[0], after[0])


def test_gated_steps_are_the_steps_of_plain_adam_without_the_closed_ones():
    recipe = Recipe(update_gate="above", update_gate_from_epoch=0, plateau_patience=0)
    optimizer, schedule = optimizer_of(recipe), at(recipe)
    plain = torch.nn.Linear(3, 1)
    plain.load_state_dict(optimizer.network.state_dict())
    adam = torch.optim.Adam(plain.parameters(), lr=0.1, betas=(0.5, 0.999))
    generator = torch.Generator().manual_seed(0)
    for offset in (2.0, -9.0, 3.0, -9.0, 2.0):
        x = torch.randn(5, 3, generator=generator)
        optimizer.backward_and_step(optimizer.network(x).square().mean() + offset, schedule)
        if offset > 0:
            adam.zero_grad()
            plain(x).square().mean().backward()
            adam.step()
    torch.testing.assert_close(optimizer.network.weight, plain.weight)


def test_learning_rates_fall_on_plateaus_as_pytorchs_own_schedule():
    recipe = Recipe(update_gate="off", plateau_patience=3)
    optimizer, schedule = optimizer_of(recipe, rate=0.1, factor=0.8), at(recipe)
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1)
    plain = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=0.8, patience=3)
    generator = torch.Generator().manual_seed(4)
    rates = []
    for loss in torch.rand(60, generator=generator).tolist():
        optimizer.backward_and_step(optimizer.network(torch.ones(1, 3)).sum() * 0 + loss, schedule)
        plain.step(loss)
        rates.append(adam.param_groups[0]["lr"])
        assert optimizer.rate.item() == pytest.approx(rates[-1])
    assert rates[-1] < 0.03


def test_the_gate_holds_where_the_fused_step_knows_of_no_gate(monkeypatch):
    """As on MPS: weights, moments and counts are those of a step that is skipped by Adam itself."""
    found = []
    for skips in (("cpu",), ()):
        monkeypatch.setattr(gated_optimizer, "_SKIPS", skips)
        network = torch.nn.Linear(3, 1)
        with torch.no_grad():
            network.weight.fill_(0.5)
            network.bias.zero_()
        recipe = replace(named("paper"), update_gate="above", update_gate_loss=1.0)
        one = gated_optimizer.GatedOptimizer(network, recipe, rate=0.1, factor=1.0)
        opened = [
            one.backward_and_step(
                (network(torch.ones(2, 3)) * size).square().mean(), at(recipe, 50)
            )
            for size in (0.1, 2.0, 0.1, 3.0)
        ]
        assert [bool(step) for step in opened] == [False, True, False, True]
        found.append({**network.state_dict(), **one.tensors()})
    by_adam, by_us = found
    assert by_adam.keys() == by_us.keys()
    for name, tensor in by_adam.items():
        assert torch.equal(tensor, by_us[name]), name
