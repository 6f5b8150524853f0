"""Memorization: are synthetic segments copies of training segments?

The nearest training segment of each segment is found by pixel differences and by SIFT (paper,
Figure 5), however it is turned, moved, mirrored or scaled in HU. How near is near? Skulls resemble
each other, and thin or smooth segments lie near to everything. So a distance is taken as a share
of the distances to the next ones, as membership tests of other generators do (Carlini et al.
2023), and ``judge`` holds these ratios against those of real segments that were kept out of
training, which are no copies for sure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from .leakage import Leakage, in_words, leakage
from .measure import COPYING, Column, Inputs, Measure, PerSegment, Progress, Result, Statement
from .neighbor_figures import Shown, neighbor_figures
from .neighbors import Neighbors
from .noise import noise_hu
from .pixel_search import nearest_by_mse
from .progress import for_each_set
from .sift_search import nearest_by_sift
from .statistics import subsample
from .strata_tables import leakage_tables

WAYS = {"mse": "pixel differences (MSE)", "sift": "SIFT"}
"""How nearest training segments are found, in words; columns about them begin with one of these."""
SIFT_SEGMENTS = 250
"""Segments of a set whose nearest ones are searched by SIFT, among ``SIFT_TRAINING``."""
SIFT_TRAINING = 500
COPY_RATIO = 0.5
"""Share of the distance to the next segments above which nothing is a copy."""
SURELY = 0.05
"""Chance, of all ways together, below which suspects are more than chance."""
LEAST_NOISE_HU = 20.0
"""Root mean square difference that interpolation leaves where there is no noise."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


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
class Verdict:
    """Which synthetic segments stick to one training segment as no held-out real one does.

    Attributes:
        threshold: ratio below which a segment is suspect.
        rate: share of segments that would be suspect if they were as new as the held-out ones:
            k / (n + 1), with n of these and the threshold at the k-th smallest ratio.
        suspects: int, the segments below the threshold, the lowest ratio first.
        copies: int, those of them that are copies. Where suspects are more than chance has, all
            whose ratio is below ``copy_ratio``; and always those whose difference is noise.
        judged: number of synthetic segments.
        p_value: chance of as many suspects or more if the synthetic segments are as new as the
            held-out ones (beta-binomial).
        held_out: number of held-out segments.
        copy_ratio: one half, or the least ratio of a held-out segment if that is lower.
        noise_hu: root mean square difference that is no more than the CT's noise, and less than
            half that of the nearest held-out segment.
        least_told: fewest suspects that would have been more than chance has.
        least_copies: of the copies, how many there are for sure: those whose difference is noise,
            or what chance cannot have added; 0 if there are none.
    """

    threshold: float
    rate: float
    suspects: np.ndarray
    copies: np.ndarray
    judged: int
    p_value: float
    held_out: int
    copy_ratio: float
    noise_hu: float
    least_told: int
    least_copies: int


def judge(
    synthetic: Neighbors,
    held_out: Neighbors,
    rate: float = 0.01,
    *,
    noise_hu: float = 0.0,
    level: float = SURELY,
) -> Verdict:
    """Find the synthetic segments that stick to a training segment more than is natural.

    Args:
        synthetic, held_out: neighbors of synthetic and of held-out real segments in one training
            set, found in the same way.
        rate: share of new segments that may be suspect by mistake. The verdict's own rate is
            the largest that does not exceed it, or 1 / (n + 1) where n held-out segments allow
            none that small.
        noise_hu: standard deviation of the CT's noise.
        level: chance below which suspects are more than chance has.

    Raises:
        BadInputError: if no held-out segment has a neighbor.
    """
    from scipy import stats

    known = np.sort(held_out.ratio[np.isfinite(held_out.ratio)])
    if len(known) == 0:
        raise BadInputError(
            "No held-out segment has a neighbor in the training set: expected at least one."
        )
    k = max(1, int(rate * (len(known) + 1)))
    near = np.flatnonzero(synthetic.ratio < known[k - 1])
    near = near[np.argsort(synthetic.ratio[near], kind="stable")]
    judged = int(np.isfinite(synthetic.ratio).sum())
    # chances[s]: that there are s suspects or more.
    chances = stats.betabinom.sf(np.arange(judged + 1) - 1, judged, k, len(known) + 1 - k)
    p_value = float(chances[len(near)])
    copy_ratio = float(min(COPY_RATIO, known[0]))
    # Cuts that overlap come near each other, too: a copy comes nearer by far.
    alike_hu = float(np.nanmin([max(noise_hu, LEAST_NOISE_HU), *(held_out.rms_hu / 2)]))
    alone = synthetic.rms_hu[near] < alike_hu
    copies = alone | (synthetic.ratio[near] < copy_ratio) & (p_value < level)
    least_told = int(np.argmax([*(chances < level), True]))
    found = int(copies.sum())
    return Verdict(
        threshold=float(known[k - 1]),
        rate=k / (len(known) + 1),
        suspects=synthetic.segment[near],
        copies=synthetic.segment[near[copies]],
        judged=judged,
        p_value=p_value,
        held_out=len(known),
        copy_ratio=copy_ratio,
        noise_hu=alike_hu,
        least_told=least_told,
        least_copies=max(int(alone.sum()), found - least_told + 1, min(found, 1)),
    )


