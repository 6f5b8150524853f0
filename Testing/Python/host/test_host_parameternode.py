"""The host's parameter nodes: types, places in the scene, and widgets that show them."""

from __future__ import annotations

import enum
import pathlib
from typing import Annotated, Optional

import pytest
import qt_needed  # noqa: F401
import slicer
from SkullGANScene.nodes import mrb
from SlicerHost import parameternode, pythonqt
from SlicerHost.parameterfields import (
    Choice,
    Decimals,
    Default,
    FloatRange,
    Minimum,
    RangeBounds,
    SingleStep,
    WithinRange,
)
from SlicerHost.parameternode import parameterNodeWrapper


class Precision(enum.Enum):
    FP32 = 1
    BF16 = 2


@parameterNodeWrapper
class Parameters:
    """Everything that our panels may keep."""

    volume: slicer.vtkMRMLScalarVolumeNode
    plane: Optional[slicer.vtkMRMLMarkupsPlaneNode]  # noqa: UP045 - as Slicer's wrapper reads it
    flag: bool = True
    count: Annotated[int, WithinRange(1, 5)] = 2
    seed: Annotated[int, Minimum(0)] = 7
    length: Annotated[float, WithinRange(0.5, 20), Decimals(2), SingleStep(0.1)] = 3.1
    name: Annotated[str, Choice(["a", "b"])] = "b"
    note: str = ""
    path: pathlib.Path
    sets: list[str]
    tables: list[slicer.vtkMRMLTableNode]
    precision: Precision = Precision.BF16
    sdr: Annotated[FloatRange, RangeBounds(0, 1), Default(FloatRange(0.2, 0.9))]


@pytest.fixture
def qt(host):
    return pythonqt.build()


@pytest.fixture
def parameters(host):
    return Parameters(host.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def test_parameters_have_their_defaults_and_types(parameters):
    found = (parameters.volume, parameters.plane, parameters.flag, parameters.count)
    assert found == (None, None, True, 2)
    assert (parameters.length, parameters.name, parameters.path) == (3.1, "b", pathlib.Path())
    assert (parameters.sets, parameters.tables) == ([], [])
    assert (parameters.precision, parameters.sdr) == (Precision.BF16, FloatRange(0.2, 0.9))
    assert parameters.default("seed").value == 7


def test_parameters_live_in_the_node(host, parameters):
    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    table = host.scene.AddNewNodeByClass("vtkMRMLTableNode")
    parameters.volume, parameters.flag, parameters.count = volume, False, 5
    parameters.path, parameters.precision = pathlib.Path("/Läufe/1"), Precision.FP32
    parameters.sets, parameters.tables = ["a.h5", "b, c.h5"], [table]
    parameters.sdr = FloatRange(0.1, 0.5)
    again = Parameters(parameters.parameterNode)
    assert (again.volume, again.flag, again.count) == (volume, False, 5)
    assert (again.path, again.precision) == (pathlib.Path("/Läufe/1"), Precision.FP32)
    assert (again.sets, again.tables) == (["a.h5", "b, c.h5"], [table])
    assert again.sdr == FloatRange(0.1, 0.5)


def test_a_list_that_is_changed_is_changed_in_the_node(parameters):
    parameters.sets.append("a.h5")
    parameters.sets += ["b.h5", "c.h5"]
    del parameters.sets[0]
    assert list(Parameters(parameters.parameterNode).sets) == ["b.h5", "c.h5"]
    with pytest.raises(TypeError, match="expected str, found 3"):
        parameters.sets.append(3)


def test_an_optional_node_can_be_taken_back(host, parameters):
    plane = host.scene.AddNewNodeByClass("vtkMRMLMarkupsPlaneNode")
    parameters.plane = plane
    assert parameters.plane is plane
    host.scene.RemoveNode(plane)
    assert parameters.plane is None
    parameters.plane = None
    assert parameters.plane is None


def test_parameters_come_back_with_the_scene(host, parameters, tmp_path):
    parameters.parameterNode.SetSingletonTag("Parameters")
    parameters.tables = [host.scene.AddNewNodeByClass("vtkMRMLTableNode", "Metrics")]
    parameters.sets = ["häuser.h5"]
    mrb.save(host.scene, tmp_path / "scene.mrb")
    host.scene.Clear(1)
    mrb.open_bundle(host.scene, tmp_path / "scene.mrb")
    again = Parameters(host.scene.GetFirstNodeByClass("vtkMRMLScriptedModuleNode"))
    assert (again.sets, again.tables[0].GetName()) == (["häuser.h5"], "Metrics")


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("count", 6, ValueError),
        ("count", 2.5, TypeError),
        ("seed", -1, ValueError),
        ("name", "c", ValueError),
        ("note", None, TypeError),
        ("path", "/a/b", TypeError),
        ("sets", "a.h5", TypeError),
        ("sdr", FloatRange(0.5, 2), ValueError),
    ],
)
def test_a_parameter_refuses_what_it_cannot_be(parameters, name, value, error):
    with pytest.raises(error, match=name):
        setattr(parameters, name, value)


