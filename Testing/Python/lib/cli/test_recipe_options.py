"""The options of a training: what recipe comes of them, and what their help says."""

from __future__ import annotations

import pytest
from SkullGANLib import cli
from SkullGANLib.cli.recipe_options import recipe_of
from SkullGANLib.training import presets


def recipe_from(*options: str, **defaults: object):
    return recipe_of(cli.parser().parse_args(["train", "a.h5", "-o", "run", *options]), **defaults)


def test_without_options_it_is_the_published_recipe():
    assert recipe_from() == presets.named("published")


def test_options_of_their_own_stand_above_settings_and_those_above_a_commands_defaults():
    found = recipe_from("--set", "epochs=5", "--set", "flips=yes", "--epochs", "7", epochs=10)
    assert (found.epochs, found.flips) == (7, True)
    assert recipe_from("--set", "epochs=5", epochs=10).epochs == 5
    assert recipe_from(epochs=10).epochs == 10


def test_settings_may_have_the_names_of_earlier_versions():
    found = recipe_from("--set", "epoch_segments=64", samples_per_epoch=0)
    assert found.samples_per_epoch == 64


@pytest.mark.parametrize("command", ["train", "pretrain", "check"])
def test_the_help_describes_every_recipe(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for name, preset in presets.PRESETS.items():
        assert f"{name}: {preset.description}" in text
