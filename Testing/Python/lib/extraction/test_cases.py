"""Situations that users have reported, made of the sample CT, each with its right outcome.

The sample's head is known (its frame, its voxels, its segments), so what is right is known, too.
Heads that are turned only are in ``anatomy/test_poses.py``.
"""

import struct
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import number, refused, write_series
from scipy import ndimage
from SkullGANLib.anatomy.cavity import Cavity, find_cavity
from SkullGANLib.anatomy.head_frame import HeadFrame
from SkullGANLib.ct.volume import HeadCT, read_ct, write_volume
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import single_ct
from turned_heads import Pose, off_deg, turned

AS_IT_LIES = Pose(0.0, 0.0, 0.0, 1.0, -1024, (240.0, 240.0, 240.0))
FAR_MM = 12.4
"""Between planes, where a quarter of the segments shows enough."""
IMPLANT_HU = 1800


@pytest.fixture(scope="module")
def straight(sample_ct) -> Cavity:
    return find_cavity(sample_ct)


def coordinates(ct: HeadCT) -> np.ndarray:
    """RAS mm of every voxel, float32 (slices, rows, columns, 3)."""
    k, j, i = np.indices(ct.hu.shape, dtype=np.float32)
    return (np.stack([i, j, k], -1) @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]).astype("f4")


def painted(ct: HeadCT, where: np.ndarray, hu: int | np.ndarray) -> HeadCT:
    values = ct.hu.copy()
    values[where] = hu
    return replace(ct, hu=values)


def off(ct: HeadCT, straight: Cavity) -> float:
    return off_deg(find_cavity(ct).frame, straight.frame, AS_IT_LIES)


def frame_or_sentence(ct: HeadCT) -> HeadFrame | str:
    """The frame, or the sentence with which it is refused."""
    try:
        return find_cavity(ct).frame
    except BadInputError as error:
        return str(error)


# The head's frame


@pytest.mark.parametrize("missing_mm", [15, 25, 35])
def test_a_field_of_view_that_begins_at_the_orbits_leaves_the_frame(
    sample_ct, straight, missing_mm
):
    geometry = sample_ct.ijk_to_ras.copy()
    geometry[:3, 3] += missing_mm * geometry[:3, 2]
    assert off(HeadCT(sample_ct.hu[missing_mm:], geometry), straight) < 3.0


def test_a_frontal_bone_that_has_grown_inwards_leaves_the_frame(sample_ct, sample_mask, straight):
    head = straight.frame.from_ras(coordinates(sample_ct))
    front = np.clip((head[..., 1] - 25) / 25, 0, 1) * np.clip((head[..., 2] + 10) / 15, 0, 1)
    from_wall_mm = ndimage.distance_transform_edt(sample_mask == 0)
    brain = (sample_ct.hu > 0) & (sample_ct.hu < 90)
    grown = brain & (from_wall_mm < 8.0 * front) & (np.abs(head[..., 0]) > 2)
    assert grown.sum() > 20_000
    assert off(painted(sample_ct, grown, 1050), straight) < 3.0


def test_pins_and_gas_inside_the_head_leave_the_frame(sample_ct, straight):
    head = straight.frame.from_ras(coordinates(sample_ct))
    pin = (np.hypot(head[..., 1] - 20, head[..., 2] - 20) < 3) & (head[..., 0] > 50)
    gas = (np.linalg.norm(head - [0, 50, 20], axis=-1) < 25) & (sample_ct.hu < 90)
    assert off(painted(painted(sample_ct, gas, -900), pin, 3000), straight) < 3.0


def test_a_craniectomy_leaves_the_frame(sample_ct, sample_mask, straight):
    head = straight.frame.from_ras(coordinates(sample_ct))
    gone = (np.linalg.norm(head - [65, 10, 45], axis=-1) < 45) & (sample_ct.hu > 100)
    assert (gone & (sample_mask > 0)).sum() > 10_000
    assert off(painted(sample_ct, gone, 40), straight) < 3.0


