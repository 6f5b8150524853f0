"""Cuts of the skull wall: known spheres and ramps, and the real sample CT."""

from collections import Counter

import numpy as np
import pytest
from phantoms import LAYERS_MM, OUTER_RADIUS_MM
from scipy import ndimage
from scipy.spatial.transform import Rotation
from SkullGANLib.anatomy.cut_plan import INTERVAL_MM, Site
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data.segment_set import SIZE
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import single_ct
from SkullGANLib.metrics import radiology

UP = np.array([0.0, 0.0, 1.0])
EQUATOR_LEFT = Site(
    "temporal", "left", "axial", np.zeros(3), outward=np.array([-1.0, 0.0, 0.0]), normal=UP
)


@pytest.fixture(scope="module")
def sample_extraction(sample_ct, sample_mask):
    return single_ct.extract(sample_ct, sample_mask)


@pytest.fixture(scope="module")
def equator(sphere_head, sphere_mask):
    """A left cut through the middle of the spherical head: matrix, HU, mask."""
    matrix = single_ct.place(sphere_head, sphere_mask, EQUATOR_LEFT)
    return matrix, *single_ct.cut(sphere_head, sphere_mask, matrix, 300)


def test_a_cut_through_a_sphere_is_level_and_arches_down_as_the_circle_does(equator):
    _, _, mask = equator
    edge = mask.argmax(0) * 0.45
    x = (np.arange(SIZE) - (SIZE - 1) / 2) * 0.45
    radius = OUTER_RADIUS_MM + 0.7  # the mask reaches out to 300 HU
    arch = radius - np.sqrt(radius**2 - x**2)
    assert np.abs(edge - edge.min() - arch).max() < 0.6
    assert edge.min() == pytest.approx(single_ct.TOP_MARGIN_ROWS * 0.45, abs=0.46)


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
    hu, wall = single_ct.cut(ramp, mask, matrix, threshold_hu=-30_000)
    rows, columns = np.nonzero(wall)
    places = np.stack([columns, rows, 0 * rows, 1 + 0 * rows], -1) @ matrix.T
    expected = 10 * (places[:, :3] @ [2.0, 3.0, -1.0])
    assert len(rows) > 8_000
    assert np.abs(hu[rows, columns] - expected).max() <= 1


def test_interpolated_hu_never_leave_the_range_of_the_voxels_around():
    step = np.full((30, 30, 30), -1000, np.int16)
    step[:, :, 15:] = 2000
    ct = HeadCT(step, np.eye(4))
    along = np.stack([np.linspace(10, 20, 201), np.full(201, 15.0), np.full(201, 15.0)], -1)
    hu = single_ct.sample_hu(ct, along)
    assert hu.min() == -1000
    assert hu.max() == 2000


def test_points_outside_the_ct_are_air():
    ct = HeadCT(np.full((20, 20, 20), 500, np.int16), np.eye(4))
    hu = single_ct.sample_hu(ct, np.array([[10.0, 10, 10], [-3, 10, 10], [10, 10, 90]]))
    assert hu.tolist() == [500, -1024, -1024]


def test_the_real_head_gives_about_as_many_segments_as_the_papers_subjects(sample_extraction):
    """About 127 a subject: temporal and parietal, left and right, from all three planes."""
    found = sample_extraction.segments
    sides = Counter(found.side.tolist())
    planes = Counter(found.plane.tolist())
    assert 105 <= len(found) <= 140
    assert abs(sides["left"] - sides["right"]) <= 0.2 * sides["left"]
    assert {"temporal", "parietal"} == set(found.bone.tolist())
    assert set(found.plane[found.bone == "temporal"].tolist()) == {"axial"}
    assert min(planes["axial"], planes["coronal"], planes["sagittal"]) >= 15


