"""The evaluation: are synthetic segments like real ones, are they copies, are they of use?

``evaluate`` puts every measure of the library to the sets that there are (paper, Figures 5 to 7,
and the tests it lacked) and gives plain numbers; ``evaluationreport`` writes them. What cannot be
said, for want of a set or of segments, is said in ``Evaluation.unsaid``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import memorization, separability, usefulness
from .errors import BadInputError
from .evaluationsets import MADE, Examined, drawn
from .memorization import Neighbours, Verdict
from .separability import (
    Calibration,
    Embedding,
    Estimate,
    Fidelity,
    KernelDistance,
    Roc,
    TwoSampleTest,
)
from .usefulness import Usefulness

if TYPE_CHECKING:
    from .model import Model
    from .segmentset import SegmentSet

COMPARED = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
"""The radiological metrics of the paper's Figure 6."""
WORKERS = 2
SIFT_SEGMENTS = 250
"""Segments of a set whose nearest ones are looked for by SIFT, among ``SIFT_TRAINING``."""
SIFT_TRAINING = 500
_FEW_SUBJECTS = 5


@dataclass(frozen=True)
class Distance:
    """How far apart two distributions of one metric lie.

    Attributes:
        wasserstein: mean distance, in the metric's unit, by which one must be moved to become the
            other.
        ks: two-sample Kolmogorov-Smirnov statistic, 0 for equal samples, 1 for separate ones.
        p_value: chance of such a statistic or more between samples of one distribution, if all
            segments were independent; those of one subject are not, which makes it too small.
        measured: segments of each set.
    """

    wasserstein: float
    ks: float
    p_value: float
    measured: tuple[int, int]


@dataclass(frozen=True)
class Discriminator:
    """What the model's own discriminator says.

    Attributes:
        realness: float (M,) in [0, 1], per set, of the segments that are compared.
        share: of each set, what is judged real: 0.5 or more; with a 95 % interval (Wilson).
        real: the real set that the curves are of.
        roc, calibration: of that set against each made one.
    """

    realness: Mapping[str, np.ndarray]
    share: Mapping[str, Estimate]
    real: str | None
    roc: Mapping[str, Roc]
    calibration: Mapping[str, Calibration]


@dataclass(frozen=True)
class Judged:
    """What judges that the GAN never met say of a set against the reference."""

    test: TwoSampleTest | None
    fidelity: Fidelity | None
    kernel: KernelDistance | None


@dataclass(frozen=True)
class Memorised:
    """Nearest training segments by one way of comparing; places are those in the sets compared.

    Attributes:
        synthetic: of the synthetic set.
        held_out: of the test set; None where there is none.
        verdict: None without held-out segments, for then nothing says how near is too near.
    """

    synthetic: Neighbours
    held_out: Neighbours | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Evaluation:
    """All numbers of an evaluation; what is None or missing has its reason in ``unsaid``.

    Attributes:
        reference: the real set that others are compared with: the test set, else the training set.
        compared: int (C,), per set, which of ``Examined.segments`` were compared: all but for a
            training set that is larger than the others.
        distances: per set and metric of ``COMPARED``, against the reference.
        embedding: "metrics" and "pixels".
        discriminator: None without a model.
        judges: per set, against the reference; "train" against "test" shows what two real sets
            give.
        learned: the synthetic against the training set, where the reference is the test set: how
            well the model has learned what it saw. None where there is no such comparison.
        memorisation: "mse" and "sift".
        usefulness: per target.
        unsaid: sentences.
        seconds: what each part took.
    """

    reference: str | None
    compared: Mapping[str, np.ndarray]
    distances: Mapping[str, Mapping[str, Distance]]
    embedding: Mapping[str, Embedding]
    discriminator: Discriminator | None
    judges: Mapping[str, Judged]
    learned: Judged | None
    memorisation: Mapping[str, Memorised]
    usefulness: Mapping[str, Usefulness]
    unsaid: tuple[str, ...]
    seconds: Mapping[str, float] = field(compare=False)