@pytest.mark.slow
@pytest.mark.parametrize("turns", [(85, 0, 0), (0, 65, 0), (0, 0, -65), (180, 0, 0)], ids=str)
def test_a_head_turned_farther_than_any_is_scanned_is_right_or_refused(sample_ct, straight, turns):
    pose = replace(AS_IT_LIES, yaw_deg=turns[0], pitch_deg=turns[1], roll_deg=turns[2])
    pose = replace(pose, voxel_mm=1.3)
    found = frame_or_sentence(turned(sample_ct, pose, straight.frame))
    if isinstance(found, str):
        assert "--landmarks" in found
    else:
        assert off_deg(found, straight.frame, pose) < 3.0


def test_a_head_upside_down_is_refused_with_what_its_shape_says(sample_ct):
    over = HeadCT(np.ascontiguousarray(sample_ct.hu[::-1]), sample_ct.ijk_to_ras)
    with pytest.raises(BadInputError, match=r"lies 1[67]\d degrees off superior.*--landmarks"):
        find_cavity(over)


def test_ten_slices_of_a_head_are_no_vault_with_no_negative_share(sample_ct):
    with pytest.raises(BadInputError) as caught:
        find_cavity(replace(sample_ct, hu=sample_ct.hu[60:70]))
    assert "-" not in str(caught.value).replace("--landmarks", "").replace("-point", "")


# Geometry


def nifti(path, ct: HeadCT, codes: tuple[int, int], sform: np.ndarray):
    """The CT as NIfTI with codes and an sform of its own; the qform stays."""
    write_volume(path, ct.hu, ct.ijk_to_ras)
    content = bytearray(path.read_bytes())
    struct.pack_into("<2h", content, 252, *codes)
    struct.pack_into("<12f", content, 280, *sform[:3].ravel())
    path.write_bytes(content)
    return path


def test_a_sheared_sform_is_refused_with_its_angle(sample_ct, tmp_path):
    sheared = sample_ct.ijk_to_ras.copy()
    sheared[1, 2] = -np.tan(np.deg2rad(15.0))
    assert "15.0 degrees off right angles" in refused(
        nifti(tmp_path / "head.nii", sample_ct, (1, 1), sheared)
    )


def test_an_sform_moved_against_the_qform_is_said_with_the_distance(sample_ct, tmp_path, caplog):
    moved = sample_ct.ijk_to_ras.copy()
    moved[:3, 3] += [0.0, 20.0, 30.0]
    ct = read_ct(nifti(tmp_path / "head.nii", sample_ct, (1, 2), moved))
    assert "up to 36 mm apart" in caplog.text
    assert ct.ijk_to_ras == pytest.approx(sample_ct.ijk_to_ras, abs=1e-3)


def test_files_that_state_no_orientation_are_refused(sample_ct, tmp_path):
    file = nifti(tmp_path / "head.nii", sample_ct, (0, 0), sample_ct.ijk_to_ras)
    assert "states no orientation" in refused(file)
    bare = tmp_path / "head.nrrd"
    sizes = " ".join(str(size) for size in sample_ct.hu.shape[::-1])
    lines = ["NRRD0004", "type: int16", "dimension: 3", f"sizes: {sizes}", "spacings: 1 1 1"]
    header = "\n".join([*lines, "endian: little", "encoding: raw", "", ""])
    bare.write_bytes(header.encode() + sample_ct.hu.astype("<i2").tobytes())
    assert "states no orientation" in refused(bare)


def test_a_nrrd_that_simpleitk_wrote_of_a_nifti_is_read(sample_ct, tmp_path):
    write_volume(tmp_path / "a.nii.gz", sample_ct.hu, sample_ct.ijk_to_ras)
    sitk.WriteImage(sitk.ReadImage(str(tmp_path / "a.nii.gz")), str(tmp_path / "a.nrrd"))
    assert np.array_equal(read_ct(tmp_path / "a.nrrd").hu, sample_ct.hu)


# DICOM as it comes


