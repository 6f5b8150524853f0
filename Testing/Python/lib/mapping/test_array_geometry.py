"""Where the elements of an array and its target are."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.anatomy.head_frame import HeadFrame
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping.array_geometry import (
    checked_target,
    default_target,
    hemisphere,
    place,
    point,
    read_elements,
)


def test_elements_lie_evenly_on_the_cap_and_at_its_radius():
    found = hemisphere()
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.full(1024, 150.0))
    assert found[:, 2].min() > 0
    # Equal areas of a hemisphere are equal steps of height.
    assert np.diff(-found[:, 2]) == pytest.approx(np.full(1023, 150.0 / 1024))
    nearest = np.sort(np.linalg.norm(found[:, None] - found, axis=2), axis=1)[:, 1]
    assert nearest.min() > 0.6 * np.median(nearest)
    assert hemisphere(10, coverage_deg=60.0)[:, 2].min() > 75.0


def test_an_array_stands_over_the_head_along_its_own_axis():
    turn = np.eye(4)
    turn[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    placed = place(np.array([[1.0, 0, 0], [0, 0, 5.0]]), [10, 20, 30], HeadFrame(turn, 1, 1))
    assert placed.tolist() == [[10, 21, 30], [10, 20, 35]]


def test_elements_of_a_file_are_read_whatever_else_is_in_it(tmp_path):
    (tmp_path / "array.csv").write_text("name, X ,Y,z\na,1,2,3\nb,-4.5,0,1e2\n")
    found = read_elements(tmp_path / "array.csv")
    assert found.tolist() == [[1, 2, 3], [-4.5, 0, 100]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b,c\n1,2,3\n", "its columns are a, b, c, x, y, z are missing"),
        ("x,y\n1,2\n", "its columns are x, y, z is missing"),
        ("x,y,z\n1,2,3\n1,two,3\n", "line 3 has no three numbers"),
        ("x,y,z\n", "has 0 elements"),
        ("x,y,z\n1,nan,3\n", "with finite places"),
        ("", "its columns are none"),
    ],
)
def test_a_file_that_is_no_array_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "array.csv"
    path.write_text(content)
    with pytest.raises(BadInputError) as refused:
        read_elements(path)
    assert str(path) in str(refused.value)
    assert sentence in str(refused.value)


def test_the_default_target_is_the_middle_of_the_space(head):
    assert default_target(head.cavity) == pytest.approx([0, 0, 15], abs=20)


def test_a_missing_file_and_a_target_that_is_none_are_refused(head, tmp_path):
    with pytest.raises(BadInputError, match=r"nowhere\.csv: cannot be read"):
        read_elements(tmp_path / "nowhere.csv")
    with pytest.raises(BadInputError, match=r"lies \d+ mm outside the intracranial space"):
        checked_target(head.cavity, [0.0, 0.0, 200.0])
    with pytest.raises(BadInputError, match="three coordinates"):
        checked_target(head.cavity, [0.0, np.nan, 0.0])
    with pytest.raises(BadInputError, match="Expected a target as R,A,S in mm"):
        point("1,2")
    with pytest.raises(BadInputError, match="found 0 elements"):
        hemisphere(0)
