"""Texts as numbers, with the table of what the numbers mean."""

from __future__ import annotations

import json

import numpy as np
import pytest
from SkullGANLib.mapping.codes import AIR, MEASURED, METAL, current_codes, decode, encode


def test_texts_come_back_by_the_table_that_was_written_with_them():
    texts = np.array(["parietal", "ethmoid", "temporal"])
    numbers, table = encode(texts, ("temporal", "parietal"))
    assert numbers.tolist() == [1, 2, 0]
    assert decode(numbers, json.loads(json.dumps(table))).tolist() == texts.tolist()


def test_a_number_without_meaning_is_refused():
    with pytest.raises(ValueError, match=r"without meaning: \[7\]"):
        decode(np.array([0, 7]), {"0": "left"})


def test_codes_of_another_table_become_those_of_this_version():
    table = {"0": "metal", "1": "measured", "5": "air"}
    assert current_codes(np.array([1, 0, 5, 1]), table).tolist() == [MEASURED, METAL, AIR, MEASURED]


def test_a_code_that_means_what_is_not_known_is_refused():
    with pytest.raises(ValueError, match="titanium"):
        current_codes(np.array([1]), {"1": "titanium"})


def test_nothing_has_no_codes():
    assert len(current_codes(np.zeros(0, np.uint8), {})) == 0
    assert len(decode(np.zeros(0, np.uint8), {})) == 0
