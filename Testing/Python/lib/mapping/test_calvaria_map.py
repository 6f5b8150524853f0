"""Maps of phantom heads whose thickness and SDR are known under every vertex."""

from __future__ import annotations

import numpy as np
import pytest
from mapped_heads import COARSE_MM, Mapped, mapped
from phantoms import Phantom, painted
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import calvaria_map
from SkullGANLib.mapping.calvaria_map import CalvariaMap
from SkullGANLib.mapping.codes import AIR, MEASURED, METAL, NO_BONE, OUTSIDE
from SkullGANLib.mapping.map_summary import caveats
from SkullGANLib.mapping.rays import wall_range
from SkullGANLib.mapping.wall_overlay import overlay
from SkullGANLib.metrics import METRICS

TURNED = Rotation.from_euler("xyz", [8.0, -6.0, 10.0], degrees=True).as_matrix()


@pytest.fixture(scope="module")
def real(sample_ct, sample_mask) -> Mapped:
    head, mask = calvaria_map.prepare(sample_ct, sample_mask)
    return Mapped(sample_ct, head, mask, calvaria_map.calvaria(head, COARSE_MM))


def truth_mm(phantom: Phantom, found: CalvariaMap) -> np.ndarray:
    """Where the ray of each vertex enters the first and the last surface, mm below the vertex."""
    starts = found.points_ras + 6.0 * found.normals
    crossings = phantom.crossings_mm(starts, -found.normals)
    return crossings[:, [0, -1]] - 6.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phantom", "spacing_mm", "blur_mm"),
    [
        pytest.param(
            Phantom((80.0, 80.0, 80.0), (2.0, 4.0, 1.5), (1500.0, 500.0, 1400.0)),
            (0.8, 0.8, 0.8), (0.4, 0.4, 0.4), id="sphere",
        ),
        pytest.param(
            Phantom(head_to_ras=TURNED), (0.8, 0.8, 0.9), (0.4, 0.4, 0.4), id="turned ellipsoid"
        ),
        pytest.param(
            Phantom(head_to_ras=TURNED), (0.6, 0.6, 1.25), (0.3, 0.3, 0.45), id="thick slices"
        ),
    ],
)  # fmt: skip
def test_thickness_and_sdr_are_right_under_95_of_100_vertices(phantom, spacing_mm, blur_mm):
    """With 20 HU of noise and the partial volume of the voxels."""
    ct = phantom.ct(spacing_mm, blur_mm, 20.0, below_mm=20.0, margin_mm=10.0)
    found = mapped(ct).found
    measured = found.code == MEASURED
    assert measured.mean() > 0.9
    outer, inner = truth_mm(phantom, found)[measured].T
    thickness = found.values["thickness_mm"][measured] - (inner - outer)
    assert np.quantile(np.abs(thickness), 0.95) < 0.15
    sdr = found.values["sdr_peaks"][measured] - phantom.sdr
    assert np.quantile(np.abs(sdr), 0.95) < 0.03
    assert np.quantile(np.abs(outer), 0.95) < 0.15  # the vertex lies on the outer surface


def test_every_metric_is_mapped_and_near_what_the_layers_say(plain):
    assert tuple(plain.found.values) == tuple(METRICS)
    middle = {name: np.nanmedian(values) for name, values in plain.found.values.items()}
    # Outer and inner table of 1500 HU, diploë of 600 HU between them, seen through 1.2 mm voxels.
    assert middle["sdr_peaks"] == pytest.approx(0.4, abs=0.03)
    assert middle["sdr_outer_peak"] == pytest.approx(0.4, abs=0.03)
    assert middle["sdr_central"] == pytest.approx(0.4, abs=0.05)
    assert middle["thickness_mm"] == pytest.approx(8.0, abs=0.2)
    assert 900 < middle["mean_intensity_hu"] < 1050


