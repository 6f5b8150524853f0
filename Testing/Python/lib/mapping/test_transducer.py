"""An ultrasound array over a sphere, where every angle and way is known."""

from __future__ import annotations

import numpy as np
import pytest
from phantoms import LAYERS_MM, OUTER_RADIUS_MM
from SkullGANLib.anatomy.head_frame import HeadFrame
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import calvaria_map, transducer
from SkullGANLib.mapping.rays import MEASURED, NO_BONE


@pytest.fixture(scope="module")
def head(sphere_head, sphere_mask):
    return calvaria_map.prepare(sphere_head, sphere_mask)[0]


@pytest.fixture(scope="module")
def calvaria(head):
    return calvaria_map.calvaria(head, 1.5)


def test_an_array_at_a_spheres_center_sees_no_angle_anywhere(head, calvaria):
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0])
    assert len(found) == transducer.ELEMENTS
    assert (found.code == MEASURED).all()
    assert found.incidence_deg.max() < 1.0
    assert found.active.all()
    wall = sum(LAYERS_MM)  # 0.25 mm thicker in voxels of 1 mm, see test_maps for finer ones
    assert np.abs(found.path_mm - wall).max() < 0.4
    assert np.abs(found.thickness_mm - wall).max() < 0.4
    assert np.abs(found.thickness_mm - found.path_mm).max() < 0.2
    # 500 HU between tables of 1500 and 1400 HU, 2 and 1.5 mm thick, in 1 mm voxels.
    assert found.values["sdr_peaks"].mean() == pytest.approx(500 / 1450, abs=0.05)


def test_beside_the_center_the_angles_are_those_of_the_geometry(head, calvaria):
    target = np.array([20.0, 10.0, 5.0])
    found = transducer.cast(head, calvaria, target)
    inward = (target - found.elements_ras) / transducer.RADIUS_MM
    # Where the ray meets the sphere: |element + t inward| = radius.
    b = (found.elements_ras * inward).sum(axis=1)
    c = (found.elements_ras**2).sum(axis=1) - OUTER_RADIUS_MM**2
    entry = found.elements_ras + (-b - np.sqrt(b**2 - c))[:, None] * inward
    cosine = -(inward * entry).sum(axis=1) / OUTER_RADIUS_MM
    expected = np.rad2deg(np.arccos(cosine))
    measured = found.code == MEASURED
    assert measured.mean() > 0.95
    assert np.abs(found.incidence_deg - expected)[measured].max() < 1.0
    slant = found.path_mm[measured] * np.cos(np.deg2rad(expected[measured]))
    assert np.abs(slant - sum(LAYERS_MM)).max() < 0.45
    limit = float(np.median(expected))
    few = transducer.cast(head, calvaria, target, most_incidence_deg=limit)
    assert few.active.sum() == pytest.approx(len(few) / 2, abs=30)


def test_rays_below_the_vault_meet_no_bone_and_are_not_active(head, calvaria):
    low = transducer.hemisphere(200, coverage_deg=180.0)
    frame = head.cavity.frame
    found = transducer.cast(
        head, calvaria, [0.0, 0.0, 0.0], transducer.place(low, np.zeros(3), frame)
    )
    below = low[:, 2] < -0.9 * transducer.RADIUS_MM
    assert (found.code[below] == NO_BONE).all()
    assert not found.active[below].any()


def test_elements_lie_evenly_on_the_cap_and_at_its_radius():
    found = transducer.hemisphere()
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.full(1024, 150.0))
    assert found[:, 2].min() > 0
    # Equal areas of a hemisphere are equal steps of height.
    assert np.diff(-found[:, 2]) == pytest.approx(np.full(1023, 150.0 / 1024))
    nearest = np.sort(np.linalg.norm(found[:, None] - found, axis=2), axis=1)[:, 1]
    assert nearest.min() > 0.6 * np.median(nearest)
    assert transducer.hemisphere(10, coverage_deg=60.0)[:, 2].min() > 75.0


