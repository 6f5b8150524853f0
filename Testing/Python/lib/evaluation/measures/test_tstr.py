"""TSTR: segments that teach what real ones teach, and segments that teach nothing."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import disturbances, tstr
from SkullGANLib.evaluation.measures.statistics import Estimate


def walls(count: int, seed: int, *, row: int = 20) -> SegmentSet:
    """Straight walls of 1500 HU, a third of them diploë of 300 to 1200 HU, 12 to 30 rows thick."""
    rng = np.random.default_rng(seed)
    hu = np.zeros((count, 128, 128), np.int16)
    for one in hu:
        third = rng.integers(4, 11)
        one[row : row + 3 * third] = 1500
        one[row + third : row + 2 * third] = rng.integers(300, 1200)
    return segment_set.without_patient(hu, hu != 0, np.arange(count))


def test_segments_of_one_distribution_are_worth_the_same():
    found = tstr.compare(walls(80, 0), walls(100, 1), walls(60, 2))

    for one in found.values():
        assert 0.4 < one.ratio.value < 2.5
        assert one.error["real"].value < 0.5 * one.error["guess"].value
        assert (one.trained_on, one.tested_on) == (80, 60)


def test_segments_that_belie_what_they_show_teach_nothing():
    """All of the synthetic walls are one wall: what it looks like says nothing of another."""
    one = walls(1, 1)
    same = one[np.zeros(80, int)]

    found = tstr.compare(walls(80, 0), same, walls(60, 2))

    assert found["thickness_mm"].ratio.low > 2
    assert found["sdr_peaks"].ratio.low > 2


def test_the_errors_follow_from_the_seed_alone():
    sets = walls(40, 0), walls(50, 1), walls(30, 2)
    assert tstr.compare(*sets, seed=3) == tstr.compare(*sets, seed=3)


def test_too_few_segments_are_refused():
    with pytest.raises(BadInputError, match="at least 20 of each"):
        tstr.compare(walls(40, 0), walls(19, 1), walls(30, 2))


def estimates(**values) -> tstr.Tstr:
    """What is found where errors after real, both, ... are so, give or take a tenth."""
    error = {"real": 1.0, "synthetic": 1.2, "both": 0.9, "augmented": 0.9, "guess": 3.0} | values

    def near(value: float | None) -> Estimate | None:
        return None if value is None else Estimate(value, 0.9 * value, 1.1 * value)

    art = error.get("artificial")
    return tstr.Tstr(
        error={name: near(value) for name, value in error.items()},
        ratio=near(error["synthetic"]),
        gain=near(error["both"]),
        augmentation=near(error["augmented"]),
        beyond=near(error["both"] / error["augmented"]),
        artificial=near(art),
        beyond_artificial=near(None if art is None else error["both"] / art),
        trained_on=50,
        tested_on=50,
    )


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ({"both": 0.5}, "yes, they add more to real ones than augmentation gives"),
        ({"both": 0.5, "artificial": 0.9}, "yes"),
        ({"both": 0.5, "artificial": 0.5}, "no, they add no more to real ones than artificial"),
        ({"both": 0.6, "augmented": 0.6}, "no more than augmentation gives"),
        ({"both": 1.0, "augmented": 0.6, "synthetic": 1.0}, "as much as the same number"),
        ({"both": 1.0, "augmented": 1.3, "synthetic": 1.5}, "less than as many real ones"),
        ({"both": 1.0, "synthetic": 3.5}, "no, they teach less than a guess"),
        ({"guess": 0.9}, "not known, since real ones teach nothing either"),
    ],
)
def test_use_is_what_goes_beyond_augmentation_and_beyond_no_skulls(errors, words):
    found = estimates(**errors)
    assert tstr.worth(found).startswith(words)
    assert tstr.is_of_use(found) is words.startswith("yes")


def test_the_same_segments_moved_are_of_no_use_and_further_ones_are():
    """Real walls, as many further ones, and the real ones moved by up to 3 pixels."""
    real, test = walls(60, 0), walls(120, 2)
    rng = np.random.default_rng(0)
    moved = disturbances.laid(
        real,
        mirrored=np.zeros(60, bool),
        turn_deg=np.zeros(60),
        shift_px=rng.integers(-3, 4, (60, 2)).astype(float),
        gain=np.ones(60),
    )
    for one in tstr.compare(real, moved, test).values():
        assert not tstr.is_of_use(one)
    further = tstr.compare(real, walls(60, 5), test, artificial=moved)
    assert all(one.artificial is not None for one in further.values())
    assert further["sdr_peaks"].gain.value < 1
