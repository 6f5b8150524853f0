"""The recipes that come along: the paper's numbers, what each differs in, what describes each."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.training.presets import DEFAULT, PRESETS, named
from SkullGANLib.training.recipe import Recipe


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


def test_the_fast_recipe_plays_the_game_of_the_cpu_recipe_at_the_papers_widths():
    paper, fast = named("paper"), named("fast")
    for same in ("latent_size", "generator_width", "discriminator_width", "batch_size"):
        assert getattr(fast, same) == getattr(paper, same)
    assert (fast.ada_reference, fast.precision) == ("held_out", "auto")
    game = ("loss", "r1_gamma", "r2_gamma", "discriminator_norm", "hide_background", "update_gate")
    for name in ("cpu", "demo"):
        assert [getattr(named(name), s) for s in game] == [getattr(fast, s) for s in game]


@pytest.mark.parametrize("name", ["published", "paper"])
def test_the_papers_recipes_have_nothing_of_the_other_game(name):
    recipe = named(name)
    assert recipe.architecture.to_dict().keys() == {
        *("latent_size", "generator_width", "discriminator_width", "image_size")
    }
    off = ("r1_gamma", "r2_gamma", "contrast_std", "quality_count", "minibatch_std")
    assert [getattr(recipe, s) for s in off] == [0] * 5
    assert (recipe.loss, recipe.hide_background, recipe.balanced_subjects) == ("bce", False, False)


def test_paper_fast_is_the_paper_in_bf16_and_compiled():
    paper, fast = asdict(named("paper")), asdict(named("paper-fast"))
    different = {key: value for key, value in fast.items() if value != paper[key]}
    assert different == {
        "name": "paper-fast",
        "precision": "bf16",
        "compile": True,
        "cuda_graph": True,
    }


def test_the_published_recipe_differs_in_batch_and_update_gate_alone():
    paper, published = asdict(named("paper")), asdict(named("published"))
    different = {key: value for key, value in published.items() if value != paper[key]}
    assert different == {
        "name": "published",
        "batch_size": 16,
        "update_gate": "above",
        "update_gate_from_epoch": 10,
    }


@pytest.mark.parametrize("name", PRESETS)
def test_every_recipe_is_called_what_it_is_listed_as(name):
    assert named(name).name == name


def test_an_unknown_recipe_is_refused_with_the_nearest():
    with pytest.raises(BadInputError, match="no recipe 'dem'; the nearest is 'demo'"):
        named("dem")


def test_a_recipe_without_arguments_is_the_published_one_which_is_the_default():
    assert Recipe() == named("published") == named(DEFAULT)


@pytest.mark.parametrize("name", PRESETS)
def test_every_recipe_is_described_in_a_sentence(name):
    description = PRESETS[name].description
    assert description[0].isupper()
    assert description.endswith(".")


def test_the_default_recipe_wants_a_gpu_and_names_the_one_for_a_cpu():
    description = PRESETS[DEFAULT].description
    assert "GPU" in description
    assert "on a CPU the recipe demo" in description
    assert "CPU" in PRESETS["demo"].description
