"""What readers' answers are worth: accuracy, sensitivity, specificity, curves, agreement.

A reader who is unsure is right half the time, as guessing is. Synthetic is what is looked for:
sensitivity is the share of synthetic segments that were called so, specificity that of real ones
which were called real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...errors import BadInputError
from ..measures.statistics import RESAMPLES, Estimate, area_under_curve, estimate_of
from .answer_files import Answers
from .blinded_cases import REAL, SYNTHETIC

RATES = ("accuracy", "sensitivity", "specificity", "auc")
"""What is given of each reader and of all."""


@dataclass(frozen=True)
class ReaderScore:
    """What one reader's answers are worth.

    Attributes:
        reader: his name.
        answered: cases.
        unsure: share of them.
        rates: by name of ``RATES``; intervals by a bootstrap of cases. NaN where the cases that he
            answered leave nothing to measure.
        decided: share right of those where he was not unsure; None if there are none.
        seconds: median time on a case; None where it is not known.
        roc: shares of real and of synthetic called synthetic, by falling confidence, from (0, 0) to
            (1, 1).
    """

    reader: str
    answered: int
    unsure: float
    rates: Mapping[str, Estimate]
    decided: float | None
    seconds: float | None
    roc: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class CaseScore:
    """What readers made of a case: how many called it what, and how sure they were on average that
    it is synthetic (-3 to 3)."""

    name: str
    truth: str
    called_real: int
    called_synthetic: int
    unsure: int
    mean_synthetic: float | None


@dataclass(frozen=True)
class Score:
    """What came of a study.

    Attributes:
        readers: each.
        cases: each, in the order of the key.
        rates: means over readers, by name of ``RATES``; intervals by a bootstrap of readers and
            cases at once, of cases alone where there is one reader.
        kappa: Cohen's, of what pairs of readers called the cases, mean over pairs; None of one
            reader.
        real, synthetic: cases of either kind.
    """

    readers: tuple[ReaderScore, ...]
    cases: tuple[CaseScore, ...]
    rates: Mapping[str, Estimate]
    kappa: Estimate | None
    real: int
    synthetic: int

    @property
    def short(self) -> str:
        """Whether readers can tell, in a few words."""
        accuracy = self.rates["accuracy"]
        if accuracy.low > 0.5:
            return "Yes, more often than by guessing"
        if accuracy.high < 0.5:
            return "No: they took one for the other more often than not"
        return "As far as these answers can show, no"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in sentences."""
        share = {name: _percent(one) for name, one in self.rates.items()}
        who = "One reader was" if len(self.readers) == 1 else f"{len(self.readers)} readers were"
        found = [
            f"{who} right in {share['accuracy']} of cases, where 50 % is guessing.",
            f"They called {share['sensitivity']} of the synthetic segments synthetic, and "
            f"{share['specificity']} of the real ones real.",
            f"Ranked by how sure they were, a synthetic segment stands above a real one in "
            f"{share['auc']} of pairs.",
        ]
        accuracy = self.rates["accuracy"]
        if accuracy.low <= 0.5 <= accuracy.high:
            told = 50 + 50 * (accuracy.high - accuracy.low)
            found.append(
                f"So many readers and cases could have told an accuracy of about {told:.0f} % from "
                "guessing; of less they say nothing."
            )
        if self.kappa is None:
            found.append("With one reader, nothing is known of other readers.")
        else:
            one = self.kappa
            found.append(
                f"Between readers, kappa is {one.value:.2f} ({one.low:.2f} to {one.high:.2f}): 0 "
                "is the agreement of chance, 1 is full agreement."
            )
        return tuple(found)