def test_an_array_stands_over_the_head_along_its_own_axis():
    turn = np.eye(4)
    turn[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    placed = transducer.place(
        np.array([[1.0, 0, 0], [0, 0, 5.0]]), [10, 20, 30], HeadFrame(turn, 1, 1)
    )
    assert placed.tolist() == [[10, 21, 30], [10, 20, 35]]


def test_the_default_target_is_the_middle_of_the_space(head):
    assert transducer.default_target(head.cavity) == pytest.approx([0, 0, 15], abs=20)


def test_the_numbers_are_those_of_the_rays(head, calvaria):
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0])
    told = transducer.numbers(found)
    assert told["elements"] == told["measured"] == told["active"] == 1024
    sdr = told["scalars"]["sdr_peaks"]
    assert sdr["mean"] == pytest.approx(found.values["sdr_peaks"].mean())
    assert sdr["active"]["mean"] == pytest.approx(sdr["mean"])
    assert sum(sdr["histogram"]["counts"]) == 1024
    assert "25 degrees" in told["rule"]


def test_the_table_has_a_row_per_element_and_comes_back(head, calvaria, tmp_path):
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0])
    transducer.write_csv(tmp_path / "rays.csv", found)
    lines = (tmp_path / "rays.csv").read_text().splitlines()
    assert len(lines) == 1025
    assert lines[0].startswith("element,x_ras_mm,y_ras_mm,z_ras_mm,sdr_peaks,")
    back = transducer.read_csv(tmp_path / "rays.csv")
    assert back["active"].tolist() == found.active.tolist()
    assert np.allclose(back["incidence_deg"], found.incidence_deg, atol=1e-4, equal_nan=True)
    (tmp_path / "other.csv").write_text("nothing\n")
    with pytest.raises(BadInputError, match=r"other\.csv: cannot be read as the rays"):
        transducer.read_csv(tmp_path / "other.csv")


def test_elements_of_a_file_are_read_whatever_else_is_in_it(tmp_path):
    (tmp_path / "array.csv").write_text("name, X ,Y,z\na,1,2,3\nb,-4.5,0,1e2\n")
    found = transducer.read_elements(tmp_path / "array.csv")
    assert found.tolist() == [[1, 2, 3], [-4.5, 0, 100]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b,c\n1,2,3\n", "its columns are a, b, c, x, y, z are missing"),
        ("x,y\n1,2\n", "its columns are x, y, z is missing"),
        ("x,y,z\n1,2,3\n1,two,3\n", "line 3 has no three numbers"),
        ("x,y,z\n", "has 0 elements"),
        ("x,y,z\n1,nan,3\n", "finite places are needed"),
        ("", "its columns are none"),
    ],
)
def test_a_file_that_is_no_array_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "array.csv"
    path.write_text(content)
    with pytest.raises(BadInputError) as refused:
        transducer.read_elements(path)
    assert str(path) in str(refused.value)
    assert sentence in str(refused.value)


def test_a_missing_file_and_a_target_that_is_none_are_refused(head, calvaria, tmp_path):
    with pytest.raises(BadInputError, match=r"nowhere\.csv: cannot be read"):
        transducer.read_elements(tmp_path / "nowhere.csv")
    with pytest.raises(BadInputError, match=r"lies \d+ mm outside the intracranial space"):
        transducer.cast(head, calvaria, [0.0, 0.0, 200.0])
    with pytest.raises(BadInputError, match="three coordinates"):
        transducer.cast(head, calvaria, [0.0, np.nan, 0.0])
    with pytest.raises(BadInputError, match="R,A,S in mm is needed"):
        transducer.point("1,2")
    with pytest.raises(BadInputError, match="0 elements"):
        transducer.hemisphere(0)
    with pytest.raises(BadInputError, match="An element of the array lies at the target"):
        transducer.cast(head, calvaria, [0.0, 0.0, 0.0], np.zeros((1, 3)))
