"""Separability: can synthetic segments be told from real ones by judges that the GAN never met?

``features`` describes segments by numbers in which the other functions compare two sets:
``two_sample_test`` (a classifier), ``fidelity`` (precision, recall, density, coverage),
``kernel_distance`` (MMD) and ``frechet_distance``. ``roc`` and ``calibration`` are about scores,
such as the discriminator's realness. All give the same numbers for the same seed.

Features need no network and no download: networks trained on photographs, as for FID, look at gray
bone through eyes for colored objects, their weights are not always at hand, and what they found
cannot be named. Here each feature is something a radiologist can look at: the coarse picture
(principal components), the profile of HU from outer to inner surface, outlines, texture at several
scales, quantiles of HU and the radiological metrics. ``inception`` has the network of FID for those
who have its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data.segment_set import SIZE, SegmentSet
from ...errors import BadInputError
from ...metrics import METRICS, measure

MOST = 4_000
"""Segments compared of each set in what is quadratic; of larger sets so many are drawn."""

_COMPONENTS = 32
_DEPTHS = 12
_LAGS = (1, 2, 4, 8)
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FOLDS = 5
_RESAMPLES = 1000
_SUBSETS = 200
_AT_ONCE = 256


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class TwoSampleTest:
    """How well a classifier tells two sets apart; 0.5 where it cannot, 1 where it always can.

    Attributes:
        accuracy: mean of the shares of both sets that were told rightly, each segment by a
            classifier that has not seen it.
        auc: area under the receiver-operating curve of the same judgments, over the pairs that one
            classifier judged: the scores of two have no common scale (Forman & Scholz 2010).
        folds: parts of the cross-validation.
        by_subject: whether no subject was on both sides of it.
        compared: segments of each set.
    """

    accuracy: Estimate
    auc: Estimate
    folds: int
    by_subject: bool
    compared: tuple[int, int]


@dataclass(frozen=True)
class Fidelity:
    """How two sets cover each other, by balls around each segment that reach its k-th neighbor.

    Attributes:
        precision: share of the other set within the real set's balls (Kynkäänniemi et al. 2019).
        recall: share of the real set within the other set's balls.
        density: real balls around a segment of the other set, over k (Naeem et al. 2020).
        coverage: share of real balls that hold a segment of the other set.
        k: neighbors that a ball reaches.
        compared: segments of each set.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate
    k: int
    compared: tuple[int, int]


@dataclass(frozen=True)
class KernelDistance:
    """Squared maximum mean discrepancy, 0 for equal distributions (unbiased: may be below 0).

    Attributes:
        mmd2: its interval holds 95 % of the estimates from halves of both sets.
        compared: segments of each set.
    """

    mmd2: Estimate
    compared: tuple[int, int]


@dataclass(frozen=True)
class Roc:
    """A receiver-operating curve: at each threshold, the shares of fake and of real called real."""

    false_positive: np.ndarray
    true_positive: np.ndarray
    auc: Estimate


@dataclass(frozen=True)
class Calibration:
    """Whether scores may be read as the probability of being real, with as many real as fake.

    Attributes:
        score, real, count: per tenth of [0, 1] that holds any, the mean score, the share of real
            ones and how many there are.
        brier: mean squared difference of score and truth; 0.25 for always one half.
        ece: expected calibration error, the mean distance of ``score`` and ``real``.
        p_value: chance of such an error or more if the scores were probabilities.
        is_probability: whether nothing speaks against it: ``p_value`` of 0.05 or more.
    """

    score: np.ndarray
    real: np.ndarray
    count: np.ndarray
    brier: float
    ece: float
    p_value: float
    is_probability: bool


def features(*sets: SegmentSet) -> list[np.ndarray]:
    """Describe segments by features that are standardized over all sets together.

    No set is treated otherwise than another (a space fitted to the real set alone would give it
    away), so that sets of one distribution stay indistinguishable.

    Returns:
        float64 (N, features) for each set.

    Raises:
        BadInputError: if no set, or an empty one is given, or their pixel sizes differ.
    """
    if not sets or min(map(len, sets)) == 0:
        raise BadInputError("Features were asked of no segment, at least one in each is needed.")
    spacings = sorted({one.pixel_spacing_mm for one in sets})
    if len(spacings) > 1:
        raise BadInputError(f"Sets of pixels of {spacings} mm were given, one size is needed.")
    described = np.concatenate([_described(one) for one in sets])
    coarse = np.concatenate([_coarse(one.hu) for one in sets])
    components = principal_components(coarse, _COMPONENTS, seed=0)
    # The components keep their weights among each other: together they weigh as half the rest.
    components *= np.sqrt(described.shape[1] / 2 / max(components.var(axis=0).sum(), 1e-12))
    together = np.hstack([standardized(described), components])
    return np.split(together, np.cumsum([len(one) for one in sets])[:-1])


