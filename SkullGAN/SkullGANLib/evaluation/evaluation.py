"""The evaluation: are synthetic segments like real ones, are they copies, are they of use?

``evaluate`` puts every measure of the library to the sets that there are (paper, Figures 5 to 7,
and the tests it lacked) and gives plain numbers; ``evaluationreport`` writes them. What cannot be
said, for want of a set or of segments, is said in ``Evaluation.unsaid``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInputError
from .evaluation_set import MADE, EvaluationSet, subsample
from .measures import c2st, nearest_neighbors, tsne, tstr
from .measures.c2st import Calibration, Estimate, Fidelity, KernelDistance, Roc, TwoSampleTest
from .measures.nearest_neighbors import Neighbors, Verdict
from .measures.tsne import Embedding
from .measures.tstr import Usefulness
from .schedule import Part, done

if TYPE_CHECKING:
    from ..data.segment_set import SegmentSet
    from ..networks.inception import InceptionV3
    from ..networks.model_file import Model

COMPARED = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
"""The radiological metrics of the paper's Figure 6."""
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
class TwoSampleMetrics:
    """What judges that the GAN never met say of a set against the reference.

    Attributes:
        test, fidelity, kernel: in features of our own (``separability.features``).
        fid: Fréchet's distance of features of the Inception network; None without its weights.
        kid: kernel distance of these features.
    """

    test: TwoSampleTest | None
    fidelity: Fidelity | None
    kernel: KernelDistance | None
    fid: float | None = None
    kid: KernelDistance | None = None


@dataclass(frozen=True)
class Memorized:
    """Nearest training segments by one way of comparing; places are those in the sets compared.

    Attributes:
        synthetic: of the synthetic set.
        held_out: of the test set; None where there is none.
        verdict: None without held-out segments, for then nothing says how near is too near.
    """

    synthetic: Neighbors
    held_out: Neighbors | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Evaluation:
    """All numbers of an evaluation; what is None or missing has its reason in ``unsaid``.

    Attributes:
        reference: the real set that others are compared with: the test set, else the training set.
        compared: int (C,), per set, which of ``EvaluationSet.segments`` were compared: all but for
            a training set that is larger than the others.
        distances: per set and metric of ``COMPARED``, against the reference.
        embedding: "metrics" and "pixels".
        discriminator: None without a model.
        judges: per set, against the reference; "train" against "test" shows what two real sets
            give.
        learned: the synthetic against the training set, where the reference is the test set: how
            well the model has learned what it saw. None where there is no such comparison.
        memorization: "mse" and "sift".
        usefulness: per target.
        unsaid: sentences.
        seconds: what each part took.
    """

    reference: str | None
    compared: Mapping[str, np.ndarray]
    distances: Mapping[str, Mapping[str, Distance]]
    embedding: Mapping[str, Embedding]
    discriminator: Discriminator | None
    judges: Mapping[str, TwoSampleMetrics]
    learned: TwoSampleMetrics | None
    memorization: Mapping[str, Memorized]
    usefulness: Mapping[str, Usefulness]
    unsaid: tuple[str, ...]
    seconds: Mapping[str, float] = field(compare=False)