def as_series(folder, ct: HeadCT, change=lambda dataset, k: None, kept=None):
    """The CT as plain files of one slice each, or of some of the slices."""
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ct.ijk_to_ras
    mm = np.linalg.norm(lps[:3, :3], axis=0)
    kept = range(len(ct.hu)) if kept is None else kept

    def placed(dataset, at):
        place = lps @ [0, 0, kept[at], 1]
        dataset.ImagePositionPatient = [number(value) for value in place[:3]]
        dataset.PixelSpacing = [number(mm[1]), number(mm[0])]
        dataset.SliceThickness = number(mm[2])
        change(dataset, kept[at])

    return write_series(folder, ct.hu[list(kept)], lps[:3, :3] / mm, placed)


def assert_same(ct: HeadCT, sample: HeadCT):
    assert np.array_equal(ct.hu, sample.hu)
    assert ct.ijk_to_ras == pytest.approx(sample.ijk_to_ras, abs=1e-3)


def test_a_head_as_dicom_is_the_same_head(sample_ct, tmp_path):
    folder = as_series(tmp_path / "dicom", sample_ct)
    for file in sorted(folder.iterdir())[:20]:
        (folder / f"copy of {file.name}").write_bytes(file.read_bytes())
    assert_same(read_ct(folder), sample_ct)


def test_a_straight_stack_with_a_tilt_in_its_headers_is_read_and_said(sample_ct, tmp_path, caplog):
    def change(dataset, k):
        dataset.GantryDetectorTilt = -17.5
        dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL", "CT_SOM5 MPR"]

    assert_same(read_ct(as_series(tmp_path / "dicom", sample_ct, change)), sample_ct)
    assert "gantry tilt of 17.5 degrees" in caplog.text


def test_padding_that_is_a_large_number_is_air(sample_ct, tmp_path):
    k, j, i = np.ogrid[tuple(slice(size) for size in sample_ct.hu.shape)]
    middle, radius = (np.array(sample_ct.hu.shape) - 1) / 2, min(sample_ct.hu.shape[1:]) / 2
    corners = np.hypot(j - middle[1], i - middle[2]) + 0 * k > radius

    def change(dataset, k):
        stored = np.where(corners[k], 64035, sample_ct.hu[k].astype(int) + 1024)
        dataset.PixelRepresentation = 0
        dataset.PixelPaddingValue = 64035
        dataset.PixelData = stored.astype("<u2").tobytes()

    ct = read_ct(as_series(tmp_path / "dicom", sample_ct, change))
    assert ct.hu.max() == sample_ct.hu[~corners].max()
    assert (ct.hu[corners] <= -1000).all()


