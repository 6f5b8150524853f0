"""How often the verdicts of an evaluation claim what is not there, on splits of real cuts.

    make bench-evaluate BENCH="--splits 40 --segments cuts.h5"    (without: the sample CT's)

Each split deals the cuts of one head into thirds, for a training, a test and a synthetic set. The
third one is as new as the second: it holds no copies, does not differ, and whoever says so is
wrong. In its place stand then the training cuts themselves, moved by up to 3 pixels, which are of
no use beyond augmentation; and, to see that the verdicts can also be yes, 10 % of copies turned by
5 degrees and moved by half a pixel, the cuts blurred by half a pixel, and for use the third itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation.measures import disturbances, known_answers, tstr
from SkullGANLib.evaluation.measures.c2st import can_tell, has_twins, two_sample_test
from SkullGANLib.evaluation.measures.features import features
from SkullGANLib.evaluation.measures.known_answers_table import GENUINE, is_right
from SkullGANLib.evaluation.measures.nearest_neighbors import SURELY, WAYS, judge
from SkullGANLib.evaluation.measures.noise import noise_hu
from SkullGANLib.evaluation.measures.pixel_search import nearest_by_mse
from SkullGANLib.evaluation.measures.sift_search import nearest_by_sift
from SkullGANLib.evaluation.measures.statistics import proportion

FALSE = {
    "copies": "copies, of a genuine third",
    "near": "more near ones than chance has, of a genuine third",
    "difference": "difference, of a genuine third",
    "twins": "twins, of a genuine third",
    "use": "use beyond augmentation, of the training cuts moved",
    "alarm": "any judge in the table of known answers, of a genuine third",
}
TRUE = {
    "copies found": "copies, where a tenth is turned by 5° and moved by half a pixel",
    "difference found": "difference, where all is blurred by half a pixel",
    "use found": "use beyond augmentation, of a genuine third",
    "known answers right": "all sets of known answer judged rightly",
}


def run(real: SegmentSet, splits: int, most: int) -> None:
    """Print how often each claim was made."""
    counts: Counter[str] = Counter()
    for seed in range(splits):
        counts.update(_claims(real, seed, most))
    print(f"{len(real)} cuts, {splits} splits")
    for title, claims in (("claimed though it is not so", FALSE), ("claimed where it is so", TRUE)):
        print(f"\n{title:<66} {'splits':>6}  95 % interval")
        for name, words in claims.items():
            share = proportion(counts[name], splits)
            print(
                f"{words:<66} {counts[name]:>6}  {100 * share.low:.0f} to {100 * share.high:.0f} %"
            )


def _claims(real: SegmentSet, seed: int, most: int) -> list[str]:
    """Give the names of the claims that are made of one split."""
    order = np.random.default_rng(seed).permutation(len(real))
    count = min(len(real) // 3, most)
    train, test, third = (
        real[np.sort(order[part * count : (part + 1) * count])] for part in range(3)
    )
    third = replace(third, kind="synthetic")
    claims = [
        *_of_copies(train, test, third),
        *_of_likeness(test, third, seed),
        *_of_use(train, test, third, seed),
    ]
    planted = max(known_answers.FEWEST_PLANTED, count // 10)
    copies = disturbances.laid(
        train[:planted],
        mirrored=np.zeros(planted, bool),
        turn_deg=np.full(planted, 5.0),
        shift_px=np.full((planted, 2), 0.5),
        gain=np.ones(planted),
    )
    with_copies = segment_set.concatenate([replace(copies, kind="synthetic"), third[planted:]])
    found = _of_copies(train, test, with_copies)
    claims += ["copies found"] * ("copies" in found)
    blurred = _of_likeness(test, disturbances.blurred(third, 0.5), seed)
    claims += ["difference found"] * ("difference" in blurred)
    return claims + _of_known_answers(real, seed)


def _of_copies(train: SegmentSet, test: SegmentSet, made: SegmentSet) -> list[str]:
    noise, level = noise_hu(train), SURELY / len(WAYS)
    verdicts = [
        judge(search(made, train), search(test, train), noise_hu=noise, level=level)
        for search in (nearest_by_mse, nearest_by_sift)
    ]
    if any(one.least_copies for one in verdicts):
        return ["copies"]
    return ["near"] * any(one.p_value < level for one in verdicts)


def _of_likeness(test: SegmentSet, made: SegmentSet, seed: int) -> list[str]:
    found = two_sample_test(*features(test, made), seed=seed)
    return ["difference"] * can_tell(found) + ["twins"] * has_twins(found)


def _of_use(train: SegmentSet, test: SegmentSet, third: SegmentSet, seed: int) -> list[str]:
    count = len(train)
    shifts = np.random.default_rng([seed, 1]).integers(-3, 4, (count, 2)).astype(float)
    moved = disturbances.laid(
        train,
        mirrored=np.zeros(count, bool),
        turn_deg=np.zeros(count),
        shift_px=shifts,
        gain=np.ones(count),
    )
    claims = []
    for name, made in (("use", moved), ("use found", third)):
        found = tstr.compare(train, made, test, seed=seed)
        claims += [name] * any(map(tstr.is_of_use, found.values()))
    return claims


def _of_known_answers(real: SegmentSet, seed: int) -> list[str]:
    found = known_answers.known_answers([real], seed=seed, report_progress=lambda share: None)
    right = {name: is_right(name, vars(one)) for name, one in found.cases.items()}
    return ["alarm"] * (not right[GENUINE]) + ["known answers right"] * all(right.values())
