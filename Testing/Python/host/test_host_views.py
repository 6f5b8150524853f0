"""The host's views: Slicer's layouts, slices, 3D, plots and tables, and pictures of them."""

from __future__ import annotations

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
import slicer.util
import vtk
from PySide6 import QtGui, QtWidgets
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import segmentations, volumes
from SkullGANScene.offscreen import rendering
from SlicerHost import api, images, layout, plots, pythonqt

needs_rendering = pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)
FOUR_UP = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
SIZE = (400, 320)


@pytest.fixture
def views(host):
    return slicer.app.layoutManager()


@pytest.fixture
def ct(host):
    """A bright ball of 30 mm on black, 2 mm voxels, its middle at RAS 10, 20, 30."""
    k, j, i = np.mgrid[:40, :40, :40] - 19.5
    hu = np.where(np.sqrt(i**2 + j**2 + k**2) * 2 < 30, 1000, -1000).astype(np.int16)
    geometry = np.diag([2.0, 2.0, 2.0, 1.0])
    geometry[:3, 3] = np.array([10, 20, 30]) - 39
    node = volumes.add_ct(host.scene, HeadCT(hu, geometry), "Ball")
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(-1000, 1000)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    slicer.util.resetSliceViews()
    return node


def add_sphere(radius_mm: float) -> slicer.vtkMRMLModelNode:
    sphere = vtk.vtkSphereSource()
    sphere.SetCenter(10, 20, 30)
    sphere.SetRadius(radius_mm)
    sphere.Update()
    return slicer.modules.models.logic().AddModel(sphere.GetOutput())


def drawn(host, tmp_path, size=SIZE) -> np.ndarray:
    """The picture of the views: rows, columns, RGB."""
    host.four_up(tmp_path / "views.png", size)
    image = QtGui.QImage(str(tmp_path / "views.png")).convertToFormat(QtGui.QImage.Format_RGB888)
    rows = np.array(image.constBits()).reshape(size[1], -1)  # a copy: the image goes
    return rows[:, : 3 * size[0]].reshape(size[1], size[0], 3)


