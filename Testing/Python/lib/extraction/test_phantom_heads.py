"""Extraction from phantom heads: right to fractions of a millimeter, or refused.

The answers are those of ``phantoms.Phantom``: straight lines through ellipsoids. On a damaged head
each segment that is kept must still measure as on the whole one.
"""

from collections import Counter

import numpy as np
import pytest
from phantoms import Phantom, painted
from scipy.spatial.transform import Rotation
from SkullGANLib.cli import info
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import single_ct
from SkullGANLib.extraction.single_ct import Extraction
from SkullGANLib.metrics import measure
from SkullGANLib.metrics.profiles import COLUMN_STEP, FIRST_COLUMN
from SkullGANLib.metrics.wall_rules import FEWEST_GOOD_COLUMNS

TURNED = Rotation.from_euler("xyz", [8.0, -6.0, 10.0], degrees=True).as_matrix()
HEAD = Phantom()
SPARSE_MM = 9.3  # every third plane is enough here


@pytest.fixture(scope="module")
def head() -> HeadCT:
    return HEAD.ct()


@pytest.fixture(scope="module")
def whole(head) -> Extraction:
    return extracted(head)


def extracted(ct: HeadCT, **settings) -> Extraction:
    return single_ct.extract(ct, interval_mm=SPARSE_MM, subject="phantom", **settings)


def fine_scan(phantom: Phantom, noise_hu: float = 20.0) -> HeadCT:
    return phantom.ct((0.8, 0.8, 0.9), (0.4, 0.4, 0.4), noise_hu, below_mm=25.0, margin_mm=10.0)


def true_thickness_mm(phantom: Phantom, found: SegmentSet) -> np.ndarray:
    """Mean length of the measured columns between the outermost and the innermost surface."""
    columns = np.arange(FIRST_COLUMN, segment_set.SIZE, COLUMN_STEP)
    tops = np.stack([columns, 0 * columns, 0 * columns, 0 * columns + 1], axis=-1)
    lengths = []
    for matrix in found.pixel_to_ras:
        crossings = phantom.crossings_mm(
            (tops @ matrix.T)[:, :3], matrix[:3, 1] / found.pixel_spacing_mm
        )
        lengths.append((crossings[:, -1] - crossings[:, 0]).mean())
    return np.array(lengths)


def errors(phantom: Phantom, found: SegmentSet) -> tuple[np.ndarray, np.ndarray]:
    """Measured less true thickness (mm) and SDR (``peaks``) of each segment."""
    measured = measure(found)
    return (
        measured["thickness_mm"] - true_thickness_mm(phantom, found),
        measured["sdr_peaks"] - phantom.sdr,
    )


def assert_as_on_the_whole_head(found: SegmentSet) -> None:
    """Within what the coarse voxels of ``head`` allow."""
    thickness, sdr = errors(HEAD, found)
    assert np.abs(thickness / true_thickness_mm(HEAD, found)).max() < 0.05
    assert np.abs(sdr).max() < 0.06


def counted(extraction: Extraction) -> Counter:
    return Counter(extraction.segments.side.tolist())


def wall_points_ras(found: SegmentSet) -> np.ndarray:
    points = [
        np.stack([*np.nonzero(mask)[::-1], *np.broadcast_arrays(0, np.ones(mask.sum()))], axis=-1)
        @ matrix.T
        for mask, matrix in zip(found.mask, found.pixel_to_ras, strict=True)
    ]
    return np.concatenate(points)[:, :3]


def radius(x: np.ndarray, y: np.ndarray, z: np.ndarray, beyond_mm: float) -> np.ndarray:
    """1 on the ellipsoid that lies so far outside the skull's outer surface."""
    a, b, c = np.add(HEAD.half_axes_mm, beyond_mm)
    return np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "phantom",
    [
        pytest.param(Phantom(head_to_ras=TURNED), id="tilted and turned"),
        pytest.param(Phantom((75, 95, 75), (3, 4, 3), (1500, 1100, 1400)), id="thick and dense"),
        # The field of view cuts the shell: what is open there is marrow, not the outside.
        pytest.param(Phantom(layers_hu=(1500.0, 50.0, 1400.0)), id="fatty marrow"),
    ],
)
def test_thickness_and_sdr_of_every_segment_are_right(phantom):
    found = extracted(fine_scan(phantom)).segments
    assert len(found) >= 28
    thickness, sdr = errors(phantom, found)
    assert np.abs(thickness).max() < 0.15
    assert np.abs(sdr).max() < 0.03