def evaluate(
    sets: Mapping[str, EvaluationSet],
    *,
    model: Model | None = None,
    network: InceptionV3 | None = None,
    seed: int = 0,
    on_progress: Callable[[float, str], None] | None = None,
) -> Evaluation:
    """Evaluate the sets that there are.

    The parts run in two threads of one core each: they are many small sums, which gain less from
    two cores each.

    Args:
        sets: by one of ``evaluationsets.NAMES``.
        model: whose discriminator judges them, on the device where it is.
        network: of FID and KID, on the device where it is.
        seed: of all chance; the same sets and seed give the same numbers.
        on_progress: called with the share of the work done and what was.

    Raises:
        BadInputError: if there is no set, or the model learned from pixels of another size.
    """
    if not sets:
        raise BadInputError("No set was given to evaluate, at least one is needed.")
    most = _most(sets)
    compared = {name: subsample(len(one.segments), most, seed) for name, one in sets.items()}
    shown = {name: _taken(sets[name].segments, places) for name, places in compared.items()}
    unsaid: list[str] = []
    alone: dict[tuple[str, str], Part] = {}
    described: dict[str, np.ndarray] = {}
    if model is None:
        unsaid.append("No model was given: what its discriminator says of the sets is not known.")
    else:
        alone["discriminator", ""] = Part(
            15, lambda report_progress: _discriminator(shown, model, seed, report_progress)
        )
    if network is not None:
        alone["Inception", ""] = Part(
            200,
            lambda report_progress: described.update(
                _by_inception(shown, network, report_progress)
            ),
        )
    parts = _parts(sets, shown, described, seed, unsaid)
    found, seconds, failed = done(alone, parts, on_progress)
    unsaid += failed

    def group(kind: str) -> dict[str, Any]:
        return {key[1]: one for key, one in found.items() if key[0] == kind}

    judges, learned = group("judges"), group("learned").get("", (None, []))
    for name, (_, complaints) in [*judges.items(), ("synthetic against training", learned)]:
        unsaid += [f"Judges {name}: {one}" for one in complaints]
    return Evaluation(
        reference=_reference(sets),
        compared=compared,
        distances=group("distances"),
        embedding=group("t-SNE"),
        discriminator=group("discriminator").get(""),
        judges={name: judged for name, (judged, _) in judges.items()},
        learned=learned[0],
        memorization=group("memorization"),
        usefulness=group("usefulness").get("", {}),
        unsaid=tuple(unsaid),
        seconds=seconds,
    )


