"""What the options of acoustic media mean."""

import argparse

from SkullGANLib.acoustics import CONVENTIONS, MediumSettings
from SkullGANLib.cli.acoustic_options import add_medium, asked_for, medium_settings


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_medium(parser)
    return parser.parse_args(arguments)


def test_without_options_settings_are_the_usual_ones():
    assert medium_settings(parsed()) == MediumSettings()
    assert asked_for(parsed()) == []


def test_options_become_settings_and_are_named_as_they_were_given():
    options = parsed("--medium", "marsac", "--grid-mm", "0.2", "--scalp-mm", "4")
    assert medium_settings(options) == MediumSettings(medium="marsac", spacing_mm=0.2, scalp_mm=4)
    assert asked_for(options) == ["--medium", "--grid-mm", "--scalp-mm"]


def test_every_convention_may_be_asked_for():
    for name in CONVENTIONS:
        assert parsed("--medium", name).medium == name