@pytest.mark.slow
def test_tables_of_1_2_mm_need_a_sharp_kernel():
    """Point spreads of 0.3 mm (a bone kernel at 0.5 mm) show them, of 0.5 mm do not."""
    thin = Phantom(layers_mm=(1.2, 2.6, 1.2), head_to_ras=TURNED)
    sharp = thin.ct((0.5, 0.5, 0.6), (0.3, 0.3, 0.3), below_mm=10.0, margin_mm=8.0)
    thickness, sdr = errors(thin, extracted(sharp, planes=["coronal"]).segments)
    assert np.abs(thickness).max() < 0.15
    assert np.abs(sdr).max() < 0.03
    soft = thin.ct((1.0, 1.0, 1.0), (0.5, 0.5, 0.5))
    thickness, sdr = errors(thin, extracted(soft, planes=["coronal"]).segments)
    assert thickness.mean() > 0.15
    assert sdr.mean() > 0.03


@pytest.mark.slow
def test_noise_of_60_hu_leaves_the_thickness_and_lowers_the_sdr_by_up_to_0_06():
    """A minimum falls with noise; see ``metrics.skull_density_ratio``."""
    noisy = fine_scan(HEAD, noise_hu=60.0)
    thickness, sdr = errors(HEAD, extracted(noisy, planes=["coronal"]).segments)
    assert np.abs(thickness).max() < 0.15
    assert -0.06 < sdr.min() < sdr.max() < 0.0


def test_columns_are_longer_than_the_wall_is_thick_by_a_tenth_at_most_on_average(whole):
    """By 1 / cos of the wall's slant to the plane (up to 40 degrees, 1.31, in the highest axial
    cuts) and by 1 / cos of its slope within the cut (1.1 on average)."""
    ratio = true_thickness_mm(HEAD, whole.segments) / sum(HEAD.layers_mm)
    assert 1.05 < ratio.mean() < 1.10
    assert ratio.max() < 1.45


def test_metal_is_dropped_and_the_rest_of_the_vault_kept(head, whole):
    def plate(x, y, z):
        shell = (radius(x, y, z, 1.0) < 1) & (radius(x, y, z, -3.0) > 1)
        return shell & (np.abs(y + 10) < 10) & (np.abs(z - 45) < 10) & (x < 0)

    def streak(x, y, z):
        return (
            (np.abs(z - 45) < 6) & (np.abs(y + 10 - 0.4 * (x + 52)) < 2) & (radius(x, y, z, 1) < 1)
        )

    found = extracted(painted(painted(head, streak, -600), plate, 3071))
    assert found.dropped["metal"] > 0
    assert not plate(*wall_points_ras(found.segments).T).any()
    assert counted(found)["right"] >= counted(whole)["right"] - 1
    assert counted(found)["left"] >= counted(whole)["left"] / 2


def test_no_segment_goes_across_a_defect_or_a_burr_hole(head, whole):
    def holes(x, y, z, less_mm=0.0):
        distance = np.hypot(y + 10.0, z - 45.0)
        radius_mm = np.where(x < 0, 18.0, 7.0)  # a craniectomy on the left, a burr hole right
        return (distance < radius_mm - less_mm) & (radius(x, y, z, 1.0) < 1)

    scarred = painted(head, lambda x, y, z: holes(x, y, z) & (radius(x, y, z, -9.0) > 1), 40)
    found = extracted(scarred)
    assert not holes(*wall_points_ras(found.segments).T, less_mm=1.2).any()
    sides, before = counted(found), counted(whole)
    assert 0.5 * before["left"] < sides["left"] < sides["right"] < before["right"]


def test_a_head_holder_pressed_to_the_head_is_in_no_segment(head, whole):
    """Gaps under 3 mm do not part it from the skull mask; then the wall has no outer table."""

    def band(x, y, z):
        shell = (radius(x, y, z, 8.0) < 1) & (radius(x, y, z, 2.0) > 1)
        return shell & (np.abs(z - 10.0) < 25.0)

    found = extracted(painted(head, band, 500), planes=["axial"])
    assert found.dropped["no outer or inner table"] > 0
    assert_as_on_the_whole_head(found.segments)
    assert counted(found)["left"] == pytest.approx(counted(found)["right"], abs=1)
    assert counted(found)["left"] > 2


def test_falx_headrest_and_the_edge_of_the_reconstruction_change_nothing(head, whole):
    falx = lambda x, y, z: (np.abs(x) < 2.5) & (z > 20) & (radius(x, y, z, -6) < 1)  # noqa: E731
    foam = lambda x, y, z: (y < -99) & (y > -108) & (np.abs(x) < 80) & (z > -90)  # noqa: E731
    padding = lambda x, y, z: x**2 + (y - 5) ** 2 + 0 * z > 90**2  # noqa: E731
    found = extracted(painted(painted(painted(head, falx, 900), foam, -750), padding, -1024))
    assert len(found.segments) >= len(whole.segments) - 2
    assert_as_on_the_whole_head(found.segments)


