"""The host that runs our modules without Slicer: does it behave as Slicer where they rely on it?"""

from __future__ import annotations

import gc
import re
import xml.etree.ElementTree as ElementTree

import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from SlicerHost import api, pythonqt, widgets
from SlicerHost.host import Host, SlotError

MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")
UI_FILES = [ROOT / name / "Resources" / "UI" / f"{name}.ui" for name in MODULES]


@pytest.fixture
def qt(host):
    return pythonqt.build()


# PythonQt


def test_properties_are_attributes_and_hide_their_getters(qt):
    label = qt.QLabel("bone")
    assert label.text == "bone"
    label.text = "diploë"
    assert label.text == "diploë"
    with pytest.raises(TypeError, match="not callable"):
        label.text()


def test_a_misspelt_property_cannot_be_set(qt):
    with pytest.raises(AttributeError, match="QPushButton has no attribute 'tooltip' to set"):
        qt.QPushButton().tooltip = "mm"


def test_a_property_refuses_a_value_of_another_type(qt):
    with pytest.raises(AttributeError, match=r"QPushButton.text does not take a object"):
        qt.QPushButton().text = object()


def test_a_child_is_an_attribute_by_its_name(qt):
    parent = qt.QWidget()
    child = qt.QLabel(parent)
    child.name = "title"
    assert parent.title is child
    assert parent.findChild("QLabel", "title") is child
    assert parent.findChildren("QPushButton") == []
    with pytest.raises(AttributeError, match="QWidget has no attribute named 'subtitle'"):
        _ = parent.subtitle


def test_a_slot_gets_as_many_arguments_as_it_takes(qt):
    button, heard = qt.QPushButton(), []
    button.connect("clicked(bool)", lambda: heard.append("none"))
    button.connect("clicked(bool)", lambda checked: heard.append(checked))
    button.click()
    assert heard == ["none", False]


def test_a_disconnected_slot_hears_nothing(qt):
    box, heard = qt.QSpinBox(), []
    box.connect("valueChanged(int)", heard.append)
    box.value = 3
    assert box.disconnect("valueChanged(int)", heard.append)
    box.value = 4
    assert heard == [3]


@pytest.mark.parametrize("signal", ["pressd()", "clicked(int)", "valueChanged(int)"])
def test_a_signal_that_is_not_there_is_an_error(qt, signal):
    with pytest.raises(ValueError, match=re.escape(f"QPushButton has no signal '{signal}'")):
        qt.QPushButton().connect(signal, print)


def test_a_signal_of_a_stand_in_is_the_real_one(host):
    box = widgets.qMRMLNodeComboBox()
    with pytest.raises(ValueError, match="has no signal"):
        box.connect("currentNodeChanged(PyObject)", print)
    assert box.connect("currentNodeChanged(vtkMRMLNode*)", print)


def test_an_exception_in_a_slot_fails_the_test(host, qt):
    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    with pytest.raises(SlotError, match="ZeroDivisionError"):
        host.check()


def test_an_exception_in_a_slot_fails_a_test_that_never_looks():
    host = Host()
    host.__enter__()
    button = pythonqt.build().QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    with pytest.raises(SlotError, match="ZeroDivisionError"):
        host.__exit__(None, None, None)


def test_an_exception_in_a_timer_that_runs_once_fails_the_test(host, qt):
    qt.QTimer.singleShot(0, lambda: 1 / 0)
    with pytest.raises(SlotError, match="ZeroDivisionError"):
        host.wait_until(lambda: False, timeout_s=5)


def test_an_exception_in_an_observer_of_the_scene_fails_the_test(host):
    tag = host.scene.AddObserver(host.scene.NodeAddedEvent, lambda _scene, _event: 1 / 0)
    host.scene.AddNewNodeByClass("vtkMRMLTableNode")
    host.scene.RemoveObserver(tag)
    with pytest.raises(SlotError, match="ZeroDivisionError"):
        host.check()


def test_a_host_takes_its_scene_along(qt, host):
    gone = []
    host.scene.AddObserver("DeleteEvent", lambda _scene, _event: gone.append(True))
    host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
    host.__exit__(None, None, None)
    host.__enter__()
    gc.collect()
    assert gone


def test_an_error_of_vtk_fails_the_test(host):
    slicer.mrmlScene.SetURL(str(ROOT / "no such scene.mrml"))
    slicer.mrmlScene.Connect()
    with pytest.raises(AssertionError, match="Syntax error in scene file"):
        host.check()


def test_a_warning_of_qt_fails_the_test(host, qt):
    qt.QPixmap().scaledToWidth(3)
    with pytest.raises(AssertionError, match="null pixmap"):
        host.check()


def test_signals_cannot_be_declared_as_pythonqt_would_crash(qt):
    assert not hasattr(qt, "Signal")