def evaluate(
    sets: Mapping[str, Examined],
    *,
    model: Model | None = None,
    seed: int = 0,
    on_progress: Callable[[float, str], None] | None = None,
) -> Evaluation:
    """Evaluate the sets that there are.

    The parts run in two threads of one core each: they are many small sums, which gain less from
    two cores each.

    Args:
        sets: by one of ``evaluationsets.NAMES``.
        model: whose discriminator judges them, on the device where it is.
        seed: of all chance; the same sets and seed give the same numbers.
        on_progress: called with the share of the work done and what was.

    Raises:
        BadInputError: if there is no set, or the model learned from pixels of another size.
    """
    if not sets:
        raise BadInputError("No set was given to evaluate, at least one is needed.")
    tell = on_progress or (lambda share, note: None)
    most = _most(sets)
    compared = {name: drawn(len(one.segments), most, seed) for name, one in sets.items()}
    shown = {name: _taken(sets[name].segments, places) for name, places in compared.items()}
    unsaid: list[str] = []
    seconds: dict[str, float] = {}
    discriminator, before = None, 0.0
    if model is None:
        unsaid.append("No model was given: what its discriminator says of the sets is not known.")
    else:  # first, and alone: it takes all cores
        began, before = time.perf_counter(), 0.4
        discriminator = _discriminator(
            shown, model, seed, lambda share: tell(before * share, "discriminator")
        )
        seconds["discriminator"] = time.perf_counter() - began
    parts = _parts(sets, shown, seed, unsaid)
    found, took, failed = _done(
        parts, lambda share, note: tell(before + (1 - before) * share, note)
    )
    unsaid += failed

    def group(kind: str) -> dict[str, Any]:
        return {key[1]: found[key] for key in parts if key[0] == kind and key in found}

    judges, learned = group("judges"), group("learned").get("", (None, []))
    for name, (_, complaints) in [*judges.items(), ("synthetic against training", learned)]:
        unsaid += [f"Judges {name}: {one}" for one in complaints]
    return Evaluation(
        reference=_reference(sets),
        compared=compared,
        distances=group("distances"),
        embedding=group("t-SNE"),
        discriminator=discriminator,
        judges={name: judged for name, (judged, _) in judges.items()},
        learned=learned[0],
        memorisation=group("memorisation"),
        usefulness=group("usefulness").get("", {}),
        unsaid=tuple(unsaid),
        seconds={**seconds, **took},
    )


def metric_distances(
    reference: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]
) -> dict[str, Distance]:
    """Compare the distributions of ``COMPARED`` in two sets.

    Args:
        reference, other: what ``radiology.measure`` gave for each; NaN are left out, and a metric
            that nothing in either set has is, too.
    """
    from scipy import stats

    found = {}
    for name in COMPARED:
        one, two = (each[name][np.isfinite(each[name])] for each in (reference, other))
        if len(one) and len(two):
            test = stats.ks_2samp(one, two)
            found[name] = Distance(
                wasserstein=float(stats.wasserstein_distance(one, two)),
                ks=float(test.statistic),
                p_value=float(test.pvalue),
                measured=(len(one), len(two)),
            )
    return found


def proportion(hits: int, of: int) -> Estimate:
    """Give a share with its 95 % interval by Wilson's score, which holds for few and for none.

    Example:
        >>> proportion(0, 10)
        Estimate(value=0.0, low=0.0, high=0.2775...)
    """
    z2 = 1.959964**2
    middle = (hits + z2 / 2) / (of + z2)
    reach = np.sqrt(z2 * (hits * (of - hits) / of + z2 / 4)) / (of + z2)
    low, high = np.clip([middle - reach, middle + reach], 0, 1)
    return Estimate(hits / of, float(min(low, hits / of)), float(max(high, hits / of)))


def _taken(segments: SegmentSet, places: np.ndarray) -> SegmentSet:
    """Give some of a set, or the set itself if that is all of it: an index copies."""
    return segments if len(places) == len(segments) else segments[places]


def _done(
    parts: Mapping[tuple[str, str], tuple[float, Callable[[], Any]]],
    on_progress: Callable[[float, str], None],
) -> tuple[dict[tuple[str, str], Any], dict[str, float], list[str]]:
    """Do all parts, two at a time; gives results, seconds, and why there is no result."""
    from threadpoolctl import threadpool_limits

    found: dict[tuple[str, str], Any] = {}
    seconds: dict[str, float] = {}
    failed: dict[tuple[str, str], str] = {}
    done, of = 0.0, sum(weight for weight, _ in parts.values())
    # Once for all: limits are the process's, and would be mixed up if each part set its own.
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS) as pool:
        longest_first = sorted(parts, key=lambda key: -parts[key][0])
        tasks = {pool.submit(_timed, parts[key][1]): key for key in longest_first}
        try:
            for task in as_completed(tasks):
                key = tasks[task]
                name = " ".join(key).strip()
                try:
                    found[key], seconds[name] = task.result()
                except BadInputError as error:
                    failed[key] = f"{name[:1].upper()}{name[1:]}: {error}"
                done += parts[key][0]
                on_progress(done / of, name)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found, seconds, [failed[key] for key in parts if key in failed]


def _reference(sets: Mapping[str, Any]) -> str | None:
    return next((name for name in ("test", "train") if name in sets), None)


