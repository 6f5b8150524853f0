"""How many segments are whole walls: on sets of which so many are cut through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from examples import arches
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.evaluation import _inputs
from SkullGANLib.evaluation.measures.registry import MEASURES

MEASURE = MEASURES["whole_walls"]


def judged(**sets):
    inputs = _inputs(evaluation_set.prepare_sets(sets), None, 0, {})
    found = {part: MEASURE.run(inputs, part, lambda share: None) for part in MEASURE.parts(inputs)}
    return MEASURE.describe(inputs, found)


def cut_through(count: int, of: int):
    """Arches of which the first ones end before the edge."""
    whole = arches(of, kind="synthetic")
    gone = (np.arange(of) < count)[:, None, None] & (np.arange(128) > 110)
    mask = np.where(gone, 0, whole.mask).astype(np.uint8)
    return replace(whole, hu=whole.hu * mask, mask=mask)


def test_segments_that_extraction_would_drop_are_counted_by_reason():
    result = judged(train=arches(5), synthetic=cut_through(3, 12))

    numbers = result.numbers["whole_walls"]
    assert numbers["train"]["whole"]["value"] == 1
    assert (numbers["synthetic"]["segments"], numbers["synthetic"]["whole"]["value"]) == (12, 0.75)
    assert numbers["synthetic"]["reasons"] == {"not from edge to edge": 3}
    (reason,) = result.statements[0].reasons
    assert "keep 75 % (47 to 91 %) of the synthetic segments" in reason
    assert "drop 3 for “not from edge to edge” (generate --whole" in reason
    (_, column) = result.columns
    assert list(column.values[:4]) == ["not from edge to edge"] * 3 + [""]


def test_the_table_and_the_summary_tell_of_every_set():
    numbers = judged(train=arches(5), synthetic=cut_through(0, 4)).numbers

    (table,) = MEASURE.tables(numbers)
    assert [table.columns[0].text(row) for row in range(2)] == ["Training", "Synthetic"]
    assert [column.text(1) for column in table.columns[1:]] == ["4", "100.0", ""]
    assert MEASURE.summary(numbers)[0].values == {"train": 100.0, "synthetic": 100.0}
    assert MEASURE.tables({}) == ()
