"""The state of a training: which reals it shows, and what its settings make of the networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from examples import TINY, arches, bent_walls
from SkullGANLib.errors import BadInputError
from SkullGANLib.training.state import TrainingState

CPU = torch.device("cpu")


def test_an_epoch_shows_every_segment_once():
    state = TrainingState(arches(8), replace(TINY, samples_per_epoch=0, flips=False), CPU, 0)
    shown = []
    for _ in range(state.batches_per_epoch):
        state.begin_iteration()
        shown.append(state.next_reals())
        state.iteration += 1
    tops = sorted(int((image > -1).any(dim=1).nonzero()[0]) for image in torch.cat(shown)[:, 0])
    assert tops == [20 + n for n in range(8)]


def test_images_and_logits_are_float32_in_whatever_precision():
    for precision in ("fp32", "bf16"):
        state = TrainingState(arches(), replace(TINY, precision=precision), CPU, 0)
        images = state.generate()
        assert (images.dtype, state.discriminate(images).dtype) == (torch.float32, torch.float32)


def test_compiling_falls_back_on_a_cpu_with_a_line(caplog):
    caplog.set_level("INFO")
    state = TrainingState(arches(), replace(TINY, compile=True), CPU, 0)
    assert "run uncompiled: compiling gains nothing on cpu" in caplog.text
    assert state.generate().shape == (4, 1, 128, 128)


def test_the_average_follows_the_generator_a_step_behind():
    state = TrainingState(arches(), TINY, CPU, 0)
    weight = state.generator.conv4.weight
    before = weight.detach().clone()
    with torch.no_grad():
        weight += 1
    state.begin_iteration()
    state.update_average()
    # At iteration 0 the average forgets nine tenths.
    averaged = state.model().generator.conv4.weight
    torch.testing.assert_close(averaged, before + 0.9)


def test_balanced_batches_show_every_subject_equally_often():
    segments = bent_walls(30, 0)
    few = segments[np.r_[0:30:3, 1, 2]]  # ten of one subject, one each of two
    recipe = replace(TINY, balanced_subjects=True, samples_per_epoch=60, batch_size=4)
    state = TrainingState(few, recipe, CPU, 0)
    state.begin_iteration()
    shown = few.subject[state.reals.order.numpy()]
    assert sorted(np.unique(shown, return_counts=True)[1].tolist()) == [20, 20, 20]
    assert len(set(state.reals.order.tolist())) == 12


def test_a_penalty_is_there_every_so_many_iterations_and_weighs_as_much_more():
    recipe = replace(TINY, r1_gamma=0.2, penalty_every=3, discriminator_norm="none")
    state = TrainingState(arches(), recipe, CPU, 0)
    assert [state.schedule.begin(n).has_penalty for n in range(5)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    state.begin_iteration()
    images = state.next_reals()
    every = TrainingState(arches(), replace(recipe, penalty_every=1), CPU, 0)
    found = state.penalty(images, images).item()
    assert found > 0
    assert found == pytest.approx(3 * every.penalty(images, images).item(), rel=1e-5)


def test_the_realness_of_a_relativistic_model_is_centered():
    recipe = replace(TINY, loss="relativistic", discriminator_norm="none")
    state = TrainingState(arches(), recipe, CPU, 0)
    with torch.no_grad():
        state.discriminator.main[-1].bias += 50
    real, fake = torch.tensor([52.0, 52.0]), torch.tensor([50.0, 50.0])
    state.begin_iteration()
    real, fake = state.centered(real, fake)
    assert (real.tolist(), fake.tolist()) == ([1, 1], [-1, -1])
    kept, learning = state.model().discriminator, state.discriminator.eval()
    images = state.next_reals()
    with torch.no_grad():
        torch.testing.assert_close(kept(images), learning(images) - 51)


def test_a_model_names_the_subjects_it_was_trained_on():
    segments = bent_walls(6, 3)
    trained_on = TrainingState(segments, TINY, CPU, 0).model().trained_on
    assert trained_on["training_subjects"] == ["3-0", "3-1", "3-2"]


def test_a_run_of_another_kind_of_device_is_refused_with_what_to_do():
    state = TrainingState(arches(), TINY, torch.device("cpu"), seed=0)
    made = state.checkpoint()
    made.tensors["chance"] = torch.zeros(16, dtype=torch.uint8)  # as long as a GPU's
    with pytest.raises(BadInputError, match="another kind of device than cpu"):
        state.restore(made, "run")
