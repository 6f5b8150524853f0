"""Artificial walls follow from their parameters, and are as thick and bright as asked for."""

import numpy as np
import pytest
from SkullGANLib.generation.artificial_walls import BLOCKS, STYLES, UNIFORMS, Parameters, render


def parameters(count: int = 6) -> Parameters:
    rng = np.random.default_rng(0)
    return Parameters(
        targets=np.tile([0.5, 8.0, 900.0], (count, 1)),
        arcs=np.tile([30.0, 0.0, 5.0], (count, 1)),
        uniforms=rng.random((count, UNIFORMS)),
        blocks=rng.random((count, *BLOCKS)),
    )


@pytest.mark.parametrize("style", STYLES)
def test_hu_are_where_the_mask_is_and_below_what_a_ct_holds(style):
    hu, mask = render(parameters(), style, np.tile([0.4, 18.0, 2000.0], (6, 1)))

    assert hu.shape == mask.shape == (6, 128, 128)
    assert (hu.dtype, mask.dtype) == (np.int16, np.uint8)
    assert not hu[mask == 0].any()
    assert mask.any(axis=(1, 2)).all()
    assert hu.max() <= 2000


@pytest.mark.parametrize("style", STYLES)
def test_parameters_alone_decide(style):
    state = np.tile([0.4, 18.0, 2000.0], (6, 1))
    some = np.array([4, 1])

    whole, _ = render(parameters(), style, state)
    part, _ = render(parameters()[some], style, state[some])

    np.testing.assert_array_equal(part, whole[some])


@pytest.mark.parametrize("thickness", [10.0, 25.0])
def test_an_idealized_wall_is_as_thick_as_asked_for(thickness):
    _, mask = render(parameters(), "idealized", np.tile([0.4, thickness, 2000.0], (6, 1)))

    # The mask ends at a quarter of the surface's height, half a pixel outside on either side.
    np.testing.assert_allclose(mask.sum(axis=1).mean(axis=1), thickness + 1, atol=1)
