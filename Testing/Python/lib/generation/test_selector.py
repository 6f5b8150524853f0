"""Selecting while generating: what is kept follows from seeds alone, at any batch size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import selector
from SkullGANLib.generation.diversity import Diversity
from SkullGANLib.generation.likeness import RealSet, ks_of, values_of
from SkullGANLib.generation.selection import Limits, Selection
from SkullGANLib.generation.selector import Source, chance_of, selected
from SkullGANLib.metrics import measure

THICK = Limits({"thickness_mm": (8.0, 99.0)})


def walls_of(seeds: np.ndarray) -> SegmentSet:
    """Walls of three layers, each by its seed alone."""
    rows = np.arange(128)[None, :, None]
    number = [np.random.default_rng(int(seed)).random(4) for seed in seeds]
    thick, middle, top, place = np.array(number).T[:, :, None, None]
    third = 3 + 6 * thick
    depth = (rows - 8 - 20 * place) / third
    table, diploe = 1300 + 400 * top, 400 + 500 * middle
    hu = np.where((depth >= 1) & (depth < 2), diploe, table)
    hu = np.broadcast_to(np.where((depth >= 0) & (depth < 3), hu, 0), (len(seeds), 128, 128))
    return segment_set.without_patient(hu.astype(np.int16), hu != 0, seeds)


def source(batch_size: int = 64, **changes: object) -> Source:
    def make(seeds: np.ndarray, together: int) -> Iterator[SegmentSet]:
        for start in range(0, len(seeds), together):
            yield walls_of(seeds[start : start + together])

    return Source(make=make, batch_size=batch_size, **changes)


def all_of(steps: Iterator[selector.Kept]) -> tuple[SegmentSet, int]:
    """Join what is kept, and give how many were made."""
    kept = list(steps)
    assert [one.complete for one in kept] == [False] * (len(kept) - 1) + [True]
    return segment_set.concatenate([one.segments for one in kept]), kept[-1].made


@pytest.fixture(scope="module")
def real() -> RealSet:
    """A head of thicker walls."""
    values = values_of(measure(walls_of(np.arange(10**6, 10**6 + 1500))))
    rng = np.random.default_rng(0)
    chance = (values[:, 1] - values[:, 1].min()) / np.ptp(values[:, 1])
    return RealSet("real.h5", values[rng.random(1500) < chance**2], 1500, "ab")


def test_a_selection_keeps_as_many_as_asked_the_first_that_fit():
    walls = walls_of(np.arange(5, 400))
    fit = walls.seed[measure(walls)["thickness_mm"] >= 8]

    found, made = all_of(selected(source(first_seed=5), Selection(limits=THICK), 20))

    assert found.seed.tolist() == fit[:20].tolist()
    assert made == fit[19] - 5 + 1
    np.testing.assert_array_equal(found.hu[3], walls_of(found.seed[3:4]).hu[0])


@pytest.mark.parametrize("batch_size", [1, 100, 4096])
def test_a_selection_is_the_same_at_any_batch_size(real, batch_size):
    wanted = Selection(limits=Limits({"sdr_peaks": (0.3, 0.55)}), diverse=Diversity())
    within = (real.values[:, 0] >= 0.3) & (real.values[:, 0] <= 0.55)
    real = replace(real, values=real.values[within])
    first, made = all_of(selected(source(), wanted, 60, real=real))

    found, other = all_of(selected(source(batch_size), wanted, 60, real=real))

    assert (found.seed.tolist(), other) == (first.seed.tolist(), made)


def test_a_selection_like_a_real_set_follows_it(real):
    before = values_of(measure(walls_of(np.arange(300))))

    found, made = all_of(selected(source(), Selection(), 300, real=real))

    assert max(ks_of(real, values_of(measure(found))).values()) < 0.1
    assert max(ks_of(real, before).values()) > 0.2
    assert len(found) == 300 < made


def test_a_selection_that_is_taken_up_again_goes_on_as_if_it_had_never_stopped(real):
    wanted = Selection(diverse=Diversity())
    whole, made = all_of(selected(source(), wanted, 80, real=real))

    rest, other = all_of(selected(source(), wanted, 80, real=real, held=[whole[:30], whole[30:37]]))

    assert rest.seed.tolist() == whole.seed[37:].tolist()
    assert other == made
    assert list(selected(source(), wanted, 80, real=real, held=[whole])) == []


def interrupted(segments: SegmentSet) -> SegmentSet:
    """Cut a gap into the walls of every third seed."""
    gap = (segments.seed % 3 == 0)[:, None, None] & (np.arange(128) // 8 == 9)
    mask = np.where(gap, 0, segments.mask).astype(np.uint8)
    return replace(segments, hu=segments.hu * mask, mask=mask)


def test_whole_walls_alone_are_kept_where_they_are_asked_for():
    plain = source()
    broken = replace(plain, make=lambda seeds, n: map(interrupted, plain.make(seeds, n)))

    found, made = all_of(selected(broken, Selection(whole=True), 50))

    assert found.seed.tolist() == [seed for seed in range(75) if seed % 3][:50]
    assert made == found.seed[-1] + 1


def test_a_model_that_makes_no_whole_wall_is_refused_with_that_reason():
    plain = source()
    broken = replace(plain, make=lambda seeds, n: map(interrupted, plain.make(3 * seeds, n)))
    with pytest.raises(BadInputError, match=r"None of 512 .* Whole walls: none\."):
        all_of(selected(broken, Selection(whole=True, most=600), 50))


def test_a_diverse_selection_keeps_no_two_alike():
    found, _ = all_of(selected(source(), Selection(diverse=Diversity()), 60))

    bright = (found.hu[:, :50] > 1200).reshape(60, -1).astype(int)
    apart = np.abs(bright[:, None] - bright[None]).sum(axis=2) + 10**6 * np.eye(60, dtype=int)
    assert apart.min() >= 200
    seeds = found.seed.tolist()
    assert seeds[0] == 0
    assert seeds != list(range(60))


def test_nothing_of_a_selection_is_given_before_it_is_likely_to_end():
    """About one in 100 fits: nothing is given with the first batches."""
    sdr = measure(walls_of(np.arange(1000)))["sdr_peaks"]
    limits = Limits({"sdr_peaks": (float(np.quantile(sdr, 0.99)), 1.0)})
    steps = selected(source(), Selection(limits=limits), 30)

    given = [(one.made, len(one.segments)) for one in steps]

    assert all(count == 0 for made, count in given if made < 512)
    assert sum(count for _, count in given) == 30


def test_a_selection_that_no_segment_fits_is_refused_before_hours_pass():
    said: list[str] = []
    wanted = Selection(limits=Limits({"thickness_mm": (8, 9), "mean_intensity_hu": (2000, 3000)}))
    steps = selected(source(), wanted, 30, on_note=said.append)

    given: list[selector.Kept] = []
    with pytest.raises(BadInputError, match=r"Thickness: .* are within the limits, .* Mean intens"):
        given.extend(steps)

    assert sum(len(one.segments) for one in given) == 0
    assert said[0].startswith("None of 512 segments fits")


def test_a_selection_makes_no_more_than_it_may():
    wanted = Selection(limits=THICK, most=70)

    steps = selected(source(), wanted, 60)

    given: list[selector.Kept] = []
    with pytest.raises(BadInputError, match="of 70 segments fit, 60 were to be kept"):
        given.extend(steps)
    assert 0 < sum(len(one.segments) for one in given) < 60
    assert given[-1].made == 70
    with pytest.raises(BadInputError, match=r"At most 5 segments .* at least the 6 that"):
        next(selected(source(), Selection(limits=THICK, most=5), 6))


def test_a_selection_like_a_set_of_which_too_few_fit_the_limits_is_refused(real):
    wanted = Selection(limits=Limits({"mean_intensity_hu": (2000, 3000)}), most=600)

    with pytest.raises(BadInputError, match=r"None of 512 segments fits|0 of 600 segments fit"):
        list(selected(source(), wanted, 30, real=real))


def test_batches_of_a_selection_with_batch_statistics_stay_whole():
    sizes: list[list[int]] = []

    def make(seeds: np.ndarray, together: int) -> Iterator[SegmentSet]:
        for start in range(0, len(seeds), together):
            sizes.append(seeds[start : start + together].tolist())
            yield walls_of(seeds[start : start + together])

    draws = Source(make=make, batch_size=10, batch_statistics=True, first_seed=3).draws(14, 40)

    assert next(draws).segments.seed.tolist() == list(range(17, 23))
    assert sizes == [list(range(13, 23))]


def test_the_chances_of_a_selection_are_even_and_each_seeds_own():
    chances = chance_of(np.arange(100_000))

    assert np.histogram(chances, 10, (0, 1))[0] == pytest.approx(10_000, rel=0.05)
    assert abs(np.corrcoef(chances[:-1], chances[1:])[0, 1]) < 0.02
    last = np.array([2**63 - 1])
    assert chance_of(np.append(7, last)).tolist() == [chances[7], *chance_of(last)]
