"""The skull mask, on a spherical head of known layers and on the real sample CT."""

import numpy as np
import pytest
from phantoms import LAYERS_MM, OUTER_RADIUS_MM, make_sphere_head
from scipy.stats import norm
from SkullGANLib.anatomy import skull
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError


def radius_mm(ct: HeadCT) -> np.ndarray:
    k, j, i = np.indices(ct.hu.shape, sparse=True)
    g = ct.ijk_to_ras
    return np.sqrt(
        (g[0, 0] * i + g[0, 3]) ** 2 + (g[1, 1] * j + g[1, 3]) ** 2 + (g[2, 2] * k + g[2, 3]) ** 2
    )


def upper_half(ct: HeadCT) -> np.ndarray:
    k = np.arange(len(ct.hu))
    return (ct.ijk_to_ras[2, 2] * k + ct.ijk_to_ras[2, 3] > 0)[:, None, None]


def test_the_mask_of_a_sphere_is_its_shell_out_to_the_threshold(sphere_head, sphere_mask):
    """Blurred by 0.6 mm, and by 0.4 mm before thresholding, 300 HU lies beyond half height."""
    blur = np.hypot(0.6, 0.4)
    outer = OUTER_RADIUS_MM + blur * norm.ppf(1 - (300 - 50) / (1500 - 50))
    inner = OUTER_RADIUS_MM - sum(LAYERS_MM) - blur * norm.ppf(1 - (300 - 30) / (1400 - 30))
    radius = radius_mm(sphere_head)
    shell = (radius < outer) & (radius > inner) & upper_half(sphere_head)
    found = (sphere_mask > 0) & upper_half(sphere_head)
    assert 2 * (shell & found).sum() / (shell.sum() + found.sum()) > 0.98
    tables = [OUTER_RADIUS_MM - LAYERS_MM[0] / 2, OUTER_RADIUS_MM - sum(LAYERS_MM[:2]) - 0.75]
    for middle in tables:
        assert found[(np.abs(radius - middle) < 0.4) & upper_half(sphere_head)].mean() > 0.999


def test_marrow_below_the_bone_threshold_belongs_to_the_wall():
    fatty = make_sphere_head(diploe_hu=50.0)
    mask = skull.skull_mask(fatty)
    radius = radius_mm(fatty)
    middle = OUTER_RADIUS_MM - LAYERS_MM[0] - LAYERS_MM[1] / 2
    marrow = (np.abs(radius - middle) < 1.0) & upper_half(fatty)
    assert mask[marrow].mean() > 0.99


def test_neither_head_holder_nor_scalp_nor_brain_is_in_the_mask(sphere_head, sphere_mask):
    radius = radius_mm(sphere_head)
    inner = OUTER_RADIUS_MM - sum(LAYERS_MM)
    assert not sphere_mask[(radius > OUTER_RADIUS_MM + 1.5) | (radius < inner - 1.5)].any()


def test_the_mask_does_not_depend_on_how_the_voxels_are_stored(sphere_head, sphere_mask):
    turned_geometry = sphere_head.ijk_to_ras[:, [1, 2, 0, 3]].copy()
    turned_geometry[:3, 3] += turned_geometry[:3, 1] * (len(sphere_head.hu) - 1)
    turned_geometry[:3, 1] *= -1
    turn = lambda array: np.ascontiguousarray(array.transpose(2, 0, 1)[:, ::-1])  # noqa: E731
    turned = HeadCT(turn(sphere_head.hu), turned_geometry)
    differs = skull.skull_mask(turned) != turn(sphere_mask)
    # A ball has no front: where its floor lies is a matter of the noise.
    assert differs[turn(np.broadcast_to(upper_half(sphere_head), differs.shape))].mean() < 0.002


def test_a_ct_without_a_vault_is_refused_with_the_reason():
    hu = np.full((40, 80, 80), -1000, np.int16)
    hu[10:30, 30:50, 30:50] = 900
    with pytest.raises(BadInputError, match="no cranial vault"):
        skull.skull_mask(HeadCT(hu, np.diag([1.0, 1.0, 1.0, 1.0])))


def test_the_real_wall_is_one_piece_of_plausible_volume(sample_ct, sample_mask):
    from scipy import ndimage

    _, pieces = ndimage.label(sample_mask)
    volume_ml = sample_mask.sum() * sample_ct.spacing_mm.prod() / 1000
    assert pieces == 1
    # A vault of about 600 cm2 and 6 mm, with what of the base stands above its floor.
    assert 250 < volume_ml < 550


def test_the_plates_beside_the_real_head_are_not_in_the_mask(sample_ct, sample_mask):
    cavity = find_cavity(sample_ct)
    _, _, i = np.nonzero(sample_mask)
    x = sample_ct.ijk_to_ras[0, 0] * i + sample_ct.ijk_to_ras[0, 3]
    assert np.abs(x - cavity.frame.head_to_ras[0, 3]).max() < 85


@pytest.mark.slow
@pytest.mark.parametrize("name", ["invesalius_cranium.nii.gz", "vhf_head_8bit.nii.gz"])
def test_other_heads_give_one_wall_of_plausible_volume(shared_ct, name):
    from SkullGANLib.ct.volume import read_ct

    ct = read_ct(shared_ct / name)
    volume_ml = skull.skull_mask(ct).sum() * ct.spacing_mm.prod() / 1000
    assert 250 < volume_ml < 550
