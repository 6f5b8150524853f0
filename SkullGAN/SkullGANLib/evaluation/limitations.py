"""What an evaluation cannot say, and what makes it mean less than it seems to, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metrics import cautions
from .evaluation_set import EvaluationSet
from .measures.measure import MODEL, Measure
from .measures.scanners import noted
from .names import MADE, NAMES, reference_of

if TYPE_CHECKING:
    from ..networks.model_file import Model

_EXPECTED_KINDS = {
    "train": ("real",),
    "test": ("real",),
    "synthetic": ("synthetic",),
    "control": ("control", "synthetic"),  # a weaker SkullGAN's are of either kind
    "artificial": ("artificial",),
}
_FEW_SUBJECTS = 5


def limitations(
    sets: Mapping[str, EvaluationSet], has_model: bool, measures: Iterable[Measure[Any]]
) -> list[str]:
    """Give a sentence for all that cannot be said for want of a set, of subjects or of a model.

    Args:
        sets: that there are.
        has_model: whether a model was given.
        measures: that were to judge them.
    """
    found = []
    if not has_model:
        found.append("No model was given: what its discriminator says of the sets is not known.")
    few = len(sets["test"].subjects) if "test" in sets else 0
    if 0 < few < _FEW_SUBJECTS:
        found.append(
            f"The test set has {few} subject{'s' * (few > 1)}: what is said of it, and its "
            "intervals, cannot say much of other patients and scanners."
        )
    found += _missing_sets(sets)
    found += [
        f"There is no {name} set: whether these measures would notice "
        f"{'a weaker model' if name == 'control' else 'what is plainly no skull'} is not shown."
        for name in MADE[1:]
        if name not in sets
    ]
    available = {*sets, *([MODEL] if has_model else [])}
    return found + _without_needs(available, measures)


def _missing_sets(sets: Collection[str]) -> list[str]:
    found = []
    if "synthetic" not in sets:
        found.append(
            "There is no synthetic set: whether a model copies, and of what use its segments are, "
            "is not known."
        )
    elif "train" not in sets:
        found.append(
            "There is no training set: whether synthetic segments are copies, and whether they are "
            "worth as much as real ones to learn from, is not known."
        )
    elif "test" not in sets:
        found.append(
            "There is no test set: how near held-out segments come to the training set is not "
            "known, so that the nearest pairs are shown without a verdict on copies, and what "
            "is learned from synthetic segments cannot be tested."
        )
    reference = reference_of(sets)
    if reference is None:
        found.append("There is no real set: what is real is not known, nothing can be compared.")
    elif reference == "train":
        found.append(
            "There is no test set: others are compared with the training set, which a model that "
            "copies resembles best, and how two real sets differ is not known."
        )
    return found


def _without_needs(available: Collection[str], measures: Iterable[Measure[Any]]) -> list[str]:
    missing = {one.title: one.missing(available) for one in measures if not one.needs_explained}
    return [
        f"{title} was left out: expected {' and '.join(names)}, found "
        f"{' and '.join(sorted(available))}."
        for title, names in missing.items()
        if names
    ]


def concerns(sets: Mapping[str, EvaluationSet], model: Model | None = None) -> list[str]:
    """Give a sentence for what makes the sets less fit to be compared than they look."""
    found = [sentence for name, one in sets.items() for sentence in _of_set(name, one)]
    if model is not None and "test" in sets:
        found += _of_training_subjects(model.trained_on, sets["test"])
    if {"train", "test"} <= sets.keys():
        found += _of_real_sets(sets["train"], sets["test"])
    for one, other in combinations(NAMES, 2):
        if one in sets and other in sets:
            same = int(np.isin(sets[other].digest, sets[one].digest).sum())
            if same:
                found.append(
                    f"{same:,} of {len(sets[other]):,} SEGMENTS OF {other.upper()} ARE IDENTICAL, "
                    f"pixel by pixel, to segments of {one}."
                )
    return found


def _of_set(name: str, one: EvaluationSet) -> list[str]:
    found = []
    kind, expected = one.segments.kind, _EXPECTED_KINDS[name]
    if kind not in expected:
        found.append(
            f"The {name} set is of kind {kind}, where {' or '.join(expected)} is expected: "
            "what is said of it below is said of something else."
        )
    distinct = len(np.unique(one.digest))
    if distinct < len(one):
        found.append(f"Only {distinct:,} of the {len(one):,} segments of {name} differ.")
    if one.clipped > 0:
        low, high = one.segments.hu_range
        found.append(
            f"The sets' HU ranges differ. All were cut to what they have in common, {low:g} to "
            f"{high:g} HU; that changed {100 * one.clipped:.2g} % of the bone in {name}."
        )
    if one.segments.source.get("depth"):
        found.append(
            f"The segments of {name} are slices of stacks in depth, and neighbors are alike: "
            "intervals and tests that take segments for independent promise too much, and a judge "
            "that learns may know a slice by its neighbors. Judge single cuts by sets of such."
        )
    return found + [f"In the {name} set: {said}" for said in cautions.of_set(one.segments)]


def _of_training_subjects(trained_on: Mapping[str, Any], test: EvaluationSet) -> list[str]:
    """Say where the model learned from subjects of the test set; models of before do not tell."""
    known = trained_on.get("training_subjects")
    shared = test.subjects & set(map(str, known)) if isinstance(known, (list, tuple)) else set()
    if not shared:
        return []
    count = int(np.isin(test.texts["subject"], sorted(shared)).sum())
    return [
        f"THE MODEL LEARNED FROM {len(shared):,} OF THE {len(test.subjects):,} SUBJECTS OF THE "
        f"TEST SET ({count:,} of its {len(test):,} segments): the test set is not new to it, and "
        "what it shows of likeness, copies and the discriminator is too good."
    ]


def _of_real_sets(train: EvaluationSet, test: EvaluationSet) -> list[str]:
    found = []
    shared = train.subjects & test.subjects
    if shared:
        found.append(
            f"TRAINING AND TEST SHARE {len(shared):,} SUBJECT{'S' * (len(shared) > 1)} of "
            f"{len(test.subjects):,} in the test set: their segments resemble each other, the "
            "test set is not new to the model, and what it shows is too good."
        )
    elif not (train.subjects and test.subjects):
        found.append("Whether training and test share subjects is not known: none are named.")
    kernels = [noted(one.segments, "kernel") for one in (train, test)]
    if kernels[0] != kernels[1]:
        trained, tested = (", ".join(sorted(each)) or "not recorded" for each in kernels)
        found.append(
            f"The CTs' reconstruction kernels differ (training: {trained}; test: {tested}): "
            "SDR, intensity and texture depend on them, so that even real sets differ here."
        )
    return found
