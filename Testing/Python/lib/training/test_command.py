"""The command of a training, as the command line reads it."""

from __future__ import annotations

from SkullGANLib import cli
from SkullGANLib.cli.recipe_options import recipe_of
from SkullGANLib.training import presets
from SkullGANLib.training.command import TrainCommand, resume_arguments


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


def test_a_run_is_resumed_by_its_folder_and_a_device():
    read = cli.parser().parse_args(resume_arguments("läufe/first", "cuda:1"))
    assert (str(read.output), read.segments, read.resume) == ("läufe/first", [], True)
    assert read.device == "cuda:1"
