"""Recipes: settings given as text or JSON, also under earlier names, and their ranges."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, fields

import pytest
from checkout import ROOT
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks import model_file
from SkullGANLib.training import recipe
from SkullGANLib.training.presets import PRESETS, named
from SkullGANLib.training.recipe import EARLIER_NAMES, Recipe
from SkullGANLib.utils import resources


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_comes_back_from_json_as_it_was(name):
    assert Recipe.from_json(named(name).to_json()) == named(name)


def test_every_setting_has_a_meaning():
    meanings = recipe.meanings()
    assert set(meanings) == {f.name for f in fields(Recipe)}
    assert all(len(meaning) > 10 for meaning in meanings.values())


def test_settings_are_read_from_text_by_their_type():
    changed = named("paper").with_settings(
        {"epochs": " 12", "real_label": "0.8", "flips": "Yes", "update_gate": "above"}
    )
    assert (changed.epochs, changed.real_label, changed.flips) == (12, 0.8, True)
    assert changed.update_gate == "above"
    assert named("paper").epochs == 1000


def test_a_whole_number_may_be_written_for_a_real_one():
    assert named("paper").with_settings({"real_label": "1"}).real_label == 1.0


def test_an_unknown_setting_is_refused_with_the_nearest():
    with pytest.raises(BadInputError, match="no setting 'batchsize'; the nearest is 'batch_size'"):
        named("paper").with_settings({"batchsize": "8"})


def test_a_setting_unlike_all_others_is_refused_with_the_list():
    with pytest.raises(BadInputError, match="no setting 'zzzzqq'; there are name, latent_size"):
        named("paper").with_settings({"zzzzqq": "8"})


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("epochs", "many", "a whole number"),
        ("epochs", "1.5", "a whole number"),
        ("epochs", "0", "at least 1"),
        ("batch_size", "1", "at least 2"),
        ("real_label", "", "a number"),
        ("real_label", "1.5", "a number from 0 to 1"),
        ("generator_learning_rate", "nan", "a finite number"),
        ("generator_learning_rate", "-1", "at least 0"),
        ("adam_beta2", "1", "below 1"),
        ("flips", "perhaps", "yes or no"),
        ("update_gate", "sideways", "one of"),
        ("precision", "half", "one of"),
        ("on_training_failure", "pray", "one of"),
        ("ada_ramp_fraction", "0", "above 0"),
        ("shift_px", "65", "to 64"),
    ],
)
def test_a_setting_with_a_wrong_value_is_refused_with_what_is_expected(key, text, expected):
    with pytest.raises(BadInputError, match=f"{key}: expected .*{expected}.*, found"):
        named("paper").with_settings({key: text})


def test_every_earlier_name_is_that_of_a_setting_and_none_is_used_any_more():
    names = {f.name for f in fields(Recipe)}
    assert set(EARLIER_NAMES.values()) <= names
    assert not set(EARLIER_NAMES) & names


def test_settings_are_read_under_their_earlier_names():
    changed = Recipe().with_settings({"judge_noise": "0.25", "on_divergence": "stop"})
    assert changed == Recipe(instance_noise_std=0.25, on_training_failure="stop")


def test_the_recipe_of_a_run_of_an_earlier_version_is_read():
    path = ROOT / "Testing" / "Python" / "older_files" / "run" / "recipe.json"
    given = json.loads(path.read_text())
    assert set(EARLIER_NAMES) <= set(given)
    found = asdict(Recipe.from_json(path.read_text(), where=str(path)))
    before = {EARLIER_NAMES.get(name, name): value for name, value in given.items()}
    assert found == asdict(Recipe()) | before


def test_the_recipe_of_the_bundled_model_is_read():
    given = model_file.read(resources.bundled_model()).recipe
    found = Recipe.from_dict(given)
    assert (found.name, found.noise_scales, found.epochs) == ("cpu", 4, 48)
    assert named("cpu").differences(found).keys() >= {"epochs", "lr_decay_fraction"}


def test_every_number_has_a_range_and_every_choice_its_values():
    ranges, choices = recipe.ranges(), recipe.choices()
    for f in fields(Recipe):
        if f.name not in (
            "name",
            "generator_channels",
            "discriminator_channels",
            "conditions",
        ):
            assert (f.name in ranges) != (f.name in choices)
    assert str(ranges["batch_size"]) == "at least 2"
    assert choices["update_gate"] == ("off", "below", "above")


def test_settings_that_json_lacks_have_their_defaults():
    assert Recipe.from_json('{"epochs": 3}') == Recipe(epochs=3)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1, 2]",
        '{"epoch": 3}',
        '{"epochs": "3"}',
        '{"epochs": true}',
        '{"epochs": 2.5}',
        '{"flips": 1}',
        '{"epochs": null}',
        '{"real_label": Infinity}',
    ],
)
def test_json_that_is_no_recipe_is_refused_with_the_files_name(text):
    with pytest.raises(BadInputError, match=r"^runs/a/recipe\.json: "):
        Recipe.from_json(text, where="runs/a/recipe.json")


def test_json_may_hold_a_whole_number_for_a_real_one():
    found = Recipe.from_json('{"real_label": 1}').real_label
    assert (found, type(found)) == (1.0, float)


def test_recipe_json_has_a_line_for_each_setting():
    text = named("paper").to_json()
    assert len(text.splitlines()) == len(fields(Recipe)) + 2
    assert json.loads(text) == asdict(named("paper"))


def test_recipe_and_run_do_not_import_torch():
    modules = "SkullGANLib.training.presets, SkullGANLib.training.run_directory"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("batch_size", "group"), [("16", 4), ("6", 2), ("3", 0)])
def test_a_batch_alone_makes_the_groups_of_the_minibatch_deviation_fit(batch_size, group):
    chosen = named("cpu").with_settings({"batch_size": batch_size})
    assert chosen.minibatch_std == group


def test_a_width_alone_takes_the_place_of_a_list_of_channels():
    chosen = named("cpu").with_settings({"generator_width": "64"})
    assert chosen.architecture.generator_layers == (64, 32, 16, 8, 8, 8, 8, 8, 8)
    listed = {"generator_width": "64", "generator_channels": "8..32"}
    assert named("cpu").with_settings(listed).architecture.generator_layers[:3] == (32, 32, 16)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"generator_channels": "8,8"}, "generator_channels: expected 9 numbers of channels"),
        ({"discriminator_channels": "9..3"}, "discriminator_channels: expected 5 numbers"),
        ({"image_rows": "70"}, "image_rows: expected a multiple of 32, found 70"),
        ({"minibatch_std": "3"}, "batch_size: expected a multiple of minibatch_std, 3, found 16"),
        ({"minibatch_std": "1"}, "minibatch_std"),
    ],
)
def test_settings_that_make_no_network_are_refused(settings, sentence):
    with pytest.raises(BadInputError, match=sentence):
        Recipe().with_settings(settings)
