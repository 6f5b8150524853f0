"""The page: it opens offline, says what it shows, and takes no text for HTML."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from examples import bent_walls
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.report import writer
from SkullGANLib.metrics import METRICS
from web_page import WebPage

EVIL = "<script>alert('$1')<b> & \"quoted\" $x_1$"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, list[Path]]:
    """Sets of which every text that a user can write is an attack."""
    folder = tmp_path_factory.mktemp("sets")
    sets = {
        "train": bent_walls(8, 0, source={EVIL: EVIL, "kernel": EVIL}, created_by=EVIL),
        "synthetic": bent_walls(6, 2, "synthetic"),
    }
    sets["train"] = replace(sets["train"], subject=sets["train"].subject.astype(object) + EVIL)
    paths = {"train": folder / f"{EVIL}.h5", "synthetic": folder / "made.h5"}
    for name, path in paths.items():
        hdf5.write(path, sets[name])
    return {name: [path] for name, path in paths.items()}


@pytest.fixture(scope="module")
def evaluated(files) -> tuple[dict[str, evaluation_set.EvaluationSet], evaluation.Evaluation]:
    sets = evaluation_set.read(files)
    return sets, evaluation.evaluate(sets)


@pytest.fixture
def write(evaluated, files, tmp_path):
    """Write the report, with a run if it is given, and give its page."""

    def write(run: Path | None = None, folder: Path = tmp_path / "report") -> str:
        settings = {"seed": 0, "files": {name: [one.name] for name, (one,) in files.items()}}
        return writer.write(folder, *evaluated, settings=settings, run=run).read_text("utf-8")

    return write


def test_the_page_opens_offline_and_can_be_mailed(write, run):
    text = write(run.path)

    page = WebPage(text)
    assert page.tags.count("img") == len(page.addresses)
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert not re.search(r"url\(|@import", text)
    assert len(text) < 5_000_000


def test_what_files_say_cannot_become_html(write):
    text = write()

    page = WebPage(text)
    assert "script" not in page.tags
    assert "<script>" not in text
    # The source's entry, the kernel, who made it, and the file's name among the settings.
    assert page.text.count(EVIL) >= 4


def test_what_comes_from_no_patient_is_marked(write):
    page = WebPage(write())

    assert "Not from patients: synthetic." in page.text
    assert "must not be used for diagnosis" in page.text


def test_a_training_is_shown_where_its_run_is_given(write, run, tmp_path):
    without = WebPage(write())
    page = WebPage(write(run.path))

    assert "How the network was trained" not in without.text
    assert page.tags.count("img") == without.tags.count("img") + 2
    assert "How the network was trained State: finished, 100 reports" in page.text
    assert "Trained." in page.text
    numbers = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert numbers["training"]["curves"]["Loss"]["discriminator"]["value"][-1] == 0.99
    assert (tmp_path / "report" / "figures" / "training.svg").is_file()


def test_a_folder_without_a_run_is_refused_and_nothing_is_written(write, tmp_path):
    with pytest.raises(BadInputError, match="nothing"):
        write(tmp_path / "nothing")

    assert not (tmp_path / "report").exists()


def test_the_same_sets_and_run_give_the_same_page(write, run, tmp_path):
    assert write(run.path) == write(run.path, tmp_path / "ünd sëcond")


def test_every_metric_is_explained_by_its_record(write):
    page = WebPage(write())

    for metric in METRICS.values():
        assert f"{metric.label} : {metric.method}." in page.text


def test_what_could_not_be_measured_stands_among_the_limitations(write):
    page = WebPage(write())

    assert "Limitations" in page.text
    assert "No model was given" in page.text
    assert "Not done; what is missing stands at the top." in page.text
