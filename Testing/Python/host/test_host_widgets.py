"""The widgets that our panels use, Qt's own and stand-ins, as PythonQt shows them."""

from __future__ import annotations

import pytest
import qt_needed  # noqa: F401
import slicer
from PySide6 import QtCore, QtGui, QtTest
from SlicerHost import dialogs, pythonqt, widgets


@pytest.fixture
def qt(host):
    return pythonqt.build()


@pytest.fixture
def ctk(host):
    import ctk

    return ctk


def heard(sender, signal: str) -> list:
    """What a signal of one argument sends from now on."""
    found: list = []
    sender.connect(signal, lambda *sent: found.append(sent[0] if len(sent) == 1 else sent))
    return found


# Qt's own


def test_a_table_has_ticks_pictures_and_signals_of_its_cells(qt):
    table = qt.QTableWidget()
    table.setColumnCount(2)
    table.setHorizontalHeaderLabels(["Keep", "SDR"])
    table.setRowCount(3)
    changed = heard(table, "itemChanged(QTableWidgetItem*)")
    current = heard(table, "currentCellChanged(int,int,int,int)")
    for row in range(3):
        keep = qt.QTableWidgetItem()
        keep.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled)
        keep.setCheckState(qt.Qt.Checked)
        pixmap = qt.QPixmap(8, 8)
        pixmap.fill(qt.QColor(255, 0, 0))
        keep.setIcon(qt.QIcon(pixmap))
        table.setItem(row, 0, keep)
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    table.setCurrentCell(2, 0)
    changed.clear()
    table.item(1, 0).setCheckState(qt.Qt.Unchecked)
    assert (table.rowCount, table.columnCount, table.currentRow()) == (3, 2, 2)
    assert current == [(2, 0, -1, -1)]
    assert [item.row() for item in changed] == [1]
    assert table.item(1, 0).checkState() == qt.Qt.Unchecked
    assert not table.item(0, 0).icon().isNull()


def test_a_tables_cell_is_clicked_twice(qt):
    table = qt.QTableWidget(2, 1)
    table.show()
    opened = heard(table, "cellDoubleClicked(int,int)")
    place = table.visualItemRect(table.item(1, 0) or _filled(qt, table, 1)).center()
    QtTest.QTest.mouseClick(table.viewport(), QtCore.Qt.LeftButton, pos=place)
    QtTest.QTest.mouseDClick(table.viewport(), QtCore.Qt.LeftButton, pos=place)
    assert opened == [(1, 0)]


def _filled(qt, table, row):
    table.setItem(row, 0, qt.QTableWidgetItem("parietal"))
    return table.item(row, 0)


def test_lists_and_trees_tell_what_is_chosen(qt):
    listed = qt.QListWidget()
    listed.addItems(["run 1", "run 2"])
    rows = heard(listed, "currentRowChanged(int)")
    listed.currentRow = 1
    assert (rows, listed.currentItem().text()) == ([1], "run 2")
    tree = qt.QTreeWidget()
    tree.setHeaderLabels(["run", "state"])
    run = qt.QTreeWidgetItem(["run 1", "running"])
    tree.addTopLevelItem(run)
    chosen = heard(tree, "currentItemChanged(QTreeWidgetItem*,QTreeWidgetItem*)")
    tree.setCurrentItem(run)
    assert [pair[0].text(1) for pair in chosen] == ["running"]


def test_sliders_and_boxes_tell_their_value(qt):
    slider = qt.QSlider(qt.Qt.Horizontal)
    slider.setRange(0, 10)
    values = heard(slider, "valueChanged(int)")
    slider.value = 4
    assert values == [4]
    combo = qt.QComboBox()
    combo.addItems(["axial", "coronal"])
    texts = heard(combo, "currentTextChanged(QString)")
    combo.currentIndex = 1
    assert (texts, combo.currentText) == (["coronal"], "coronal")


