"""The SkullGANEvaluate panel, in the host: a real report of small sets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
from SkullGANLib import recipe, segmentset
from SkullGANLib.run import Run
from SkullGANScene import bundle
from SlicerHost import pythonqt
from SlicerHost.host import Host

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SkullGANEvaluate" / "SkullGANEvaluate.py"
SCRIPT = ROOT / "SkullGANEvaluate" / "Scripts" / "write_report.py"


@pytest.fixture
def host():
    with Host() as host:
        yield host


@pytest.fixture
def sets(tmp_path):
    """A real and a synthetic set of the same name, in different folders."""
    paths = {}
    for kind, diploe in (("real", 600), ("synthetic", 700)):
        hu = np.zeros((5, 128, 128), np.int16)
        hu[:, 10:22] = 1600
        hu[:, 13:19] = diploe + np.arange(5)[:, None, None]
        paths[kind] = tmp_path / kind / "häuser.h5"
        made = segmentset.without_patient(hu, hu > 0, np.arange(5), kind=kind)
        segmentset.write(paths[kind], made)
    return paths


@pytest.fixture
def panel(host, sets, tmp_path):
    panel = host.open_module(MODULE)
    panel.ui.realEdit.setPlainText(str(sets["real"]))
    panel.ui.syntheticEdit.setPlainText(str(sets["synthetic"]))
    panel.ui.reportFolder.currentPath = str(tmp_path / "the report")
    return panel


def wait_for_the_end(host, panel) -> None:
    host.wait_until(lambda: panel.logic.child is None)


def test_a_report_is_written_and_opened(host, panel, tmp_path):
    run = Run.create(tmp_path / "run", recipe.named("demo"))
    run.add_event({"iteration": 1, "generator_loss": 0.7, "discriminator_loss": 1.1})
    panel.ui.runFolder.currentPath = str(run.path)
    assert not panel.ui.openButton.enabled
    panel.ui.writeButton.click()
    assert "below is written" in panel.ui.writeButton.toolTip
    wait_for_the_end(host, panel)
    page = tmp_path / "the report" / "report.html"
    numbers = json.loads((page.parent / "report.json").read_text())
    assert list(numbers["sets"]) == ["häuser", "häuser (synthetic)"]
    assert numbers["training"]["reports"] == 1
    assert slicer.app.opened_urls[-1] == str(page)
    assert panel.ui.statusLabel.text == f"Written: {page}"
    assert panel.ui.progressBar.value == 100
    panel.ui.openButton.click()
    assert slicer.app.opened_urls[-2:] == [str(page)] * 2


def test_cancelling_opens_nothing(host, panel):
    slicer.app.opened_urls.clear()
    panel.ui.writeButton.click()
    panel.ui.cancelButton.click()
    wait_for_the_end(host, panel)
    assert panel.ui.statusLabel.text == "Cancelled."
    assert slicer.app.opened_urls == []
    assert panel.ui.writeButton.enabled


def test_a_set_of_the_other_kind_is_refused_by_its_name(host, panel, sets):
    panel.ui.realEdit.setPlainText(str(sets["synthetic"]))
    panel.ui.writeButton.click()
    wait_for_the_end(host, panel)
    sentence = f"{sets['synthetic']}: holds synthetic segments"
    assert panel.ui.statusLabel.text.startswith(sentence)
    assert host.take_messages()[0].startswith(f"No report was written.\n\n{sentence}")


def test_closing_the_scene_lets_the_report_be_finished(host, panel, tmp_path):
    panel.ui.writeButton.click()
    host.scene.Clear(0)
    assert panel.ui.realEdit.toPlainText() == ""
    wait_for_the_end(host, panel)
    assert (tmp_path / "the report" / "report.html").is_file()


def test_what_is_missing_is_said_by_the_button(panel):
    panel.ui.reportFolder.currentPath = ""
    assert panel.ui.writeButton.toolTip == "Choose a report folder first."
    panel.ui.realEdit.setPlainText("")
    panel.ui.syntheticEdit.setPlainText("")
    assert panel.ui.writeButton.toolTip == "Choose at least one segment set first."


def test_sets_are_added_below_those_that_are_there(host, panel, sets):
    pythonqt.FILE_ANSWERS.extend([["/a/b.h5"], ["/a/c.h5"]])
    panel.ui.addRealButton.click()
    panel.ui.addSyntheticButton.click()
    host.check()
    assert panel.ui.realEdit.toPlainText() == f"{sets['real']}\n/a/b.h5"
    assert panel.ui.syntheticEdit.toPlainText() == f"{sets['synthetic']}\n/a/c.h5"


def test_the_panel_remembers_through_saving_and_opening(host, panel, tmp_path):
    panel.ui.runFolder.currentPath = "/runs/one"
    shown = (panel.ui.realEdit.toPlainText(), panel.ui.reportFolder.currentPath)
    bundle.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(0)
    assert panel.ui.reportFolder.currentPath == ""
    bundle.open_bundle(host.scene, tmp_path / "scene.mrb")
    panel.enter()
    assert (panel.ui.realEdit.toPlainText(), panel.ui.reportFolder.currentPath) == shown
    assert panel.ui.runFolder.currentPath == "/runs/one"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "required: -o/--output"),
        (["-o", "report"], "No segment set was given"),
        (["-o", "report", "--real", "gone.h5"], "gone.h5: there is no such file"),
    ],
)
def test_the_script_says_in_a_sentence_what_it_lacks(tmp_path, arguments, sentence):
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_modules_own_test_passes_in_the_host(host, panel):
    sys.modules["SkullGANEvaluate"].SkullGANEvaluateTest().runTest()