def test_left_is_the_patients_left(sample_extraction):
    """In RAS, left is where x is lower; the sample lies nearly straight, its middle at x = 7."""
    found = sample_extraction.segments
    middle_x = (found.pixel_to_ras @ [63.5, 20.0, 0.0, 1.0])[:, 0] - 7.0
    assert (middle_x[found.side == "left"] < 0).all()
    assert (middle_x[found.side == "right"] > 0).all()


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_planes_are_parallel_and_3_1_mm_apart(sample_extraction, plane):
    matrices = sample_extraction.segments.pixel_to_ras[sample_extraction.segments.plane == plane]
    normals = matrices[:, :3, 2] / 0.45
    assert np.abs(normals - normals[0]).max() < 1e-9
    depths = np.unique(np.round(matrices[:, :3, 3] @ normals[0], 3))
    steps = np.diff(depths) / INTERVAL_MM
    assert steps == pytest.approx(np.rint(steps), abs=2e-3)
    assert steps.min() == pytest.approx(1.0, abs=2e-3)


def test_only_the_planes_asked_for_are_cut(sample_ct, sample_mask):
    found = single_ct.extract(sample_ct, sample_mask, planes=["sagittal"], subject="A").segments
    assert set(found.plane.tolist()) == {"sagittal"}
    # Rays of the left half leave on the left, and sagittal columns run from front to back.
    along = found.pixel_to_ras[:, :3, 0] / 0.45
    assert (along[:, 1] < -0.8).all()


@pytest.mark.slow
@pytest.mark.parametrize(("axis", "degrees"), [(0, 15.0), (1, -15.0), (2, 12.0)])
def test_a_tilted_or_turned_head_gives_the_same_segments(
    sample_ct, sample_extraction, axis, degrees
):
    turned = single_ct.extract(turned_ct(sample_ct, axis, degrees)).segments
    straight = sample_extraction.segments
    assert len(turned) == pytest.approx(len(straight), rel=0.10)
    sides, turned_sides = Counter(straight.side.tolist()), Counter(turned.side.tolist())
    assert turned_sides["left"] == pytest.approx(sides["left"], rel=0.12)
    metrics, turned_metrics = radiology.measure(straight), radiology.measure(turned)
    thickness = metrics["thickness_mm"].mean()
    assert turned_metrics["thickness_mm"].mean() == pytest.approx(thickness, rel=0.03)
    sdr = metrics["sdr_peaks"].mean()
    assert turned_metrics["sdr_peaks"].mean() == pytest.approx(sdr, abs=0.03)


def turned_ct(ct: HeadCT, axis: int, degrees: float) -> HeadCT:
    """The head turned about the middle of its CT, around R, A or S, and interpolated anew."""
    turn = Rotation.from_euler("xyz"[axis], degrees, degrees=True).as_matrix()
    size = np.array(ct.hu.shape)[::-1]
    middle = ct.ijk_to_ras[:3, :3] @ ((size - 1) / 2) + ct.ijk_to_ras[:3, 3]
    margin = 25  # what turns out of the old box stays in the picture
    geometry = ct.ijk_to_ras.copy()
    geometry[:3, 3] -= geometry[:3, :3] @ np.full(3, margin)
    back = np.eye(4)
    back[:3, :3] = turn.T
    back[:3, 3] = middle - turn.T @ middle
    to_index = np.linalg.inv(ct.ijk_to_ras) @ back @ geometry
    exchange = np.eye(3)[::-1]  # (column, row, slice) to array order
    hu = ndimage.affine_transform(
        ct.hu.astype(np.float32),
        exchange @ to_index[:3, :3] @ exchange,
        exchange @ to_index[:3, 3],
        output_shape=tuple(size[::-1] + 2 * margin),
        order=3,
        cval=-1000.0,
    )
    return HeadCT(np.clip(np.rint(hu), -1024, 3071).astype(np.int16), geometry, ct.source)


def test_every_real_segment_is_one_bright_wall_from_edge_to_edge_on_nothing(sample_extraction):
    found = sample_extraction.segments
    assert not found.hu[found.mask == 0].any()
    assert found.mask[:, :, 0].any(1).all()
    assert found.mask[:, :, -1].any(1).all()
    assert not found.mask[:, 72:].any()  # thick and arched as it may be, it hangs from the top
    for hu, mask in zip(found.hu, found.mask, strict=True):
        assert single_ct.rejection_reason(hu, mask, 0.45) is None
        assert np.percentile(hu[mask > 0], 90) > 1000