def _parts(inputs: Inputs) -> Sequence[str]:
    return tuple(WAYS)


def _run(inputs: Inputs, way: str, report_progress: Progress) -> Memorized:
    training, seed = inputs.sets["train"].segments, inputs.seed
    sets = {"synthetic": inputs.sets["synthetic"].segments}
    if "test" in inputs.sets:
        sets["held out"] = inputs.sets["test"].segments
    work: Callable[[SegmentSet, Callable[[int, int], None]], Neighbors]
    if way == "mse":
        work = partial(_by_mse, training=training, seed=seed)
    else:
        of = subsample(len(training), SIFT_TRAINING, seed)
        work = partial(_by_sift, training=training[of], of=of, seed=seed)
    found = for_each_set(sets, work, report_progress)
    known = found.get("held out")
    verdict = None
    if known is not None and np.isfinite(known.ratio).any():
        noise = noise_hu(training, seed)
        verdict = judge(found["synthetic"], known, noise_hu=noise, level=SURELY / len(WAYS))
    return Memorized(found["synthetic"], known, verdict)


def _by_mse(
    segments: SegmentSet,
    on_progress: Callable[[int, int], None],
    *,
    training: SegmentSet,
    seed: int,
) -> Neighbors:
    return nearest_by_mse(segments, training, seed=seed, on_progress=on_progress)


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
    found = nearest_by_sift(
        segments[which],
        training,
        seed=seed,
        on_progress=lambda some, all_: on_progress(some * len(segments) // all_, len(segments)),
    )
    nearest = np.where(found.nearest < 0, -1, of[found.nearest])
    return replace(found, segment=which[found.segment], nearest=nearest)


def _describe(inputs: Inputs, found: Mapping[str, Memorized]) -> Result:
    leak = _leakage(inputs, found)
    return Result(
        numbers={
            "memorization": {way: _numbers(inputs, one) for way, one in found.items()},
            "leakage": leak,
        },
        statements=(_statement(inputs, found, leak),),
        figures=neighbor_figures(
            inputs, {way: _shown(WAYS[way], one) for way, one in found.items()}
        ),
        columns=tuple(one for way, each in found.items() for one in _columns(inputs, way, each)),
    )


def _leakage(inputs: Inputs, found: Mapping[str, Memorized]) -> Leakage | None:
    held_out = found["mse"].held_out if "mse" in found else None
    if held_out is None:
        return None
    return leakage(inputs.sets["train"].segments, inputs.sets["test"].segments, held_out)


def _numbers(inputs: Inputs, one: Memorized) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "searched": one.synthetic.searched,
        "of": len(inputs.sets["train"]),
    }
    for name, each in (("synthetic", one.synthetic), ("held_out", one.held_out)):
        if each is not None:
            known = each.ratio[np.isfinite(each.ratio)]
            numbers[name] = {
                "compared": len(each.ratio),
                "with_neighbor": len(known),
                "ratio_quantiles": {
                    str(q): float(np.quantile(known, q)) if len(known) else None for q in QUANTILES
                },
            }
    if one.verdict is not None:
        place = inputs.sets["synthetic"].place
        numbers["verdict"] = asdict(one.verdict) | {
            "copies": place[one.verdict.copies],
            "suspects": place[one.verdict.suspects],
        }
    return numbers