def test_a_label_shows_a_picture_from_the_bytes_of_a_file(qt):
    source = QtGui.QImage(3, 2, QtGui.QImage.Format_RGB888)
    source.fill(QtGui.QColor(0, 128, 0))
    data = QtCore.QByteArray()
    buffer = QtCore.QBuffer(data)
    buffer.open(QtCore.QIODevice.WriteOnly)
    source.save(buffer, "PNG")
    pixmap = qt.QPixmap()
    assert pixmap.loadFromData(bytes(data))
    label = qt.QLabel()
    label.setPixmap(pixmap)
    assert (label.pixmap.width(), label.pixmap.height()) == (3, 2)


def test_a_tool_buttons_menu_and_a_shortcut_do_what_they_say(qt):
    done = []
    button = qt.QToolButton()
    menu = qt.QMenu(button)
    menu.addAction("Copy command").connect("triggered()", lambda: done.append("copied"))
    button.setMenu(menu)
    button.popupMode = qt.QToolButton.InstantPopup
    dialogs.ANSWERS.append("Copy command")
    menu.exec_(qt.QCursor.pos())
    shortcut = qt.QShortcut(qt.QKeySequence("Space"), button)
    shortcut.connect("activated()", lambda: done.append("kept"))
    shortcut.activated.emit()
    assert done == ["copied", "kept"]


def test_the_clipboard_keeps_a_text(host):
    slicer.app.clipboard().setText("skullgan train")
    assert slicer.app.clipboard().text() == "skullgan train"


def test_enumerations_are_properties_too(qt):
    box = qt.QMessageBox()
    box.icon = qt.QMessageBox.Critical
    box.standardButtons = qt.QMessageBox.Yes | qt.QMessageBox.No
    assert len(box.buttons()) == 2
    label = qt.QLabel()
    label.alignment = qt.Qt.AlignRight
    assert label.alignment & qt.Qt.AlignRight


# ctk


def test_a_slider_widget_keeps_slider_and_box_equal(ctk):
    slider = ctk.ctkSliderWidget()
    slider.minimum, slider.maximum, slider.decimals, slider.singleStep = -100, 100, 1, 0.5
    slider.suffix = " mm"
    changed = heard(slider, "valueChanged(double)")
    slider.value = 12.34
    assert (slider.value, changed) == (12.3, [12.3])
    slider.value = 300
    assert (slider.value, slider.maximum) == (100, 100)
    slider.maximum = 50
    assert (slider.value, changed) == (50, [12.3, 100, 50])


def test_a_slider_without_tracking_tells_its_value_when_it_is_let_go(ctk):
    slider = ctk.ctkSliderWidget()
    slider.tracking = False
    changed = heard(slider, "valueChanged(double)")
    moving = heard(slider, "valueIsChanging(double)")
    slider._slider.sliderDown = True
    slider._slider.sliderPosition = 500
    assert (changed, moving) == ([], [49.5])
    slider._slider.sliderDown = False
    assert changed == [49.5]


def test_a_range_keeps_its_ends_in_order(ctk):
    box = ctk.ctkRangeWidget()
    box.setRange(0, 1)
    box.decimals = 2
    changed = heard(box, "valuesChanged(double,double)")
    box.setValues(0.2, 0.8)
    box.minimumValue = 0.9
    assert (box.minimumValue, box.maximumValue) == (0.9, 0.9)
    box.maximumValue = 0.5
    assert changed == [(0.2, 0.8), (0.9, 0.9), (0.5, 0.5)]


@pytest.mark.parametrize("kind", ["ctkCollapsibleButton", "ctkCollapsibleGroupBox"])
def test_what_is_below_a_collapsed_heading_is_hidden(qt, ctk, kind):
    heading = getattr(ctk, kind)()
    qt.QVBoxLayout(heading)
    label = qt.QLabel("advanced")
    heading.layout().addWidget(label)
    heading.show()
    assert label.visible
    heading.collapsed = True
    assert not label.visible
    heading.collapsed = False
    assert label.visible


def test_what_a_panel_has_hidden_stays_hidden_below_a_heading(qt, ctk, host):
    section = ctk.ctkCollapsibleButton()
    section.setLayout(qt.QVBoxLayout())
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    for label in (shown, hidden):
        section.layout().addWidget(label)
    hidden.visible = False
    for collapsed in (True, False):
        section.collapsed = collapsed
        host.process_events()
        assert (shown.isHidden(), hidden.isHidden()) == (collapsed, True)
    section.collapsed = True
    hidden.visible = True  # it is seen once the section is opened
    assert hidden.isHidden()
    section.collapsed = False
    assert not hidden.isHidden()