def widgets_of(qt) -> dict:
    """A widget for every field that has one."""
    import ctk

    return {
        "volume": slicer.qMRMLNodeComboBox(),
        "plane": slicer.qMRMLNodeComboBox(),
        "flag": qt.QCheckBox(),
        "count": qt.QSpinBox(),
        "seed": qt.QSpinBox(),
        "length": ctk.ctkSliderWidget(),
        "name": qt.QComboBox(),
        "note": qt.QLineEdit(),
        "path": ctk.ctkPathLineEdit(),
        "precision": qt.QComboBox(),
        "sdr": ctk.ctkRangeWidget(),
    }


def test_widgets_and_parameters_are_kept_equal_until_they_are_disconnected(host, qt, parameters):
    shown = widgets_of(qt)
    for name in ("volume", "plane"):
        shown[name].noneEnabled = True
        shown[name].setMRMLScene(host.scene)
    tag = parameters.connectParametersToGui(shown)
    assert (shown["flag"].checked, shown["count"].value, shown["count"].maximum) == (True, 2, 5)
    assert (shown["length"].value, shown["length"].decimals) == (3.1, 2)
    assert shown["seed"].maximum == 2**31 - 1
    assert (shown["name"].currentText, shown["precision"].currentText) == ("b", "BF16")
    assert (shown["sdr"].minimumValue, shown["sdr"].maximum) == (0.2, 1)
    assert shown["volume"].nodeTypes == ["vtkMRMLScalarVolumeNode"]

    volume = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    shown["volume"].setCurrentNode(volume)
    shown["count"].value, shown["name"].currentIndex, shown["length"].value = 4, 0, 6.2
    shown["path"].currentPath, shown["note"].text = "/Läufe", "x"
    shown["precision"].currentIndex = 0
    shown["sdr"].maximumValue = 0.5
    assert (parameters.volume, parameters.count, parameters.name) == (volume, 4, "a")
    assert (parameters.length, parameters.path) == (6.2, pathlib.Path("/Läufe"))
    assert (parameters.note, parameters.precision) == ("x", Precision.FP32)
    assert parameters.sdr == FloatRange(0.2, 0.5)
    parameters.flag, parameters.sdr = False, FloatRange(0.3, 0.4)
    assert not shown["flag"].checked
    assert shown["sdr"].minimumValue == 0.3

    parameters.disconnectGui(tag)
    shown["count"].value = 1
    parameters.flag = True
    assert (parameters.count, shown["flag"].checked) == (4, False)
    for name in ("volume", "plane"):
        shown[name].setMRMLScene(None)


def test_a_connection_by_names_cannot_be_undone_as_in_slicer(qt, parameters):
    panel = qt.QWidget()
    flag = qt.QCheckBox(panel)
    flag.setProperty("SlicerParameterName", "flag")
    assert parameters.connectGui(panel) is None
    parameters.disconnectGui(None)
    flag.checked = False
    assert not parameters.flag
    parameternode.CONNECTED.clear()  # or the host says so at its end


@pytest.mark.parametrize(
    ("name", "kind"), [("count", "QDoubleSpinBox"), ("sets", "QListWidget"), ("seed", "QSlider")]
)
def test_a_widget_that_cannot_show_a_parameter_is_named(qt, parameters, name, kind):
    with pytest.raises(RuntimeError, match=f"{kind}.*cannot show|{name} needs"):
        parameters.connectParametersToGui({name: getattr(qt, kind)()})


def test_a_name_that_is_no_parameter_is_an_error(qt, parameters):
    with pytest.raises(ValueError, match="'counts', which is none"):
        parameters.connectParametersToGui({"counts": qt.QSpinBox()})


def test_a_type_that_our_modules_do_not_use_is_named(host):
    with pytest.raises(TypeError, match=r"Strange.numbers.*dict"):
        parameterNodeWrapper(type("Strange", (), {"__annotations__": {"numbers": dict[str, int]}}))