def two_sample_test(
    real: np.ndarray,
    other: np.ndarray,
    *,
    subjects: tuple[Sequence[str], Sequence[str]] | None = None,
    seed: int = 0,
) -> TwoSampleTest:
    """Train a classifier to tell two sets apart and see how well it does (Lopez-Paz & Oquab 2017).

    Gradient-boosted trees, for they see differences in spread and in combinations as well as in
    the mean. Intervals by a bootstrap of subjects, where they are known, else of segments, and
    wider by √(1 + folds / (folds - 1)), 1.5 for 5 folds (Nadeau & Bengio 2003): the bootstrap knows
    nothing of the chance in what the classifiers were trained on. Of 50 pairs of like sets of 80,
    the AUC varied by 0.070, the bootstrap alone said 0.046.

    Args:
        real, other: features (N, D) and (M, D).
        subjects: of both sets; an empty text is a segment of no subject. A subject is then never
            trained on and judged; where either set has but one subject it cannot be so.
        seed: of folds, classifier and bootstrap.

    Raises:
        BadInputError: if a set has less than 4 segments.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    _enough(real, other, 4)
    x = np.concatenate([real, other])
    y = np.repeat([1, 0], [len(real), len(other)])
    groups, by_subject = _groups(y, subjects)
    folds = min(_FOLDS, *(len(set(groups[y == label])) for label in (0, 1)))
    scores, fold = np.empty(len(y)), np.empty(len(y), int)
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for number, (train, test) in enumerate(parts.split(x, y, groups)):
        judge = HistGradientBoostingClassifier(
            max_iter=50,
            learning_rate=0.2,
            max_leaf_nodes=8,
            min_samples_leaf=min(20, max(2, len(train) // 20)),
            early_stopping=False,
            random_state=seed,
        )
        # Trees this small spend more time waiting for threads than growing, most of all beside a
        # training that has the cores.
        with threadpool_limits(1, "openmp"):
            odds = judge.fit(x[train], y[train]).decision_function(x[test])
        # As if both sets were as large; class weights say the same and take a minute to bin 2,000.
        scores[test] = odds - np.log(np.sum(y[train] == 1) / np.sum(y[train] == 0))
        fold[test] = number
    weights = _resampled(y, groups, seed)
    right = ((scores > 0) == (y == 1)).astype(float)
    shares = [weights @ (right * (y == c)) / (weights @ (y == c)) for c in (0, 1)]
    return TwoSampleTest(
        accuracy=_widened(_estimate(np.mean(shares, axis=0)), folds),
        auc=_widened(_estimate(_auc(scores, y, weights, fold)), folds),
        folds=folds,
        by_subject=by_subject,
        compared=(len(real), len(other)),
    )


def fidelity(real: np.ndarray, other: np.ndarray, *, k: int = 5, seed: int = 0) -> Fidelity:
    """Measure how a set covers the real one and the other way round.

    Of one distribution and size, coverage is 1 - 2^-k and density 1.

    Args:
        real, other: features (N, D) and (M, D); of more than ``MOST`` so many are drawn.
        k: neighbors that a ball reaches.
        seed: of the draw and of the bootstrap that gives the intervals.

    Raises:
        BadInputError: if a set has no more than k segments, or k is below 1.
    """
    from sklearn.metrics import pairwise_distances

    if k < 1:
        raise BadInputError(f"k is {k}, needed is at least 1.")
    _enough(real, other, k + 1)
    real, other = _drawn(real, seed), _drawn(other, seed)
    # The k-th of the others: the nearest of all is the segment itself.
    real_reach, other_reach = (
        np.partition(pairwise_distances(one), k, axis=1)[:, k] for one in (real, other)
    )
    between = pairwise_distances(real, other)
    within_real = between <= real_reach[:, None]
    within_other = between <= other_reach
    rng = np.random.default_rng(seed)
    return Fidelity(
        precision=_mean(within_real.any(axis=0), rng),
        recall=_mean(within_other.any(axis=1), rng),
        density=_mean(within_real.sum(axis=0) / k, rng),
        coverage=_mean(within_real.any(axis=1), rng),
        k=k,
        compared=(len(real), len(other)),
    )


def kernel_distance(real: np.ndarray, other: np.ndarray, *, seed: int = 0) -> KernelDistance:
    """Give the squared maximum mean discrepancy with the kernel (x · y / D + 1)³.

    The kernel and the unbiased estimate are those of KID (Bińkowski et al. 2018), in features of
    our own. The interval is that of halves of the sets, wider than the whole ones would have it.

    Args:
        real, other: features (N, D) and (M, D); of more than ``MOST`` so many are drawn.
        seed: of the draw and of the halves.

    Raises:
        BadInputError: if a set has less than 4 segments.
    """
    _enough(real, other, 4)
    real, other = _drawn(real, seed), _drawn(other, seed)
    rng = np.random.default_rng(seed)
    w, v = (_halves(len(one), rng) for one in (real, other))
    mmd2 = (
        _mean_of_pairs(_kernel(real, real), w)
        + _mean_of_pairs(_kernel(other, other), v)
        - 2 * np.einsum("ns,ns->s", w, _kernel(real, other) @ v) / (w.sum(axis=0) * v.sum(axis=0))
    )
    return KernelDistance(_estimate(mmd2), (len(real), len(other)))


def frechet_distance(real: np.ndarray, other: np.ndarray) -> float:
    """Give Fréchet's distance of two normal distributions with the sets' means and covariances.

    |m - m'|² + tr(C + C' - 2 (C C')^½), the FID of features of the Inception network (Heusel et al.
    2017). It falls with the number of segments: of two sets of one distribution it is not 0.

    Args:
        real, other: features (N, D) and (M, D).

    Raises:
        BadInputError: if a set has less than 2 segments.

    Example:
        >>> x = np.array([[-1.0], [1.0]])
        >>> frechet_distance(x, x + 3), round(frechet_distance(x, 2 * x), 6)
        (9.0, 2.0)
    """
    _enough(real, other, 2)
    mean, roots = [], []
    for one in (real, other):
        mean.append(one.mean(axis=0))
        # C = R'R, and tr (C C')^½ is the sum of the singular values of R R'^T: no root is taken of
        # a matrix that lacks rank, as sets smaller than D give.
        roots.append(np.linalg.qr(one - mean[-1], mode="r") / np.sqrt(len(one) - 1))
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum(np.sum(root**2) for root in roots)
    return float(max(0.0, np.sum((mean[0] - mean[1]) ** 2) + spread - 2 * shared))


def roc(real: np.ndarray, fake: np.ndarray, *, seed: int = 0) -> Roc:
    """Give the receiver-operating curve of scores; higher ones should be real.

    Raises:
        BadInputError: if either has no scores, or one is no number.
    """
    from sklearn.metrics import roc_curve

    y, scores = _scored(real, fake)
    false_positive, true_positive, _ = roc_curve(y, scores)
    weights = _resampled(y, np.arange(len(y)), seed)
    return Roc(false_positive, true_positive, _estimate(_auc(scores, y, weights)))


def calibration(real: np.ndarray, fake: np.ndarray, *, seed: int = 0) -> Calibration:
    """Tell whether scores in [0, 1] may be read as the probability of being real.

    Of the larger set as many scores are drawn as the smaller has: a probability depends on how many
    of each there are. Chance alone gives some error, and how much is found by drawing the truth
    from the scores themselves, again and again (Bröcker & Smith 2007).

    Raises:
        BadInputError: if either has no scores, or one is not in [0, 1].
    """
    y, scores = _scored(real, fake)
    if scores.min() < 0 or scores.max() > 1:
        raise BadInputError(
            f"Scores go from {scores.min():g} to {scores.max():g}, needed are 0 to 1."
        )
    rng = np.random.default_rng(seed)
    count = min(np.sum(y == 1), np.sum(y == 0))
    kept = np.concatenate([rng.permutation(np.flatnonzero(y == c))[:count] for c in (1, 0)])
    y, scores = y[kept], scores[kept]
    bins = np.minimum((scores * 10).astype(int), 9)
    held = np.bincount(bins, minlength=10)
    filled = held > 0
    total = np.bincount(bins, scores, minlength=10)
    drawn = rng.random((_RESAMPLES, len(scores))) < scores
    truths = np.concatenate([y[None], drawn]) @ np.eye(10)[bins]
    errors = np.abs(truths - total).sum(axis=1) / len(scores)
    p_value = float((1 + np.sum(errors[1:] >= errors[0] - 1e-12)) / (1 + _RESAMPLES))
    return Calibration(
        score=total[filled] / held[filled],
        real=truths[0, filled] / held[filled],
        count=held[filled],
        brier=float(np.mean((scores - y) ** 2)),
        ece=float(errors[0]),
        p_value=p_value,
        is_probability=p_value >= 0.05,
    )


def _described(segments: SegmentSet) -> np.ndarray:
    """Give the features with a name of their own (N, 47); 0 where there is nothing to measure."""
    metrics = measure(segments)
    shapes = [
        _shape(segments.hu[part].astype(np.float32), segments.mask[part].astype(bool))
        for part in (slice(i, i + _AT_ONCE) for i in range(0, len(segments), _AT_ONCE))
    ]
    named = np.stack([metrics[name] for name in METRICS], axis=1)
    # A segment without bone has no metrics; it lies far from all others in the rest.
    return np.nan_to_num(np.hstack([np.concatenate(shapes), named]))


def _shape(hu: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Give the profile across the wall, outlines, texture and quantiles of (B, 128, 128)."""
    covered = mask.any(axis=1)
    first = mask.argmax(axis=1)
    last = SIZE - 1 - mask[:, ::-1].argmax(axis=1)
    depth = (np.arange(_DEPTHS)[:, None] + 0.5) / _DEPTHS
    rows = np.rint(first[:, None] + depth * (last - first)[:, None]).astype(int)
    profile = np.take_along_axis(hu, rows, axis=1)
    columns = np.maximum(covered.sum(axis=1), 1)[:, None]
    mean = np.sum(profile, axis=2, where=covered[:, None]) / columns
    square = np.sum(profile**2, axis=2, where=covered[:, None]) / columns
    found = [mean, np.sqrt(np.maximum(square - mean**2, 0))]
    thickness = (last - first + 1) * covered
    found += [one.std(axis=1)[:, None] for one in (first, thickness)]
    found += [np.abs(np.diff(one, 2, axis=1)).mean(axis=1)[:, None] for one in (first, last)]
    for lag in _LAGS:
        for there, here in (
            (np.s_[:, lag:], np.s_[:, :-lag]),
            (np.s_[:, :, lag:], np.s_[:, :, :-lag]),
        ):
            both = mask[there] & mask[here]
            step = np.sum(np.abs(hu[there] - hu[here]), axis=(1, 2), where=both)
            found.append((step / np.maximum(both.sum(axis=(1, 2)), 1))[:, None])
    quantiles = [
        np.quantile(one[inside], _QUANTILES) if inside.any() else np.zeros(len(_QUANTILES))
        for one, inside in zip(hu, mask, strict=True)
    ]
    return np.hstack([*found, quantiles])


