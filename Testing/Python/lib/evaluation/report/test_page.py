"""The page: it opens offline, says what it shows, and takes no text for HTML."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples import bent_walls
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.report import page, writer
from SkullGANLib.evaluation.report.figures import Picture
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
def write(files, shared_run):
    """Write the report into a folder and give its page."""
    sets = evaluation_set.read(files)
    found = evaluation.evaluate(sets)
    settings = {"seed": 0, "files": {name: [one.name] for name, (one,) in files.items()}}

    def write(folder: Path, run: Path = shared_run.path) -> str:
        written = writer.write(folder, sets, found, settings=settings, run=run)
        return written.read_text("utf-8")

    return write


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write) -> Path:
    """A report with a training."""
    folder = tmp_path_factory.mktemp("reports") / "report"
    write(folder)
    return folder


@pytest.fixture
def text(folder) -> str:
    return (folder / "report.html").read_text("utf-8")


@pytest.fixture
def numbers(folder) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text("utf-8"))


def test_the_page_opens_offline_and_can_be_mailed(text):
    shown = WebPage(text)

    assert shown.tags.count("img") == len(shown.addresses)
    assert all(address.startswith("data:image/png;base64,") for address in shown.addresses)
    assert not {"script", "link", "iframe"} & set(shown.tags)
    assert not re.search(r"url\(|@import", text)
    assert len(text) < 3_000_000


def test_every_picture_of_the_page_lies_beside_it(folder, text):
    embedded = {base64.b64decode(one.split(",")[1]) for one in WebPage(text).addresses}

    assert embedded == {path.read_bytes() for path in (folder / "figures").glob("*.png")}


def test_what_files_say_cannot_become_html(text):
    shown = WebPage(text)

    assert "script" not in shown.tags
    assert "<script>" not in text
    # The source's entry, the kernel, who made it, and the file's name among the settings.
    assert shown.text.count(EVIL) >= 4


def test_what_comes_from_no_patient_is_marked(text):
    shown = WebPage(text).text

    assert "Not from patients: synthetic." in shown
    assert "must not be used for diagnosis" in shown


def test_a_training_is_shown_where_its_run_is_given(folder, text, numbers):
    assert "How the network was trained State: finished, 100 reports" in WebPage(text).text
    assert numbers["training"]["curves"]["Loss"]["discriminator"]["value"][-1] == 0.99
    assert (folder / "figures" / "training.svg").is_file()

    del numbers["training"]
    assert "How the network was trained" not in WebPage(page.page(numbers, {})).text


def test_a_training_without_a_report_says_so(numbers):
    numbers["training"] |= {"curves": {}, "reports": 0, "last_report": None}

    assert "No losses were reported." in WebPage(page.page(numbers, {})).text


def test_a_folder_without_a_run_is_refused_and_nothing_is_written(write, tmp_path):
    with pytest.raises(BadInputError, match="nothing"):
        write(tmp_path / "report", tmp_path / "nothing")

    assert not (tmp_path / "report").exists()


def test_the_same_sets_and_run_give_the_same_page(write, text, tmp_path):
    assert write(tmp_path / "ünd sëcond") == text


def test_every_metric_is_explained_by_its_record(text):
    shown = WebPage(text).text

    for metric in METRICS.values():
        assert f"{metric.label} : {metric.method}." in shown


def test_what_could_not_be_measured_stands_among_the_limitations(text):
    shown = WebPage(text).text

    assert "Limitations" in shown
    assert "No model was given" in shown
    assert "Not done; what is missing stands at the top." in shown


def test_a_judge_that_the_page_does_not_know_has_a_section_and_its_numbers_a_table(
    numbers, tmp_path
):
    (tmp_path / "sharpness.png").write_bytes(b"pixels")
    picture = Picture(tmp_path / "sharpness.png", "Bars", "Sharper is <better>.")
    numbers["measures"]["sharpness"] = {"title": "Sharpness", "figures": ["sharpness"]}
    numbers["sharpness_hu"] = {"synthetic": 12.5}

    shown = WebPage(page.page(numbers, {"sharpness": picture})).text

    assert "Sharpness Sharper is <better>." in shown
    assert "Further numbers What Value sharpness hu synthetic 12.5" in shown