def _statement(inputs: Inputs, found: Mapping[str, Memorized], leak: Leakage | None) -> Statement:
    sets = inputs.sets
    if not {"train", "synthetic"} <= sets.keys():
        return Statement(COPYING, "Not known", ("A training and a synthetic set are needed.",))
    same = int(np.isin(sets["synthetic"].digest, sets["train"].digest).sum())
    reasons = [
        f"{same:,} of {len(sets['synthetic']):,} synthetic segments equal a training segment pixel "
        "by pixel."
    ]
    verdicts = {way: one.verdict for way, one in found.items() if one.verdict}
    reasons += [_verdict_in_words(WAYS[way], verdict) for way, verdict in verdicts.items()]
    reasons += [in_words(leak)] if leak is not None else []
    copied = max([same, *(one.least_copies for one in verdicts.values())])
    if copied:
        return Statement(COPYING, f"Yes, at least {copied:,}", tuple(reasons))
    if not verdicts:
        unknown = "Whether the rest is near is not known: a test set is needed to compare with."
        return Statement(COPYING, "None to the pixel; more is not known", (*reasons, unknown))
    if any(one.p_value < SURELY / len(WAYS) for one in verdicts.values()):
        short = "No copy, but more near ones than chance would have"
        return Statement(COPYING, short, tuple(reasons))
    return Statement(COPYING, "No copy was found", tuple(reasons))


def _verdict_in_words(way: str, verdict: Verdict) -> str:
    copies, suspects = len(verdict.copies), len(verdict.suspects)
    found_copies = f"{copies:,} COP{'Y' if copies == 1 else 'IES'}" if copies else "no copy"
    return (
        f"By {way}: {found_copies} among {verdict.judged:,} compared; {suspects:,} "
        f"suspect{'s' * (suspects != 1)}, where about {verdict.rate * verdict.judged:.1f} are "
        f"expected by chance (p = {verdict.p_value:.2g}). {_power_in_words(verdict)}"
    )


def _power_in_words(verdict: Verdict) -> str:
    """Say how few copies would have been noticed."""
    alone = f"One that differs by less than {verdict.noise_hu:.0f} HU would be noticed alone"
    if verdict.least_told > verdict.judged:
        return f"{alone}; others could not be, for there are too few segments."
    return f"{alone}, others only if there were {verdict.least_told:,} or more."


def _shown(title: str, one: Memorized) -> Shown:
    verdict = one.verdict
    return Shown(
        title=title,
        synthetic=one.synthetic,
        held_out=one.held_out,
        copies=() if verdict is None else tuple(map(int, verdict.copies)),
        suspects=() if verdict is None else tuple(map(int, verdict.suspects)),
        threshold=None if verdict is None else verdict.threshold,
        copy_ratio=COPY_RATIO if verdict is None else verdict.copy_ratio,
        rate=None if verdict is None else verdict.rate,
    )


def _columns(inputs: Inputs, way: str, one: Memorized) -> list[PerSegment]:
    found = []
    for name, each in (("synthetic", one.synthetic), ("test", one.held_out)):
        if each is not None:
            known = each.nearest >= 0
            for column, values in (
                ("nearest", inputs.sets["train"].place[each.nearest]),
                ("distance", each.distance),
                ("ratio", each.ratio),
                ("flipped", each.flipped),
                ("shift_rows", each.shift_px[:, 0]),
                ("shift_columns", each.shift_px[:, 1]),
                ("turn_deg", each.turn_deg),
                ("gain", each.gain),
                ("rms_hu", each.rms_hu),
            ):
                places = each.segment[known]
                found.append(PerSegment(f"{way}_{column}", name, places, values[known]))
    if one.verdict is not None:
        for word, places in (
            ("new", one.synthetic.segment),
            ("suspect", one.verdict.suspects),
            ("copy", one.verdict.copies),
        ):
            found.append(PerSegment(f"{way}_verdict", "synthetic", places, word))
    return found


def _columns_of(way: str, words: str) -> tuple[Column, ...]:
    short, about = way.upper(), f"training segment by {words}"
    return (
        Column(f"{way}_nearest", int, f"Nearest real ({short})", "", f"Nearest {about}"),
        Column(f"{way}_distance"),
        Column(
            f"{way}_ratio",
            float,
            f"Likeness ratio ({short})",
            "",
            f"Distance to the nearest {about}, over that to the next ones: 0 for a copy",
        ),
        Column(f"{way}_flipped", bool),
        Column(f"{way}_shift_rows"),
        Column(f"{way}_shift_columns"),
        Column(f"{way}_turn_deg"),
        Column(f"{way}_gain"),
        Column(f"{way}_rms_hu"),
        Column(f"{way}_verdict", str, f"Verdict ({short})"),
    )


MEASURE: Measure[Memorized] = Measure(
    name="nearest_neighbors",
    title="Nearest neighbors",
    run=_run,
    describe=_describe,
    parts=_parts,
    needs=("train", "synthetic"),
    needs_explained=True,
    weight=4,
    tables=leakage_tables,
    columns=tuple(column for way, words in WAYS.items() for column in _columns_of(way, words)),
)
