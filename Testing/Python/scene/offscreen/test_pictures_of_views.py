"""Tiles drawn of one scene, one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import OutputError
from SkullGANScene.nodes import volumes
from SkullGANScene.nodes.vtk_errors import heard_errors
from SkullGANScene.offscreen import headless, pictures_of_views, rendering
from vtk.util.numpy_support import vtk_to_numpy

SIZE = 100

pytestmark = pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)


@pytest.fixture
def stage_and_ct():
    hu = np.full((20, 20, 20), -1000, np.int16)
    hu[:, 4:10, 4:10] = 2000  # to the back and to the left
    matrix = np.diag([1.0, 1.0, 1.0, 1.0])
    matrix[:3, 3] = -9.5
    with heard_errors() as errors:
        stage = headless.new_stage()
        yield stage, volumes.add_ct(stage.scene, HeadCT(hu, matrix), "CT")
    assert errors == []


def drawn(image) -> np.ndarray:
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(SIZE, SIZE, 3)[::-1]


def test_slices_of_one_scene_are_drawn_alike_however_many_there_are(stage_and_ct):
    stage, ct = stage_and_ct
    pictures = [
        drawn(pictures_of_views.axial(stage, (), (ct,), np.zeros(3), 30.0, SIZE)) for _ in range(3)
    ]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] == pictures[2]).all()
    # The patient's left is at the right of the picture, the back below.
    bright = pictures[0][..., 0] > 200
    rows, columns = np.nonzero(bright[20:-20, 20:-20])
    assert columns.mean() > 30
    assert rows.mean() > 30


def test_views_leave_nothing_in_the_scene(stage_and_ct):
    stage, _ = stage_and_ct
    camera = pictures_of_views.Camera(
        np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.array([-9.0, 9] * 3), "front"
    )
    for _ in range(2):
        pictures_of_views.in_3d(stage, (), camera, SIZE)
    assert stage.scene.GetNumberOfNodesByClass("vtkMRMLViewNode") == 0


def test_tiles_lie_in_rows_and_an_error_of_vtk_is_told(stage_and_ct, tmp_path):
    from PIL import Image

    stage, ct = stage_and_ct
    tile = pictures_of_views.axial(stage, (), (ct,), np.zeros(3), 30.0, SIZE)
    pictures_of_views.write_png(tmp_path / "rows.png", [[tile, tile, tile], [tile, tile, tile]], [])
    assert Image.open(tmp_path / "rows.png").size == (3 * SIZE, 2 * SIZE)
    with pytest.raises(OutputError, match=r"other\.png: the picture cannot be rendered \(no\)"):
        pictures_of_views.write_png(tmp_path / "other.png", [[tile]], ["no"])
    assert not (tmp_path / "other.png").exists()