def quarter(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    """One of the four views, without its bar."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[row * height + 24 : (row + 1) * height - 3, column * width :][:, : width - 3]


def test_the_layout_is_four_up_and_has_slicers_names(views):
    assert views.layout == FOUR_UP
    assert set(views.sliceViewNames()) == {"Red", "Green", "Yellow"}
    orientations = [views.sliceWidget(n).mrmlSliceNode().GetOrientation() for n in ("Red", "Green")]
    assert orientations == ["Axial", "Coronal"]
    assert (views.threeDViewCount, views.plotViewCount, views.tableViewCount) == (1, 0, 0)
    assert views.sliceWidget("Blue") is None


def test_choosing_a_layout_shows_and_hides_views(views):
    heard = []
    views.connect("layoutChanged(int)", heard.append)
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert views.sliceViewNames() == ("Red",)
    assert not slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeGreen").IsMappedInLayout()
    assert heard == [slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView]


def test_slices_go_where_they_are_sent_without_being_drawn(views, ct):
    logic = views.sliceWidget("Red").sliceLogic()
    logic.SetSliceOffset(31)
    assert logic.GetSliceOffset() == pytest.approx(31)
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, 1, 2, 3)
    sagittal = views.sliceWidget("Yellow").mrmlSliceNode().GetSliceToRAS()
    assert sagittal.GetElement(0, 3) == pytest.approx(1)
    assert slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red") is logic


def test_fitting_shows_the_whole_volume(views, ct):
    width, height, _ = views.sliceWidget("Red").mrmlSliceNode().GetFieldOfView()
    assert min(width, height) == pytest.approx(80, rel=0.05)


def test_closing_the_scene_leaves_views_that_work(host, views, ct):
    host.scene.Clear(0)
    assert views.sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID() is None
    assert set(views.sliceViewNames()) == {"Red", "Green", "Yellow"}
    views.sliceWidget("Red").sliceLogic().SetSliceOffset(5)
    assert views.sliceWidget("Red").mrmlSliceNode().GetScene() is host.scene


def test_nodes_of_the_views_are_not_saved_twice(host, views, ct, tmp_path):
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert host.scene.GetNumberOfNodesByClass("vtkMRMLSliceNode") == 3
    composite = views.sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == slicer.util.getNode("Ball").GetID()


def test_the_mouse_in_the_views_is_a_node_that_survives_closing(host):
    def heard_at(point: list[float]) -> list:
        crosshair = host.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        heard, ras = [], [0.0, 0.0, 0.0]

        def moved(node, _event):
            heard.append((node.GetCursorPositionRAS(ras), list(ras)))

        tag = crosshair.AddObserver(crosshair.CursorPositionModifiedEvent, moved)
        crosshair.SetCursorPositionRAS(point)
        crosshair.RemoveObserver(tag)
        return heard

    assert heard_at([1, 2, 3]) == [(True, [1, 2, 3])]
    host.scene.Clear(0)
    assert heard_at([4, 5, 6]) == [(True, [4, 5, 6])]


@needs_rendering
def test_slices_show_the_volume_in_its_window(host, ct, tmp_path):
    red = quarter(drawn(host, tmp_path), 0, 0)
    height, width, _ = red.shape
    assert red[height // 2, width // 2].tolist() == [255, 255, 255]
    assert red[height // 2, 2].tolist() == [0, 0, 0]


@needs_rendering
def test_a_foreground_is_blended_over_the_background(host, ct, tmp_path):
    air = HeadCT(np.full((40, 40, 40), -1000, np.int16), volumes.ct_from(ct).ijk_to_ras)
    overlay = volumes.add_ct(host.scene, air, "Air")
    overlay.GetDisplayNode().SetAutoWindowLevel(False)
    overlay.GetDisplayNode().SetWindowLevelMinMax(-1000, 1000)
    slicer.util.setSliceViewerLayers(foreground=overlay, foregroundOpacity=0.5)
    red = quarter(drawn(host, tmp_path), 0, 0)
    assert red[red.shape[0] // 2, red.shape[1] // 2, 0] == pytest.approx(128, abs=2)


@needs_rendering
@pytest.mark.parametrize("kind", ["segmentation", "markups", "model"])
def test_what_is_in_the_scene_is_seen_in_slices_and_in_3d(host, ct, tmp_path, kind):
    before = drawn(host, tmp_path)
    if kind == "segmentation":
        ball = segmentations.add_skull(ct, volumes.ct_from(ct).hu > 0)
        segmentations.show_in_3d(ball)
    elif kind == "markups":
        point = host.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
        point.CreateDefaultDisplayNodes()
        point.AddControlPoint([10, 20, 30])
        slicer.vtkMRMLSliceNode.JumpAllSlices(host.scene, 10, 20, 30)
    else:
        add_sphere(20).GetDisplayNode().SetVisibility2D(True)
    slicer.util.resetThreeDViews()
    after = drawn(host, tmp_path)
    in_slice, in_3d = quarter(after, 0, 0).astype(int), quarter(after, 0, 1)
    colored = np.ptp(in_slice, axis=-1) > 20  # the ball is gray
    assert colored.sum() > 10
    assert (in_3d != quarter(before, 0, 1)).any(axis=-1).sum() > 100


@needs_rendering
def test_a_color_legend_stands_beside_a_model(host, views, tmp_path):
    model = add_sphere(1)
    values = vtk.vtkDoubleArray()
    values.SetName("SDR")
    for index in range(model.GetPolyData().GetNumberOfPoints()):
        values.InsertNextValue(index / 100)
    model.GetPolyData().GetPointData().SetScalars(values)
    display = model.GetDisplayNode()
    display.SetActiveScalar("SDR", vtk.vtkAssignAttribute.POINT_DATA)
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRainbow")
    display.SetScalarVisibility(True)
    before = drawn(host, tmp_path)
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(display)
    legend.SetTitleText("SDR")
    after = drawn(host, tmp_path)
    assert (quarter(before, 0, 1) != quarter(after, 0, 1)).any(axis=-1).sum() > 300


@needs_rendering
def test_the_camera_turns_where_it_is_told(host, views, ct):
    view = views.threeDWidget(0).threeDView()
    add_sphere(1)
    view.resetFocalPoint()
    view.rotateToViewAxis(3)
    camera = view.cameraNode()
    assert camera.GetFocalPoint() == pytest.approx((10, 20, 30), abs=1)
    assert np.argmax(np.subtract(camera.GetPosition(), camera.GetFocalPoint())) == 1  # in front
    assert views.activeThreeDRenderer().GetActiveCamera() is camera.GetCamera()


@needs_rendering
def test_a_chart_is_drawn_from_its_table(host, views, tmp_path):
    losses = np.column_stack([np.arange(50), np.exp(-np.arange(50) / 10)])
    chart = slicer.util.plot(losses, xColumnIndex=0, columnNames=["epoch", "loss"], title="Loss")
    series = chart.GetNthPlotSeriesNode(0)
    series.SetColor(1, 0, 0)
    assert views.plotViewCount == 1
    assert views.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode() is chart
    picture = drawn(host, tmp_path, (600, 400))
    red = (picture[..., 0] > 200) & (picture[..., 1:].max(axis=-1) < 80)
    assert red[25:].sum() > 50
    series.SetPlotType(series.PlotTypeBar)
    bars = drawn(host, tmp_path, (600, 400))
    assert ((bars[..., 0] > 200) & (bars[..., 1] < 80)).sum() > red.sum()


def test_a_series_whose_column_is_gone_is_named(host):
    chart = slicer.util.plot(np.ones((3, 2)), xColumnIndex=0, show=False, title="Loss")
    chart.GetNthPlotSeriesNode(0).SetYColumnName("gone")
    with pytest.raises(ValueError, match="Loss Y names the column 'gone' of the table Loss table"):
        plots.drawn_chart(chart)


def test_a_table_is_shown_in_its_view(host, views):
    table = host.scene.AddNewNodeByClass("vtkMRMLTableNode")
    slicer.util.updateTableFromArray(table, np.array([[1.5, 2.0]]), ["SDR", "mm"])
    views.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
    slicer.app.applicationLogic().GetSelectionNode().SetActiveTableID(table.GetID())
    slicer.app.applicationLogic().PropagateTableSelection()
    view = views.tableWidget(0).tableView()
    assert view.mrmlTableNode() is table
    assert view.model().item(0, 0).text() == "1.5"


@needs_rendering
def test_a_window_shows_panel_and_views_and_says_what_it_is(host, views, tmp_path):
    qt = pythonqt.build()
    panel = type("Panel", (), {"parent": qt.QLabel("panel")})()
    host.window_picture(panel, tmp_path / "window.png", SIZE)
    image = QtGui.QImage(str(tmp_path / "window.png"))
    assert (image.width(), image.height()) == (480 + SIZE[0], SIZE[1] + 24)


def test_images_of_vtk_become_images_of_qt_the_right_way_up(host):
    source = vtk.vtkImageData()
    source.SetDimensions(2, 2, 1)
    source.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    colors = [(1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12)]
    for index, color in enumerate(colors):
        for part in range(3):
            source.SetScalarComponentFromDouble(index % 2, index // 2, 0, part, color[part])
    image = pythonqt.build().QImage()
    assert slicer.qMRMLUtils().vtkImageDataToQImage(source, image)
    assert image.pixelColor(0, 1).getRgb()[:3] == (1, 2, 3)
    assert image.pixelColor(1, 0).getRgb()[:3] == (10, 11, 12)
    source.AllocateScalars(vtk.VTK_FLOAT, 1)
    with pytest.raises(NotImplementedError, match="1 float a pixel"):
        images.to_qt(source)


VIEWS = (*layout.CLASSES, plots.qMRMLPlotView, images.qMRMLUtils)


@pytest.mark.parametrize("kind", VIEWS, ids=[kind.__name__ for kind in VIEWS])
def test_views_offer_nothing_that_the_real_ones_lack(kind):
    known = api.names(kind.__name__)
    mine = {name for name in dir(kind) if not name.startswith("_")}
    assert mine - set(dir(QtWidgets.QWidget)) <= known
