"""What the page shows of a training: numbers, curves, last samples, recipe, whatever its state."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image
from SkullGANLib.evaluation.report import training_section
from SkullGANLib.evaluation.report.set_description import finite
from SkullGANLib.training import presets
from SkullGANLib.training.run_directory import Run


def test_numbers_hold_state_reports_and_curves_by_what_they_measure(run):
    numbers = training_section.training_numbers(run)

    assert (numbers["state"], numbers["message"], numbers["reports"]) == (
        "finished",
        "Trained.",
        100,
    )
    curves = numbers["curves"]
    assert curves["Loss"]["discriminator"]["value"][-1] == 0.99
    assert curves["Loss"]["discriminator"]["iteration"][-1] == 990
    assert curves["Realness given by the discriminator"]["fake"]["value"] == [0.25] * 100
    assert list(curves["Learning rate"]) == ["generator"]
    assert training_section.training_state(numbers) == (
        "State: finished, 100 reports, epoch 9, iteration 990. Trained."
    )


def test_figures_are_the_curves_and_the_latest_samples(tmp_path, run):
    numbers = training_section.training_numbers(run)

    pictures = training_section.write_training_figures(tmp_path / "figures", run, numbers)

    assert list(pictures) == ["training", "samples"]
    assert pictures["training"].alternative.endswith(
        "loss, realness given by the discriminator, learning rate"
    )
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "training-samples.png", "training.png", "training.svg",
    ]  # fmt: skip
    with Image.open(pictures["samples"].path) as shown, Image.open(run.sample_path(990)) as latest:
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(latest))


def test_a_run_that_has_only_begun_has_no_figures(tmp_path):
    run = Run.create(tmp_path / "run", presets.named("paper"))

    numbers = training_section.training_numbers(run)

    assert training_section.training_state(numbers) == "State: not started, 0 reports."
    assert training_section.write_training_figures(tmp_path / "figures", run, numbers) == {}


def test_a_run_that_failed_crashed_or_lost_its_pictures_is_reported(tmp_path, run):
    run.add_event({"iteration": 1000, "generator_loss": float("nan")})
    run.add_event({"generator_loss": 1.0})
    with open(run.events_path, "a", encoding="utf-8") as file:
        file.write('{"iteration": 1010, "generator_lo')
    run.samples()[-1].write_bytes(b"not a picture")

    numbers = training_section.training_numbers(run)
    pictures = training_section.write_training_figures(tmp_path / "figures", run, numbers)

    assert numbers["reports"] == 102
    assert len(numbers["curves"]["Loss"]["generator"]["value"]) == 100
    assert list(pictures) == ["training"]
    assert not (tmp_path / "figures" / "training-samples.png").exists()
    assert json.dumps(finite(numbers), allow_nan=False)


def test_the_recipe_is_laid_out_with_what_each_setting_means(run):
    table = training_section.recipe_table(training_section.training_numbers(run))

    rows = {cells[0].text: cells[1:] for cells in table.cells()}
    assert rows["name"][0].text == "paper"
    assert rows["batch size"][0].text == "64"
    assert rows["batch size"][1].text