def test_a_file_dialog_says_that_nobody_is_there(qt):
    with pytest.raises(NotImplementedError, match=r"QFileDialog\.getSaveFileName"):
        qt.QFileDialog.getSaveFileName(None, "Save", "", "*.h5")
    pythonqt.FILE_ANSWERS.append("here.h5")
    assert qt.QFileDialog.getSaveFileName(None, "Save", "", "*.h5") == "here.h5"


# Widgets and .ui files


@pytest.mark.parametrize("kind", widgets.CLASSES.values(), ids=widgets.CLASSES)
def test_a_stand_in_offers_nothing_that_the_real_widget_lacks(kind):
    name = kind.__name__
    real = set(api.properties(name))
    real |= {one.partition("(")[0] for one in api.signals(name) | api.slots(name)}
    own = {key for key in vars(kind) if not key.startswith("_")} - {"staticMetaObject"}
    constants = {key for key in own if isinstance(getattr(kind, key), int)}
    assert own - constants - _qt_overrides(kind) <= real


def _qt_overrides(kind: type) -> set[str]:
    return {key for key in vars(kind) if any(key in vars(base) for base in kind.__mro__[1:])}


@pytest.mark.parametrize("path", UI_FILES, ids=MODULES)
def test_ui_files_set_only_properties_that_the_real_widgets_have(path):
    for widget in ElementTree.parse(path).iter("widget"):
        known = api.properties(widget.get("class"))
        if not known:
            continue
        for entry in widget.findall("property"):
            name = entry.get("name")
            qts = name in (
                *("geometry", "sizePolicy", "text", "title", "toolTip", "enabled"),
                "SlicerParameterName",
            )
            assert qts or known[name]["writable"], f"{widget.get('name')}.{name}"


@pytest.mark.parametrize("path", UI_FILES, ids=MODULES)
def test_connections_in_ui_files_join_a_real_signal_and_a_real_slot(path):
    tree = ElementTree.parse(path)
    classes = {widget.get("name"): widget.get("class") for widget in tree.iter("widget")}
    for connection in tree.iter("connection"):
        sender, receiver = (classes[connection.findtext(end)] for end in ("sender", "receiver"))
        assert connection.findtext("signal") in api.signals(sender)
        assert connection.findtext("slot") in api.slots(receiver)


@pytest.mark.parametrize("path", UI_FILES, ids=MODULES)
def test_every_selector_of_nodes_gets_the_scene(path):
    tree = ElementTree.parse(path)
    selectors = {
        w.get("name") for w in tree.iter("widget") if w.get("class") == "qMRMLNodeComboBox"
    }
    assert {c.findtext("receiver") for c in tree.iter("connection")} == selectors


@pytest.mark.parametrize("path", UI_FILES, ids=MODULES)
def test_every_control_has_a_tooltip(host, path):
    panel = host.open_module(path.parents[2] / f"{path.stem}.py")
    for kind in ("QAbstractSpinBox", "QAbstractButton", "QComboBox", "QLineEdit", "QTextEdit"):
        for control in panel.parent.findChildren(kind):
            named = control.name and not control.name.startswith("qt_")
            heading = isinstance(control, widgets.ctkCollapsibleButton)
            assert heading or not named or control.toolTip, control.name


def test_a_widget_that_the_host_does_not_know_is_named(host, tmp_path):
    path = tmp_path / "strange.ui"
    path.write_text(
        '<ui version="4.0"><class>A</class><widget class="QWidget" name="A">'
        '<widget class="ctkRangeSlider" name="range"/></widget></ui>'
    )
    with pytest.raises(NotImplementedError, match="ctkRangeSlider"):
        slicer.util.loadUI(str(path))
    pythonqt.QT_WARNINGS.clear()  # Qt complains of it, too


def test_a_property_that_a_stand_in_has_not_is_named(host, tmp_path):
    path = tmp_path / "strange.ui"
    path.write_text(
        '<ui version="4.0"><class>A</class><widget class="QWidget" name="A">'
        '<widget class="ctkSliderWidget" name="slider">'
        '<property name="popupSlider"><bool>true</bool></property></widget></widget></ui>'
    )
    with pytest.raises(NotImplementedError, match=r"ctkSliderWidget\.popupSlider"):
        slicer.util.loadUI(str(path))


def test_a_node_selector_follows_the_scene(host):
    box = widgets.qMRMLNodeComboBox()
    box.nodeTypes, box.noneEnabled, heard = ["vtkMRMLScalarVolumeNode"], True, []
    assert not box.enabled
    box.setMRMLScene(host.scene)
    box.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    ct = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    host.scene.AddNewNodeByClass("vtkMRMLTableNode", "no volume")
    assert (box.enabled, box.nodeCount(), box.currentNode()) == (True, 1, None)
    box.setCurrentNode(ct)
    host.scene.RemoveNode(ct)
    assert heard == [ct, None]
    box.setMRMLScene(None)
