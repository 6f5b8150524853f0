"""Review in the SkullGAN panel: sorting, filtering, deciding with keys, undoing, removing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from examples import in_stacks
from PySide6 import QtCore, QtTest
from SkullGANLib.data import segment_set
from SkullGANScene.nodes import segment_sets, tables
from SlicerHost import dialogs
from SlicerHost.host import Host

COUNT = 24


def add_set(scene, count=COUNT, slices=1):
    """Segments of rising SDR and falling thickness, one far too thick, half of each bone."""
    rng = np.random.default_rng(1)
    hu = np.zeros((count, 128, 128), np.int16)
    hu[:, 20:40] = 1500 + rng.integers(0, 500, (count, 20, 128))
    segments = segment_set.without_patient(hu, hu > 0, np.arange(count))
    number = np.arange(count)
    segments = replace(
        segments,
        bone=np.where(number % 2, "temporal", "parietal"),
        side=np.where(number < count // 2, "left", "right"),
        plane=np.full(count, "axial"),
    )
    if slices > 1:
        segments = in_stacks(segments, slices)
    thickness = np.linspace(8, 4, count)
    thickness[7] = 25
    metrics = {"sdr_peaks": np.linspace(0.2, 0.8, count), "thickness_mm": thickness}
    metrics["sdr_peaks"][3] = np.nan
    return segment_sets.add_segment_set(scene, segments, metrics, "Reviewed").volume


@pytest.fixture(scope="module")
def opened():
    """The host and the panel, opened once: every test shows a set of its own in it."""
    with Host() as host:
        panel = host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
        panel.node.follow = False
        panel.parent.setAttribute(QtCore.Qt.WA_DontShowOnScreen, False)
        panel.parent.hide()
        panel.parent.show()
        panel.parent.activateWindow()
        yield host, panel


@pytest.fixture
def host(opened):
    return opened[0]


@pytest.fixture
def panel(opened):
    """The panel, showing a set, with the keyboard's focus in its table."""
    host, panel = opened
    show(host, panel, COUNT)
    yield panel
    panel.node.segments = None
    for volume in segment_sets.in_scene(host.scene):
        segment_sets.remove(volume)
    host.check()


def show(host, panel, count, slices=1) -> None:
    panel.node.segments = add_set(host.scene, count, slices)
    host.wait_until(lambda: not panel.table.isFilling())
    panel.ui.segmentTable.setFocus()
    host.process_events()


def press(widget, *keys, modifier=QtCore.Qt.NoModifier) -> None:
    for key in keys:
        QtTest.QTest.keyClick(widget, getattr(QtCore.Qt, f"Key_{key}"), modifier)


def kept(panel) -> np.ndarray:
    return segment_sets.kept(panel.node.segments)


def boxes(panel) -> list[bool]:
    """Of each segment, by its number, whether its box is ticked."""
    table, widget = panel.table, panel.ui.segmentTable
    ticked = {
        segment: widget.item(row, table.KEEP).checkState() == QtCore.Qt.Checked
        for row, segment in enumerate(table.rows)
    }
    return [ticked[segment] for segment in sorted(ticked)]


def select(panel, *segments) -> None:
    """As with Ctrl and clicks."""
    panel.table.pick(segments[0])
    chosen = QtCore.QItemSelectionModel.Select | QtCore.QItemSelectionModel.Rows
    for segment in segments:
        index = panel.ui.segmentTable.model().index(panel.table.rowOf(segment), 0)
        panel.ui.segmentTable.selectionModel().select(index, chosen)


def test_110_segments_are_reviewed_with_the_keyboard_alone(host, panel):
    show(host, panel, 110)
    wanted = np.arange(110) % 3 != 0
    press(panel.ui.segmentTable, "N")
    for keep in wanted:
        press(panel.ui.segmentTable, "K" if keep else "R")
    assert np.array_equal(kept(panel), wanted)
    assert boxes(panel) == wanted.tolist()
    assert panel.ui.countLabel.text.startswith(f"{wanted.sum()} of 110 kept; medians: SDR ")


def test_the_first_key_shows_the_first_segment_before_it_is_decided_on(panel):
    press(panel.ui.segmentTable, "R")
    assert panel.table.picked() == 0
    assert kept(panel).all()


