"""What a segment of the skull wall has to be, one rule after the other."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.data.segment_set import SIZE
from SkullGANLib.metrics.wall_rules import rejection_reason, rejection_reasons


def wall(rows: slice = slice(10, 30), columns: slice = slice(0, 128)) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[rows, columns] = 1
    return mask


def test_a_straight_wall_is_not_rejected():
    assert rejection_reason(wall().astype(np.int16) * 900, wall(), 0.45) is None


@pytest.mark.parametrize(
    ("mask", "hu", "reason"),
    [
        (wall(columns=slice(0, 120)), 900, "not from edge to edge"),
        (wall(rows=slice(0, 20)), 900, "leaves the image above or below"),
        (wall(), -500, "air cells or sinus"),
        (wall(), 3050, "metal"),
        (wall() * (np.arange(SIZE)[:, None] != 20), 900, "wall interrupted"),
        (wall(rows=slice(10, 60)), 900, "too thick or too thin for a vault"),
        (wall(slice(10, 18)) | wall(slice(10, 40), slice(120, 128)), 900, "a ridge joins the wall"),
        (wall(rows=slice(10, 12)), 900, "too thick or too thin for a vault"),
        (wall(), np.where(np.arange(SIZE) < 17, 300, 900)[:, None], "no outer or inner table"),
        (wall(), np.where(np.arange(SIZE) > 22, 300, 900)[:, None], "no outer or inner table"),
    ],
)
def test_what_is_no_segment_is_named(mask, hu, reason):
    assert rejection_reason(mask.astype(np.int16) * hu, mask, 0.45) == reason


def test_many_segments_are_judged_as_each_alone():
    rng = np.random.default_rng(0)
    hu = rng.normal(900, 100, (600, SIZE, SIZE)).astype(np.int16)
    thick = rng.integers(1, 60, 600)[:, None, None]
    gap = rng.integers(5, 20, (600, 1, SIZE)) * rng.integers(0, 2, 600)[:, None, None]
    rows = np.arange(SIZE)[:, None]
    mask = ((rows >= 5) & (rows != gap) & (rows < 10 + thick)).astype(np.uint8)
    hu[mask == 0] = 0

    found = rejection_reasons(hu, mask, 0.45)

    alone = [rejection_reason(*one, 0.45) or "" for one in zip(hu, mask, strict=True)]
    assert found == alone
    assert {"", "wall interrupted", "too thick or too thin for a vault"} <= set(found)


def test_segments_without_any_wall_have_a_reason_too():
    none = np.zeros((2, SIZE, SIZE), np.uint8)
    assert rejection_reasons(none.astype(np.int16), none, 0.45) == ["not from edge to edge"] * 2
    assert rejection_reasons(none[:0].astype(np.int16), none[:0], 0.45) == []
