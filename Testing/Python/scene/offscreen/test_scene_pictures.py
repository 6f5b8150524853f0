"""The picture of a CT and its skull, rendered by the real displayable managers."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import OutputError
from SkullGANScene.nodes import segmentations, volumes
from SkullGANScene.nodes.vtk_errors import heard_errors
from SkullGANScene.offscreen import headless, rendering, scene_pictures

HEIGHT = 300
OUTER_MM, INNER_MM = 30.4, 23.6  # along an axis, voxels 24 to 30 are bone

needs_rendering = pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The scene of a skull open at the right, before and after its picture, and the picture."""
    with heard_errors() as errors:
        stage = headless.new_stage()
        ct, mask = _shell_open_at_the_right()
        ct_node = volumes.add_ct(stage.scene, ct, "CT")
        skull = segmentations.add_skull(ct_node, mask)
        before = _contents(stage.scene)
        path = tmp_path_factory.mktemp("picture") / "scene.png"
        scene_pictures.write_picture(path, ct_node, skull, height=HEIGHT)
        after = _contents(stage.scene)
    assert errors == []
    return before, after, np.asarray(Image.open(path))


@needs_rendering
def test_the_picture_is_two_squares_side_by_side(shown):
    assert shown[2].shape == (HEIGHT, 2 * HEIGHT, 3)


@needs_rendering
def test_the_slice_shows_the_outer_and_inner_outline_at_the_skulls_size(shown):
    outline = _is_outline(shown[2][:, :HEIGHT])
    # The half shows 1.22 times the skull's longer side, around its middle, 5 mm to the left of RAS
    # 0. Straight down from RAS 0 bone begins half a voxel before 24 mm and ends half after 30.
    pixel_mm = 60 * 1.22 / HEIGHT
    below = outline[HEIGHT // 2 :, HEIGHT // 2 - round(5 / pixel_mm)]
    rows = np.flatnonzero(below)
    lines = np.split(rows, np.flatnonzero(np.diff(rows) > 2) + 1)
    assert [line.mean() * pixel_mm for line in lines] == pytest.approx([23.5, 30.5], abs=0.5)


@needs_rendering
def test_the_patients_right_is_at_the_left_of_the_slice(shown):
    outline = _is_outline(shown[2][:, :HEIGHT])
    middle = outline[HEIGHT // 2 - 15 : HEIGHT // 2 + 15]
    assert not middle[:, : HEIGHT // 4].any()
    assert middle[:, -HEIGHT // 4 :].any()


@needs_rendering
def test_the_3d_half_shows_bone_in_the_middle_and_the_views_background_around(shown):
    half = shown[2][:, HEIGHT:].astype(int)
    center, corner = half[HEIGHT // 2, HEIGHT // 2], half[5, 5]
    assert center[0] > center[2]  # bone is yellowish, the background of Slicer's 3D views bluish
    assert corner[0] < corner[2]
    bone = half[..., 0] > half[..., 2]
    assert 0.2 < bone.mean() < 0.8


@needs_rendering
def test_drawing_changes_nothing_in_the_scene(shown):
    before, after, _ = shown
    assert after == before


@needs_rendering
def test_a_picture_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    stage = headless.new_stage()
    ct, mask = _shell_open_at_the_right()
    ct_node = volumes.add_ct(stage.scene, ct, "CT")
    skull = segmentations.add_skull(ct_node, mask)
    with pytest.raises(OutputError, match=r"scene\.png"):
        scene_pictures.write_picture(tmp_path / "file" / "scene.png", ct_node, skull, height=50)


def _is_outline(pixels: np.ndarray) -> np.ndarray:
    color = np.array(scene_pictures.OUTLINE_COLOR) * 255
    return (abs(pixels - color) < 40).all(axis=-1)


def _contents(scene) -> list[str]:
    nodes = (scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes()))
    return [f"{node.GetID()} {node.GetName()}" for node in nodes]


def _shell_open_at_the_right() -> tuple[HeadCT, np.ndarray]:
    """A shell of 7 mm around RAS 0, 1 mm voxels, without its cap beyond 20 mm to the right."""
    slices, rows, columns = np.indices((71, 71, 71)) - 35
    radius = np.sqrt(slices**2 + rows**2 + columns**2)
    mask = ((radius >= INNER_MM) & (radius <= OUTER_MM) & (columns > -20)).astype(np.uint8)
    hu = np.where(mask, 1200, np.where(radius < INNER_MM, 40, -1000)).astype(np.int16)
    ijk_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    ijk_to_ras[:3, 3] = [35, 35, -35]
    return HeadCT(hu, ijk_to_ras), mask
