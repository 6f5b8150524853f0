"""What a training that goes wrong looks like in numbers, and the sentences about it."""

import numpy as np
import pytest
from SkullGANLib.training.failure_watch import FailureWatch, diversity
from SkullGANLib.training.recipe import Recipe


def found_by(watch: FailureWatch, real: float, fake: float, **more: float) -> list[str]:
    return watch.check({"realness_real": real, "realness_fake": fake, **more})


def test_a_discriminator_that_wins_for_long_enough_is_reported_until_it_loses():
    watch = FailureWatch(Recipe(failure_reports=3))
    found = [len(found_by(watch, 0.9, fake)) for fake in (0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.3)]
    assert found == [0, 0, 0, 0, 0, 1, 1, 0]


def test_winning_is_measured_by_what_the_labels_ask_for():
    watch = FailureWatch(Recipe(failure_reports=1, real_label=0.7, fake_label=0.1, win_share=0.5))
    assert found_by(watch, 0.55, 0.3) == []
    assert "0.65 for reals and 0.30 for fakes" in found_by(watch, 0.65, 0.3)[0]


def test_a_collapse_is_reported_after_two_grids_that_are_nearly_alike():
    watch = FailureWatch(Recipe(collapse_share=0.2))
    grids = (0.9, 0.1, 0.5, 0.1, 0.05, 0.3)
    found = [found_by(watch, 0.6, 0.4, diversity=share) for share in grids]
    assert [len(sentences) for sentences in found] == [0, 0, 0, 0, 1, 0]
    assert "they differ 5% as much as the reals, expected at least 20%" in found[4][0]


def test_reports_between_two_grids_keep_what_the_last_grid_said():
    watch = FailureWatch(Recipe())
    for _ in range(2):
        found_by(watch, 0.6, 0.4, diversity=0.0)
    assert len(found_by(watch, 0.6, 0.4)) == 1


@pytest.mark.parametrize(("scale", "share"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_diversity_is_the_mean_distance_between_two_of_a_set(scale, share):
    reals = np.random.default_rng(0).normal(500, 100, (6, 8, 8)).astype(np.int16)
    assert diversity(reals * scale, reals) == pytest.approx(share)


def test_a_set_whose_reals_are_all_the_same_cannot_collapse():
    assert diversity(np.zeros((2, 4, 4)), np.ones((3, 4, 4))) == float("inf")
