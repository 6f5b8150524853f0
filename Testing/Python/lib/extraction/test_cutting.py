"""One cut of the wall: on spheres and ramps whose answer is known, and on walls made by hand."""

import numpy as np
import pytest
from phantoms import LAYERS_MM, OUTER_RADIUS_MM
from SkullGANLib.anatomy.cut_plan import Site
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data.segment_set import SIZE
from SkullGANLib.extraction import cutting

UP = np.array([0.0, 0.0, 1.0])
EQUATOR_LEFT = Site(
    "temporal", "left", "axial", np.zeros(3), outward=np.array([-1.0, 0.0, 0.0]), normal=UP
)


@pytest.fixture(scope="module")
def equator(sphere_head, sphere_mask):
    """A left cut through the middle of the spherical head: matrix, HU, mask."""
    matrix = cutting.place(sphere_head, sphere_mask, EQUATOR_LEFT)
    return matrix, *cutting.cut(sphere_head, sphere_mask, matrix, 300)


def test_a_cut_through_a_sphere_is_level_and_arches_down_as_the_circle_does(equator):
    _, _, mask = equator
    edge = mask.argmax(0) * 0.45
    x = (np.arange(SIZE) - (SIZE - 1) / 2) * 0.45
    radius = OUTER_RADIUS_MM + 0.7  # the mask reaches out to 300 HU
    arch = radius - np.sqrt(radius**2 - x**2)
    assert np.abs(edge - edge.min() - arch).max() < 0.6
    assert edge.min() == pytest.approx(cutting.TOP_MARGIN_ROWS * 0.45, abs=0.46)


def test_the_middle_column_holds_the_layers_in_their_order_and_thickness(equator):
    _, hu, mask = equator
    column = hu[:, SIZE // 2].astype(float)
    rows = np.flatnonzero(mask[:, SIZE // 2])
    half = np.flatnonzero(column > 750)
    assert (half[-1] - half[0] + 1) * 0.45 == pytest.approx(sum(LAYERS_MM), abs=0.5)
    diploe = column[rows[0] + 9 : rows[0] + 12]  # 4 mm below the surface, in the marrow's middle
    assert diploe.mean() == pytest.approx(500, abs=60)
    assert column[rows[0] : rows[0] + 6].max() > 1250


def test_the_outer_table_faces_up_and_columns_run_to_the_right_seen_against_the_normal(equator):
    matrix, _, _ = equator
    top, bottom = matrix @ [63.5, 0, 0, 1], matrix @ [63.5, 127, 0, 1]
    assert np.linalg.norm(top[:3]) > np.linalg.norm(bottom[:3])
    assert np.linalg.det(matrix[:3, :3]) > 0
    assert matrix[:3, 2] / 0.45 == pytest.approx(UP)


def test_pixel_to_ras_leads_to_where_the_hu_came_from():
    """In a CT whose HU are 2 x + 3 y - z, every pixel's HU are those of its place."""
    k, j, i = np.indices((90, 90, 90))
    geometry = np.array([[0, 0, 1.0, -40], [0, -1.0, 0, 60], [1.0, 0, 0, -30], [0, 0, 0, 1]])
    ras = np.stack([i, j, k], -1) @ geometry[:3, :3].T + geometry[:3, 3]
    ramp = HeadCT(np.rint(10 * (ras @ [2.0, 3.0, -1.0])).astype(np.int16), geometry)
    mask = np.zeros(ramp.hu.shape, np.uint8)
    mask[8:-8, 8:-8, 8:-8] = 1  # a spline bends where the CT ends
    turn = np.deg2rad(20)
    matrix = np.eye(4)
    matrix[:3, 0] = 0.45 * np.array([np.cos(turn), np.sin(turn), 0])
    matrix[:3, 1] = 0.45 * np.array([-np.sin(turn), np.cos(turn), 0])
    matrix[:3, 3] = [-20.0, -10.0, 12.3]
    hu, wall = cutting.cut(ramp, mask, matrix, threshold_hu=-30_000)
    rows, columns = np.nonzero(wall)
    places = np.stack([columns, rows, 0 * rows, 1 + 0 * rows], -1) @ matrix.T
    expected = 10 * (places[:, :3] @ [2.0, 3.0, -1.0])
    assert len(rows) > 8_000
    assert np.abs(hu[rows, columns] - expected).max() <= 1


def test_a_shifted_ray_moves_the_segment_along_the_wall(sphere_head, sphere_mask, equator):
    moved = cutting.place(sphere_head, sphere_mask, EQUATOR_LEFT, shift_mm=5.0)
    middle = lambda matrix: matrix[:3] @ [63.5, cutting.TOP_MARGIN_ROWS, 0, 1]  # noqa: E731
    assert np.linalg.norm(middle(moved) - middle(equator[0])) == pytest.approx(5, abs=0.5)
