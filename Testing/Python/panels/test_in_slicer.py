"""What Slicer's C++ does and the panels must bear: quitting, paths, visits, reload, themes.

Each of these was a fault once: nothing here is seen before the host does what Slicer does.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from SkullGANLib.training import presets
from SkullGANLib.training.run_directory import Run, Status
from SkullGANLib.utils.child_process import ChildProcess, python_executable
from SkullGANLib.utils.task import Running
from SlicerHost import dialogs
from SlicerHost.host import Host

MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")
PATHS = {
    "SkullGAN": {"modelPath": "modelPath"},
    "SkullGANTrain": {"pretrainedPath": "pretrained", "runsFolder": "runsFolder"},
    "SkullGANEvaluate": {"modelPath": "modelPath", "reportsFolder": "reportsFolder"},
}
"""The path fields of each panel, and what they are kept in."""


def opened(host, module: str):
    return host.open_module(ROOT / module / f"{module}.py")


def a_training(panel, folder: Path) -> ChildProcess:
    """A process in the place of one; it saves nothing."""
    Run.create(folder, presets.named("demo"))
    child = ChildProcess([sys.executable, "-c", "import time; time.sleep(60)"])
    Run(folder).write_status(Status("running", child.pid, 0.5, iteration=1, iterations=2))
    panel.logic.trainings[folder] = child
    return child


# Quitting


@pytest.mark.parametrize("answer", ["Yes", "No"])
def test_quitting_asks_once_whether_trainings_go_on(host, tmp_path, answer):
    """Slicer unloads its modules before anything else hears that it quits."""
    panel = opened(host, "SkullGANTrain")
    child = a_training(panel, tmp_path / "one")
    dialogs.ANSWERS.append(answer)
    with Run(tmp_path / "one").held():
        host.quit()
    [question] = dialogs.ASKED
    assert "one" in question
    assert Run(tmp_path / "one").stop_requested() == (answer == "No")
    assert panel.logic.trainings == {}
    os.kill(child.pid, 0)  # which is still there
    os.killpg(child.pid, signal.SIGKILL)


def test_quitting_without_trainings_asks_nothing(host):
    opened(host, "SkullGANTrain")
    host.quit()
    assert dialogs.ASKED == []


# Paths


@pytest.mark.parametrize(
    ("module", "widget", "field"),
    [(module, *pair) for module in MODULES for pair in PATHS[module].items()],
)
def test_a_chosen_path_can_be_emptied_and_is_what_was_typed(host, module, widget, field):
    """A path field tells nothing of an emptied or half-typed path by its own signals."""
    panel = opened(host, module)
    edit = getattr(panel.ui, widget)
    edit.currentPath = "/somewhere/model.safetensors"
    assert getattr(panel.node, field) == "/somewhere/model.safetensors"
    line = edit.comboBox().lineEdit()
    for _letter in "/somewhere/model.safetensors":
        line.backspace()
        assert getattr(panel.node, field) == edit.currentPath
    assert getattr(panel.node, field) == ""


def test_the_last_folders_are_proposed_in_the_next_scene(host, tmp_path):
    from SkullGANGui import last_places

    for place, folder in ((last_places.RUNS, "runs"), (last_places.REPORTS, "reports")):
        (tmp_path / folder).mkdir()
        last_places.keep(tmp_path / folder, place)
    assert opened(host, "SkullGANTrain").node.runsFolder == str(tmp_path / "runs")
    assert opened(host, "SkullGANEvaluate").node.reportsFolder == str(tmp_path / "reports")
    (tmp_path / "runs").rmdir()
    assert last_places.folder(last_places.RUNS) == ""


def test_a_path_field_offers_what_was_used_before_and_begins_empty(host):
    panel = opened(host, "SkullGAN")
    panel.ui.modelPath.currentPath = "/somewhere/model.safetensors"
    panel.ui.modelPath.addCurrentPathToHistory()
    assert panel.node.modelPath == "/somewhere/model.safetensors"
    panel.node.modelPath = ""
    other = opened(host, "SkullGANTrain")
    assert other.ui.pretrainedPath.comboBox().itemText(0) == "/somewhere/model.safetensors"
    assert (other.ui.pretrainedPath.currentPath, other.node.pretrained) == ("", "")


# Visits and reload


def watched_observers(node: slicer.vtkMRMLNode) -> set[int]:
    """The tags of those that observe the node from now on, kept up to date."""
    tags: set[int] = set()
    add, remove = node.AddObserver, node.RemoveObserver

    def adding(*given) -> int:
        tag = add(*given)
        tags.add(tag)
        return tag

    def removing(tag: int) -> None:
        tags.discard(tag)
        remove(tag)

    node.AddObserver, node.RemoveObserver = adding, removing
    return tags


@pytest.mark.parametrize("version", [(5, 10), (5, 12)])
@pytest.mark.parametrize("module", MODULES)
def test_visits_leave_no_observer_behind(version, module):
    """In 5.10 ``disconnectGui`` forgets the one that connecting made."""
    with Host(version) as host:
        panel = opened(host, module)
        panel.parent.exit()
        node = host.scene.GetSingletonNode(module, "vtkMRMLScriptedModuleNode")
        left = watched_observers(node)
        for _visit in range(3):
            panel.parent.enter()
            assert panel.node.parameterNode is node
            panel.parent.exit()
        assert left == set()


@pytest.mark.parametrize("module", MODULES)
def test_a_reloaded_panel_has_parameters_after_a_scene_was_closed(host, module):
    """Reloading calls ``setup`` and not ``enter``, though the panel is the one that is open."""
    panel = host.reload(opened(host, module))
    assert panel.node is not None
    host.scene.Clear(0)
    assert panel.node is not None


def test_a_panel_that_is_reloaded_while_another_is_open_waits_for_its_visit(host):
    panel = opened(host, "SkullGAN")
    opened(host, "SkullGANTrain")
    panel = host.reload(panel)
    host.scene.Clear(0)
    assert panel.node is None
    slicer.util.selectModule("SkullGAN")
    assert panel.node is not None


# The launcher


@pytest.mark.parametrize("processes", [1, 2])
def test_the_copied_command_runs_where_only_slicers_python_is(tmp_path, processes):
    """An installed extension has neither ``skullgan`` nor ``torchrun``."""
    with Host(launcher=True) as host:
        panel = opened(host, "SkullGANTrain")
        panel.node.segmentSets = str(tmp_path / "gone.h5")
        panel.node.runsFolder = str(tmp_path)
        panel.ui.processesSpinBox.value = processes
        panel.ui.copyButton.click()
        host.wait_until(lambda: not panel.logic.isWorking())
        line = slicer.app.clipboard().text()
        words = shlex.split(line)
        assert Path(words[0]).name == "PythonSlicer"
        assert words[words.index("SkullGANLib") - 1] == "-m"
        if processes > 1:  # that torch starts them is held by the tests of process groups
            assert words[1:5] == ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
            return
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "SkullGAN")}
        done = subprocess.run(
            line, shell=True, env=environment, capture_output=True, text=True, check=False
        )
        assert "gone.h5: there is no such file" in done.stderr


def test_a_child_that_the_launcher_lost_is_told_in_a_sentence(tmp_path):
    with Host(launcher=True) as host:
        panel = opened(host, "SkullGAN")
        python = python_executable()
        assert Path(python).name == "PythonSlicer"
        child = ChildProcess([python, "-c", "import os; os.kill(os.getpid(), 9)"])

        def work():
            yield Running(child)

        panel.run(panel.logic.start("Trying", work()), on_done=str)
        host.wait_until(lambda: not panel.logic.isWorking())
        [message] = host.take_messages()
        assert message.endswith("The process crashed or was ended from outside.")
        assert "Report the problem" not in message


# Themes and languages


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_warnings_and_problems_can_be_read(host, theme):
    """Contrast of at least 4.5 on panels, lists and every other row of tables."""
    import qt
    from SkullGANGui import warning_colors

    host.choose_theme(theme)
    panel = opened(host, "SkullGANTrain")
    for color in (warning_colors.warning, warning_colors.problem):
        for behind in warning_colors.backgrounds(panel.ui.settingsTable.palette):
            found = warning_colors.contrast(qt.QColor(color(panel.ui.warningLabel.palette)), behind)
            assert found >= warning_colors.READABLE
    panel.form.settings.set("batch_size", "1")
    item = panel.ui.settingsTable.item(panel.form.settings.names.index("batch_size"), 1)
    written, behind = (
        item.foreground().color(),
        panel.ui.settingsTable.palette.color(qt.QPalette.Base),
    )
    assert warning_colors.contrast(written, behind) >= warning_colors.READABLE


def test_black_on_white_has_the_greatest_contrast(host):
    import qt
    from SkullGANGui import warning_colors

    black, white = qt.QColor("black"), qt.QColor("white")
    assert warning_colors.contrast(black, white) == pytest.approx(21)
    assert warning_colors.contrast(white, white) == 1


@pytest.mark.parametrize("module", MODULES)
def test_entries_of_boxes_are_translated_and_kept_as_they_were(host, monkeypatch, module):
    """The parameter node would show its own words."""
    monkeypatch.setattr(slicer.i18n, "tr", lambda text: f"[{text}]")
    for name in [one for one in sys.modules if one.startswith(("SkullGANGui", f"{module}Lib"))]:
        monkeypatch.delitem(sys.modules, name)
    panel = opened(host, module)
    box, field, value = {
        "SkullGAN": ("realnessMethodBox", "realnessMethod", "occlusion"),
        "SkullGANTrain": ("chartComboBox", "chart", "realness"),
        "SkullGANEvaluate": ("wayBox", "way", "SIFT features"),
    }[module]
    getattr(panel.ui, box).setCurrentText(f"[{value}]")
    assert getattr(panel.node, field) == value
    panel.parent.exit()
    panel.parent.enter()
    assert getattr(panel.ui, box).currentText == f"[{value}]"


# Help


@pytest.mark.parametrize("module", MODULES)
def test_the_help_links_to_a_page_that_is_there(host, module):
    _module, description = host.load_module(ROOT / module / f"{module}.py")
    address = description.helpText.partition('<a href="file://')[2].partition('"')[0]
    assert Path(address).is_file()
    assert Path(address).parent == ROOT / "Docs"
