"""The features of the wall: known on plain walls, and none is left without a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import straight_walls
from SkullGANLib.metrics import measure
from SkullGANLib.metrics.wall_features import METRICS, wall_features


def test_there_are_47_numbers_for_every_segment_also_without_a_wall():
    segments = straight_walls(5, 0)
    nothing = replace(segments, hu=segments.hu * 0, mask=segments.mask * 0)
    for one in (segments, nothing):
        found = wall_features(one)
        assert found.shape == (5, 47)
        assert np.isfinite(found).all()


def test_the_profile_is_that_of_the_layers_and_a_straight_wall_has_no_outline():
    segments = straight_walls(1, 0, noise_hu=0)
    found = wall_features(segments)[0]
    levels = segments.hu[0][segments.mask[0][:, 0] > 0, 0]
    profile, spread = found[:12], found[12:24]
    assert profile[:4] == pytest.approx(levels[0])
    assert profile[-4:] == pytest.approx(levels[-1])
    assert (spread == 0).all()
    assert (found[24:28] == 0).all()  # deviations and bends of both surfaces


def test_steps_are_means_over_pairs_within_the_wall_of_any_hu():
    segments = straight_walls(2, 0, noise_hu=0)
    hu = np.where(segments.mask > 0, np.int16(0), 0).astype(np.int16)
    hu[0, :, ::2] = np.where(segments.mask[0, :, ::2] > 0, 30_000, 0)  # stripes: 30,000 and -30,000
    hu[0, :, 1::2] = np.where(segments.mask[0, :, 1::2] > 0, -30_000, 0)
    found = wall_features(replace(segments, hu=hu))[:, 28:36]
    down, along = found[0, ::2], found[0, 1::2]
    assert (down == 0).all()
    assert along.tolist() == [60_000, 0, 0, 0]
    assert (found[1] == 0).all()


def test_metrics_that_are_known_are_not_measured_again():
    segments = straight_walls(2, 1)
    metrics = {name: values + 1 for name, values in measure(segments).items()}
    found = wall_features(segments, metrics)[:, -len(METRICS) :]
    assert np.array_equal(found, np.stack([metrics[name] for name in METRICS], axis=1))


def test_the_last_are_the_metrics():
    segments = straight_walls(3, 1)
    found = wall_features(segments)[:, -len(METRICS) :]
    measured = np.stack([measure(segments)[name] for name in METRICS], axis=1)
    assert np.allclose(found, np.nan_to_num(measured))