def test_what_was_dropped_is_counted_by_reason(sample_extraction):
    (of_ct,) = sample_extraction.segments.source["cts"].values()
    assert of_ct["dropped"] == sample_extraction.dropped
    assert all(number > 0 for number in sample_extraction.dropped.values())


def test_cutting_again_from_what_is_stored_gives_the_same_segment(
    sample_ct, sample_mask, sample_extraction
):
    found = sample_extraction.segments
    threshold_hu = found.source["threshold_hu"]
    for index in (0, len(found) // 2, len(found) - 1):
        hu, mask = single_ct.cut(sample_ct, sample_mask, found.pixel_to_ras[index], threshold_hu)
        assert np.array_equal(hu, found.hu[index])
        assert np.array_equal(mask, found.mask[index])


def test_only_the_bones_asked_for_are_cut(sample_ct, sample_mask):
    found = single_ct.extract(sample_ct, sample_mask, bones=["temporal"], subject="A").segments
    assert set(found.bone.tolist()) == {"temporal"}
    assert set(found.subject.tolist()) == {"A"}


def wall(rows: slice = slice(10, 30), columns: slice = slice(0, 128)) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[rows, columns] = 1
    return mask


def test_a_straight_wall_meets_no_objection():
    assert single_ct.rejection_reason(wall().astype(np.int16) * 900, wall(), 0.45) is None


@pytest.mark.parametrize(
    ("mask", "hu", "reason"),
    [
        (wall(columns=slice(0, 120)), 900, "not from edge to edge"),
        (wall(rows=slice(0, 20)), 900, "leaves the image above or below"),
        (wall(), -500, "air cells or sinus"),
        (wall(), 3050, "metal"),
        (wall() * (np.arange(SIZE)[:, None] != 20), 900, "wall interrupted"),
        (wall(rows=slice(10, 60)), 900, "too thick or too thin for a vault"),
        (wall(slice(10, 18)) | wall(slice(10, 40), slice(120, 128)), 900, "a ridge joins the wall"),
        (wall(rows=slice(10, 12)), 900, "too thick or too thin for a vault"),
        (wall(), np.where(np.arange(SIZE) < 17, 300, 900)[:, None], "no outer or inner table"),
        (wall(), np.where(np.arange(SIZE) > 22, 300, 900)[:, None], "no outer or inner table"),
    ],
)
def test_what_is_no_segment_is_named(mask, hu, reason):
    assert single_ct.rejection_reason(mask.astype(np.int16) * hu, mask, 0.45) == reason


def test_a_wall_with_air_cells_behind_its_outer_table_is_dropped(sample_ct, sample_mask):
    behind = ndimage.binary_dilation(sample_mask, iterations=4) & (sample_mask == 0)
    behind[:, :90] = behind[:, 125:] = False
    holed = HeadCT(np.where(behind, -900, sample_ct.hu).astype(np.int16), sample_ct.ijk_to_ras)
    with pytest.raises(BadInputError, match="air cells or sinus"):
        single_ct.extract(holed, sample_mask, planes=["axial"])


def test_a_shifted_ray_moves_the_segment_along_the_wall(sphere_head, sphere_mask, equator):
    moved = single_ct.place(sphere_head, sphere_mask, EQUATOR_LEFT, shift_mm=5.0)
    middle = lambda matrix: matrix[:3] @ [63.5, single_ct.TOP_MARGIN_ROWS, 0, 1]  # noqa: E731
    assert np.linalg.norm(middle(moved) - middle(equator[0])) == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"bones": ["nasal"]}, "nasal"),
        ({"bones": []}, "No bone"),
        ({"planes": ["oblique"]}, "The plane 'oblique' is not known"),
        ({"interval_mm": 0.0}, "interval is 0"),
        ({"spacing_mm": -1.0}, "pixel spacing is -1"),
        ({"mask": np.zeros((2, 2, 2), np.uint8)}, "same grid"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(sample_ct, settings, sentence):
    with pytest.raises(BadInputError, match=sentence):
        single_ct.extract(sample_ct, **settings)


def test_an_empty_mask_gives_no_segment_and_says_so(sample_ct):
    with pytest.raises(BadInputError, match="no wall there"):
        single_ct.extract(sample_ct, np.zeros(sample_ct.hu.shape, np.uint8))