def test_browsing_for_a_path_asks_for_what_the_filters_say(ctk):
    edit = ctk.ctkPathLineEdit()
    paths = heard(edit, "currentPathChanged(QString)")
    edit.filters = ctk.ctkPathLineEdit.Dirs
    dialogs.FILE_ANSWERS.extend(["/runs", "/runs/model.safetensors", ""])
    edit.browse()
    edit.filters = ctk.ctkPathLineEdit.Files
    edit.browse()
    edit.browse()  # cancelled
    edit.addCurrentPathToHistory()
    assert edit.currentPath == "/runs/model.safetensors"
    assert paths == ["/runs", "/runs/model.safetensors"]


# qMRML


@pytest.fixture
def box(host):
    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.noneEnabled = True
    box.setMRMLScene(host.scene)
    yield box
    box.setMRMLScene(None)


def test_a_node_is_made_by_its_selector(host, box):
    added = heard(box, "nodeAddedByUser(vtkMRMLNode*)")
    box.baseName = "Metrics"
    first, second = box.addNode(), box.addNode()
    assert [first.GetName(), second.GetName()] == ["Metrics", "Metrics_1"]
    assert (box.currentNode(), added) == (second, [first, second])
    box.selectNodeUponCreation = False
    box.addNode()
    assert box.currentNode() is second
    box.removeCurrentNode()
    assert (box.nodeCount(), box.currentNode()) == (2, None)


def test_a_selector_shows_a_new_name(host, box):
    node = box.addNode()
    names = heard(box, "currentNodeRenamed(QString)")
    node.SetName("頭蓋骨")
    assert names == ["頭蓋骨"]
    assert box.findChild("QComboBox").currentText == "頭蓋骨"


def test_a_selector_shows_only_nodes_with_an_attribute(host, box):
    node = box.addNode()
    box.addAttribute("vtkMRMLTableNode", "Kind", "metrics")
    assert (box.nodeCount(), box.currentNode()) == (0, None)
    node.SetAttribute("Kind", "metrics")
    assert box.nodeCount() == 1
    assert box.addNode().GetAttribute("Kind") == "metrics"


def test_nodes_are_checked_one_by_one(host):
    box = slicer.qMRMLCheckableNodeComboBox()
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.setMRMLScene(host.scene)
    first, second = (host.scene.AddNewNodeByClass("vtkMRMLTableNode", name) for name in "ab")
    changed = []
    box.connect("checkedNodesChanged()", lambda: changed.append(box.checkedNodes()))
    assert box.noneChecked()
    box.check(first)
    box.check(second)
    assert (changed, box.allChecked()) == ([[first], [first, second]], True)
    box.uncheck(first)
    assert (box.uncheckedNodes(), box.checkState(second)) == ([first], QtCore.Qt.Checked)
    host.scene.RemoveNode(second)
    assert changed[-1] == []
    box.setMRMLScene(None)


def test_a_slider_takes_its_unit_from_the_scene(host):
    slider = slicer.qMRMLSliderWidget()
    slider.setMRMLScene(host.scene)
    slider.quantity = "length"
    assert slider.suffix == "mm"


def test_a_table_view_follows_its_table(host):
    view = slicer.qMRMLTableView()
    view.setMRMLScene(host.scene)
    table = host.scene.AddNewNodeByClass("vtkMRMLTableNode")
    view.setMRMLTableNode(table)
    column = table.AddColumn()
    column.SetName("SDR")
    table.AddEmptyRow()
    table.GetTable().SetValueByName(0, "SDR", "0.5")
    table.Modified()
    assert view.model().item(0, 0).text() == "0.5"
    view.setMRMLScene(None)


@pytest.mark.parametrize("kind", widgets.CLASSES.values(), ids=widgets.CLASSES)
def test_what_a_stand_in_cannot_do_is_named(host, kind):
    with pytest.raises(AttributeError, match=f"{kind.__name__} has no attribute named 'danceNow'"):
        kind().danceNow()
