"""The numbers of an iteration, which steps read from tensors, and which steps do the same."""

from __future__ import annotations

import pytest
import torch
from SkullGANLib.training.presets import named
from SkullGANLib.training.process_group import ProcessGroup
from SkullGANLib.training.recipe import Recipe
from SkullGANLib.training.schedule import (
    Schedule,
    StepKind,
    average_weight,
    blurred_fakes,
    lr_decay,
)

CPU = torch.device("cpu")


def test_learning_rates_decay_over_the_last_share_of_the_training():
    recipe = Recipe(lr_decay_fraction=0.4)
    found = [lr_decay(recipe, progress) for progress in (0.0, 0.6, 0.8, 0.99, 1.0)]
    assert found == pytest.approx([1.0, 1.0, 0.5, 0.05, 0.05])
    assert lr_decay(Recipe(), 0.99) == 1.0


@pytest.mark.parametrize(
    ("epoch", "count"), [(0, 0), (15, 0), (16, 1), (20, 5), (23, 8), (24, 8), (900, 8)]
)
def test_blurred_reals_grow_by_one_an_epoch_to_half_of_the_fakes(epoch, count):
    assert blurred_fakes(named("published"), epoch) == count


def test_blurred_reals_are_the_first_of_the_whole_batch_in_however_many_processes():
    groups = ProcessGroup(0, 2), ProcessGroup(1, 2)
    assert [blurred_fakes(named("published"), 26, group) for group in groups] == [8, 0]


def test_an_average_follows_closely_at_first():
    assert average_weight(0.99, 0) == pytest.approx(0.9)
    assert average_weight(0.99, 10**6) == pytest.approx(0.01)


def test_all_numbers_are_those_of_the_iteration_and_in_the_same_tensors():
    recipe = Recipe(
        batch_size=4,
        epochs=20,
        lr_decay_fraction=0.5,
        instance_noise_std=0.5,
        ema_decay=0.9,
        update_gate_from_epoch=2,
        blurred_from_epoch=3,
        blur_sigma_epochs=9.0,
    )
    schedule = Schedule(recipe, 60, 3, CPU)
    names = [name for name, value in vars(schedule).items() if isinstance(value, torch.Tensor)]
    tensors = {name: getattr(schedule, name) for name in names}
    found = {}
    for iteration in (0, 13, 24, 45, 0):
        kind = schedule.begin(iteration)
        found[iteration] = {name: getattr(schedule, name).item() for name in names}
        assert all(getattr(schedule, name) is tensor for name, tensor in tensors.items())
        assert kind == StepKind(blurred=found[iteration]["blurred"], has_noise=iteration < 48)
    assert found[0] == pytest.approx(
        {
            "first_row": 0,
            "learning_rate_factor": 1.0,
            "is_gated": False,
            "blurred": 0,
            "blur_sigma_px": 9.0,
            "noise_std": 0.5,
            "average_weight": 0.9,
            "midpoint_weight": 1.0,
        }
    )
    assert found[13]["first_row"] == 4
    assert found[13]["is_gated"]
    assert found[13]["blurred"] == 1
    assert found[13]["blur_sigma_px"] == pytest.approx(9 / 4)
    assert found[24]["noise_std"] == pytest.approx(0.25)
    assert found[24]["blurred"] == 2
    assert found[45]["learning_rate_factor"] == pytest.approx(0.5)
    assert found[45]["average_weight"] == pytest.approx(9 / 55)
    assert found[45]["midpoint_weight"] == pytest.approx(1 / 46)


def test_noise_falls_to_nothing_before_the_end_and_is_then_not_drawn():
    schedule = Schedule(Recipe(instance_noise_std=0.5), 100, 10, CPU)
    assert [schedule.begin(n).has_noise for n in (0, 79, 80, 99)] == [True, True, False, False]
    schedule.begin(40)
    assert schedule.noise_std.item() == pytest.approx(0.25)


def test_the_recipes_have_a_handful_of_kinds_of_steps():
    found = {}
    for name in ("paper", "paper-fast", "fast", "cpu"):
        schedule = Schedule(named(name), 60 * 12, 12, torch.device("meta"))
        assert schedule.few_kinds
        found[name] = {schedule.begin(n) for n in range(60 * 12)}
    assert found["paper"] == found["paper-fast"]
    assert {name: len(kinds) for name, kinds in found.items()} == {
        "paper": 2,
        "paper-fast": 2,
        "fast": 3,
        "cpu": 2,
    }
