"""Every set of an evaluation has a label and a color, and the test set is compared with first."""

from __future__ import annotations

import pytest
from SkullGANLib.evaluation.names import COLORS, LABELS, NAMES, reference_of


def test_every_set_has_a_label_and_a_color_of_its_own():
    assert tuple(LABELS) == tuple(COLORS) == NAMES
    assert len(set(COLORS.values())) == len(NAMES)


@pytest.mark.parametrize(
    ("sets", "expected"),
    [(["train", "test"], "test"), (["train", "synthetic"], "train"), (["synthetic"], None)],
)
def test_others_are_compared_with_the_test_set_first(sets, expected):
    assert reference_of(sets) == expected
