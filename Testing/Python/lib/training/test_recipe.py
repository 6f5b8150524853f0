"""Recipes: the paper's numbers, settings given as text, and the way through JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, fields

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.training import recipe
from SkullGANLib.training.recipe import RECIPES, Recipe, named


def test_the_paper_recipe_has_the_papers_numbers():
    paper = named("paper")
    assert (paper.latent_size, paper.generator_width, paper.discriminator_width) == (200, 4096, 64)
    assert (paper.epochs, paper.batch_size, paper.initial_weight_std) == (1000, 64, 0.01)
    assert (paper.adam_beta1, paper.real_label, paper.fake_label) == (0.5, 0.9, 0.0)
    assert paper.plateau_patience == 1000
    assert (paper.generator_plateau_factor, paper.discriminator_plateau_factor) == (0.5, 0.8)
    assert (paper.update_gate, paper.update_gate_loss) == ("below", 0.9)
    assert (paper.blurred_from_epoch, paper.blurred_share) == (15, 0.5)


def test_the_paper_recipe_has_nothing_that_the_paper_has_not():
    paper = named("paper")
    assert not paper.flips
    extras = (
        "shift_px",
        "instance_noise_std",
        "lr_decay_fraction",
        "ema_decay",
        "samples_per_epoch",
    )
    for extra in (*extras, "ada_target"):
        assert getattr(paper, extra) == 0
    assert (paper.precision, paper.compile) == ("fp32", False)


def test_the_fast_recipe_plays_the_game_of_the_papers_networks_with_what_helps_small_sets():
    paper, fast = named("paper"), named("fast")
    for same in ("latent_size", "generator_width", "discriminator_width", "batch_size"):
        assert getattr(fast, same) == getattr(paper, same)
    assert (fast.ada_target, fast.precision) == (0.6, "auto")
    assert fast.ema_decay > 0.9


def test_the_published_recipe_differs_in_batch_and_update_gate_alone():
    paper, published = asdict(named("paper")), asdict(named("published"))
    different = {key: value for key, value in published.items() if value != paper[key]}
    assert different == {
        "name": "published",
        "batch_size": 16,
        "update_gate": "above",
        "update_gate_from_epoch": 10,
    }


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_called_what_it_is_listed_as(name):
    assert named(name).name == name


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_json_as_it_was(name):
    assert Recipe.from_json(named(name).to_json()) == named(name)


def test_every_setting_has_a_meaning():
    meanings = recipe.meanings()
    assert set(meanings) == {f.name for f in fields(Recipe)}
    assert all(len(meaning) > 10 for meaning in meanings.values())


def test_an_unknown_recipe_is_refused_with_the_nearest():
    with pytest.raises(BadInputError, match="no recipe 'dem'; the nearest is 'demo'"):
        named("dem")


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
    ("key", "text", "needed"),
    [
        ("epochs", "many", "a whole number"),
        ("epochs", "1.5", "a whole number"),
        ("epochs", "0", "at least 1"),
        ("batch_size", "1", "at least 2"),
        ("real_label", "", "a number"),
        ("real_label", "1.5", "a number from 0 to 1"),
        ("generator_learning_rate", "nan", "a finite number"),
        ("generator_learning_rate", "-1", "0 or more"),
        ("adam_beta2", "1", "below 1"),
        ("flips", "perhaps", "yes or no"),
        ("update_gate", "sideways", "one of"),
        ("precision", "half", "one of"),
        ("on_training_failure", "pray", "one of"),
        ("ada_ramp_fraction", "0", "above 0"),
    ],
)
def test_a_setting_with_a_wrong_value_is_refused_with_what_is_needed(key, text, needed):
    with pytest.raises(BadInputError, match=f"{key} is .*{needed}"):
        named("paper").with_settings({key: text})


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
    modules = "SkullGANLib.training.recipe, SkullGANLib.training.run_directory"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
