"""A training checked beforehand, by the library and by ``skullgan check``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from SkullGANLib import cli
from SkullGANLib.cli.recipe_options import recipe_of
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import Discriminator, Generator
from SkullGANLib.training import check, datasets, memory_estimate, presets
from SkullGANLib.training.command import TrainCommand

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
    chosen = presets.named("demo").with_settings({"discriminator_width": "16", **settings})
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


def test_the_command_writes_what_it_found_and_a_picture(set_path, tmp_path, capsys):
    command = TrainCommand((str(set_path),), "unused", recipe="demo", device="cpu")
    there, sheet = tmp_path / "found.json", tmp_path / "sheet.png"
    assert cli.main(command.check_arguments(there, sheet)) == 0
    printed = capsys.readouterr().out
    assert "10 real segments of 3 subjects" in printed
    assert "Held out: " in printed
    assert "cpu: CPU" in printed
    found = json.loads(there.read_text(encoding="utf-8"))
    assert found["sets"][0]["summary"].startswith("10 real segments")
    assert found["need_bytes"] > 0
    assert Image.open(sheet).size[0] > 6 * 128


def test_the_command_fails_with_the_problem_and_writes_it_all_the_same(set_path, tmp_path, capsys):
    there = tmp_path / "found.json"
    arguments = ["check", str(set_path), "--recipe", "demo", "--device", "cuda:99"]
    assert cli.main([*arguments, "--json", str(there)]) == 1
    assert "'cuda:99'" in capsys.readouterr().err
    assert "'cuda:99'" in json.loads(there.read_text(encoding="utf-8"))["problem"]


def test_a_command_is_read_by_the_command_line_as_it_was_given():
    command = TrainCommand(
        ("a b.h5", "it's.h5"),
        "läufe/first",
        recipe="fast",
        settings={"epochs": "3", "flips": "no"},
        device="cuda:1",
        pretrained="begin.safetensors",
        split="segments",
        test_share=0.5,
        seed=9,
        any_kind=True,
    )
    read = cli.parser().parse_args(command.arguments())
    assert [str(path) for path in read.segments] == ["a b.h5", "it's.h5"]
    assert recipe_of(read) == presets.named("fast").with_settings(command.settings)
    given = (str(read.output), read.device, str(read.pretrained), read.split)
    assert given == ("läufe/first", "cuda:1", "begin.safetensors", "segments")
    assert (read.test_share, read.seed, read.any_kind) == (0.5, 9, True)


def test_a_training_with_nothing_special_is_a_short_command():
    assert TrainCommand(("a.h5",), "run").line() == "skullgan train a.h5 -o run --recipe published"
