"""The host does what Slicer's C++, CTK, Qt and the launcher do, where panels would not notice."""

from __future__ import annotations

import subprocess
import sys

import pytest
import qt_needed  # noqa: F401
import slicer
from SlicerHost import dialogs, launcher, pythonqt, upstream
from SlicerHost.host import Host
from SlicerHost.parameternode import parameterNodeWrapper

PANEL = """
import slicer
from slicer.ScriptedLoadableModule import *

class Panel(ScriptedLoadableModule):
    pass

class PanelWidget(ScriptedLoadableModuleWidget):
    heard = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        slicer.app.connect("aboutToQuit()", lambda: self.heard.append("slot"))
        self.heard.append(f"setup, entered: {self.parent.isEntered}")

    def enter(self):
        self.heard.append("enter")

    def exit(self):
        self.heard.append("exit")

    def cleanup(self):
        self.heard.append("cleanup")

class PanelLogic(ScriptedLoadableModuleLogic):
    pass
"""


@pytest.fixture
def qt(host):
    return pythonqt.build()


@pytest.fixture
def edit(host):
    import ctk

    edit = ctk.ctkPathLineEdit()
    edit.told = []
    edit.connect("currentPathChanged(QString)", edit.told.append)
    edit.connect("validInputChanged(bool)", edit.told.append)
    return edit


@pytest.fixture
def panel(host, tmp_path):
    path = tmp_path / "Panel.py"
    path.write_text(PANEL)
    return host.open_module(path)


# Quitting and reloading


def test_modules_are_gone_before_their_slots_hear_of_quitting(host, panel):
    host.quit()
    assert panel.heard[-2:] == ["cleanup", "slot"]
    host.quit()  # nobody is there to be asked again
    assert panel.heard.count("cleanup") == 1


def test_reloading_sets_a_panel_up_anew_and_does_not_enter_it(host, panel):
    panel.heard.clear()
    other = host.reload(panel)
    assert other is not panel
    assert slicer.modules.PanelWidget is other
    assert panel.heard == ["cleanup"]
    assert other.heard == ["setup, entered: True"]


# Path fields


def test_a_path_field_tells_of_an_emptied_path_by_its_validity_alone(edit):
    edit.currentPath = "/runs"
    edit.currentPath = ""
    assert edit.told == ["/runs", True, False]


def test_a_path_field_with_filters_tells_nothing_of_other_names(edit):
    edit.nameFilters = ["Models (*.safetensors)"]
    edit.currentPath = "/a/model.safetensors"
    edit.told.clear()
    for path in ("/a/model.pth", "/a/model", ""):
        edit.currentPath = path
    assert edit.told == [False]


def test_a_path_field_remembers_only_what_it_was_told_to(edit):
    import ctk

    edit.settingKey = "Test/Models"
    for path in "abcdef":
        edit.currentPath = f"/{path}"
        edit.addCurrentPathToHistory()
    edit.currentPath = "/never used"
    other = ctk.ctkPathLineEdit()
    other.settingKey = "Test/Models"
    box = other.comboBox()
    assert [box.itemText(k) for k in range(box.count)] == ["/f", "/e", "/d", "/c", "/b"]
    assert other.currentPath == "/f"


# Save dialogs


def save_dialog(qt, folder) -> object:
    filters = "Segment set (*.h5);;NIfTI (*.nii.gz)"
    dialog = qt.QFileDialog(None, "Save", str(folder), filters)
    dialog.acceptMode = qt.QFileDialog.AcceptSave
    dialog.defaultSuffix = "h5"
    return dialog


def test_a_save_dialog_adds_its_suffix_and_tells_the_filter(qt, tmp_path):
    dialog = save_dialog(qt, tmp_path)
    heard = []
    dialog.connect("filterSelected(QString)", heard.append)
    dialogs.FILE_ANSWERS.append((str(tmp_path / "set"), "NIfTI (*.nii.gz)"))
    assert dialog.exec_()
    assert dialog.selectedFiles() == [str(tmp_path / "set.h5")]
    assert dialog.selectedNameFilter() == "NIfTI (*.nii.gz)"
    assert heard == ["NIfTI (*.nii.gz)"]


def test_a_name_with_a_dot_gets_no_suffix_from_the_dialog(qt, tmp_path):
    dialog = save_dialog(qt, tmp_path)
    dialogs.FILE_ANSWERS.append(str(tmp_path / "head 1.5 mm"))
    assert dialog.exec_()
    assert dialog.selectedFiles() == [str(tmp_path / "head 1.5 mm")]


