"""How slices of stacks agree: on stacks whose neighbors are known to be alike or strangers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import arches, bent_walls, in_stacks
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.evaluation import _inputs
from SkullGANLib.evaluation.measures import depth
from SkullGANLib.evaluation.measures.registry import MEASURES
from SkullGANLib.evaluation.measures.statistics import subsample


def repeated(kind: str = "real"):
    """Five stacks of four slices that are one and the same."""
    return in_stacks(bent_walls(5, 0, kind)[np.repeat(np.arange(5), 4)], 4)


def test_slices_in_depth_that_are_the_same_agree_wholly_and_stacks_of_strangers_do_not():
    found = depth.agreement(repeated())
    assert found.stacks == 5
    for name in depth.QUANTITIES:
        assert [one.value for one in found.by_distance[name]] == pytest.approx([1.0] * 3)
    assert found.unrelated["fine"] < 0.3

    strangers = depth.agreement(in_stacks(bent_walls(20, 0), 4))
    assert strangers.by_distance["fine"][0].value < 0.3
    assert strangers.unrelated["fine"] == pytest.approx(
        strangers.by_distance["fine"][0].value, abs=0.2
    )


def test_walls_that_shift_by_a_row_a_slice_agree_the_less_the_farther_apart_in_depth():
    """16 rows of wall, moved by one a slice: Dice is 15/16, 14/16, 13/16."""
    found = depth.agreement(in_stacks(arches(8), 4))
    values = [one.value for one in found.by_distance["overlap"]]
    assert values == pytest.approx([15 / 16, 14 / 16, 13 / 16], abs=0.005)


def test_agreement_in_depth_is_measured_where_slices_are_missing_and_not_without_depth():
    part = repeated()[[0, 2, 3, 4, 5]]
    found = depth.agreement(part)
    assert [one and round(one.value, 6) for one in found.by_distance["hu"]] == [1.0, 1.0, 1.0]
    assert depth.agreement(bent_walls(4, 0)) is None


def test_the_evaluation_says_beside_real_ones_whether_synthetic_slices_agree_in_depth(tmp_path):
    sets = {"train": repeated(), "synthetic": in_stacks(bent_walls(20, 3, "synthetic"), 4)}
    inputs = _inputs(evaluation_set.prepare_sets(sets), None, 0, {})
    measure = MEASURES["depth"]
    found = {part: measure.run(inputs, part, lambda share: None) for part in measure.parts(inputs)}
    result = measure.describe(inputs, found)
    assert result.statements[0].short == "Less than those of real stacks"
    assert "0.9 mm apart" in result.statements[0].reasons[0]
    result.figures[0].write(tmp_path / "depth.png")
    assert (tmp_path / "depth.png").stat().st_size > 10_000


def test_sets_without_depth_are_not_asked_and_other_depths_not_compared():
    plain = evaluation_set.prepare_sets({"train": bent_walls(6, 0)})
    measure = MEASURES["depth"]
    inputs = _inputs(plain, None, 0, {})
    assert measure.parts(inputs) == ()
    assert measure.describe(inputs, {}).numbers == {}
    sets = {"train": repeated(), "synthetic": in_stacks(bent_walls(6, 1, "synthetic"), 3)}
    inputs = _inputs(evaluation_set.prepare_sets(sets), None, 0, {})
    found = {part: measure.run(inputs, part, lambda share: None) for part in measure.parts(inputs)}
    (statement,) = measure.describe(inputs, found).statements
    assert "4 slices 0.9 mm apart, synthetic ones 3 slices" in statement.reasons[0]


def test_stacks_in_depth_stay_whole_where_a_set_is_subsampled():
    chosen = subsample(40, 10, seed=2, together=4).reshape(-1, 4)
    assert (chosen % 4 == np.arange(4)).all()
    many = replace(repeated(), source={"depth": {"slices": 4, "step_mm": 0.9}})
    found = evaluation_set.prepare_sets({"synthetic": many}, most=9)["synthetic"]
    assert found.segments.slice_number.tolist() == [0, 1, 2, 3] * 2