def metric_distances(
    reference: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]
) -> dict[str, Distance]:
    """Compare the distributions of ``COMPARED`` in two sets.

    Args:
        reference, other: what ``metrics.measure`` gave for each; NaN are left out, and a metric
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


def _reference(sets: Mapping[str, Any]) -> str | None:
    return next((name for name in ("test", "train") if name in sets), None)


def _parts(
    sets: Mapping[str, EvaluationSet],
    compared: Mapping[str, SegmentSet],
    described: Mapping[str, np.ndarray],
    seed: int,
    unsaid: list[str],
) -> dict[tuple[str, str], Part]:
    """Lay out what there is to do side by side.

    What cannot be done for want of a set is added to ``unsaid``. By the time of the work,
    ``described`` has the features by the Inception network, if there are any.
    """
    parts: dict[tuple[str, str], Part] = {}
    few = len(sets["test"].subjects) if "test" in sets else 0
    if 0 < few < _FEW_SUBJECTS:
        unsaid.append(
            f"The test set has {few} subject{'s' * (few > 1)}: what is said of it, and its "
            "intervals, cannot say much of other patients and scanners."
        )
    reference = _reference(sets)
    for by, weight in (("metrics", 5), ("pixels", 8)):
        parts["t-SNE", by] = Part(
            weight, lambda report_progress, by=by: tsne.embed(compared, by=by, seed=seed)
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
            parts["usefulness", ""] = Part(
                1.5,
                lambda report_progress: tstr.compare(
                    compared["train"], compared["synthetic"], test, seed=seed
                ),
            )
        for way in ("mse", "sift"):
            parts["memorization", way] = Part(
                4,
                lambda report_progress, way=way: _memorized(
                    way,
                    sets["synthetic"].segments,
                    test,
                    sets["train"].segments,
                    seed,
                    report_progress,
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
    pairs = {
        ("judges", name): (reference, name) for name in sets if reference and name != reference
    }
    if reference == "test" and {"train", "synthetic"} <= sets.keys():
        pairs["learned", ""] = ("train", "synthetic")
    for key, (real, name) in pairs.items():
        parts[key] = Part(
            2.5,
            lambda report_progress, real=real, name=name: _judged(
                compared, described, real, name, seed
            ),
        )
        if key[0] == "judges":
            parts["distances", name] = Part(
                0.1,
                lambda report_progress, name=name: metric_distances(
                    sets[reference].metrics, sets[name].metrics
                ),
            )
    return parts


def _most(sets: Mapping[str, EvaluationSet]) -> int:
    """Segments of a set that are compared: what the others than the training set hold at most."""
    others = [len(one.segments) for name, one in sets.items() if name != "train"]
    return max(others, default=c2st.MOST)


def _discriminator(
    sets: Mapping[str, SegmentSet],
    model: Model,
    seed: int,
    report_progress: Callable[[float], None],
) -> Discriminator:
    from .measures import realness

    found = _of_each(sets, partial(realness.of_segments, model), report_progress)
    real = _reference(sets)
    made = [name for name in MADE if name in sets and real]
    return Discriminator(
        realness=found,
        share={
            name: proportion(int((each >= 0.5).sum()), len(each)) for name, each in found.items()
        },
        real=real,
        roc={name: c2st.roc(found[real], found[name], seed=seed) for name in made},
        calibration={name: c2st.calibration(found[real], found[name], seed=seed) for name in made},
    )


def _by_inception(
    sets: Mapping[str, SegmentSet], network: InceptionV3, report_progress: Callable[[float], None]
) -> dict[str, np.ndarray]:
    from ..networks import inception

    return _of_each(sets, partial(inception.features, network), report_progress)


def _of_each(
    sets: Mapping[str, SegmentSet],
    work: Callable[[SegmentSet, Callable[[int, int], None]], np.ndarray],
    report_progress: Callable[[float], None],
) -> dict[str, np.ndarray]:
    """Do the same work on each set, and tell how much of all segments is done."""
    found, before = {}, 0
    of = sum(map(len, sets.values()))
    for name, one in sets.items():
        found[name] = work(
            one, lambda part, _, before=before: report_progress((before + part) / of)
        )
        before += len(one)
    return found


def _judged(
    sets: Mapping[str, SegmentSet],
    described: Mapping[str, np.ndarray],
    reference: str,
    name: str,
    seed: int,
) -> tuple[TwoSampleMetrics, list[str]]:
    """Judge one set; what a measure needs more segments for is told, the others go on."""
    real, other = sets[reference], sets[name]
    named = c2st.features(real, other)
    subjects = (real.subject, other.subject)
    measures: dict[str, Callable[[], Any]] = {
        "test": lambda: c2st.two_sample_test(*named, subjects=subjects, seed=seed),
        "fidelity": lambda: c2st.fidelity(*named, seed=seed),
        "kernel": lambda: c2st.kernel_distance(*named, seed=seed),
    }
    if described:
        seen = described[reference], described[name]
        measures["fid"] = lambda: c2st.frechet_distance(*seen)
        measures["kid"] = lambda: c2st.kernel_distance(*seen, seed=seed)
    found: dict[str, Any] = {}
    complaints = []
    for part, work in measures.items():
        try:
            found[part] = work()
        except BadInputError as error:
            found[part] = None
            complaints = [str(error)]  # the last that needs more needs the most
    return TwoSampleMetrics(**found), complaints


def _memorized(
    way: str,
    synthetic: SegmentSet,
    held_out: SegmentSet | None,
    training: SegmentSet,
    seed: int,
    report_progress: Callable[[float], None],
) -> Memorized:
    sets = {"synthetic": synthetic} | ({} if held_out is None else {"held out": held_out})
    if way == "mse":
        work = partial(_by_mse, training=training, seed=seed)
    else:
        of = subsample(len(training), SIFT_TRAINING, seed)
        work = partial(_by_sift, training=training[of], of=of, seed=seed)
    found = _of_each(sets, work, report_progress)
    known = found.get("held out")
    verdict = None
    if known is not None and np.isfinite(known.ratio).any():
        verdict = nearest_neighbors.judge(found["synthetic"], known)
    return Memorized(found["synthetic"], known, verdict)


def _by_mse(
    segments: SegmentSet,
    on_progress: Callable[[int, int], None],
    *,
    training: SegmentSet,
    seed: int,
) -> Neighbors:
    return nearest_neighbors.nearest_by_mse(segments, training, seed=seed, on_progress=on_progress)


def _by_sift(
    segments: SegmentSet,
    on_progress: Callable[[int, int], None],
    *,
    training: SegmentSet,
    of: np.ndarray,
    seed: int,
) -> Neighbors:
    """Find neighbors for some of a set, and give their places in the whole sets."""
    which = subsample(len(segments), SIFT_SEGMENTS, seed)
    found = nearest_neighbors.nearest_by_sift(
        segments[which],
        training,
        seed=seed,
        on_progress=lambda some, all_: on_progress(some * len(segments) // all_, len(segments)),
    )
    nearest = np.where(found.nearest < 0, -1, of[found.nearest])
    return replace(found, segment=which[found.segment], nearest=nearest)