def test_next_and_previous_stop_at_the_ends(panel):
    press(panel.ui.segmentTable, "N", "N", "N", "P")
    assert panel.table.picked() == 1
    press(panel.ui.segmentTable, "P", "P", "P")
    assert panel.table.picked() == 0
    panel.table.pick(COUNT - 1)
    press(panel.ui.segmentTable, "N")
    assert panel.table.picked() == COUNT - 1


def test_undo_goes_back_to_what_was_decided_and_redo_decides_it_again(panel):
    table = panel.ui.segmentTable
    press(table, "N", "R", "R", "U")
    assert panel.table.picked() == 1
    assert np.flatnonzero(~kept(panel)).tolist() == [0]
    press(table, "Z", modifier=QtCore.Qt.ControlModifier)
    assert kept(panel).all()
    assert all(boxes(panel))
    press(table, "U", modifier=QtCore.Qt.ShiftModifier)
    assert np.flatnonzero(~kept(panel)).tolist() == [0]
    panel.ui.undoButton.click()
    assert not panel.ui.undoButton.enabled
    assert panel.ui.undoButton.toolTip == "Nothing was decided yet."


def test_several_rows_are_decided_on_at_a_time_and_taken_back_together(panel):
    select(panel, 4, 9, 12)
    panel.ui.rejectButton.click()
    assert np.flatnonzero(~kept(panel)).tolist() == [4, 9, 12]
    assert panel.table.selected() == [4, 9, 12]
    panel.ui.undoButton.click()
    assert kept(panel).all()


def test_a_box_that_is_ticked_decides_for_the_selected_rows(panel):
    select(panel, 4, 9, 12)
    panel.table.setKept(9, False)
    assert np.flatnonzero(~kept(panel)).tolist() == [4, 9, 12]
    panel.table.setKept(20, False)
    assert np.flatnonzero(~kept(panel)).tolist() == [4, 9, 12, 20]


def test_keys_elsewhere_in_the_panel_decide_nothing(panel):
    panel.table.pick(5)
    panel.ui.numberSpinBox.setFocus()
    press(panel.ui.numberSpinBox, "R")
    assert kept(panel).all()


def test_a_heading_sorts_up_down_and_as_it_was(panel):
    table = panel.table
    heading = panel.ui.segmentTable.horizontalHeader().sectionClicked
    heading.emit(table.THICKNESS)
    assert list(table.rows[:3]) == [COUNT - 1, COUNT - 2, COUNT - 3]
    assert table.rows[-1] == 7
    heading.emit(table.THICKNESS)
    assert list(table.rows[:3]) == [7, 0, 1]
    heading.emit(table.THICKNESS)
    assert list(table.rows) == list(range(COUNT))
    heading.emit(table.SDR)
    assert table.rows[-1] == 3  # whose SDR is not known
    heading.emit(table.SDR)
    assert table.rows[-1] == 3


def test_what_was_picked_and_selected_stays_so_when_rows_are_sorted(panel):
    select(panel, 4, 9)
    picked = panel.table.picked()
    panel.table.sortBy(panel.table.THICKNESS)
    assert panel.table.picked() == picked
    assert set(panel.table.selected()) == {4, 9}


def test_the_filter_lets_through_by_bone_side_metric_and_decision(host, panel):
    ui, table = panel.ui, panel.table
    ui.filterGroup.collapsed = False
    ui.boneFilterBox.setCurrentText("temporal")
    assert list(table.rows) == list(range(1, COUNT, 2))
    ui.sideFilterBox.setCurrentText("right")
    assert min(table.rows) >= COUNT // 2
    assert f", {len(table.rows)} shown" in ui.countLabel.text
    assert ui.filterGroup.title == "Filter (on)"
    ui.filterResetButton.click()
    assert len(table.rows) == COUNT
    assert ui.filterGroup.title == "Filter"
    ui.sdrFilter.setValues(0.2, 0.4)
    host.wait_until(lambda: len(table.rows) < COUNT)
    sdr = np.linspace(0.2, 0.8, COUNT)
    expected = [k for k in range(COUNT) if sdr[k] <= 0.4 and k != 3]
    assert list(table.rows) == expected
    ui.filterResetButton.click()
    table.setKept(12, False)
    ui.decidedFilterBox.setCurrentText("Rejected")
    assert list(table.rows) == [12]


