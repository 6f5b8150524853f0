"""How far apart two outcomes of an iteration are, and that all parts of a training are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from examples import TINY, arches
from SkullGANLib.training.state import TrainingState
from SkullGANLib.training.step import iterate
from SkullGANLib.training.step_check import Outcome, apart, farther_than_allowed

RECIPE = replace(
    TINY,
    **{
        "ema_decay": 0.9,
        "ada_target": 0.6,
        "image_rows": 32,
        "loss": "relativistic",
        "update_gate": "off",
    },
)

HARMS = {
    "weights of generator": lambda s: s.generator.main1[0].weight.mul_(1.1),
    "weights of discriminator": lambda s: s.discriminator.main[2].weight.mul_(1.1),
    "average": lambda s: s.tensors()["average.conv1.weight"].mul_(1.1),
    "moments of generator, statistics": lambda s: s.generator.main5[1].running_mean.add_(1),
    "moments of generator_side, exp_avg": lambda s: s.tensors()[
        "generator_side.adam.0.exp_avg"
    ].neg_(),
    "moments of discriminator_side, exp_avg_sq": lambda s: [
        t.mul_(2) for n, t in s.tensors().items() if "discriminator_side" in n and "_sq" in n
    ],
    "numbers of midpoint": lambda s: s.tensors()["midpoint"].add_(0.1),
    "numbers of augmentation.value": lambda s: s.augmentation.strength.add_(0.1),
    "numbers of generator_side.last_loss": lambda s: s.tensors()["generator_side.last_loss"].add_(
        1
    ),
    "rates": lambda s: s.generator_optimizer.learning_rate.mul_(1.01),
    "counts": lambda s: s.tensors()["discriminator_side.adam.0.step"].add_(1),
    "counts of random numbers": lambda s: torch.rand(1, generator=s.noise_generator.generator),
}
"""What is done to a training, by the part that it is noticed in."""


@pytest.fixture(scope="module")
def iterated():
    """A training, and the outcomes before and after an iteration."""
    state = TrainingState(arches(), RECIPE, torch.device("cpu"), seed=0)
    iterate(state)
    before = Outcome.of(state)
    expected = Outcome.of(state, iterate(state))
    return state, before, expected


def test_the_same_outcome_is_not_apart(iterated):
    state, before, expected = iterated
    expected.restore(state)
    found = apart(state, expected.found, expected, before)
    assert set(found.values()) == {0.0}
    assert farther_than_allowed(found, found) == ""


@pytest.mark.parametrize("part", HARMS)
def test_harm_is_noticed_wherever_it_is_done(iterated, part):
    state, before, expected = iterated
    expected.restore(state)
    same = apart(state, expected.found, expected, before)
    rate = state.generator_optimizer.learning_rate.clone()
    with torch.no_grad():
        HARMS[part](state)
    found = apart(state, expected.found, expected, before)
    state.generator_optimizer.learning_rate.copy_(rate)
    assert [name for name, off in found.items() if off] == [part]
    assert farther_than_allowed(found, same).startswith(f"{part} by ")


def test_an_iteration_that_was_not_done_is_noticed_in_all_that_learns(iterated):
    state, before, expected = iterated
    before.restore(state)
    found = apart(state, expected.found, expected, before)
    learns = [off for name, off in found.items() if name.startswith(("weights", "moments", "av"))]
    assert len(learns) > 6
    assert learns == pytest.approx([1.0] * len(learns), rel=1e-3)


def test_what_was_reported_is_compared_too(iterated):
    state, before, expected = iterated
    expected.restore(state)
    reported = expected.found | {"generator_loss": expected.found["generator_loss"] + 1}
    found = apart(state, reported, expected, before)
    assert "numbers of generator_loss by " in farther_than_allowed(found, found)
    reported["generator_loss"] = torch.tensor(float("nan"))
    found = apart(state, reported, expected, before)
    assert "numbers of generator_loss by nan" in farther_than_allowed(found, found)


def test_gradients_may_be_as_far_apart_as_those_of_a_repeated_iteration_but_not_half():
    part = "moments of generator_side, exp_avg"
    assert farther_than_allowed({part: 0.04}, {part: 0.0}) == ""
    assert farther_than_allowed({part: 0.3}, {part: 0.1}) == ""
    assert "expected at most 0.4" in farther_than_allowed({part: 0.41}, {part: 0.1})
    assert "expected at most 0.5" in farther_than_allowed({part: 0.6}, {part: 0.3})
    assert "expected at most 0.05" in farther_than_allowed({part: float("inf")}, {part: 0.0})


def test_an_outcome_is_restored_into_the_tensors_that_are_there(iterated):
    state, before, expected = iterated
    tensors = state.tensors()
    before.restore(state)
    again = state.tensors()
    for name, tensor in tensors.items():
        assert again[name].data_ptr() == tensor.data_ptr()
        assert torch.equal(again[name], before.tensors[name])
    state.iteration -= 1
    found = iterate(state)
    assert all(torch.equal(found[name], value) for name, value in expected.found.items())
