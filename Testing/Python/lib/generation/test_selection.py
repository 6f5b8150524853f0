"""Limits: which segments are kept, and that at least one is."""

import numpy as np
import pytest
from examples import arches, in_stacks
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation.selection import Limits, check_any, range_of, select, selected_batches
from SkullGANLib.metrics import measure

METRICS = {
    "sdr_peaks": np.array([0.2, 0.5, 0.9, np.nan]),
    "thickness_mm": np.array([4.0, 5.0, 6.0, 7.0]),
}


def test_limits_include_their_ends_and_no_missing_value():
    assert Limits({"sdr_peaks": (0.2, 0.5)}).accept(METRICS).tolist() == [True, True, False, False]


def test_a_segment_has_to_be_within_all_limits():
    limits = Limits({"sdr_peaks": (0.4, 1.0), "thickness_mm": (5.5, 9.0)})

    assert limits.accept(METRICS).tolist() == [False, False, True, False]


def test_no_limits_let_every_segment_through():
    assert not Limits()
    assert Limits().accept(METRICS).all()


@pytest.mark.parametrize(
    ("ranges", "sentence"),
    [
        ({"sdr_peaks": (1.0, 0.4)}, "limits of SDR, peaks are 1 and 0.4, expected the lower one"),
        ({"weight_kg": (0.0, 1.0)}, "found 'weight_kg'"),
        ({"sdr_peaks": (np.nan, 1.0)}, "expected the lower one first"),
    ],
)
def test_limits_that_make_no_sense_are_refused(ranges, sentence):
    with pytest.raises(BadInputError, match=sentence):
        Limits(ranges)


def test_limits_are_kept_in_a_source_as_plain_numbers():
    assert Limits({"thickness_mm": (4, 8)}).as_source() == {"thickness_mm": [4.0, 8.0]}


def test_a_range_is_typed_as_two_numbers():
    assert range_of("0.4,1") == (0.4, 1.0)
    for text in ("1,0", "1", "a,b", "1,2,3", ""):
        with pytest.raises(BadInputError, match=f"The limits are '{text}', expected LOW,HIGH"):
            range_of(text)


def test_selected_segments_keep_their_metrics():
    segments = arches(4)

    kept, metrics = select(segments, METRICS, Limits({"thickness_mm": (4.5, 6.5)}))

    np.testing.assert_array_equal(kept.hu, segments.hu[1:3])
    assert metrics["sdr_peaks"].tolist() == [0.5, 0.9]


def test_nothing_within_the_limits_is_refused():
    with pytest.raises(BadInputError, match="None of 4 segments is within the limits, expected at"):
        select(arches(4), METRICS, Limits({"thickness_mm": (8, 9)}))
    with pytest.raises(BadInputError, match="None of 7 segments"):
        check_any(0, 7)
    check_any(1, 7)


def test_batches_are_measured_and_those_of_which_nothing_is_kept_come_empty():
    segments = arches(6)
    thickness = measure(segments)["thickness_mm"]
    middle = float(np.median(thickness))
    limits = Limits({"thickness_mm": (middle, 100.0)})

    kept = list(selected_batches([segments[:3], segments[3:]], limits))

    expected = thickness >= middle
    assert [len(one) for one in kept] == [expected[:3].sum(), expected[3:].sum()]
    assert selected_batches([segments], Limits()).__next__() is segments
    none = list(selected_batches([segments], Limits({"thickness_mm": (99.0, 100.0)})))
    assert [len(one) for one in none] == [0]


def test_a_stack_in_depth_is_kept_where_all_of_its_slices_are_within_limits():
    stacks = in_stacks(arches(6), 3)
    metrics = {"thickness_mm": np.array([5.0, 5.0, 9.0, 5.0, 5.0, 5.0])}
    kept, values = select(stacks, metrics, Limits({"thickness_mm": (4, 6)}))
    assert kept.stack.tolist() == [1, 1, 1]
    assert values["thickness_mm"].tolist() == [5.0] * 3
