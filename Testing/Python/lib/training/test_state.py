"""The state of a training: which reals it shows, and what its settings make of the networks."""

from __future__ import annotations

from dataclasses import replace

import torch
from examples import TINY, arches
from SkullGANLib.training.state import TrainingState

CPU = torch.device("cpu")


def test_an_epoch_shows_every_segment_once():
    state = TrainingState(arches(8), replace(TINY, samples_per_epoch=0, flips=False), CPU, 0)
    shown = []
    for _ in range(state.batches_per_epoch):
        shown.append(state.next_reals(0))
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
    state.update_average()
    # At iteration 0 the average forgets nine tenths.
    averaged = state.model().generator.conv4.weight
    torch.testing.assert_close(averaged, before + 0.9)
