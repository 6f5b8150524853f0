"""A training checked beforehand, by the library and by ``skullgan check``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import bent_walls, in_stacks
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import Discriminator, Generator
from SkullGANLib.training import check, datasets, memory_estimate, presets
from SkullGANLib.training.recipe import Recipe

SUBJECTS = ["A"] * 6 + ["B"] * 3 + ["C"]


@pytest.fixture(scope="module")
def set_path(tmp_path_factory):
    """Ten segments of three subjects, left and right temporal bone in turn."""
    path = tmp_path_factory.mktemp("sets") / "drei köpfe.h5"
    hu = np.zeros((10, 128, 128), np.int16)
    hu[:, 10:22] = 1600
    segments = segment_set.without_patient(hu, hu > 0, np.full(10, -1), kind="real")
    texts = {"subject": SUBJECTS, "bone": ["temporal"] * 10, "side": ["left", "right"] * 5}
    for name, values in texts.items():
        object.__setattr__(segments, name, np.array(values))
    hdf5.write(path, segments)
    return path


def test_what_is_in_a_set_is_counted(set_path):
    found = check.check_training([set_path], presets.named("demo"), device="cpu")
    [seen] = found.sets
    assert (seen.segments, seen.subjects, seen.kind) == (10, 3, "real")
    assert seen.cuts == {"temporal left": 5, "temporal right": 5}
    assert str(seen) == "10 real segments of 3 subjects: temporal left 5, temporal right 5"
    assert found.problem == ""


@pytest.mark.parametrize("split", list(datasets.SPLITS))
def test_what_is_held_out_is_what_the_training_holds_out(set_path, split):
    parts = datasets.split(hdf5.read(set_path), by=split, seed=3)
    found = check.check_training(
        [set_path], presets.named("demo"), device="cpu", split=split, seed=3
    )
    assert found.note == parts.note


def test_the_need_is_that_of_the_segments_that_are_learned_from(set_path):
    found = check.check_training([set_path], presets.named("demo"), device="cpu", split="none")
    assert found.need_bytes == memory_estimate.needed(presets.named("demo"), 10).of(8)
    assert found.device == "cpu"
    [cpu] = [device for device in found.devices if device.name == "cpu"]
    assert cpu.free_bytes is None or cpu.free_bytes <= cpu.total_bytes
    assert found.enough


def test_a_batch_that_does_not_fit_is_reported_with_one_that_would(set_path, monkeypatch):
    monkeypatch.setattr(memory_estimate, "free_bytes", lambda device: 2**30)
    large = presets.named("fast").with_settings({"batch_size": "2048"})
    found = check.check_training([set_path], large, device="cpu")
    assert not found.enough
    assert "It may not be enough." in found.memory


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"samples_per_epoch": "0", "batch_size": "64"}, "expected at least a batch"),
        ({"generator_width": "32"}, "expected 32 as the recipe has; set generator_width to 16"),
    ],
)
def test_what_the_training_would_refuse_is_the_problem(set_path, tmp_path, settings, sentence):
    path = tmp_path / "begin.safetensors"
    model_file.write(path, model_file.Model(Generator(200, 16).eval(), Discriminator(16).eval()))
    chosen = replace(
        Recipe(), generator_width=16, discriminator_width=16, samples_per_epoch=16
    ).with_settings(settings)
    found = check.check_training([set_path], chosen, device="cpu", pretrained=path)
    assert sentence in found.problem
    assert found.sets


def test_a_file_that_is_no_set_leaves_the_others_reported(set_path, tmp_path):
    found = check.check_training(
        [tmp_path / "none.h5", set_path], presets.named("demo"), device="cpu"
    )
    assert [one.segments for one in found.sets] == [10]
    assert "none.h5: there is no such file" in found.problem
    assert found.devices


def test_stacks_with_conditions_are_refused_before_a_training_is_begun(tmp_path):
    hdf5.write(tmp_path / "stacks.h5", in_stacks(bent_walls(16, 0), 2))
    recipe = presets.named("demo").with_settings({"conditions": "sdr"})
    found = check.check_training([tmp_path / "stacks.h5"], recipe, split="none")
    assert found.problem.startswith("conditions: expected none for stacks in depth, found 'sdr'")
    single = recipe.with_settings({"slices": "1"})
    assert not check.check_training([tmp_path / "stacks.h5"], single, split="none").problem
