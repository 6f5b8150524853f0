"""Segment sets on their way to a training: joined, and split by subject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import in_stacks
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.training.datasets import Parts, read_segments, split


def segments_of(**counts: int) -> SegmentSet:
    """Real segments, so many of each subject; ``seed`` numbers them through."""
    subject = np.repeat(list(counts), list(counts.values()))
    none = np.zeros((len(subject), 128, 128))
    found = segment_set.without_patient(none, none, np.arange(len(subject)), kind="real")
    return replace(found, subject=subject, source={"kernel": "BONE"})


def subjects(part: SegmentSet | None) -> set[str]:
    return set() if part is None else set(part.subject.tolist())


def numbers(parts: Parts) -> list[int]:
    return sorted(parts.training.seed.tolist() + parts.test.seed.tolist())


def test_no_subject_is_on_both_sides_and_the_share_is_met():
    segments = segments_of(a=20, b=20, c=20, d=20, e=20)
    parts = split(segments, test_share=0.4, seed=3)
    assert len(parts.test) == 40
    assert not subjects(parts.training) & subjects(parts.test)
    assert numbers(parts) == list(range(100))
    assert parts.test.seed.tolist() == sorted(parts.test.seed)


def test_the_split_follows_from_its_seed():
    segments = segments_of(**{f"s{n}": 2 for n in range(30)})
    first, again, other = (subjects(split(segments, seed=seed).test) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("seed", range(6))
def test_a_large_subject_is_not_held_out_where_small_ones_do(seed):
    parts = split(segments_of(large=100, b=10, c=10), test_share=0.1, seed=seed)
    assert subjects(parts.test) == {"b"} or subjects(parts.test) == {"c"}


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_of_two_subjects_one_is_on_each_side(share):
    parts = split(segments_of(a=3, b=2), test_share=share)
    assert len(subjects(parts.training)) == len(subjects(parts.test)) == 1


def test_a_single_subject_is_not_split_and_the_note_has_the_reason():
    parts = split(segments_of(a=5))
    assert parts.test is None
    assert len(parts.training) == 5
    assert parts.note == (
        "To learn from: 5 segments of 1 subject. They are of one subject and cannot be split by "
        "subject, so none is held out."
    )
    assert parts.training.source["split"]["by"] == "none"


def test_segments_of_one_subject_can_be_split_one_by_one():
    parts = split(segments_of(a=10), by="segments", test_share=0.3)
    assert (len(parts.training), len(parts.test)) == (7, 3)
    assert numbers(parts) == list(range(10))


@pytest.mark.parametrize("asked", [{"by": "none"}, {"test_share": 0.0}])
def test_nothing_is_held_out_if_so_asked(asked):
    parts = split(segments_of(a=5, b=5), **asked)
    assert parts.test is None
    assert parts.note == "To learn from: 10 segments of 2 subjects."


def test_both_parts_say_how_they_came_about():
    parts = split(segments_of(a=6, b=6, c=6), test_share=0.3, seed=4)
    assert parts.training.source == parts.test.source == {
        "kernel": "BONE",
        "split": {
            "by": "subjects", "seed": 4, "training_segments": 12, "training_subjects": 2,
            "test_segments": 6, "test_subjects": 1,
        },
    }  # fmt: skip
    assert parts.note.endswith("Held out: 6 segments of 1 subject, chosen by subjects.")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"by": "bones"}, "The split is 'bones'"),
        ({"test_share": 0.95}, "The test share is 0.95"),
        ({"test_share": -0.1}, "The test share is -0.1"),
        ({"test_share": float("nan")}, "The test share is nan"),
    ],
)
def test_a_split_that_cannot_be_is_refused(asked, sentence):
    with pytest.raises(BadInputError, match=sentence):
        split(segments_of(a=5), **asked)


def test_several_sets_are_read_into_one(tmp_path):
    for name in "ab":
        hdf5.write(tmp_path / f"{name}.h5", segments_of(**{name: 2, "both": 1}))
    found = read_segments([tmp_path / "a.h5", tmp_path / "b.h5"])
    assert found.subject.tolist() == ["a", "a", "both", "b", "b", "both"]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"kind": "synthetic"}, "other.h5: expected real segments, found synthetic ones"),
        ({"pixel_spacing_mm": 0.5}, "expected pixel_spacing_mm 0.45 as in .*one.h5, found 0.5"),
        (
            {"hu_range": (0.0, 3000.0)},
            r"expected hu_range .* as in .*one.h5, found \(0.0, 3000.0\)",
        ),
    ],
)
def test_sets_that_do_not_go_together_are_refused_with_their_names(tmp_path, other, sentence):
    hdf5.write(tmp_path / "one.h5", segments_of(a=1))
    hdf5.write(tmp_path / "other.h5", replace(segments_of(b=1), **other))
    with pytest.raises(BadInputError, match=sentence):
        read_segments([tmp_path / "one.h5", tmp_path / "other.h5"])


def test_segments_that_are_not_real_are_read_if_asked_for_and_all_alike(tmp_path):
    hdf5.write(tmp_path / "one.h5", segments_of(a=1))
    hdf5.write(tmp_path / "made.h5", replace(segments_of(b=1), kind="synthetic"))
    assert len(read_segments([tmp_path / "made.h5"], any_kind=True)) == 1
    with pytest.raises(
        BadInputError, match=r"made\.h5: expected kind real as in .*one\.h5, found synthetic"
    ):
        read_segments([tmp_path / "one.h5", tmp_path / "made.h5"], any_kind=True)


def test_sets_without_any_segment_are_refused(tmp_path):
    hdf5.write(tmp_path / "empty.h5", segments_of())
    with pytest.raises(BadInputError, match=r"empty\.h5: expected segments, found none"):
        read_segments([tmp_path / "empty.h5"])
    hdf5.write(tmp_path / "one.h5", segments_of(a=1))
    assert len(read_segments([tmp_path / "empty.h5", tmp_path / "one.h5"])) == 1


def test_stacks_in_depth_are_not_torn_by_a_split_nor_mixed_with_others(tmp_path):
    stacks = in_stacks(segments_of(a=20), 4)
    parts = split(stacks, by="segments", test_share=0.4, seed=1)
    assert parts.test.slice_number.tolist() == [0, 1, 2, 3] * 2
    assert len(parts.training) == 12

    hdf5.write(tmp_path / "a.h5", stacks)
    hdf5.write(tmp_path / "b.h5", segments_of(b=4))
    hdf5.write(tmp_path / "c.h5", in_stacks(segments_of(b=4), 2))
    with pytest.raises(BadInputError, match=r"b\.h5: expected 4 slices .*a\.h5, found single cuts"):
        read_segments([tmp_path / "a.h5", tmp_path / "b.h5"])
    with pytest.raises(BadInputError, match=r"c\.h5: expected 4 slices 0.9 .* found 2 slices"):
        read_segments([tmp_path / "a.h5", tmp_path / "c.h5"])