@pytest.mark.parametrize("answer", ["Yes", "No"])
def test_a_save_dialog_asks_about_the_name_with_its_suffix(qt, tmp_path, answer):
    (tmp_path / "set.h5").touch()
    dialog = save_dialog(qt, tmp_path)
    dialogs.FILE_ANSWERS.append(str(tmp_path / "set"))
    dialogs.ANSWERS.append(answer)
    assert bool(dialog.exec_()) == (answer == "Yes")
    assert "set.h5 already exists" in dialogs.ASKED[-1]


def test_the_static_dialog_asks_about_the_name_as_it_was_typed(qt, tmp_path):
    (tmp_path / "set.h5").touch()
    dialogs.FILE_ANSWERS.extend([str(tmp_path / "set"), str(tmp_path / "set.h5")])
    assert qt.QFileDialog.getSaveFileName(None, "Save", "", "*.h5") == str(tmp_path / "set")
    dialogs.ANSWERS.append("No")
    assert qt.QFileDialog.getSaveFileName(None, "Save", "", "*.h5") == ""


# 5.10's parameter nodes


@pytest.mark.parametrize(("version", "left"), [((5, 10), 1), ((5, 12), 0)])
def test_slicer_5_10_forgets_the_observer_of_a_disconnected_panel(version, left):
    @parameterNodeWrapper
    class Parameters:
        flag: bool = True

    with Host(version) as host:
        node = host.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        wrapper = Parameters(node)
        removed = []
        remove = node.RemoveObserver
        node.RemoveObserver = lambda tag: (removed.append(tag), remove(tag))
        wrapper.disconnectGui(
            wrapper.connectParametersToGui({"flag": pythonqt.build().QCheckBox("flag")})
        )
        assert 1 - len(removed) == left


# The launcher


def test_the_launcher_hands_on_what_its_python_ends_with():
    with launcher.on_path() as program:
        ends = {
            "print('done')": (0, ""),
            "raise SystemExit(7)": (7, ""),
            "import os; os.kill(os.getpid(), 9)": (1, "exit abnormally - Report the problem.\n"),
        }
        for code, (exit_code, said) in ends.items():
            ended = subprocess.run(
                [str(program), "-c", code], capture_output=True, text=True, check=False
            )
            assert ended.returncode == exit_code
            assert ended.stderr.endswith(said)
            assert bool(ended.stderr) == bool(said)


# Upstream's own files


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """What of a checkout of Slicer is read, with files of a line or two."""
    folder = tmp_path / "Base" / "Python" / "slicer"
    (folder / "parameterNodeWrapper").mkdir(parents=True)
    for name, text in {
        "ScriptedLoadableModule.py": "from slicer.i18n import tr\nNAME = tr('upstream')\n",
        "i18n.py": "import slicer\ndef tr(text):\n    return slicer.app.translate('', text)\n",
        "parameterNodeWrapper/__init__.py": "from .connectors import KIND\n",
        "parameterNodeWrapper/connectors.py": "import ctk\nKIND = ctk.ctkRareButton\n",
    }.items():
        (folder / name).write_text(text)
    (tmp_path / "CMakeLists.txt").write_text(
        'set(Slicer_VERSION_MAJOR "5")\nset(Slicer_VERSION_MINOR "10")\n'
    )
    monkeypatch.setenv(upstream.VARIABLE, str(tmp_path))
    return folder


def test_upstreams_own_files_are_used_where_a_checkout_is_named(checkout):
    with Host():
        assert (slicer.app.majorVersion, slicer.app.minorVersion) == (5, 10)
        assert slicer.ScriptedLoadableModule.NAME == "upstream"
        assert slicer.ScriptedLoadableModule.__file__ == str(checkout / "ScriptedLoadableModule.py")
        assert slicer.parameterNodeWrapper.KIND.__name__ == "ctkRareButton"
        assert not hasattr(slicer, "packaging")
    with Host((5, 12)):  # another version is asked for: the host's own stand-ins
        assert not hasattr(slicer.ScriptedLoadableModule, "NAME")
        assert "slicer.packaging" in sys.modules


def test_a_folder_that_is_no_checkout_is_named(checkout, monkeypatch, tmp_path):
    monkeypatch.setenv(upstream.VARIABLE, str(tmp_path / "elsewhere"))
    with pytest.raises(FileNotFoundError, match="elsewhere, expected a checkout of Slicer"):
        Host()
