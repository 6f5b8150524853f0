"""The start of a training: what is refused, whose the directory is, what is left there."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from examples import TINY, arches, in_stacks
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import concatenate
from SkullGANLib.errors import BadInputError
from SkullGANLib.training import start
from SkullGANLib.training.pictures import Pictures
from SkullGANLib.training.process_group import ALONE
from SkullGANLib.training.run_directory import Run


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    ("kind", "count", "sentence"),
    [
        ("synthetic", 10, "is synthetic, expected real; allow synthetic segments explicitly"),
        ("real", 3, "3 segments in an epoch and batch_size is 4, expected at least a batch"),
        ("real", 0, "There are 0 segments in an epoch"),
    ],
)
def test_segments_that_do_not_suit_are_refused(kind, count, sentence):
    with pytest.raises(BadInputError, match=sentence):
        start.check_segments(kind, count, replace(TINY, samples_per_epoch=0), ("real",))


def test_the_rows_of_images_are_as_few_as_hold_the_walls():
    low = arches(60)  # walls end from row 48 to row 107
    for count, rows in ((10, 64), (30, 96), (60, 128)):
        segments, recipe = start.fitted(low[:count], replace(TINY, image_rows=0))
        assert (len(segments), recipe.image_rows) == (count, rows)
    begun_with = replace(TINY, image_rows=128).architecture
    assert start.fitted(low[:10], replace(TINY, image_rows=0), begun_with)[1].image_rows == 128


def test_few_segments_that_reach_below_are_left_out_and_many_are_refused(caplog):
    many = concatenate([arches(5)] * 40 + [arches(60)[59:]])
    segments, recipe = start.fitted(many, replace(TINY, image_rows=64))
    assert (len(segments), recipe.image_rows) == (200, 64)
    assert "1 of 201 segments reach below row 64 and are left out" in caplog.text
    with pytest.raises(BadInputError, match="of 60 segments reach below row 64, expected at most"):
        start.fitted(arches(60), replace(TINY, image_rows=64))


def test_a_run_is_made_and_held_until_the_stack_is_closed(tmp_path):
    with ExitStack() as stack:
        run = start.open_run(tmp_path / "run", TINY, False, ALONE, stack)
        assert run.recipe() == TINY
        assert run.is_held() is True
    assert run.is_held() is False


def test_a_run_is_resumed_with_its_own_recipe_only_and_forgets_that_it_was_asked_to_stop(
    tmp_path, stack
):
    run = Run.create(tmp_path / "run", TINY)
    run.request_stop()
    with (
        pytest.raises(BadInputError, match="begun with epochs 2, found 3; expected the same"),
        ExitStack() as other,
    ):
        start.open_run(run.path, replace(TINY, epochs=3), True, ALONE, other)
    start.open_run(run.path, TINY, True, ALONE, stack)
    assert not run.stop_requested()


def test_the_parts_are_left_in_the_run_and_replaced_only_if_it_begins_anew(tmp_path):
    run = Run.create(tmp_path / "run", TINY)
    start.write_parts(run, arches(5), arches(2), anew=False)
    assert (hdf5.count(run.training_path), hdf5.count(run.test_path)) == (5, 2)
    start.write_parts(run, arches(4), arches(1), anew=False)
    assert (hdf5.count(run.training_path), hdf5.count(run.test_path)) == (5, 2)
    start.write_parts(run, arches(4), None, anew=True)
    assert (hdf5.count(run.training_path), hdf5.count(run.test_path)) == (4, 2)


def test_pictures_are_not_left_in_the_run(tmp_path):
    run = Run.create(tmp_path / "run", TINY)
    start.write_parts(run, Pictures(np.zeros((4, 128, 128), np.uint8)), None, anew=True)
    assert not run.training_path.exists()


def test_what_is_learned_in_depth_is_the_sets_own_stacks_or_what_the_recipe_says(caplog):
    stacks = in_stacks(arches(8), 4)
    segments, recipe = start.fitted(stacks, TINY)
    assert (len(segments), recipe.slices, recipe.architecture.slices) == (8, 4, 4)
    assert start.fitted(stacks, replace(TINY, slices=1))[1].architecture.slices == 1
    assert start.fitted(arches(8), TINY)[1] == TINY
    with pytest.raises(BadInputError, match=r"slices is 3, expected 4, 1 or 0: .* 4 slices 0.9 mm"):
        start.fitted(stacks, replace(TINY, slices=3))
    with pytest.raises(BadInputError, match=r"slices is 4, expected 1 or 0: .* single cuts"):
        start.fitted(arches(8), replace(TINY, slices=4))
    with pytest.raises(BadInputError, match="conditions: expected none for stacks in depth"):
        start.fitted(stacks, replace(TINY, conditions="sdr"))
    with pytest.raises(BadInputError, match="slices is 4, expected 0 or 1 with pictures"):
        start.fitted(Pictures(np.zeros((4, 128, 128), np.uint8)), replace(TINY, slices=4))
    segments, _ = start.fitted(stacks[1:], TINY)
    assert segments.slice_number.tolist() == [0, 1, 2, 3]
    assert "3 of 7 segments are of no whole stack" in caplog.text
    with pytest.raises(BadInputError, match="No stack of 4 slices is whole among 3 segments"):
        start.fitted(stacks[:3], TINY)


def test_a_stack_in_depth_of_which_one_slice_reaches_below_is_left_out_whole(caplog):
    stacks = in_stacks(concatenate([arches(4)] * 120 + [arches(33)[29:]]), 4)
    segments, recipe = start.fitted(stacks, replace(TINY, image_rows=64))
    assert (len(segments), recipe.slices) == (480, 4)
    assert "4 of 484" in caplog.text
