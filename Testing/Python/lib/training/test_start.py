"""The start of a training: what is refused, whose the directory is, what is left there."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from examples import TINY, arches
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import concatenate
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks.architecture import Architecture
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


def test_a_pretrained_model_of_another_architecture_is_refused_with_what_to_set():
    fits = Architecture(8, 8, 2)
    start.check_pretrained(fits, TINY)
    with pytest.raises(BadInputError, match=r"latent_size 9, expected 8 .* set latent_size to 9"):
        start.check_pretrained(replace(fits, latent_size=9), TINY)
    with pytest.raises(BadInputError, match=r"image_rows 64, expected 128 .* set image_rows to 64"):
        start.check_pretrained(replace(fits, image_rows=64), TINY)
    start.check_pretrained(replace(fits, noise_scales=3), TINY)  # no weight's shape depends on it


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
