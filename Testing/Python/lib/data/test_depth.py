"""Stacks in depth: what they are, which rows are theirs, and how a file holds them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from examples import arches, in_stacks
from SkullGANLib.data import hdf5
from SkullGANLib.data.depth import Depth, depth_of, stacks_of, whole_stacks
from SkullGANLib.data.segment_set import concatenate
from SkullGANLib.errors import BadInputError


@pytest.mark.parametrize(
    ("slices", "step_mm", "sentence"),
    [
        (0, 0.9, "depth is 0 slices, expected 2 to 64"),
        (1, 0.9, "depth is 1 slices, expected 2 to 64; single cuts need no depth"),
        (65, 0.5, "depth is 65 slices, expected 2 to 64"),
        (8, 0.0, "step is 0 mm, expected at least 0.1"),
        (8, float("nan"), "step is nan mm"),
        (64, 1.0, "64 slices 1 mm apart, 63 mm in all, expected at most 60"),
    ],
)
def test_a_depth_that_makes_no_sense_is_refused(slices, step_mm, sentence):
    with pytest.raises(BadInputError, match=sentence):
        Depth(slices, step_mm)


def test_a_set_with_depth_comes_back_from_its_file_and_its_stacks_with_it(tmp_path):
    hdf5.write(tmp_path / "set.h5", in_stacks(arches(6), 3))
    found = hdf5.read(tmp_path / "set.h5")
    depth, rows = whole_stacks(found)
    assert depth == Depth(3, 0.9)
    assert rows.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.stack.dtype == found.slice_number.dtype == np.int64
    stack, number = hdf5.stack_columns(tmp_path / "set.h5")
    assert (stack.tolist(), number.tolist()) == ([0, 0, 0, 1, 1, 1], [0, 1, 2] * 2)


def test_a_set_without_depth_has_no_parts_for_it_and_reads_as_of_no_stack(tmp_path):
    hdf5.write(tmp_path / "set.h5", arches(2))
    with h5py.File(tmp_path / "set.h5") as file:
        assert {"stack", "slice_number"} & set(file) == set()
    found = hdf5.read(tmp_path / "set.h5")
    assert found.stack.tolist() == found.slice_number.tolist() == [-1, -1]
    assert depth_of(found) is None
    with pytest.raises(BadInputError, match=r"set\.h5: holds single cuts, expected stacks"):
        whole_stacks(found, tmp_path / "set.h5")


def test_stacks_in_depth_survive_being_read_in_batches_and_joined_again(tmp_path):
    hdf5.write(tmp_path / "set.h5", in_stacks(arches(6), 3))
    joined = concatenate(list(hdf5.iterate(tmp_path / "set.h5", 4)))  # ends within a stack
    assert len(whole_stacks(joined)[1]) == 2
    hdf5.append(tmp_path / "set.h5", in_stacks(arches(3), 3))
    assert len(whole_stacks(hdf5.read(tmp_path / "set.h5"))[1]) == 3


def test_what_is_no_whole_stack_is_told_with_how_much_it_is(tmp_path):
    segments = in_stacks(arches(6), 3)
    part = segments[[0, 1, 3, 4, 5]]
    assert stacks_of(part.stack, part.slice_number, 3).tolist() == [[2, 3, 4]]
    with pytest.raises(BadInputError, match="2 of 5 segments are slices of no whole stack"):
        whole_stacks(part)
    # Slice 0 of one stack before slice 1 of another is no stack.
    assert stacks_of(np.array([0, 1]), np.array([0, 1]), 2).size == 0
    assert stacks_of(np.array([0]), np.array([0]), 2).shape == (0, 2)


def test_sets_of_several_depths_are_no_set_with_depth():
    mixed = concatenate([in_stacks(arches(4), 2), in_stacks(arches(4), 4)])
    with pytest.raises(BadInputError, match=r"mix\.h5: holds stacks of several depths \(2 slices"):
        depth_of(mixed, "mix.h5")


def test_a_files_depth_that_is_none_is_refused_by_name(tmp_path):
    hdf5.write(tmp_path / "set.h5", in_stacks(arches(2), 2))
    with h5py.File(tmp_path / "set.h5", "r+") as file:
        file.attrs["source"] = '{"depth": {"slices": 1, "step_mm": 0.9}}'
    with pytest.raises(BadInputError, match=r"source\.depth is .* expected 2 or more slices"):
        hdf5.read(tmp_path / "set.h5")
