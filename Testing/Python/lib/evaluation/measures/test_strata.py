"""What is made too seldom shows in its stratum; several files are judged alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples import bent_walls, straight_walls
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.evaluation import _inputs
from SkullGANLib.evaluation.evaluation_set import Source
from SkullGANLib.evaluation.measures import strata
from SkullGANLib.evaluation.measures.features import features
from SkullGANLib.evaluation.measures.strata import by_stratum
from SkullGANLib.evaluation.measures.strata_tables import strata_tables
from SkullGANLib.evaluation.report.writer import _plain
from SkullGANLib.metrics import measure


@pytest.fixture(scope="module")
def real() -> SegmentSet:
    """Straight parietal walls and bent temporal ones."""
    bent = replace(bent_walls(30, 1), subject=np.full(30, ""), kind="synthetic")
    whole = segment_set.concatenate([straight_walls(30, 0), bent])
    return replace(whole, kind="real", bone=np.repeat(["parietal", "temporal"], 30))


def compared(real: SegmentSet, other: SegmentSet):
    one, two = features(real, other)
    return by_stratum(real, other, (one, two), (measure(real), measure(other)))


def test_a_bone_that_is_never_made_is_not_covered(real):
    made = straight_walls(60, 5)
    found = compared(real, made)["bone"]
    assert found["temporal"].covered.value < 0.2 < 0.6 < found["parietal"].covered.value
    assert (found["temporal"].real, found["temporal"].other) == (30, 60)
    assert found["temporal"].ks["thickness_mm"] > 0.3


def test_segments_that_know_their_bone_are_compared_with_their_like(real):
    made = replace(real, hu=real.hu[::-1].copy(), mask=real.mask[::-1].copy(),
                   bone=real.bone[::-1].copy())  # fmt: skip
    found = compared(real, made)["bone"]
    assert {one.other for one in found.values()} == {30}
    for one in found.values():
        assert one.ks["thickness_mm"] == 0
        assert one.means == pytest.approx(one.other_means)


def test_files_of_the_synthetic_set_stand_side_by_side_with_their_spread(real):
    made = segment_set.concatenate([straight_walls(25, 5), straight_walls(25, 6, noise_hu=200)])
    sets = evaluation_set.prepare_sets({"test": real, "synthetic": replace(made, kind="synthetic")})
    sources = (Source(Path("good.h5"), 25), Source(Path("noisy.h5"), 25))
    sets["synthetic"] = replace(sets["synthetic"], sources=sources)
    inputs = _inputs(sets, None, 0, {})
    result = strata.MEASURE.describe(
        inputs, {"": strata.MEASURE.run(inputs, "", lambda share: None)}
    )
    numbers = _plain(result.numbers) | {"reference": "test"}
    by_bone, files = strata_tables(numbers)
    assert [by_bone.columns[0].text(row) for row in range(2)] == [
        "bone: parietal",
        "bone: temporal",
    ]
    assert list(files.columns[0].values) == [
        "good.h5", "noisy.h5", "mean", "standard deviation",
    ]  # fmt: skip
    coverage = next(one for one in files.columns if one.title == "Coverage (%)")
    first, second, mean, deviation = (coverage.number(row) for row in range(4))
    assert mean == pytest.approx((first + second) / 2)
    assert deviation == pytest.approx(abs(first - second) / np.sqrt(2))


def test_without_strata_and_with_one_file_there_are_no_tables():
    sets = evaluation_set.prepare_sets(
        {"test": bent_walls(20, 0), "synthetic": bent_walls(20, 1, "synthetic")}
    )
    inputs = _inputs(sets, None, 0, {})
    found = strata.MEASURE.run(inputs, "", lambda share: None)
    assert (found.strata, found.files) == ({}, {})
    assert strata_tables({"strata": {}, "files": {}, "reference": "test"}) == []
