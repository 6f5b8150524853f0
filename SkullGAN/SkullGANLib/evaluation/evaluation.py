"""The evaluation: are synthetic segments like real ones, are they copies, are they of use?

``evaluate`` puts every judge of ``measures.registry`` to the sets that there are (paper, Figures 5
to 7, and the tests it lacked); ``report.writer`` writes what came of it. What cannot be said, for
want of a set or of segments, stands in ``Evaluation.limitations``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInputError
from .answers import Answer, answers_of
from .evaluation_set import MOST, EvaluationSet, slices_together
from .limitations import concerns, limitations
from .measures.measure import Finding, Inputs, Measure, PairFeatures, Result
from .measures.registry import MEASURES
from .measures.statistics import subsample
from .schedule import Key, Outcome, Part, run_parts

if TYPE_CHECKING:
    from ..data.segment_set import SegmentSet
    from ..networks.model_file import Model


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that an evaluation found.

    Attributes:
        reference: the real set that others are compared with: the test set, else the training set.
        places: int (C,), per set, which of ``EvaluationSet.segments`` were compared: all but for
            a training set that is larger than the others.
        measures: the judges, in their order.
        findings: by name of a judge and part (see ``findings_of``).
        results: what the judges make of it, by their names.
        concerns: sentences on what makes the sets less fit to be compared than they look.
        answers: to what a reader wants to know first.
        limitations: sentences on what cannot be said.
        seconds: what each part took.
    """

    reference: str | None
    places: Mapping[str, np.ndarray]
    measures: tuple[Measure[Any], ...]
    findings: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Result]
    concerns: tuple[str, ...]
    answers: tuple[Answer, ...]
    limitations: tuple[str, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def findings_of(self, measure: Measure[Finding]) -> Mapping[str, Finding]:
        """Give what a judge found, by part; nothing where it could not judge."""
        return self.findings.get(measure.name, {})


def evaluate(
    sets: Mapping[str, EvaluationSet],
    *,
    model: Model | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> Evaluation:
    """Evaluate the sets that there are.

    The parts run in two threads of one core each: they are many small sums, which gain less from
    two cores each.

    Args:
        sets: by one of ``names.NAMES``.
        model: whose discriminator judges them, on the device where it is.
        seed: of all chance; the same sets and seed give the same numbers.
        settings: of judges, as ``Inputs.settings``.
        on_progress: called with the share of the work that is finished and what is running.

    Raises:
        BadInputError: if there is no set, or the model learned from pixels of another size.
    """
    if not sets:
        raise BadInputError("There is no set to evaluate: expected at least one.")
    inputs = _inputs(sets, model, seed, settings or {})
    measures = tuple(MEASURES.values())
    outcome = _run(measures, inputs, on_progress)
    findings: dict[str, dict[str, Any]] = {one.name: {} for one in measures}
    by_title = {one.title: one.name for one in measures}
    for (title, part), value in outcome.found.items():
        findings[by_title[title]][part] = value
    results = {one.name: one.describe(inputs, findings[one.name]) for one in measures}
    return Evaluation(
        reference=inputs.reference,
        places=inputs.places,
        measures=measures,
        findings=findings,
        results=results,
        concerns=tuple(concerns(sets, model)),
        answers=tuple(answers_of(results.values())),
        limitations=(*limitations(sets, model is not None, measures), *outcome.failed),
        seconds=outcome.seconds,
    )


def _inputs(
    sets: Mapping[str, EvaluationSet],
    model: Model | None,
    seed: int,
    settings: Mapping[str, Any],
) -> Inputs:
    # What the others than the training set hold at most.
    others = [len(one.segments) for name, one in sets.items() if name != "train"]
    most = max(others, default=MOST)
    places = {
        name: subsample(len(one.segments), most, seed, slices_together([one.segments]))
        for name, one in sets.items()
    }
    compared = {name: _taken(sets[name].segments, taken) for name, taken in places.items()}
    metrics = {name: one.metrics_of(places[name]) for name, one in sets.items()}
    features = PairFeatures(compared, metrics)
    return Inputs(sets, places, compared, model, seed, features, settings)


def _taken(segments: SegmentSet, places: np.ndarray) -> SegmentSet:
    """Give some of a set, or the set itself if that is all of it: an index copies."""
    return segments if len(places) == len(segments) else segments[places]


def _run(
    measures: tuple[Measure[Any], ...],
    inputs: Inputs,
    on_progress: Callable[[float, str], None] | None,
) -> Outcome:
    alone: dict[Key, Part] = {}
    parts: dict[Key, Part] = {}
    for one in measures:
        if not one.missing(inputs.available):
            for part in one.parts(inputs):
                work = partial(one.run, inputs, part)
                (alone if one.alone else parts)[one.title, part] = Part(one.weight, work)
    return run_parts(alone, parts, on_progress)
