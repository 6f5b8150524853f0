"""Stacked segments: each upright in an axial view, a millimeter apart, centered."""

import numpy as np
from SkullGANLib.data.stack import SLICE_DISTANCE_MM, stack_geometry


def test_a_stack_is_centered_and_its_slices_are_numbered_by_millimeters():
    matrix = stack_geometry(0.45)

    np.testing.assert_allclose(matrix @ [63.5, 63.5, 0, 1], [0, 0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(matrix @ [63.5, 63.5, 7, 1], [0, 0, 7 * SLICE_DISTANCE_MM, 1])


def test_rows_run_to_the_back_and_columns_to_the_left():
    """An axial view has anterior up and the patient's right at the left."""
    matrix = stack_geometry(2.0)

    np.testing.assert_array_equal(matrix[:3, 0], [-2, 0, 0])
    np.testing.assert_array_equal(matrix[:3, 1], [0, -2, 0])


def test_a_stack_of_other_pictures_is_centered_likewise():
    np.testing.assert_array_equal(stack_geometry(1.0, size=3)[:, 3], [1, 1, 0, 1])
