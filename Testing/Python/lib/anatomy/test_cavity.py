"""The intracranial space of a spherical head, and CTs that have none."""

import numpy as np
import pytest
from phantoms import LAYERS_MM, OUTER_RADIUS_MM
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.errors import BadInputError


def test_the_cavity_of_a_sphere_is_found_with_its_volume_and_center(sphere_head):
    cavity = find_cavity(sphere_head)
    inner = OUTER_RADIUS_MM - sum(LAYERS_MM)
    volume_mm3 = cavity.mask.sum() * abs(np.linalg.det(cavity.ijk_to_ras[:3, :3]))
    assert volume_mm3 == pytest.approx(4 / 3 * np.pi * inner**3, rel=0.05)
    assert np.abs(cavity.frame.head_to_ras[:3, 3]).max() < 3
    assert abs(cavity.middle_mm) < 3
    # A ball's section falls to 60 % of its equator's at a height of sqrt(1 - 0.6) radii.
    assert cavity.base_mm == pytest.approx(-inner * np.sqrt(0.4), abs=4)


@pytest.mark.parametrize(
    ("bone_hu", "found"), [(-1000, "no bone"), (900, "no space enclosed by bone")]
)
def test_a_ct_without_a_vault_is_refused_with_what_it_has(bone_hu, found):
    hu = np.full((40, 80, 80), -1000, np.int16)
    hu[10:30, 30:50, 30:50] = bone_hu
    with pytest.raises(BadInputError, match=f"found {found}, expected an intracranial space"):
        find_cavity(HeadCT(hu, np.eye(4)))
