"""One setting: its range in words and numbers, and its value out of text and JSON."""

from __future__ import annotations

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.training.setting import Range, as_text, parse, typed


@pytest.mark.parametrize(
    ("allowed", "words", "inside", "outside"),
    [
        (Range(least=2), "at least 2", [2, 99], [1]),
        (Range(most=0.5), "at most 0.5", [-1, 0.5], [0.6]),
        (Range(above=0), "above 0", [0.001], [0, -1]),
        (Range(below=1), "below 1", [0.999], [1]),
        (Range(least=0, most=1), "a number from 0 to 1", [0, 1], [-0.1, 1.1]),
        (Range(least=0, below=1), "a number from 0 to below 1", [0, 0.9], [1]),
        (Range(above=0, most=1), "a number above 0 to 1", [0.1, 1], [0, 2]),
    ],
)
def test_a_range_says_in_words_what_is_in_it(allowed, words, inside, outside):
    assert str(allowed) == words
    assert all(value in allowed for value in inside)
    assert not any(value in allowed for value in outside)


@pytest.mark.parametrize("value", [3, 0.25, True, False, "above"])
def test_a_value_written_as_text_is_read_again(value):
    assert parse("any", as_text(value), type(value)) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, int), (1, bool), (2.5, int), ("3", int), (None, float), (True, float)],
)
def test_a_value_of_another_type_is_refused_with_what_was_expected(value, kind):
    with pytest.raises(BadInputError, match=rf"^any: expected .*, found {value!r}\.$"):
        typed("any", value, kind)


def test_a_whole_number_in_json_stands_for_a_real_one():
    assert type(typed("any", 3, float)) is float
