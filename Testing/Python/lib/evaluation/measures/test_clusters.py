"""What belongs together: subjects, places in a head, strata, files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from examples import arches
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.evaluation_set import Source
from SkullGANLib.evaluation.measures.clusters import alike, files_of, strata_of


def placed(count: int, step_mm: float):
    """Cuts of one head, one above the other."""
    matrices = np.tile(np.diag([0.45, -0.45, 1, 1]), (count, 1, 1))
    matrices[:, 2, 3] = step_mm * np.arange(count)
    return replace(arches(count), pixel_to_ras=matrices, subject=np.full(count, "A"))


def test_segments_of_a_subject_are_alike_and_those_of_none_are_not():
    subjects = np.array(["b", "a", "", "b", ""])
    assert alike(replace(arches(5), subject=subjects)).tolist() == [1, 0, 2, 1, 3]
    assert alike(arches(3)).tolist() == [0, 1, 2]


def test_cuts_of_one_head_are_alike_where_they_are_near_each_other():
    assert alike(placed(6, step_mm=5)).tolist() == [0, 0, 0, 1, 1, 1]
    without = replace(placed(4, 5), pixel_to_ras=np.full((4, 4, 4), np.nan))
    assert alike(without).tolist() == [0, 1, 2, 3]


def test_strata_are_those_that_are_large_enough_and_tell_something_apart():
    bones = np.repeat(["temporal", "parietal", "frontal", "unknown"], [25, 30, 5, 20])
    found = strata_of(replace(arches(80), bone=bones, side=np.full(80, "left")))
    assert list(found) == ["bone"]
    assert {name: len(here) for name, here in found["bone"].items()} == {
        "parietal": 30,
        "temporal": 25,
    }


def test_the_segments_of_each_file_are_found_by_their_place():
    [one] = evaluation_set.prepare_sets({"synthetic": arches(60)}, most=50).values()
    several = replace(
        one, sources=(Source(Path("x/a.h5"), 25), Source(Path("y/a.h5"), 30), Source(Path("c"), 5))
    )
    found = files_of(several, np.arange(50))
    assert list(found) == ["x/a.h5", "y/a.h5"]  # the third has too few
    assert (several.place[found["x/a.h5"]] < 25).all()
    assert files_of(replace(one, sources=several.sources[:1]), np.arange(50)) == {}
