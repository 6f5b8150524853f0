"""The line of each section that says what to do next."""

from __future__ import annotations

import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from PySide6 import QtWidgets
from SlicerHost import widgets

MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")
CLOSED = {"advancedSection", "supportSection"}  # inside another one, or shared by all


def label(panel, section: str) -> QtWidgets.QLabel:
    return panel.parent.findChild(QtWidgets.QLabel, f"{section}Hint")


@pytest.mark.parametrize("module", MODULES)
def test_every_section_says_what_to_do_next_at_its_very_top(host, module):
    panel = host.open_module(ROOT / module / f"{module}.py")
    sections = [
        one.name for one in panel.parent.findChildren(widgets.CLASSES["ctkCollapsibleButton"])
    ]
    assert set(panel.hints()) == set(sections) - CLOSED
    for section, text in panel.hints().items():
        shown = label(panel, section)
        assert shown.text.startswith(text)
        layout = getattr(panel.ui, section).layout()
        is_form = isinstance(layout, QtWidgets.QFormLayout)
        first = (
            layout.itemAt(0, QtWidgets.QFormLayout.ItemRole.SpanningRole)
            if is_form
            else layout.itemAt(0)
        )
        assert first.widget() is shown.parent()


def test_a_line_goes_by_its_link_stays_away_and_comes_back_by_a_button(host):
    path = ROOT / "SkullGAN" / "SkullGAN.py"
    panel = host.open_module(path)
    assert not label(panel, "headSection").isHidden()
    label(panel, "headSection").linkActivated.emit("hide")
    assert label(panel, "headSection").isHidden()
    again = host.open_module(path)
    assert label(again, "headSection").isHidden()
    assert not label(again, "extractSection").isHidden()
    again.support.ui.hintsButton.click()
    assert not label(again, "headSection").isHidden()


def test_from_the_sample_to_its_segments_it_is_two_clicks(host):
    panel = host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
    panel.ui.sampleButton.click()
    assert panel.node.ct.GetName() == "SkullGANHeadCT"
    assert panel.ui.sampleButton.isHidden()
    panel.ui.intervalSpinBox.value = 20  # fewer cuts than a user has: it is quicker
    panel.ui.extractButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    assert panel.table.volume is panel.node.segments is not None
    assert label(panel, "extractSection").isHidden()
    assert slicer.app.settings().value("SkullGAN/hints/SkullGAN/generateSection") is None
    assert slicer.app.settings().value("SkullGAN/hints/SkullGAN/extractSection") == "hidden"
