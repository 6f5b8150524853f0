"""What an evaluation says in words: a short answer to each question, and the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ...metrics import METRICS as ALL_METRICS
from ..evaluation import Evaluation, TwoSampleMetrics
from ..evaluation_set import EvaluationSet
from ..measures.c2st import Estimate, TwoSampleTest
from .figures import LABELS, METRICS, WAYS

SURELY = 0.05
"""Chance below which suspects are more than chance."""


@dataclass(frozen=True)
class Answer:
    """Plain text: the question, the answer in a few words, and the sentences it rests on."""

    question: str
    short: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([self.question, f"{self.short}.", *self.reasons])


def answers(sets: Mapping[str, EvaluationSet], found: Evaluation) -> list[Answer]:
    """Answer what a reader wants to know first."""
    return [
        Answer(question, short, tuple(reasons))
        for question, (short, reasons) in {
            "Are they like real ones?": _likeness(found),
            "Are they copies?": _copying(sets, found),
            "Can the discriminator be trusted?": _trust(found),
            "Are they of use?": _use(found),
        }.items()
    ]


def percent(estimate: Estimate | Mapping[str, float]) -> str:
    """Say a share and its interval in per cent."""
    one = estimate if isinstance(estimate, Mapping) else asdict(estimate)
    value, low, high = (f"{100 * one[key]:.0f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high} %)"


def interval(estimate: Estimate | Mapping[str, float], digits: str) -> str:
    """Say a number and its interval."""
    one = estimate if isinstance(estimate, Mapping) else asdict(estimate)
    value, low, high = (format(one[key], digits) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _likeness(found: Evaluation) -> tuple[str, list[str]]:
    judged, distances = found.judges.get("synthetic"), found.distances.get("synthetic")
    if judged is None or distances is None:
        return "Not known", ["A real and a synthetic set are needed."]
    real = LABELS[found.reference].lower()
    both = found.judges.get("train")
    said = []
    if judged.test:
        said.append(
            f"A classifier that the GAN never met tells synthetic from {real} segments in "
            f"{percent(judged.test.accuracy)} of cases, where 50 % is guessing{_baseline(both)}."
        )
    if judged.fidelity:
        said.append(f"Against {real}: {_covered(judged)}{_covered_by_training(both)}.")
    if found.learned and found.learned.fidelity:
        said.append(f"Against training, which the model learned from: {_covered(found.learned)}.")
    if distances:
        name, worst = max(distances.items(), key=lambda one: one[1].ks)
        label, digits, unit = METRICS[name]
        said.append(
            f"Of the radiological metrics, {label.split(' (')[0].lower()} differs most: by "
            f"{format(worst.wasserstein, digits)}{unit} on average (Kolmogorov-Smirnov "
            f"{worst.ks:.2f})."
        )
    if judged.test is None:
        return "Not known", ["There are too few segments to tell.", *said]
    return _told_apart(judged.test, both and both.test), said


def _told_apart(test: TwoSampleTest, both: TwoSampleTest | None) -> str:
    if test.accuracy.low <= 0.5:
        return "As far as these sets can show, they cannot be told from real ones"
    if both is None or both.by_subject != test.by_subject:
        return "Not quite: they can be told from real ones"
    if test.accuracy.value <= both.accuracy.value:
        return "They differ from real ones, but no more than two real sets differ from each other"
    return "No: they are told from real ones more surely than two real sets from each other"


def _baseline(both: TwoSampleMetrics | None) -> str:
    if both is None or both.test is None:
        return ""
    said = (
        f"; it tells the two real sets, training and test, apart in {percent(both.test.accuracy)}"
    )
    if both.test.by_subject:
        return said
    return said + " (of segments of patients that it has seen, for one of the sets has but one)"


def _covered(judged: TwoSampleMetrics) -> str:
    return (
        f"{percent(judged.fidelity.precision)} of the synthetic segments lie where real ones do "
        f"(precision), and {percent(judged.fidelity.coverage)} of the real ones have a synthetic "
        "one among their like (coverage)"
    )


def _covered_by_training(both: TwoSampleMetrics | None) -> str:
    if both is None or both.fidelity is None:
        return ""
    fidelity = both.fidelity
    return (
        f"; of the training set in their place, it would be {100 * fidelity.precision.value:.0f} % "
        f"and {100 * fidelity.coverage.value:.0f} %"
    )


def _copying(sets: Mapping[str, EvaluationSet], found: Evaluation) -> tuple[str, list[str]]:
    if not {"train", "synthetic"} <= sets.keys():
        return "Not known", ["A training and a synthetic set are needed."]
    same = int(np.isin(sets["synthetic"].digest, sets["train"].digest).sum())
    said = [
        f"{same:,} of {len(sets['synthetic']):,} synthetic segments equal a training segment pixel "
        "by pixel."
    ]
    verdicts = {way: one.verdict for way, one in found.memorization.items() if one.verdict}
    for way, verdict in verdicts.items():
        copies, suspects = len(verdict.copies), len(verdict.suspects)
        found_copies = f"{copies:,} COP{'Y' if copies == 1 else 'IES'}" if copies else "no copy"
        said.append(
            f"By {WAYS[way]}: {found_copies} among {verdict.judged:,} looked at; {suspects:,} "
            f"suspect{'s' * (suspects != 1)}, where about {verdict.rate * verdict.judged:.1f} are "
            f"expected by chance (p = {verdict.p_value:.2g})."
        )
    copied = max([same, *(len(one.copies) for one in verdicts.values())])
    if copied:
        return f"Yes, at least {copied:,}", said
    if not verdicts:
        said.append("Whether the rest is near is not known: a test set is needed to compare with.")
        return "None to the pixel; more is not known", said
    if any(one.p_value < SURELY and len(one.suspects) for one in verdicts.values()):
        return "No copy, but more near ones than chance would have", said
    return "No copy was found", said


def _trust(found: Evaluation) -> tuple[str, list[str]]:
    said = found.discriminator
    if said is None:
        return "Not known", ["No model was given."]
    shares = ", ".join(f"{percent(one)} of {LABELS[n].lower()}" for n, one in said.share.items())
    judged = f"It judges as real {shares}."
    calibration, roc = said.calibration.get("synthetic"), said.roc.get("synthetic")
    if calibration is None or roc is None:
        return (
            "Not known",
            [judged, "Whether its output is a probability needs real and synthetic segments."],
        )
    real = LABELS[said.real].lower()
    of_auc = f"its area under the curve of {real} against synthetic is {interval(roc.auc, '.2f')}"
    guesses = roc.auc.low <= 0.5
    reasons = [
        judged,
        f"Where 0.50 is guessing, {of_auc}.",
        f"Read as a probability for {real} against synthetic segments, its output is off by "
        f"{calibration.ece:.2f} on average (p = {calibration.p_value:.2g}).",
    ]
    short = (
        "Nothing speaks against reading its output as a probability"
        if calibration.is_probability
        else "No: its output must NOT be read as a probability"
    )
    return short + ", and it does not tell real from synthetic" * guesses, reasons


def _use(found: Evaluation) -> tuple[str, list[str]]:
    if not found.usefulness:
        needed = "A training, a test and a synthetic set of enough segments are needed."
        return "Not known", [needed]
    said = []
    for target, one in found.usefulness.items():
        said.append(
            f"{_what(target)}: learned from {one.trained_on:,} synthetic segments, the error on "
            f"real ones is {interval(one.ratio, '.2f')} times that of as many real ones; with both "
            f"together {interval(one.gain, '.2f')} times."
        )
    short = "; ".join(_worth(found))
    return short[:1].upper() + short[1:], said


def _worth(found: Evaluation) -> Iterator[str]:
    for target, one in found.usefulness.items():
        what = _what(target) if target.startswith("sdr") else _what(target).lower()
        errors = {name: each.value for name, each in one.error.items()}
        if errors["real"] >= errors["guess"]:
            yield f"for {what} not known, since real ones teach nothing either"
        elif one.gain.high < 1:
            yield f"for {what} yes, they add to real ones"
        elif errors["synthetic"] >= errors["guess"]:
            yield f"for {what} no, they teach less than a guess"
        elif one.ratio.low <= 1:
            yield f"for {what} as much as the same number of real ones, as far as this can show"
        else:
            yield f"for {what} less than as many real ones"


def _what(target: str) -> str:
    return ALL_METRICS[target].short