def _coarse(hu: np.ndarray) -> np.ndarray:
    """Average blocks of 4 x 4 pixels: float32 (N, 1024)."""
    blocks = hu.reshape(len(hu), SIZE // 4, 4, SIZE // 4, 4)
    return blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(hu), -1)


def standardized(x: np.ndarray) -> np.ndarray:
    """Give each column (N, D) mean 0 and standard deviation 1; a constant one becomes 0."""
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)


def principal_components(x: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Give the coordinates of points (N, D) along their first principal axes, float64."""
    from sklearn.decomposition import PCA

    count = min(count, *x.shape)
    with np.errstate(invalid="ignore", divide="ignore"):  # segments that are all alike
        return PCA(count, svd_solver="randomized", random_state=seed).fit_transform(x).astype(float)


def _groups(
    y: np.ndarray, subjects: tuple[Sequence[str], Sequence[str]] | None
) -> tuple[np.ndarray, bool]:
    """Number what must stay together: a subject's segments, or each for itself."""
    alone = np.arange(len(y))
    if subjects is None:
        return alone, False
    names = np.concatenate([np.asarray(one, dtype=str) for one in subjects])
    known = names != ""
    _, number = np.unique(names, return_inverse=True)
    groups = np.where(known, number, alone + len(y))
    enough = all(len(set(groups[y == label])) > 1 for label in (0, 1))
    return (groups, bool(known.any())) if enough else (alone, False)


def _resampled(y: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Draw groups with putting back, class by class: weights (1 + 1000, N), the first all 1."""
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + _RESAMPLES, len(y)))
    for label in (0, 1):
        here = np.flatnonzero(y == label)
        names, number = np.unique(groups[here], return_inverse=True)
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), _RESAMPLES)
        weights[1:, here] = times[:, number]
    return weights


def _auc(
    scores: np.ndarray, y: np.ndarray, weights: np.ndarray, fold: np.ndarray | None = None
) -> np.ndarray:
    """Give the area under the receiver-operating curve for each row of weights; ties count half.

    It is the share of pairs of a real and a fake in which the real one scores higher, of pairs of
    one fold if folds are given; NaN for weights that leave no such pair.
    """
    higher, pairs = np.zeros((2, len(weights)))
    for part in [slice(None)] if fold is None else [fold == each for each in np.unique(fold)]:
        _, rank = np.unique(scores[part], return_inverse=True)
        places = rank.max() + 1
        real, fake = (
            np.stack([np.bincount(rank, row, places) for row in weights[:, part] * (y[part] == c)])
            for c in (1, 0)
        )
        higher += np.sum(real * (np.cumsum(fake, axis=1) - fake / 2), axis=1)
        pairs += real.sum(axis=1) * fake.sum(axis=1)
    return np.divide(higher, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def _estimate(values: np.ndarray) -> Estimate:
    """Take the first value for the estimate and the others for its spread."""
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return Estimate(float(values[0]), float(low), float(high))


def _widened(estimate: Estimate, folds: int) -> Estimate:
    factor = np.sqrt(1 + folds / (folds - 1))
    low, high = (
        float(np.clip(estimate.value + factor * (end - estimate.value), 0, 1))
        for end in (estimate.low, estimate.high)
    )
    return Estimate(estimate.value, low, high)


def _mean(values: np.ndarray, rng: np.random.Generator) -> Estimate:
    values = np.asarray(values, float)
    drawn = [rng.choice(values, len(values)).mean() for _ in range(_RESAMPLES)]
    return _estimate(np.array([values.mean(), *drawn]))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _halves(size: int, rng: np.random.Generator) -> np.ndarray:
    """Give 0 or 1 per segment and subset (size, 1 + 200): the first is all, the others half."""
    chosen = np.ones((size, 1 + _SUBSETS))
    for subset in chosen.T[1:]:
        subset[rng.permutation(size)[: size // 2]] = 0
    return chosen


def _mean_of_pairs(kernel: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Give the mean of the kernel over the pairs of different segments in each subset."""
    count = chosen.sum(axis=0)
    total = np.einsum("ns,ns->s", chosen, kernel @ chosen) - np.diag(kernel) @ chosen
    return total / (count * (count - 1))


def _drawn(x: np.ndarray, seed: int) -> np.ndarray:
    if len(x) <= MOST:
        return x
    return x[np.sort(np.random.default_rng(seed).choice(len(x), MOST, replace=False))]


def _scored(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    real, fake = np.asarray(real, float), np.asarray(fake, float)
    if len(real) == 0 or len(fake) == 0:
        raise BadInputError(
            f"{len(real)} scores of real and {len(fake)} of fake segments were given, at least one "
            "of each is needed."
        )
    scores = np.concatenate([real, fake])
    if not np.isfinite(scores).all():
        raise BadInputError("Some scores are NaN or infinite, numbers are needed.")
    return np.repeat([1, 0], [len(real), len(fake)]), scores


def _enough(real: np.ndarray, other: np.ndarray, least: int) -> None:
    if min(len(real), len(other)) < least:
        raise BadInputError(
            f"Sets of {len(real)} and {len(other)} segments were to be compared, at least {least} "
            "in each are needed."
        )
