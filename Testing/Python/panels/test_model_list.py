"""The list of models: what comes along, what was used, what trainings made, each with its card."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from SkullGANLib.utils import resources


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder of trainings, two of which have a model, one of them damaged."""
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    for name in ("first", "second", "third"):
        (home / "SkullGAN runs" / name).mkdir(parents=True)
        (home / "SkullGAN runs" / name / "recipe.json").write_text("{}")
    shutil.copy(resources.bundled_model(), home / "SkullGAN runs" / "first" / "model.safetensors")
    (home / "SkullGAN runs" / "second" / "model.safetensors").write_bytes(b"damaged")
    return home / "SkullGAN runs"


@pytest.fixture
def models(host, runs):
    panel = host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
    [section] = [one for one in panel.sections if hasattr(one, "models")]
    host.wait_until(lambda: not section.models.isLooking())
    return section.models


def names(models, *, shown_only: bool = False) -> list[str]:
    table = models.ui.modelsTable
    return [
        table.item(row, 0).text()
        for row in range(table.rowCount)
        if not (shown_only and table.isRowHidden(row))
    ]


def test_the_bundled_model_comes_first_and_is_chosen_with_its_card(models):
    assert names(models)[0] == "Bundled model"
    assert models.ui.modelsTable.currentRow() == 0
    assert models.ui.modelCard.text.startswith("Trained on: 4,535 real segments of 3 subjects")
    assert "License: Apache-2.0" in models.ui.modelCard.text


def test_models_of_trainings_are_found_and_a_damaged_one_says_so(models):
    assert names(models) == ["Bundled model", "first", "second"]
    assert "no safetensors file" in models.ui.modelsTable.item(2, 2).text()


def test_a_click_takes_a_model_and_the_next_session_remembers_it(host, models, runs):
    panel = slicer.modules.SkullGANWidget
    models.ui.modelsTable.cellClicked.emit(1, 0)
    path = str(runs / "first" / "model.safetensors")
    assert panel.node.modelPath == path
    assert panel.ui.modelPath.currentPath == path
    models.ui.modelsTable.cellClicked.emit(0, 0)
    assert panel.node.modelPath == ""
    shutil.move(runs, runs.with_name("elsewhere"))
    models.look()
    host.wait_until(lambda: not models.isLooking())
    assert names(models) == ["Bundled model"]  # what is gone is not offered
    shutil.move(runs.with_name("elsewhere"), runs)
    models.look()
    assert names(models)[:2] == ["Bundled model", "first"]
    host.wait_until(lambda: not models.isLooking())


def test_a_path_that_is_typed_is_listed_with_its_card(host, models, tmp_path):
    panel = slicer.modules.SkullGANWidget
    path = tmp_path / "mine.safetensors"
    shutil.copy(resources.bundled_model(), path)
    panel.ui.modelPath.currentPath = str(path)
    assert names(models)[-1] == "mine"
    assert models.ui.modelsTable.currentRow() == len(names(models)) - 1
    panel.ui.modelPath.currentPath = str(tmp_path / "gone.safetensors")
    assert "gone.safetensors: cannot be read" in models.ui.modelCard.text
    assert "gone" not in names(models)
    assert models.ui.modelsTable.currentRow() == -1


def test_every_word_of_the_search_must_be_there(models):
    models.ui.modelSearch.text = "boneplus apache"
    assert names(models, shown_only=True) == ["Bundled model", "first"]
    models.ui.modelSearch.text = "first"
    assert names(models, shown_only=True) == ["first"]
    models.ui.modelSearch.text = ""
    assert len(names(models, shown_only=True)) == 3


def test_the_panel_that_evaluates_lists_them_too(host, runs):
    panel = host.open_module(ROOT / "SkullGANEvaluate" / "SkullGANEvaluate.py")
    [section] = [one for one in panel.sections if hasattr(one, "models")]
    host.wait_until(lambda: not section.models.isLooking())
    assert names(section.models) == ["Bundled model", "first", "second"]
    section.models.ui.modelsTable.cellClicked.emit(1, 0)
    assert panel.node.modelPath == str(runs / "first" / "model.safetensors")
    panel.ui.useModelCheckBox.checked = False
    assert panel.ui.modelsFrame.isHidden()