def test_the_mesh_is_closed_but_for_one_rim_at_the_base(plain):
    edges = np.sort(plain.found.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, times = np.unique(edges, axis=0, return_counts=True)
    assert set(times) == {1, 2}
    # A disk: corners - edges + triangles = 1.
    assert len(plain.found) - len(unique) + len(plain.found.triangles) == 1
    rim = plain.head.cavity.frame.from_ras(plain.found.points_ras[np.unique(unique[times == 1])])
    assert rim[:, 2].max() < plain.head.cavity.floor_mm + 2 * COARSE_MM


def test_vertices_are_as_far_apart_as_asked(plain):
    corners = plain.found.points_ras[plain.found.triangles]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    assert sides.mean() == pytest.approx(COARSE_MM, rel=0.1)


def test_turning_the_ct_turns_the_map_with_it(plain):
    turn = np.eye(4)
    turn[:3, :3], turn[:3, 3] = TURNED, [10.0, -20.0, 30.0]
    other = mapped(HeadCT(plain.ct.hu, turn @ plain.ct.ijk_to_ras)).found
    moved = plain.found.points_ras @ turn[:3, :3].T + turn[:3, 3]
    distance, nearest = cKDTree(other.points_ras).query(moved)
    inner = distance < COARSE_MM  # all but the rim, where the frames differ by a degree
    assert inner.mean() > 0.97
    values, others = plain.found.values["thickness_mm"], other.values["thickness_mm"][nearest]
    assert np.nanquantile(np.abs(values - others)[inner], 0.95) < 0.15
    beside = inner & (np.abs(plain.found.points_ras[:, 0]) > 5.0)
    assert (plain.found.side == other.side[nearest])[beside].mean() > 0.995


def test_a_defect_is_marked_as_no_bone_and_its_rim_is_measured(plain):
    axis = np.array([0.6, 0.5, 0.62])
    axis /= np.linalg.norm(axis)

    def hole(x, y, z):
        along = x * axis[0] + y * axis[1] + z * axis[2]
        radius = np.sqrt((x / 72) ** 2 + (y / 92) ** 2 + (z / 75) ** 2)
        return (along > 0) & (x**2 + y**2 + z**2 - along**2 < 18**2) & (radius < 1.01)

    found = mapped(painted(plain.ct, hole, 45.0)).found
    along = found.points_ras @ axis
    from_axis = np.linalg.norm(found.points_ras - along[:, None] * axis, axis=1)
    within = (along > 0) & (from_axis < 14)
    around = (along > 0) & (from_axis > 24) & (from_axis < 40)
    assert within.sum() > 100
    assert (found.code[within] == NO_BONE).all()
    assert np.isnan(found.values["thickness_mm"][within]).all()
    assert (found.code[around] == MEASURED).all()


def test_a_ray_through_air_in_the_wall_is_marked_and_not_measured(plain):
    def sinus(x, y, z):
        radius = np.sqrt((x / 72) ** 2 + (y / 92) ** 2 + (z / 75) ** 2)
        shell = (radius < 1 - 2.2 / 85) & (radius > 1 - 5.8 / 85)
        return shell & (y > 60) & (np.abs(x) < 15) & (z > 0) & (z < 30)

    found = mapped(painted(plain.ct, sinus, -1000.0)).found
    x, y, z = found.points_ras.T
    within = (y > 60) & (np.abs(x) < 11) & (z > 6) & (z < 24)
    assert (found.code[within] == AIR).mean() > 0.95
    assert np.isnan(found.values["sdr_peaks"][within]).all()


def test_metal_is_marked_and_mentioned(plain):
    def plate(x, y, z):
        radius = np.sqrt((x / 72) ** 2 + (y / 92) ** 2 + (z / 75) ** 2)
        return (radius > 0.99) & (radius < 1.03) & (x > 20) & (np.abs(y) < 12) & (z > 20) & (z < 45)

    found = mapped(painted(plain.ct, plate, 3071.0)).found
    assert (found.code == METAL).sum() > 20
    told = caveats(found.source, found.code)
    assert any("metal" in one for one in told)


def test_where_the_field_of_view_ends_the_wall_is_not_guessed(plain):
    cut = HeadCT(plain.ct.hu[:-22], plain.ct.ijk_to_ras)
    found = mapped(cut).found
    beyond = found.points_ras[:, 2] > cut.ijk_to_ras[2, 3] + 1.2 * (len(cut.hu) - 0.5)
    assert beyond.sum() > 30
    assert (found.code[beyond] == OUTSIDE).all()


def test_a_sinus_of_a_real_head_is_air_and_its_temporal_squama_is_thin(real):
    found = real.found
    thickness = found.values["thickness_mm"]
    front = found.bone == "frontal"
    assert (found.code[front] == AIR).sum() > 10
    by_bone = {bone: np.nanmedian(thickness[found.bone == bone]) for bone in cut_plan.BONES}
    assert by_bone["temporal"] < by_bone["parietal"]
    assert np.nanquantile(thickness[found.bone == "temporal"], 0.1) < 2.5


def test_bone_and_side_are_those_of_the_sites_where_segments_are_cut(plain, real):
    for one in (plain, real):
        planned = list(cut_plan.plan(one.head.cavity, 6.2))
        starts = np.array([site.start_ras for site in planned])
        outward = np.array([site.outward for site in planned])
        _, last = wall_range(one.head.field, starts, outward, 140.0)
        there = np.isfinite(last)
        bone, side = cut_plan.bones_of(
            one.head.cavity, starts + np.nan_to_num(last)[:, None] * outward
        )
        bones = np.array([site.bone for site in planned])
        sides = np.array([site.side for site in planned])
        paired = there & (sides != "midline")
        assert (bone == bones)[there].mean() > 0.97
        assert (side == sides)[paired].all()


def test_another_scalar_another_mask_and_no_spacing_are_refused(plain):
    numbers = np.full(plain.ct.hu.shape, -1, np.int32)
    with pytest.raises(BadInputError, match=r"out of sdr_peaks.*found 'density'"):
        overlay(plain.found, numbers, "density")
    with pytest.raises(BadInputError, match="Expected a skull mask on the CT's grid"):
        calvaria_map.prepare(plain.ct, plain.mask[1:])
    with pytest.raises(BadInputError, match="found it empty"):
        calvaria_map.prepare(plain.ct, np.zeros_like(plain.mask))
    with pytest.raises(BadInputError, match=r"0\.3 to 10 mm, found 0 mm"):
        calvaria_map.calvaria(plain.head, 0.0)


def test_a_mask_of_something_else_than_the_vault_is_refused(plain):
    speck = np.zeros_like(plain.mask)
    speck[30:33, 2:5, 2:5] = 1
    head, _ = calvaria_map.prepare(plain.ct, speck)
    with pytest.raises(BadInputError, match="no wall around the middle of the head"):
        calvaria_map.calvaria(head)


@pytest.mark.parametrize("padding_hu", [-1024, 0])
def test_the_share_out_of_view_is_that_of_the_wall_that_was_not_scanned(real, padding_hu):
    """A reconstruction that ends inside the grid, whatever it was padded with, as one that ends
    with the grid; the truth is the map of the whole head."""
    whole = real.found
    left_mm = whole.points_ras[:, 0].min() + 20.0
    i = np.arange(real.ct.hu.shape[2])
    x = (real.ct.ijk_to_ras @ np.stack([i, 0 * i, 0 * i, 1 + 0 * i]))[0]
    hu = real.ct.hu.copy()
    hu[:, :, x < left_mm] = padding_hu
    head, _ = calvaria_map.prepare(HeadCT(hu, real.ct.ijk_to_ras, real.ct.source))
    found = calvaria_map.calvaria(head, COARSE_MM)
    # 1.5 voxels beside the cut, interpolation still takes from what was not scanned.
    gone = (whole.points_ras[:, 0] < left_mm + 1.5) | (whole.code == OUTSIDE)
    assert gone.mean() > 0.2
    assert (found.code == OUTSIDE).mean() == pytest.approx(gone.mean(), abs=0.02)
    assert any("leaves the field of view" in one for one in caveats({}, found.code))
    measured = found.points_ras[found.code == MEASURED]
    assert measured[:, 0].min() > left_mm


def test_a_skull_without_brain_and_scalp_is_mapped_as_with_them(real):
    """In air, as constant around it as padding."""
    bare = HeadCT(
        np.where(real.mask > 0, real.ct.hu, -1000).astype(np.int16),
        real.ct.ijk_to_ras,
        real.ct.source,
    )
    head, _ = calvaria_map.prepare(bare)
    assert head.cavity.is_bare
    found = calvaria_map.calvaria(head, COARSE_MM)
    # The mask ends below the vault; lower, there is nothing to be mapped.
    vault = real.head.cavity.frame.from_ras(found.points_ras)[:, 2] > real.head.cavity.base_mm
    assert (found.code[vault] == MEASURED).mean() > 0.9
    assert (found.code[vault] == OUTSIDE).mean() < 0.02
    # The edge at half height lies deeper in bone against air than against scalp and brain.
    thickness = np.nanmedian(found.values["thickness_mm"])
    assert thickness == pytest.approx(np.nanmedian(real.found.values["thickness_mm"]), abs=0.5)


def test_the_map_of_a_calvaria_ends_where_it_was_sawn(real):
    cavity = real.head.cavity
    ijk = np.stack((*np.nonzero(real.mask)[::-1], np.ones(np.count_nonzero(real.mask))))
    heights = cavity.frame.from_ras((real.ct.ijk_to_ras @ ijk)[:3].T)[:, 2]
    kept = np.zeros(real.mask.shape, bool)
    kept[real.mask > 0] = heights > cavity.base_mm + 25.0
    calvaria = np.where(kept, real.ct.hu, -1000).astype(np.int16)
    head, _ = calvaria_map.prepare(HeadCT(calvaria, real.ct.ijk_to_ras, real.ct.source))
    assert head.cavity.is_bare
    found = calvaria_map.calvaria(head, COARSE_MM)
    assert (found.code == NO_BONE).mean() < 0.05
    lowest = cavity.frame.from_ras(found.points_ras)[:, 2].min()
    assert lowest > cavity.base_mm + 25.0 - 6.0
