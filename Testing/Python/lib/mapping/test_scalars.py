"""What a map can show."""

from __future__ import annotations

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import scalars
from SkullGANLib.metrics import METRICS


def test_a_map_shows_every_metric_and_realness():
    assert scalars.names() == (*METRICS, "realness")
    for name in scalars.names():
        low, high = scalars.color_range(name)
        assert low < high


def test_a_value_is_read_with_its_unit():
    assert scalars.text("mean_intensity_hu", 1234.4) == "1234 HU"
    assert scalars.text("sdr_literal", 0.256) == "0.26"
    assert scalars.title("realness") == "Realness"


def test_an_unknown_scalar_is_refused_with_those_that_are_known():
    with pytest.raises(BadInputError, match=r"sdr_peaks.*realness, found 'density'"):
        scalars.color_range("density")
