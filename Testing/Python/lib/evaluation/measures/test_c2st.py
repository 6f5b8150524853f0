"""Separability: judges that find a difference where there is one, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from examples import straight_walls as walls
from sklearn.metrics import roc_auc_score
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures import c2st
from SkullGANLib.evaluation.measures.c2st import (
    calibration,
    features,
    fidelity,
    kernel_distance,
    roc,
    two_sample_test,
)


def gaussian(count: int, seed: int, mean: float = 0.0, size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, size))


def test_sets_of_one_distribution_cannot_be_told_apart():
    found = two_sample_test(gaussian(150, 0), gaussian(150, 1))
    assert found.auc.low < 0.5 < found.auc.high
    assert found.accuracy.low < 0.5 < found.accuracy.high
    assert found.accuracy.high - found.accuracy.low < 0.2
    assert (found.folds, found.by_subject, found.compared) == (5, False, (150, 150))


def test_sets_far_apart_are_told_apart_always():
    found = two_sample_test(gaussian(60, 0), gaussian(40, 1, mean=9))
    assert found.accuracy.value == found.auc.value == found.auc.low == 1


def test_the_classifier_comes_close_to_the_best_possible_accuracy():
    """Normal numbers two standard deviations apart: the best rule is right in Φ(1) = 0.841."""
    found = two_sample_test(gaussian(300, 0, size=1), gaussian(300, 1, mean=2, size=1))
    assert found.accuracy.value == pytest.approx(0.841, abs=0.04)
    assert found.auc.value == pytest.approx(0.921, abs=0.04)  # Φ(√2)


def test_what_a_classifier_learned_of_a_subject_does_not_count():
    """Each subject has a mark of its own and nothing tells real from other."""
    rng = np.random.default_rng(0)
    marks = rng.normal(0, 10, (20, 4))
    subject = np.repeat(np.arange(20), 10)
    x = marks[subject] + rng.normal(0, 0.1, (200, 4))
    names = np.char.add("s", subject.astype(str))
    real, other = x[:100], x[100:]
    by_segment = two_sample_test(real, other)
    by_subject = two_sample_test(real, other, subjects=(names[:100], names[100:]))
    assert by_segment.accuracy.value > 0.95
    assert by_subject.by_subject
    assert by_subject.accuracy.low < 0.5 < by_subject.accuracy.high
    assert two_sample_test(real, other, subjects=(["a"] * 100, [""] * 100)).by_subject is False


def test_sets_of_one_distribution_cover_each_other():
    found = fidelity(gaussian(400, 0), gaussian(400, 1))
    assert found.coverage.value == pytest.approx(1 - 2**-5, abs=0.03)
    assert found.density.value == pytest.approx(1, abs=0.1)
    assert min(found.precision.value, found.recall.value) > 0.85
    assert found.precision.low <= found.precision.value <= found.precision.high


def test_disjoint_sets_do_not_cover_each_other():
    found = fidelity(gaussian(50, 0), gaussian(50, 1, mean=30))
    for name in ("precision", "recall", "density", "coverage"):
        estimate = getattr(found, name)
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)


def test_a_few_segments_again_and_again_are_precise_and_recall_little():
    real = gaussian(300, 0)
    found = fidelity(real, np.repeat(real[:10], 30, axis=0) + gaussian(300, 1) * 1e-3)
    assert found.precision.value == 1
    assert found.recall.value < 0.1
    assert found.coverage.value < 0.4


def test_balls_of_points_on_a_line_are_counted_by_hand():
    """Real at 0, 1, 2, 10 reach 1, 1, 1, 8 with k = 1; others at 0.5, 5 and 5.5 reach 4.5, .5, .5.

    0.5 lies in the balls of 0 and 1, 5 and 5.5 in that of 10. Of the reals 0, 1 and 2 lie in the
    ball of 0.5.
    """
    real, other = np.array([[0.0], [1], [2], [10]]), np.array([[0.5], [5], [5.5]])
    found = fidelity(real, other, k=1)
    assert found.precision.value == 1
    assert found.recall.value == 0.75
    assert found.density.value == pytest.approx(4 / 3)
    assert found.coverage.value == 0.75


def test_the_kernel_distance_of_one_distribution_is_none():
    found = kernel_distance(gaussian(300, 0), gaussian(200, 1)).mmd2
    assert found.low < 0 < found.high
    assert abs(found.value) < 0.05


def test_the_kernel_distance_is_the_unbiased_estimate():
    x, y = gaussian(5, 0), gaussian(4, 1, mean=1)

    def kernel(a, b):
        return (a @ b / 6 + 1) ** 3

    def pairs(a):
        return np.mean([kernel(p, q) for i, p in enumerate(a) for j, q in enumerate(a) if i != j])

    expected = pairs(x) + pairs(y) - 2 * np.mean([kernel(p, q) for p in x for q in y])
    assert kernel_distance(x, y).mmd2.value == pytest.approx(expected)
    far = kernel_distance(gaussian(100, 0), gaussian(100, 1, mean=3)).mmd2
    assert far.low > 1


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


def test_of_large_sets_so_many_are_drawn(monkeypatch):
    monkeypatch.setattr(c2st, "MOST", 30)
    assert fidelity(gaussian(50, 0), gaussian(20, 1)).compared == (30, 20)


def test_a_receiver_operating_curve_has_the_area_that_is_known():
    found = roc([0.9, 0.8, 0.4], [0.1, 0.5])
    assert found.auc.value == pytest.approx(5 / 6)
    assert (found.false_positive[0], found.true_positive[-1]) == (0, 1)
    real, fake = gaussian(300, 0, mean=1, size=1)[:, 0].round(1), gaussian(200, 1, size=1)[:, 0]
    expected = roc_auc_score([1] * 300 + [0] * 200, np.concatenate([real, fake]))
    assert roc(real, fake).auc.value == pytest.approx(expected)
    assert roc([0.5] * 4, [0.5] * 3).auc.value == 0.5


def test_scores_that_are_probabilities_are_called_so():
    rng = np.random.default_rng(0)
    scores = rng.random(4000)
    real = rng.random(4000) < scores
    found = calibration(scores[real], scores[~real])
    assert found.is_probability
    np.testing.assert_allclose(found.real, found.score, atol=0.08)
    assert found.brier == pytest.approx(1 / 6, abs=0.01)  # mean of p (1 - p)
    assert found.ece < 0.03


def test_scores_that_are_too_sure_are_not_called_probabilities():
    rng = np.random.default_rng(0)
    truth = rng.random(1000) < 0.5
    sure = np.where(rng.random(1000) < 0.7, truth, ~truth) * 0.98 + 0.01
    found = calibration(sure[truth], sure[~truth])
    assert not found.is_probability
    assert found.ece == pytest.approx(0.29, abs=0.03)  # says 0.99, is right in 0.7


def test_always_one_half_is_calibrated_and_worth_nothing():
    found = calibration(np.full(70, 0.5), np.full(300, 0.5))
    assert (found.brier, found.ece, found.count.tolist()) == (0.25, 0, [140])
    assert found.is_probability


@pytest.mark.parametrize(
    "judge",
    [two_sample_test, fidelity, kernel_distance],
    ids=["two-sample test", "fidelity", "kernel distance"],
)
def test_the_same_seed_gives_the_same_numbers(judge):
    x, y = gaussian(60, 0), gaussian(50, 1, mean=0.5)
    assert judge(x, y, seed=3) == judge(x, y, seed=3)
    with pytest.raises(BadInputError, match="were to be compared, at least"):
        judge(x, y[:1])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: features(), "no segment"),
        (lambda: features(walls(1, 0), walls(0, 0)), "no segment"),
        (lambda: fidelity(gaussian(9, 0), gaussian(9, 1), k=0), "k is 0"),
        (lambda: roc([], [0.1]), "0 scores of real"),
        (lambda: roc([np.nan], [0.1]), "NaN"),
        (lambda: calibration([1.5], [0.1]), r"0\.1 to 1\.5"),
    ],
)
def test_what_cannot_be_judged_is_refused(call, sentence):
    with pytest.raises(BadInputError, match=sentence):
        call()


def test_frechets_distance_of_normal_distributions_is_the_known_one():
    """Shifted by d: |d|²; each axis stretched by s: (s - 1)² times its variance."""
    x = np.random.default_rng(0).normal(0, [1, 2, 3], (500, 3))
    spread = x.var(axis=0, ddof=1)
    middle = x - x.mean(axis=0)
    assert c2st.frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert c2st.frechet_distance(x, x + np.array([3, 0, 4])) == pytest.approx(25)
    assert c2st.frechet_distance(middle, 3 * middle) == pytest.approx(4 * spread.sum())


def test_frechets_distance_of_fewer_segments_than_features_is_that_of_the_matrix_root():
    from scipy import linalg

    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, (6, 9)), rng.normal(0.5, 2, (8, 9))
    first, second = np.cov(one.T), np.cov(other.T)
    root = linalg.sqrtm(first @ second).real
    known = np.sum((one.mean(0) - other.mean(0)) ** 2) + np.trace(first + second - 2 * root)
    assert c2st.frechet_distance(one, other) == pytest.approx(known, rel=1e-4)


def test_the_curve_of_a_classifier_compares_what_one_fold_judged():
    """In the second fold all scores are higher; within each, every real one beats every fake."""
    scores = np.array([1.0, 0.0, 11.0, 10.0])
    y, fold = np.array([1, 0, 1, 0]), np.array([0, 0, 1, 1])
    all_weights = np.ones((2, 4))
    assert c2st._auc(scores, y, all_weights).tolist() == [0.75, 0.75]
    assert c2st._auc(scores, y, all_weights, fold).tolist() == [1.0, 1.0]
