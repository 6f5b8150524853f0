"""Features see what differs between sets, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from examples import straight_walls as walls
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.c2st import two_sample_test
from SkullGANLib.evaluation.measures.features import features
from SkullGANLib.metrics.wall_features import METRICS


def test_features_see_what_differs_and_nothing_else():
    real, alike, noisy = walls(80, 10), walls(80, 11), walls(80, 12, noise_hu=45)
    same = two_sample_test(*features(real, alike))
    assert same.auc.low < 0.5 < same.auc.high
    assert two_sample_test(*features(real, noisy)).accuracy.value > 0.95


def test_features_are_numbers_also_of_an_empty_segment():
    blank = segment_set.without_patient(np.zeros((1, 128, 128)), np.zeros((1, 128, 128)), [0])
    one, other = features(walls(3, 0), blank)
    assert np.isfinite(one).all()
    assert np.isfinite(other).all()
    assert one.shape[1] == other.shape[1]


def test_the_metrics_among_the_features_are_pinned():
    """A new metric changes no judge's numbers: whoever adds one here changes them knowingly."""
    assert METRICS == (
        "sdr_peaks",
        "sdr_outer_peak",
        "sdr_central",
        "sdr_literal",
        "thickness_mm",
        "mean_intensity_hu",
    )


@pytest.mark.parametrize("sets", [(), (walls(1, 0), walls(0, 0))])
def test_features_of_no_segment_are_refused(sets):
    with pytest.raises(BadInputError, match="no segment"):
        features(*sets)
