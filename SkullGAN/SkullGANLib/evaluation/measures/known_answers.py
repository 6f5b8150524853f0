"""Known answers: what the judges say of sets whose answer is known, made of the user's own reals.

A reader who has never met these judges learns from it what they can see and what not. The real
segments are dealt into thirds: one stands for a training set, one for a test set, and out of the
last one sets are made: as it is (which nothing should tell from the second), one segment again and
again, 50 HU brighter, blurred by half a pixel and by one, and with copies of the first third in it,
disguised in three ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import segment_set
from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from . import disturbances
from .c2st import can_tell, two_sample_test
from .distances import metric_distances
from .features import Described, describe, joint_features
from .known_answers_table import GENUINE, is_right, known_answers_table
from .measure import NOTICE, Inputs, Measure, Progress, Result, Statement
from .nearest_neighbors import SURELY, WAYS, judge
from .neighbors import Neighbors
from .noise import noise_hu
from .permutation import permuted
from .pixel_search import nearest_by_mse
from .statistics import Estimate, proportion

MOST = 120
"""Segments of a third."""
FEWEST = 12
PLANTED_SHARE = 0.1
FEWEST_PLANTED = 6
"""As many copies as are told from chance where a third has 120 segments."""
LEVEL = 0.01
"""Chance below which a judge has noticed a difference: five judges look at each set."""
JUDGED_REAL = 32
"""Segments of a set that the model's discriminator is asked about."""


@dataclass(frozen=True)
class Case:
    """A set whose answer is known, and what the judges make of it.

    Attributes:
        title: what was done to real segments.
        planted: copies in it.
        accuracy: of the classifier that tells it from the held-out third.
        precision, coverage, kernel: see ``permutation.Tested``, as mappings.
        worst_metric, ks, ks_p: the radiological metric that differs most.
        copies: segments that are called copies, and how many of these are.
        judged_real: share that the discriminator judges real; None without a model, or with one of
            stacks.
        noticed: names of the judges that noticed a difference, or copies.
    """

    title: str
    planted: int
    accuracy: Estimate
    precision: Mapping[str, float]
    coverage: Mapping[str, float]
    kernel: Mapping[str, float]
    worst_metric: str
    ks: float
    ks_p: float
    copies: int
    copies_right: int
    judged_real: Estimate | None
    noticed: tuple[str, ...]


@dataclass(frozen=True)
class KnownAnswers:
    """What the judges make of all cases, by their names; ``segments`` are in each third."""

    segments: int
    cases: Mapping[str, Case]


@dataclass(frozen=True, eq=False)
class _Thirds:
    """Real segments that stand for a training and a test set, and those that sets are made of."""

    training: SegmentSet
    held_out: SegmentSet
    rest: SegmentSet


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """What is known of the held-out third: features, metrics, neighbors, and the CTs' noise."""

    described: Described
    metrics: Mapping[str, np.ndarray]
    neighbors: Neighbors
    noise_hu: float


@dataclass(frozen=True, eq=False)
class _Made:
    title: str
    segments: SegmentSet
    planted: int = 0


def known_answers(
    real: Sequence[SegmentSet], *, model: Any = None, seed: int = 0, report_progress: Progress
) -> KnownAnswers:
    """Put the judges to sets whose answers are known.

    Args:
        real: sets of real segments of one pixel size and HU range.
        model: whose discriminator judges, too; None for none.
        seed: of the deal, of disturbances and judges.
        report_progress: called with the share that is finished.

    Raises:
        BadInputError: if there are fewer than 36 segments.
    """
    from ...metrics import measure

    thirds = _dealt(real, seed)
    metrics = measure(thirds.held_out)
    held_out = _HeldOut(
        describe(thirds.held_out, metrics),
        metrics,
        nearest_by_mse(thirds.held_out, thirds.training, seed=seed),
        noise_hu(thirds.training, seed),
    )
    made = _made(thirds, seed)
    cases: dict[str, Case] = {}
    for number, (name, one) in enumerate(made.items()):
        report_progress(number / len(made))
        cases[name] = _judged(one, thirds.training, held_out, model, seed)
    return KnownAnswers(len(thirds.rest), cases)


