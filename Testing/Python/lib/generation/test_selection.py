"""Limits and selections: which segments are kept, and how many are made for them."""

import numpy as np
import pytest
from examples import arches, in_stacks
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation.diversity import Diversity
from SkullGANLib.generation.selection import Limits, Selection, check_any, range_of, select

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


def test_an_empty_selection_keeps_all():
    assert not Selection()
    assert not Selection(most=5)
    assert Selection(limits=Limits({"sdr_peaks": (0, 1)}))
    assert Selection(diverse=Diversity())
    assert Selection(whole=True)


def test_a_selection_makes_a_thousand_for_each_that_is_kept_unless_told_otherwise():
    assert Selection().most_made(3) == 5000
    assert Selection().most_made(500) == 500_000
    assert Selection(most=7).most_made(7) == 7


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"like_ks": 0.001}, "statistic allowed is 0.001, expected 0.02 to 1"),
        ({"like_ks": np.nan}, "statistic allowed is nan"),
        ({"most": 0}, "At most 0 segments are to be made, expected at least 1"),
    ],
)
def test_a_selection_out_of_range_is_refused(settings, sentence):
    with pytest.raises(BadInputError, match=sentence):
        Selection(**settings)


def test_a_selection_is_kept_in_a_source_as_plain_names_and_numbers():
    wanted = Selection(limits=Limits({"thickness_mm": (4, 8)}), diverse=Diversity())

    assert wanted.as_source() == {
        "limits": {"thickness_mm": [4.0, 8.0]},
        "diverse": {"rows": 50, "threshold_hu": 1200, "least_px": 200},
    }
    assert Selection(whole=True).as_source() == {"whole": True}
    assert Selection().as_source() == {}


def test_a_stack_in_depth_is_kept_where_all_of_its_slices_are_within_limits():
    stacks = in_stacks(arches(6), 3)
    metrics = {"thickness_mm": np.array([5.0, 5.0, 9.0, 5.0, 5.0, 5.0])}
    kept, values = select(stacks, metrics, Limits({"thickness_mm": (4, 6)}))
    assert kept.stack.tolist() == [1, 1, 1]
    assert values["thickness_mm"].tolist() == [5.0] * 3
