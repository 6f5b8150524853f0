"""Segment sets in memory: what fits together, is picked and is joined."""

import os
import subprocess
import sys

import numpy as np
import pytest
from checkout import ROOT
from numbered_sets import make_set
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hu": np.zeros((3, 128, 64))}, r"hu has the shape \(3, 128, 64\), expected \(3"),
        ({"seed": np.zeros(2)}, r"seed has the shape \(2,\), expected \(3,\)"),
        ({"bone": np.array(["temporal", "", "parietal"])}, "bone is empty, expected a name"),
        ({"side": np.array(["left", "left", "up"])}, "side is 'up'"),
        ({"plane": np.array(["axial", "", "axial"])}, "plane is empty"),
        ({"kind": "fake"}, "kind is 'fake'"),
        ({"pixel_spacing_mm": 0}, "pixel_spacing_mm is 0, expected more than 0"),
        ({"hu_range": (5, 5)}, r"hu_range is \(5, 5\), expected two HU"),
        ({"source": "a CT"}, "source is 'a CT'"),
    ],
)
def test_a_set_that_does_not_fit_together_is_refused(changes, sentence):
    with pytest.raises(BadInputError, match=sentence):
        make_set(**changes)


def test_a_bone_that_only_a_later_version_cuts_is_taken_as_it_is():
    made = make_set(bone=np.array(["temporal", "ethmoid", "parietal"]))
    assert made.bone.tolist() == ["temporal", "ethmoid", "parietal"]


def test_indexing_takes_the_same_segments_of_every_part():
    segments = make_set(6)

    for index in (slice(1, 4), [5, 0], np.array([True, False] * 3), np.array([2])):
        chosen = segments[index]
        order = np.arange(6)[index]
        assert len(chosen) == len(order)
        assert list(chosen.subject) == [f"subject-{i}" for i in order]
        assert list(chosen.seed) == [10 * i for i in order]
        assert [chosen.hu[k, 20, i] for k, i in enumerate(order)] == [i + 1 for i in order]


def test_joined_sets_keep_the_order_and_merge_their_sources():
    first = make_set(2, source={"kernel": "BONEPLUS", "kvp": 120})
    second = make_set(1, source={"kernel": "EDGE", "kvp": 120, "scanner": "X"})
    third = make_set(1, source={"kernel": "BONEPLUS"})

    joined = segment_set.concatenate([first, second, third])

    assert list(joined.subject) == ["subject-0", "subject-1", "subject-0", "subject-0"]
    assert joined.source == {"kernel": ["BONEPLUS", "EDGE"], "kvp": 120, "scanner": "X"}


def test_joining_nothing_or_sets_of_two_kinds_is_refused():
    with pytest.raises(BadInputError, match="expected at least one"):
        segment_set.concatenate([])
    with pytest.raises(BadInputError, match="differ in kind: real and control"):
        segment_set.concatenate([make_set(), make_set(kind="control")])


def test_importing_segment_sets_brings_no_heavy_library():
    code = (
        "import sys, SkullGANLib, SkullGANLib.data.segment_set; "
        "sys.exit(bool({'torch', 'SimpleITK', 'cv2', 'sklearn', 'h5py'} & set(sys.modules)))"
    )
    library = ROOT / "SkullGAN"
    done = subprocess.run([sys.executable, "-c", code], cwd=library, check=False, env=os.environ)
    assert done.returncode == 0
