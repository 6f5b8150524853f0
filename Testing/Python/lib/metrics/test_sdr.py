"""The skull density ratio of layers whose answers are worked out by hand."""

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.metrics import SDR_DEFINITIONS, skull_density_ratio
from walls import arched_wall, layered, masked


@pytest.mark.parametrize(
    ("layers", "peaks", "outer_peak", "central", "literal"),
    [
        # dip 600; peaks 1500 and 1500
        pytest.param([(1500, 4), (600, 4), (1500, 4)], 0.4, 0.4, 0.4, 0.4, id="even tables"),
        # dip 480; (1200 + 1600) / 2 = 1400; 480 / 1200; 480 / 1600
        pytest.param(
            [(1200, 4), (480, 4), (1600, 4)], 480 / 1400, 0.4, 0.3, 0.3, id="uneven tables"
        ),
        # partial-volume rows of 300 HU at both edges: only the literal one falls for them
        pytest.param(
            [(300, 1), (1500, 3), (750, 4), (1500, 3), (300, 1)],
            0.5, 0.5, 0.5, 0.2, id="partial volume at the mask's edge",
        ),
        # one peak, no diploë
        pytest.param([(1300, 3)], 1, 1, 1, 1, id="thin wall"),
        # one peak: 8 rows, middle half rows 2 to 5
        pytest.param([(500, 2), (1000, 1), (2000, 2), (1000, 1), (500, 2)], 1, 1, 0.5, 0.25,
                     id="one peak with shoulders"),
        # no inner table: one peak, although the diploë is there
        pytest.param([(1500, 4), (600, 4)], 1, 1, 0.4, 0.4, id="no inner table"),
        # a trabecula in the diploë: 400 lies deeper below 1200 than 500 does
        pytest.param([(1200, 3), (500, 2), (900, 1), (400, 2), (1600, 4)], 400 / 1400, 400 / 1200,
                     0.25, 0.25, id="trabecula"),
        # fat marrow below 0 HU: outer peak stops at 0
        pytest.param([(1000, 4), (-50, 4), (1000, 4)], -0.05, 0, -0.05, -0.05, id="fat marrow"),
    ],
)  # fmt: skip
def test_sdr_of_layers_is_the_one_worked_out_by_hand(layers, peaks, outer_peak, central, literal):
    hu = layered(*layers)

    found = [skull_density_ratio(hu, hu != 0, name)[0] for name in SDR_DEFINITIONS]

    assert found == pytest.approx([peaks, outer_peak, central, literal], abs=1e-12)


@pytest.mark.parametrize("edge_angle_deg", [0, 15, 28])
def test_sdr_of_a_blurred_arched_wall_is_that_of_its_layers(edge_angle_deg):
    hu, mask = masked(arched_wall(edge_angle_deg, fwhm_mm=1.0), 100)

    for definition in ("peaks", "outer-peak", "central"):
        assert skull_density_ratio(hu, mask, definition)[0] == pytest.approx(0.4, abs=0.02)
    assert skull_density_ratio(hu, mask, "literal")[0] < 0.2


@pytest.mark.parametrize(
    ("noise_hu", "lowest"), [(10, 0.385), (30, 0.36), (50, 0.33)]
)  # minimum of six noisy rows over the highest of four: about 3 standard deviations apart
def test_noise_lowers_the_sdr_by_no_more_than_documented(noise_hu, lowest):
    hu = layered((1500, 4), (600, 6), (1500, 4), count=30)
    noise = np.random.default_rng(7).normal(0, noise_hu, hu.shape)

    found = skull_density_ratio(np.where(hu != 0, hu + noise, 0), hu != 0)

    assert found.min() > lowest
    assert found.max() < 0.4


def test_noise_on_a_wall_without_diploe_leaves_its_sdr_near_one():
    hu = layered((1500, 4), count=30)
    noise = np.random.default_rng(7).normal(0, 30, hu.shape)

    assert skull_density_ratio(np.where(hu != 0, hu + noise, 0), hu != 0).min() > 0.95


def test_an_unknown_definition_is_refused_with_those_that_are_known():
    hu = layered((1500, 4))

    with pytest.raises(BadInputError, match=r"'peaks'.*'literal'.*'median'"):
        skull_density_ratio(hu, hu != 0, "median")