def score(truth: Mapping[str, str], answers: Sequence[Answers], *, seed: int = 0) -> Score:
    """Score the answers to a study.

    Args:
        truth: ``REAL`` or ``SYNTHETIC`` of each case, by its name.
        answers: one for each reader; cases that a reader left out do not count for him.
        seed: of the bootstrap.

    Raises:
        BadInputError: if there is no reader, or two of one name.
    """
    if not answers:
        raise BadInputError("No answers were given: expected at least one reader's.")
    names = [one.reader for one in answers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInputError(
            f"Two answer files are of reader {twice[0]}: expected one for each reader."
        )
    y = np.array([int(kind == SYNTHETIC) for kind in truth.values()])
    scores = np.array([[_synthetic(one, case) for case in truth] for one in answers])
    rng = np.random.default_rng(seed)
    weights = _case_weights(y, rng)
    rates = {name: np.empty((len(answers), len(weights))) for name in RATES}
    for number, row in enumerate(scores):
        for name, values in _rates(row, y, weights).items():
            rates[name][number] = values
    drawn = _reader_weights(len(answers), rng)
    return Score(
        readers=tuple(
            _reader(one, row, y, {name: rates[name][number] for name in RATES})
            for number, (one, row) in enumerate(zip(answers, scores, strict=True))
        ),
        cases=tuple(
            _case(name, kind, scores[:, place]) for place, (name, kind) in enumerate(truth.items())
        ),
        rates={name: estimate_of(_mean_over_readers(rates[name], drawn)) for name in RATES},
        kappa=_mean_kappa(scores, weights) if len(answers) > 1 else None,
        real=sum(kind == REAL for kind in truth.values()),
        synthetic=int(y.sum()),
    )


def cohens_kappa(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Give Cohen's kappa of two readers: agreement beyond that of chance.

    (p₀ - pₑ) / (1 - pₑ), with the share p₀ of cases called alike and the share pₑ that would be if
    both called as often what they call, but by chance (Cohen 1960).

    Args:
        one, other: int (N,), what each called the cases.
        weights: float (R, N), of the cases.

    Returns:
        float64 (R,); NaN where both call all cases the same one thing.

    Example:
        >>> cohens_kappa(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]), np.ones((1, 4)))
        array([0.5])
    """
    total = weights.sum(axis=1)
    alike = weights @ (one == other) / total
    chance = np.zeros(len(weights))
    for value in np.union1d(one, other):
        chance += (weights @ (one == value)) * (weights @ (other == value)) / total**2
    found = np.full(len(weights), np.nan)
    return np.divide(alike - chance, 1 - chance, out=found, where=chance < 1 - 1e-12)


def _synthetic(one: Answers, case: str) -> float:
    answer = one.by_case.get(case)
    return np.nan if answer is None else float(answer.synthetic)


def _rates(row: np.ndarray, y: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Give a reader's rates (R,) for weights (R, N) of the cases; NaN without a case to count."""
    known = np.isfinite(row)
    row, y, weights = row[known], y[known], weights[:, known]
    right = np.where(row == 0, 0.5, (row > 0) == (y == 1))

    def share(which: np.ndarray) -> np.ndarray:
        total = weights @ which
        return np.divide(
            weights @ (right * which), total, out=np.full(len(weights), np.nan), where=total > 0
        )

    return {
        "accuracy": share(np.ones(len(y))),
        "sensitivity": share(y == 1),
        "specificity": share(y == 0),
        "auc": area_under_curve(row, y, weights),
    }


def _case_weights(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give how often each case is drawn, (1 + R, N), kind by kind; the first row is all 1."""
    weights = np.ones((1 + RESAMPLES, len(y)))
    for kind in (0, 1):
        count = int(np.sum(y == kind))
        if count:
            share = np.full(count, 1 / count)
            weights[1:, y == kind] = rng.multinomial(count, share, RESAMPLES)
    return weights


def _reader_weights(count: int, rng: np.random.Generator) -> np.ndarray:
    times = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return np.concatenate([np.ones((1, count)), times])


def _mean_over_readers(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Give means (1 + R,) of readers' values (readers, 1 + R); NaN do not count."""
    known = np.isfinite(values)
    total = np.sum(weights.T * known, axis=0)
    summed = np.sum(weights.T * np.where(known, values, 0), axis=0)
    return np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0)


def _mean_kappa(scores: np.ndarray, weights: np.ndarray) -> Estimate | None:
    found = []
    for one, other in combinations(np.sign(scores), 2):
        both = np.isfinite(one) & np.isfinite(other)
        if both.any():
            of_both = weights[:, both]
            of_both = of_both[of_both.sum(axis=1) > 0]
            kappa = cohens_kappa(one[both].astype(int), other[both].astype(int), of_both)
            if np.isfinite(kappa[0]):
                found.append(np.resize(kappa, len(weights)))
    if not found:
        return None
    known = np.isfinite(found)
    total = np.maximum(known.sum(axis=0), 1)
    return estimate_of(np.where(known, found, 0).sum(axis=0) / total)


def _reader(
    one: Answers, row: np.ndarray, y: np.ndarray, rates: Mapping[str, np.ndarray]
) -> ReaderScore:
    known = np.isfinite(row)
    given = row[known]
    decided = given != 0
    times = [each.seconds for each in one.by_case.values() if each.seconds is not None]
    right = ((given > 0) == (y[known] == 1))[decided]
    return ReaderScore(
        reader=one.reader,
        answered=int(known.sum()),
        unsure=float(np.mean(~decided)),
        rates={name: _estimate(values) for name, values in rates.items()},
        decided=float(right.mean()) if right.size else None,
        seconds=float(np.median(times)) if times else None,
        roc=_roc(given, y[known]),
    )


def _estimate(values: np.ndarray) -> Estimate:
    if not np.isfinite(values[0]):
        return Estimate(np.nan, np.nan, np.nan)
    return estimate_of(values)


def _roc(given: np.ndarray, y: np.ndarray) -> tuple[tuple[float, float], ...]:
    counts = [max(1, int(np.sum(y == kind))) for kind in (0, 1)]
    points = [(0.0, 0.0)]
    for level in sorted(set(given.tolist()), reverse=True):
        called = given >= level
        shares = [float(np.sum(called & (y == kind)) / counts[kind]) for kind in (0, 1)]
        points.append((shares[0], shares[1]))
    return tuple(points)


def _case(name: str, truth: str, given: np.ndarray) -> CaseScore:
    given = given[np.isfinite(given)]
    return CaseScore(
        name,
        truth,
        called_real=int(np.sum(given < 0)),
        called_synthetic=int(np.sum(given > 0)),
        unsure=int(np.sum(given == 0)),
        mean_synthetic=float(given.mean()) if given.size else None,
    )


def _percent(one: Estimate) -> str:
    if not np.isfinite(one.value):
        return "an unknown share"
    value, low, high = (f"{100 * number:.0f}" for number in (one.value, one.low, one.high))
    return f"{value} % ({low} to {high} %)"
