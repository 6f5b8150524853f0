"""Arrays by name."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import array_geometry, array_presets


def test_without_a_name_it_is_the_clinical_hemisphere():
    found = array_presets.elements_of(array_presets.DEFAULT)
    assert np.array_equal(found, array_geometry.hemisphere())
    assert next(iter(array_presets.PRESETS)) == array_presets.DEFAULT
    title = array_presets.PRESETS[array_presets.DEFAULT].title
    assert f"{array_geometry.ELEMENTS:,} elements, {array_geometry.RADIUS_MM:g} mm" in title


@pytest.mark.parametrize(("name", "side"), [("right-temple", 1), ("left-temple", -1)])
def test_a_bowl_lies_at_its_temple_as_wide_and_as_far_as_it_says(name, side):
    found = array_presets.elements_of(name)
    assert np.allclose(np.linalg.norm(found, axis=1), 63.2)
    assert (side * found[:, 0] > 0).all()
    assert 2 * np.hypot(found[:, 1], found[:, 2]).max() == pytest.approx(64, abs=0.5)
    assert np.allclose(found[:, 1:].mean(axis=0), 0, atol=0.5)


def test_the_two_bowls_mirror_each_other():
    right, left = map(array_presets.elements_of, ("right-temple", "left-temple"))
    assert np.allclose(np.sort(right[:, 0]), np.sort(-left[:, 0]))


def test_a_name_that_is_not_known_is_refused():
    with pytest.raises(BadInputError, match="out of hemisphere, right-temple, left-temple"):
        array_presets.elements_of("helmet")
