"""The segments of one CT: the real sample, straight and turned, and what is refused."""

from collections import Counter

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation
from SkullGANLib.anatomy.cut_plan import INTERVAL_MM
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import cutting, single_ct
from SkullGANLib.metrics import measure
from SkullGANLib.metrics.wall_rules import rejection_reason


@pytest.fixture(scope="module")
def sample_extraction(sample_ct, sample_mask):
    return single_ct.extract(sample_ct, sample_mask)


def test_the_real_head_gives_about_as_many_segments_as_the_papers_subjects(sample_extraction):
    """About 127 a subject: temporal and parietal, left and right, from all three planes."""
    found = sample_extraction.segments
    sides = Counter(found.side.tolist())
    planes = Counter(found.plane.tolist())
    assert 105 <= len(found) <= 140
    assert abs(sides["left"] - sides["right"]) <= 0.2 * sides["left"]
    assert {"temporal", "temporal-parietal", "parietal"} == set(found.bone.tolist())
    low = np.isin(found.bone, ["temporal", "temporal-parietal"])
    assert set(found.plane[low].tolist()) == {"axial"}
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
    metrics, turned_metrics = measure(straight), measure(turned)
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
        assert rejection_reason(hu, mask, 0.45) is None
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
        hu, mask = cutting.cut(sample_ct, sample_mask, found.pixel_to_ras[index], threshold_hu)
        assert np.array_equal(hu, found.hu[index])
        assert np.array_equal(mask, found.mask[index])


def test_only_the_bones_asked_for_are_cut(sample_ct, sample_mask):
    found = single_ct.extract(sample_ct, sample_mask, bones=["temporal"], subject="A").segments
    assert set(found.bone.tolist()) == {"temporal"}
    assert set(found.subject.tolist()) == {"A"}


def test_a_wall_with_air_cells_behind_its_outer_table_is_dropped(sample_ct, sample_mask):
    behind = ndimage.binary_dilation(sample_mask, iterations=4) & (sample_mask == 0)
    behind[:, :90] = behind[:, 125:] = False
    holed = HeadCT(np.where(behind, -900, sample_ct.hu).astype(np.int16), sample_ct.ijk_to_ras)
    with pytest.raises(BadInputError, match="air cells or sinus"):
        single_ct.extract(holed, sample_mask, planes=["axial"])


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