def test_a_halved_scale_is_refused_with_what_air_reads(sample_ct, tmp_path):
    halved = replace(sample_ct, hu=(sample_ct.hu // 2).astype(np.int16))
    sentence = refused(as_series(tmp_path / "dicom", halved))
    assert "air reads -4" in sentence
    assert "expected about -1000" in sentence


def test_a_rescale_type_that_is_not_hu_is_refused(sample_ct, tmp_path):
    def change(dataset, k):
        dataset.RescaleType = "US"

    folder = as_series(tmp_path / "dicom", sample_ct, change)
    assert "RescaleType is US, expected HU" in refused(folder)


def test_slices_missing_near_the_vertex_are_refused_with_their_places(sample_ct, tmp_path):
    count = len(sample_ct.hu)
    kept = [k for k in range(count) if k not in (count - 12, count - 8, count - 7)]
    sentence = refused(as_series(tmp_path / "dicom", sample_ct, kept=kept))
    assert f"3 missing? after slice {count - 12}, {count - 9}" in sentence
    assert f"slices 1 to {count - 12} are even" in sentence


# Field of view, foreign bodies, skulls without brain


def wall_ras(segments: single_ct.SegmentSet) -> np.ndarray:
    """RAS mm of the wall's pixels of all segments, float64 (N, 3)."""
    one, row, column = np.nonzero(segments.mask)
    pixels = np.stack([column, row, 0 * row, 1 + 0 * row], 1).astype(float)
    return np.einsum("nij,nj->ni", segments.pixel_to_ras[one], pixels)[:, :3]


@pytest.mark.slow
@pytest.mark.parametrize("padding_hu", [-1024, 63])
def test_a_wall_cut_by_the_edge_of_the_reconstruction_is_dropped(sample_ct, straight, padding_hu):
    x = coordinates(sample_ct)[..., 0]
    edge_mm = straight.frame.head_to_ras[0, 3] - 60.0
    found = single_ct.extract(painted(sample_ct, x < edge_mm, padding_hu), interval_mm=FAR_MM)
    assert found.dropped["leaves the field of view"] > 1
    # A voxel beside the edge is left out, so no outer table is a shaved one.
    assert wall_ras(found.segments)[:, 0].min() > edge_mm + 1.0
    assert (found.segments.side == "right").sum() > 10


@pytest.mark.slow
def test_a_wall_cut_by_a_circle_of_reconstruction_is_dropped(sample_ct, straight):
    middle = straight.frame.head_to_ras[:2, 3]
    beyond = np.linalg.norm(coordinates(sample_ct)[..., :2] - middle, axis=-1) > 85.0
    found = single_ct.extract(painted(sample_ct, beyond, 0), interval_mm=FAR_MM)
    reach = np.linalg.norm(wall_ras(found.segments)[:, :2] - middle, axis=1)
    assert reach.max() < 85.0 - 1.0


@pytest.mark.slow
def test_an_implant_of_ceramic_is_dropped_and_counted(sample_ct, sample_mask, straight):
    head = straight.frame.from_ras(coordinates(sample_ct))
    near = np.linalg.norm(head - [-60, 10, 45], axis=-1) < 45
    found = single_ct.extract(
        painted(sample_ct, near & (sample_mask > 0), IMPLANT_HU), interval_mm=FAR_MM
    )
    assert found.dropped["implant or plate"] > 4
    wall = found.segments.mask > 0
    implant = wall & (np.abs(found.segments.hu - IMPLANT_HU) < 5)
    assert (implant.sum((1, 2)) < 0.3 * wall.sum((1, 2))).all()
    assert (found.segments.side == "right").sum() > 10


def bare(ct: HeadCT, mask: np.ndarray, around_hu: int) -> HeadCT:
    """The skull alone, in air or in water."""
    near = ndimage.binary_dilation(mask > 0, iterations=8)
    return painted(ct, (mask == 0) & ~(near & (ct.hu > 300)), around_hu)


@pytest.mark.parametrize("around_hu", [-1000, 0], ids=["dry", "in water"])
def test_a_skull_without_brain_lies_as_the_head_did(sample_ct, sample_mask, straight, around_hu):
    found = find_cavity(bare(sample_ct, sample_mask, around_hu))
    assert off_deg(found.frame, straight.frame, AS_IT_LIES) < 3.0
    assert found.frame.certainty > 0.5


def calvaria(ct: HeadCT, mask: np.ndarray, straight: Cavity) -> HeadCT:
    """What is left of a skull that was sawn open 16 mm above the vault's floor, in air."""
    height = straight.frame.from_ras(coordinates(ct))[..., 2]
    return painted(ct, ~((mask > 0) & (height > -10)), -1000)


def test_a_calvaria_lies_as_the_head_did_or_is_refused_naming_landmarks(
    sample_ct, sample_mask, straight
):
    found = frame_or_sentence(calvaria(sample_ct, sample_mask, straight))
    if isinstance(found, str):
        assert "--landmarks" in found
    else:
        assert off_deg(found, straight.frame, AS_IT_LIES) < 6.0


@pytest.mark.slow
def test_landmarks_suffice_for_a_calvaria(sample_ct, sample_mask, straight):
    places = {
        "nasion": (0.0, 88.0, -33.0),
        "inion": (0.0, -91.0, -33.0),
        "left porion": (-62.0, 0.0, -40.0),
        "right porion": (62.0, 0.0, -40.0),
    }
    given = {name: straight.frame.to_ras(np.array(place)) for name, place in places.items()}
    cap = calvaria(sample_ct, sample_mask, straight)
    found = single_ct.extract(cap, landmarks=given, interval_mm=FAR_MM)
    assert len(found.segments) > 10
    across = straight.frame.from_ras(
        found.segments.pixel_to_ras[:, :3] @ np.array([63.5, 10.0, 0.0, 1.0])
    )[:, 0]
    assert ((across < 0) == (found.segments.side == "left")).all()