def test_segments_to_look_at_are_marked_and_can_be_filtered(panel):
    panel.ui.decidedFilterBox.setCurrentText("With warnings")
    assert list(panel.table.rows) == [3, 7]
    tip = panel.ui.segmentTable.item(1, panel.table.WARNING).toolTip()
    assert tip.startswith("Thickness 25.0 mm, unlike the ")


def test_realness_can_be_sorted_and_filtered_once_it_is_known(panel):
    table = panel.table
    assert panel.ui.segmentTable.isColumnHidden(table.REALNESS)
    assert panel.ui.realnessFilter.isHidden()
    metrics = segment_sets.nodes_of(panel.node.segments).metrics
    tables.set_column(metrics, tables.REALNESS, np.linspace(1, 0, COUNT))
    panel.review.look()
    assert not panel.ui.segmentTable.isColumnHidden(table.REALNESS)
    assert not panel.ui.realnessFilter.isHidden()
    table.sortBy(table.REALNESS)
    assert table.rows[0] == COUNT - 1


def test_the_strip_shows_the_rows_in_their_order_and_picks_them(host, panel):
    strip = panel.ui.segmentStrip
    assert strip.count == COUNT
    assert strip.item(0).text().startswith("0, SDR 0.20, 8.0 mm")
    assert not strip.item(0).icon().isNull()
    strip.setCurrentRow(5)
    assert panel.table.picked() == 5
    panel.table.pick(20)
    assert strip.currentRow == 20
    assert not strip.item(20).icon().isNull()
    press(strip, "R")
    assert not kept(panel)[20]
    assert strip.currentRow == 21
    panel.table.sortBy(panel.table.THICKNESS)
    host.process_events()
    assert strip.item(0).text().startswith(f"{COUNT - 1}, ")


def test_a_rejected_segment_is_darker_in_the_strip(panel):
    panel.table.pick(2)

    def brightness() -> int:
        image = panel.ui.segmentStrip.item(2).icon().pixmap(192, 60).toImage()
        return image.pixelColor(4, 15).lightness()

    before = brightness()
    panel.ui.rejectButton.click()
    panel.table.pick(2)
    assert brightness() < before / 2


def test_removing_asks_and_a_no_leaves_all_as_it_was(host, panel):
    panel.table.setKept(3, False)
    dialogs.ANSWERS.append("Cancel")
    panel.ui.removeButton.click()
    assert "24 segments of Reviewed" in dialogs.ASKED[-1]
    assert "(1 rejected)" in dialogs.ASKED[-1]
    assert panel.node.segments is not None
    dialogs.ANSWERS.append("OK")
    panel.ui.removeButton.click()
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    host.process_events()
    assert panel.ui.segmentStrip.isHidden()


def test_the_slices_of_a_stack_are_decided_on_together_and_the_next_stack_follows(host, panel):
    show(host, panel, 12, slices=4)
    table = panel.ui.segmentTable
    column = panel.table.STACK
    assert not table.isColumnHidden(column)
    assert [table.item(row, column).text() for row in (0, 3, 4)] == ["0: 1/4", "0: 4/4", "1: 1/4"]
    panel.table.pick(1)
    assert "All slices of a stack" in panel.ui.rejectButton.toolTip
    press(table, "R")
    assert np.flatnonzero(~kept(panel)).tolist() == [0, 1, 2, 3]
    assert boxes(panel) == [False] * 4 + [True] * 8
    assert panel.table.picked() == 4
    assert panel.ui.countLabel.text.startswith("8 of 12 kept, 2 of 3 stacks; medians: ")
    panel.table.setKept(11, False)
    assert np.flatnonzero(kept(panel)).tolist() == [4, 5, 6, 7]
    press(table, "U", "U")
    assert kept(panel).all()


def test_slices_are_sorted_by_stack_and_single_cuts_have_no_such_column(host, panel):
    assert panel.ui.segmentTable.isColumnHidden(panel.table.STACK)
    show(host, panel, 9, slices=3)
    panel.table.sortBy(panel.table.STACK)
    panel.table.sortBy(panel.table.STACK)
    assert panel.table.rows == [6, 7, 8, 3, 4, 5, 0, 1, 2]
    host.wait_until(lambda: panel.ui.segmentStrip.count == 9)
    assert panel.ui.segmentStrip.item(0).text().startswith("2: 1/3, ")