def _parts(
    sets: Mapping[str, Examined], compared: Mapping[str, SegmentSet], seed: int, unsaid: list[str]
) -> dict[tuple[str, str], tuple[float, Callable[[], Any]]]:
    """Lay out what there is to do: its weight, about its seconds for sets of 1,000, and the work.

    What cannot be done for want of a set is added to ``unsaid``.
    """
    parts: dict[tuple[str, str], tuple[float, Callable[[], Any]]] = {}
    few = len(sets["test"].subjects) if "test" in sets else 0
    if 0 < few < _FEW_SUBJECTS:
        unsaid.append(
            f"The test set has {few} subject{'s' * (few > 1)}: what is said of it, and its "
            "intervals, cannot say much of other patients and scanners."
        )
    reference = _reference(sets)
    for by in ("metrics", "pixels"):
        parts["t-SNE", by] = (
            10,
            lambda by=by: separability.embed(compared, by=by, seed=seed),
        )
    if "synthetic" not in sets:
        unsaid.append(
            "There is no synthetic set: whether a model copies, and of what use its segments are, "
            "is not known."
        )
    elif "train" not in sets:
        unsaid.append(
            "There is no training set: whether synthetic segments are copies, and whether they are "
            "worth as much as real ones to learn from, is not known."
        )
    else:
        test = sets["test"].segments if "test" in sets else None
        if test is None:
            unsaid.append(
                "There is no test set: how near held-out segments come to the training set is not "
                "known, so that the nearest pairs are shown without a verdict on copies, and what "
                "is learned from synthetic segments cannot be tested."
            )
        else:
            parts["usefulness", ""] = (
                2,
                lambda: usefulness.compare(
                    compared["train"], compared["synthetic"], test, seed=seed
                ),
            )
        for way, weight in (("mse", 4), ("sift", 12)):
            parts["memorisation", way] = (
                weight,
                lambda way=way: _memorised(
                    way, sets["synthetic"].segments, test, sets["train"].segments, seed
                ),
            )
    if reference is None:
        unsaid.append("There is no real set: what is real is not known, nothing can be compared.")
    elif reference == "train":
        unsaid.append(
            "There is no test set: others are compared with the training set, which a model that "
            "copies resembles best, and how two real sets differ is not known."
        )
    for name in MADE[1:]:
        if name not in sets:
            unsaid.append(
                f"There is no {name} set: whether these measures would notice "
                f"{'a weaker model' if name == 'control' else 'what is plainly no skull'} is not "
                "shown."
            )
    if reference == "test" and {"train", "synthetic"} <= sets.keys():
        parts["learned", ""] = (3, lambda: _judged(compared, "train", "synthetic", seed))
    for name in sets if reference else ():
        if name != reference:
            parts["judges", name] = (3, lambda name=name: _judged(compared, reference, name, seed))
            parts["distances", name] = (
                0.1,
                lambda name=name: metric_distances(sets[reference].metrics, sets[name].metrics),
            )
    return parts


def _most(sets: Mapping[str, Examined]) -> int:
    """Segments of a set that are compared: what the others than the training set hold at most."""
    others = [len(one.segments) for name, one in sets.items() if name != "train"]
    return max(others, default=separability.MOST)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def _discriminator(
    sets: Mapping[str, SegmentSet],
    model: Model,
    seed: int,
    on_progress: Callable[[float], None],
) -> Discriminator:
    from . import realness

    found, done = {}, 0
    of = sum(map(len, sets.values()))
    for name, one in sets.items():
        found[name] = realness.of_segments(
            model, one, lambda part, _, done=done: on_progress((done + part) / of)
        )
        done += len(one)
    real = _reference(sets)
    made = [name for name in MADE if name in sets and real]
    return Discriminator(
        realness=found,
        share={
            name: proportion(int((each >= 0.5).sum()), len(each)) for name, each in found.items()
        },
        real=real,
        roc={name: separability.roc(found[real], found[name], seed=seed) for name in made},
        calibration={
            name: separability.calibration(found[real], found[name], seed=seed) for name in made
        },
    )


def _judged(
    sets: Mapping[str, SegmentSet], reference: str, name: str, seed: int
) -> tuple[Judged, list[str]]:
    """Judge one set; what a measure needs more segments for is told, the others go on."""
    real, other = sets[reference], sets[name]
    described = separability.features(real, other)
    subjects = (real.subject, other.subject)
    found: dict[str, Any] = {}
    complaints = []
    for part, work in (
        ("test", lambda: separability.two_sample_test(*described, subjects=subjects, seed=seed)),
        ("fidelity", lambda: separability.fidelity(*described, seed=seed)),
        ("kernel", lambda: separability.kernel_distance(*described, seed=seed)),
    ):
        try:
            found[part] = work()
        except BadInputError as error:
            found[part] = None
            if str(error) not in complaints:
                complaints.append(str(error))
    return Judged(**found), complaints


def _memorised(
    way: str,
    synthetic: SegmentSet,
    held_out: SegmentSet | None,
    training: SegmentSet,
    seed: int,
) -> Memorised:
    if way == "mse":
        found, known = (
            None if one is None else memorization.nearest_by_mse(one, training, seed=seed)
            for one in (synthetic, held_out)
        )
    else:
        of = drawn(len(training), SIFT_TRAINING, seed)
        found, known = (
            None if one is None else _by_sift(one, training[of], of, seed)
            for one in (synthetic, held_out)
        )
    verdict = None
    if known is not None and np.isfinite(known.ratio).any():
        verdict = memorization.judge(found, known)
    return Memorised(found, known, verdict)


def _by_sift(segments: SegmentSet, training: SegmentSet, of: np.ndarray, seed: int) -> Neighbours:
    """Find neighbours for some of a set, and give their places in the whole sets."""
    which = drawn(len(segments), SIFT_SEGMENTS, seed)
    found = memorization.nearest_by_sift(segments[which], training, seed=seed)
    nearest = np.where(found.nearest < 0, -1, of[found.nearest])
    return replace(found, segment=which[found.segment], nearest=nearest)