def _dealt(real: Sequence[SegmentSet], seed: int) -> _Thirds:
    whole = segment_set.concatenate(real) if len(real) > 1 else real[0]
    count = min(len(whole) // 3, MOST)
    if count < FEWEST:
        raise BadInputError(
            f"{len(whole)} real segments are too few to be dealt into thirds: expected "
            f"{3 * FEWEST} or more."
        )
    order = np.random.default_rng(seed).permutation(len(whole))
    return _Thirds(*(whole[np.sort(order[k * count : (k + 1) * count])] for k in range(3)))


def _made(thirds: _Thirds, seed: int) -> dict[str, _Made]:
    """Make the sets, by name; the genuine one comes first."""
    rest, rng = thirds.rest, np.random.default_rng(seed)
    planted = min(max(FEWEST_PLANTED, round(PLANTED_SHARE * len(rest))), len(rest))
    originals = thirds.training[rng.permutation(len(thirds.training))[:planted]]
    sides = rng.choice([-1.0, 1.0], planted)
    flat, same = np.zeros(planted), np.ones(planted)
    moved = disturbances.laid(
        originals,
        mirrored=np.ones(planted, bool),
        turn_deg=flat,
        shift_px=np.stack([flat + 3, 10 * sides], axis=1),
        gain=same,
    )
    turned = disturbances.laid(
        originals,
        mirrored=np.zeros(planted, bool),
        turn_deg=5 * sides,
        shift_px=np.stack([flat + 0.5, flat + 0.5], axis=1),
        gain=same,
    )
    changed = disturbances.noisy(
        disturbances.laid(
            originals,
            mirrored=sides > 0,
            turn_deg=3 * sides,
            shift_px=np.stack([flat + 2.3, -6.4 * sides], axis=1),
            gain=0.9 * same,
        ),
        40,
        seed,
    )
    return {
        GENUINE: _Made("Real segments as they are", rest),
        "collapse": _Made("One segment again and again", disturbances.repeated(rest)),
        "brighter": _Made("50 HU brighter", disturbances.brighter(rest, 50)),
        "blurred_half": _Made("Blurred by half a pixel", disturbances.blurred(rest, 0.5)),
        "blurred_one": _Made("Blurred by one pixel", disturbances.blurred(rest, 1.0)),
        "moved": _planted("Copies, moved by 10 pixels and mirrored", rest, moved),
        "turned": _planted("Copies, turned by 5° and moved by half a pixel", rest, turned),
        "changed": _planted(
            "Copies, turned, moved, 10 % less dense, 40 HU of noise", rest, changed
        ),
    }


def _planted(title: str, rest: SegmentSet, copies: SegmentSet) -> _Made:
    """Put copies into the first places of a set."""
    planted = segment_set.concatenate([copies, rest[len(copies) :]])
    return _Made(title, planted, len(copies))


def _judged(made: _Made, training: SegmentSet, held_out: _HeldOut, model: Any, seed: int) -> Case:
    from ...metrics import METRICS, measure

    metrics = measure(made.segments)
    real, other = joint_features(held_out.described, describe(made.segments, metrics))
    test = two_sample_test(real, other, seed=seed)
    tested = permuted(real, other, seed)
    distances = metric_distances(held_out.metrics, metrics)
    name = max(distances, key=lambda one: distances[one].ks)
    ks_p = min(1.0, min(one.p_value for one in distances.values()) * len(distances))
    found = nearest_by_mse(made.segments, training, seed=seed)
    copies = judge(
        found, held_out.neighbors, noise_hu=held_out.noise_hu, level=SURELY / len(WAYS)
    ).copies
    noticed = [
        judge_name
        for judge_name, told in (
            ("classifier", can_tell(test)),
            ("precision", tested["precision"].p_value <= LEVEL),
            ("coverage", tested["coverage"].p_value <= LEVEL),
            ("kernel distance", tested["kernel"].p_value <= LEVEL),
            ("metrics", ks_p <= LEVEL),
            ("copies", len(copies) > 0),
        )
        if told
    ]
    return Case(
        title=made.title,
        planted=made.planted,
        accuracy=test.accuracy,
        precision=vars(tested["precision"]),
        coverage=vars(tested["coverage"]),
        kernel=vars(tested["kernel"]),
        worst_metric=METRICS[name].short,
        ks=distances[name].ks,
        ks_p=ks_p,
        copies=len(copies),
        copies_right=int(np.sum(copies < made.planted)),
        # These sets take stacks apart, which a model of stacks could not judge.
        judged_real=None if model is None or model.depth else _judged_real(made.segments, model),
        noticed=tuple(noticed),
    )


def _judged_real(segments: SegmentSet, model: Any) -> Estimate:
    from . import realness

    found = realness.of_segments(model, segments[:JUDGED_REAL])
    return proportion(int((found >= 0.5).sum()), len(found))


def _run(inputs: Inputs, part: str, report_progress: Progress) -> KnownAnswers:
    real = [inputs.compared[name] for name in ("train", "test") if name in inputs.compared]
    if not real:
        raise BadInputError("There is no real set that sets could be made of: expected one.")
    return known_answers(
        real, model=inputs.model, seed=inputs.seed, report_progress=report_progress
    )


def _describe(inputs: Inputs, found: Mapping[str, KnownAnswers]) -> Result:
    one = found.get("")
    if one is None:
        needed = "At least 36 real segments are needed, to make sets of known answers."
        return Result(
            numbers={"known_answers": None}, statements=(Statement(NOTICE, "Not known", (needed,)),)
        )
    return Result(numbers={"known_answers": one}, statements=(_statement(one),))


def _statement(found: KnownAnswers) -> Statement:
    right = {name: is_right(name, vars(one)) for name, one in found.cases.items()}
    wrong = [one.title for name, one in found.cases.items() if not right[name]]
    reason = (
        f"{len(right)} sets of known answer were made of {found.segments:,} of your own real "
        "segments each: as they are, one again and again, brighter, blurred, and with copies "
        "planted in them."
    )
    if not wrong:
        return Statement(NOTICE, "All sets of known answer were judged rightly", (reason,))
    short = f"{sum(right.values())} of {len(right)} sets of known answer were judged rightly"
    named = "; ".join(f"{one[:1].lower()}{one[1:]}" for one in wrong)
    meaning = []
    if any(name != GENUINE for name, one in right.items() if not one):
        meaning.append("What is like a set whose change was missed goes unseen in synthetic ones.")
    if not right[GENUINE]:
        noticed = " and ".join(found.cases[GENUINE].noticed)
        meaning.append(
            f"Where nothing was changed there was something to notice for {noticed}: your own real "
            "segments are so alike, or of so different heads, that the same verdict on synthetic "
            "ones means little."
        )
    missed = f"Not judged rightly: {named}."
    return Statement(NOTICE, short, (reason, missed, *meaning))


MEASURE: Measure[KnownAnswers] = Measure(
    name="known_answers",
    title="Known answers",
    run=_run,
    describe=_describe,
    weight=10,
    tables=known_answers_table,
)