def test_a_wall_that_leaves_the_field_of_view_is_dropped(head, whole):
    columns = slice(int((90.0 - 69.0) / 1.2), None)  # the right side ends 3 mm into the wall
    geometry = head.ijk_to_ras.copy()
    geometry[0, 3] += geometry[0, 0] * columns.start
    found = extracted(HeadCT(np.ascontiguousarray(head.hu[:, :, columns]), geometry))
    assert found.dropped["leaves the field of view"] > 0
    assert counted(found)["left"] >= counted(whole)["left"] - 1
    assert counted(whole)["left"] > counted(found)["right"] > 0
    assert_as_on_the_whole_head(found.segments)


def test_a_vault_without_its_vertex_gives_what_is_left_of_it(head):
    found = extracted(HeadCT(head.hu[: int(90.0 / 1.2)], head.ijk_to_ras))
    assert set(found.segments.plane.tolist()) == {"axial"}
    assert counted(found)["left"] == pytest.approx(counted(found)["right"], abs=1)
    assert_as_on_the_whole_head(found.segments)


def test_sagittal_and_flipped_slices_give_the_same_segments(head, whole):
    """Stored as slices from left to right, rows from below, columns to the front."""
    turned = np.ascontiguousarray(head.hu.transpose(2, 0, 1)[::-1, ::-1, ::-1])
    geometry = np.eye(4)
    geometry[:3] = head.ijk_to_ras[:3][:, [1, 2, 0, 3]] * [-1.0, -1.0, -1.0, 1.0]
    last = np.array(head.hu.shape)[::-1] - 1
    geometry[:3, 3] = head.ijk_to_ras[:3, :3] @ last + head.ijk_to_ras[:3, 3]
    found = extracted(HeadCT(turned, geometry))
    assert len(found.segments) == pytest.approx(len(whole.segments), abs=2)
    middle_x = (found.segments.pixel_to_ras @ [63.5, 20.0, 0.0, 1.0])[:, 0]
    assert (np.where(middle_x < 0, "left", "right") == found.segments.side).all()
    assert_as_on_the_whole_head(found.segments)


def test_the_vertex_alone_is_no_vault(head):
    with pytest.raises(BadInputError, match="no cranial vault"):
        extracted(HeadCT(head.hu[int(90.0 / 1.2) :], head.ijk_to_ras))


def test_a_ct_of_thick_slices_is_refused():
    with pytest.raises(BadInputError, match=r"1 x 1 x 3 mm, expected at most 2 mm"):
        extracted(HeadCT(np.zeros((20, 60, 60), np.int16), np.diag([-1.0, -1.0, 3.0, 1.0])))


def test_a_neck_with_its_jaw_and_spine_is_no_vault():
    air = HeadCT(np.full((80, 110, 110), -1000, np.int16), np.diag([-1.5, -1.5, 1.5, 1.0]))
    air.ijk_to_ras[:2, 3] = 82.0

    def ring(x, y, z, inner, outer):
        return (np.hypot(x, y) > inner) & (np.hypot(x, y) < outer) & (z > -1.0)

    neck = painted(air, lambda x, y, z: ring(x, y, z, -1, 60), 50)
    neck = painted(neck, lambda x, y, z: ring(x, y + 20, z, 8, 18), 900)
    neck = painted(neck, lambda x, y, z: ring(x, y - 10, z, 38, 45) & (y > 0) & (z < 40), 1200)
    with pytest.raises(BadInputError, match="no cranial vault"):
        extracted(neck)


def test_a_phantom_without_diploe_is_accepted_and_info_warns(whole, tmp_path):
    solid = extracted(Phantom(layers_hu=(1400.0,) * 3).ct())
    assert counted(solid) == counted(whole)
    for extraction, warned in ((solid, True), (whole, False)):
        hdf5.write(tmp_path / "set.h5", extraction.segments)
        assert ("Hardly any diploë in phantom" in info.describe(tmp_path / "set.h5")) == warned


@pytest.mark.slow
def test_none_goes_across_the_frontal_defect_of_a_real_head(shared_ct):
    from SkullGANLib.anatomy.cut_plan import BONES, DEFAULT_BONES
    from SkullGANLib.ct.volume import read_ct

    ct = read_ct(shared_ct / "invesalius_cranium.nii.gz")
    found = single_ct.extract(ct, bones=BONES, subject="A").segments
    assert np.isin(found.bone, DEFAULT_BONES).sum() >= 60
    to_index = np.linalg.inv(ct.ijk_to_ras)
    pixels = np.stack([*np.indices((segment_set.SIZE,) * 2)[::-1], *np.zeros((2, 128, 128))], -1)
    pixels[..., 3] = 1.0
    for matrix in found.pixel_to_ras:
        # Whatever the mask says: bone stands in the CT's own voxels below each column.
        i, j, k = np.rint(pixels[:60] @ (to_index @ matrix).T).astype(int)[..., :3].T
        nearest = ct.hu[np.minimum(k, len(ct.hu) - 1), j, i]
        assert (nearest.max(1) > 500).mean() >= FEWEST_GOOD_COLUMNS
