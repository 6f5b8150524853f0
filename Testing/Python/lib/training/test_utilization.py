"""How much of a device a training uses, against operations counted by hand."""

import pytest
import torch
from SkullGANLib.training import utilization
from SkullGANLib.training.presets import named

CPU = torch.device("cpu")


def test_the_work_of_an_image_at_full_width_is_that_of_its_layers():
    work = utilization.flops_per_image(named("paper"))
    # The generator's pass has 24.7 GFLOP, its backward pass twice that; the discriminator is small.
    assert 3.0 * 24.7e9 < work < 3.4 * 24.7e9


def test_the_relativistic_loss_looks_at_reals_once_more():
    assert utilization.flops_per_image(named("fast")) > 0
    demo = named("demo")
    assert utilization.flops_per_image(demo) < utilization.flops_per_image(named("cpu"))


def test_a_training_that_does_the_peaks_work_uses_all_of_it(monkeypatch):
    monkeypatch.setattr(utilization, "peak_flops", lambda device, precision: 1e12)
    images_per_s = 1e12 / utilization.flops_per_image(named("demo"))
    used = utilization.share(named("demo"), images_per_s, CPU, "fp32")
    assert used == pytest.approx(1.0)


def test_the_peak_of_this_machine_is_a_number_of_operations():
    assert utilization.peak_flops(CPU, "fp32") > 1e8
