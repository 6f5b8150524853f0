"""Every control of every panel says what it is for, with its unit."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
import qt_needed  # noqa: F401
from checkout import ROOT
from PySide6 import QtWidgets
from SlicerHost.host import Host

MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")
CONTROLS = (
    *("QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QSpinBox", "QDoubleSpinBox"),
    *("QComboBox", "QLineEdit", "QPlainTextEdit", "QSlider"),
    *("QTableWidget", "QListWidget", "QTreeWidget"),
    *("ctkPathLineEdit", "ctkSliderWidget", "ctkRangeWidget"),
    *("qMRMLNodeComboBox", "qMRMLCheckableNodeComboBox", "qMRMLSliderWidget"),
)
WIDEST_PX = 360
"""Slicer's column of panels is often 400 wide, a scroll bar included."""


def widgets_of(module: str) -> list[ElementTree.Element]:
    path = ROOT / module / "Resources" / "UI" / f"{module}.ui"
    return list(ElementTree.parse(path).iter("widget"))


def text_of(widget: ElementTree.Element, name: str) -> str:
    found = widget.find(f"property[@name='{name}']/string")
    return "" if found is None else found.text or ""


@pytest.mark.parametrize("module", MODULES)
def test_a_number_with_a_unit_names_it_in_its_tooltip(module):
    without = [
        widget.get("name")
        for widget in widgets_of(module)
        if (unit := text_of(widget, "suffix").strip()) and unit not in text_of(widget, "toolTip")
    ]
    assert without == []


@pytest.mark.parametrize("module", MODULES)
def test_every_control_says_what_it_is_for_and_the_panel_fits_a_narrow_column(module):
    names = {w.get("name") for w in widgets_of(module) if w.get("class") in CONTROLS}
    with Host() as host:
        panel = host.open_module(ROOT / module / f"{module}.py")
        controls = panel.parent.findChildren(QtWidgets.QWidget)
        without = [one.name for one in controls if one.name in names and not one.toolTip]
        for name, widget in vars(panel.ui).items():
            if name.endswith("Section"):
                widget.collapsed = False
        host.process_events()
        narrowest = panel.parent.minimumSizeHint().width()
    assert without == []
    assert narrowest <= WIDEST_PX
