"""What the writers of formats read: pixels in order, progress, a sentence."""

import io

import numpy as np
import pytest
from examples import in_stacks
from exported_sets import make_set
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.export import SegmentStack


@pytest.fixture
def path(tmp_path):
    hdf5.write(tmp_path / "set.h5", make_set(300))
    return tmp_path / "set.h5"


@pytest.mark.parametrize("name", ["hu", "mask"])
def test_pixels_are_written_little_endian_and_columns_fastest(path, name):
    file = io.BytesIO()

    SegmentStack(path).write_pixels(file, name)

    expected = getattr(make_set(300), name)
    dtype = expected.dtype.newbyteorder("<")
    np.testing.assert_array_equal(
        np.frombuffer(file.getvalue(), dtype).reshape(expected.shape), expected
    )


def test_progress_counts_what_was_written_and_not_what_was_read_quietly(path):
    calls = []
    stack = SegmentStack(path, lambda done, of: calls.append((done, of)))

    list(stack.batches(quiet=True))
    assert calls == []
    list(stack.batches())
    assert calls == [(256, 300), (300, 300)]


def test_it_says_what_the_segments_are(path):
    assert SegmentStack(path).about.startswith(
        "300 synthetic skull segments, made by a generative network; they show no patient."
    )


def test_what_is_no_segment_set_is_refused(tmp_path):
    (tmp_path / "letter.h5").write_text("Dear reader")

    with pytest.raises(BadInputError, match=r"letter\.h5: cannot be read as a segment set"):
        SegmentStack(tmp_path / "letter.h5")


def test_slices_in_depth_lie_as_far_apart_as_they_do_and_their_stacks_are_read_whole(tmp_path):
    hdf5.write(tmp_path / "set.h5", in_stacks(make_set(6), 3, 1.2))
    stack = SegmentStack(tmp_path / "set.h5")
    assert stack.ijk_to_ras[2, 2] == 1.2
    assert "2 stacks of 3 slices 1.2 mm apart" in stack.about
    hdf5.write(tmp_path / "torn.h5", in_stacks(make_set(6), 3, 1.2)[:5])
    assert SegmentStack(tmp_path / "torn.h5").depth is None
