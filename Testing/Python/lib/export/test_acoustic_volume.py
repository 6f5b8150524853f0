"""The calvaria of a spherical head, whose shells are known."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from SkullGANLib.acoustics import MediumSettings
from SkullGANLib.anatomy import find_cavity
from SkullGANLib.errors import BadInputError
from SkullGANLib.export.acoustic_volume import calvaria_medium, write_calvaria
from SkullGANLib.export.media_files import read_notes


@pytest.fixture(scope="module")
def cavity(coarse_head):
    return find_cavity(coarse_head)


@pytest.fixture(scope="module")
def made(coarse_head, cavity):
    settings = MediumSettings(medium="k-plan", inside="brain")
    return calvaria_medium(coarse_head, settings, cavity=cavity)


def test_bone_lies_around_brain_and_water_around_bone(made, coarse_head):
    """Along a ray upwards from the middle of the head: brain, bone, water."""
    speed = made.medium.sound_speed
    to_grid = np.linalg.inv(made.ijk_to_ras)
    heights = np.arange(30.0, 100.0)
    found = []
    for height in heights:
        i, j, k = np.rint((to_grid @ [0, 0, height, 1])[:3]).astype(int)
        if k < len(speed):
            found.append(float(speed[k, j, i]))
    names = ["brain" if v == 1546 else "water" if v == 1500 else "bone" for v in found]
    assert names == sorted(names, key=["brain", "bone", "water"].index)
    assert set(names) == {"brain", "bone", "water"}
    assert max(found) > 2000


def test_the_grid_lies_in_the_patient_where_the_bone_is(made, coarse_head):
    bone = np.argwhere(made.medium.bone)[::50, ::-1]
    ras = bone @ made.ijk_to_ras[:3, :3].T + made.ijk_to_ras[:3, 3]
    ijk = (ras - coarse_head.ijk_to_ras[:3, 3]) @ np.linalg.inv(coarse_head.ijk_to_ras[:3, :3]).T
    i, j, k = np.rint(ijk).astype(int).T
    assert np.all(coarse_head.hu[k, j, i] > 100)


def test_matlab_finds_columns_first_and_the_file_says_where_it_lies(made, tmp_path):
    write_calvaria(tmp_path / "head.h5", made)
    with h5py.File(tmp_path / "head.h5") as file:
        h5read = file["density"][()].transpose()
        np.testing.assert_array_equal(h5read, made.medium.density.transpose(2, 1, 0))
        assert file["dz"][0, 0, 0] == pytest.approx(made.medium.spacing_mm[0] / 1000)
        assert "(columns, rows, slices)" in file.attrs["dimension_order"]
    notes = read_notes(tmp_path / "head.h5")
    np.testing.assert_allclose(notes["ijk_to_ras"], made.ijk_to_ras)
    write_calvaria(tmp_path / "head.npz", made)
    archive = np.load(tmp_path / "head.npz")
    np.testing.assert_array_equal(archive["sound_speed"], made.medium.sound_speed)


def test_a_mask_and_a_finer_grid_are_taken(coarse_head, cavity):
    mask = np.zeros(coarse_head.hu.shape, np.uint8)
    k, j, i = np.array(coarse_head.hu.shape) // 2
    mask[k : k + 4, j : j + 4, i : i + 4] = 1
    spacing_mm = float(coarse_head.spacing_mm[0])
    settings = MediumSettings(medium="k-plan", spacing_mm=spacing_mm / 2)
    found = calvaria_medium(coarse_head, settings, mask=mask, cavity=cavity)
    assert found.medium.bone.sum() == 8**3 - 8  # of the corners less than half is bone
    assert found.medium.spacing_mm == (spacing_mm / 2,) * 3
    with pytest.raises(BadInputError, match="holds no bone, expected the calvaria"):
        calvaria_medium(coarse_head, settings, mask=0 * mask, cavity=cavity)
    fine = MediumSettings(refine=64)
    with pytest.raises(BadInputError, match="needs about"):
        calvaria_medium(coarse_head, fine, mask=mask, cavity=cavity, name="head")
