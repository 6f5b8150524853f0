"""The table of all segments: what was written is read again."""

from __future__ import annotations

import numpy as np
from SkullGANLib.evaluation.report import segment_table


def test_columns_are_read_as_they_were_written(tmp_path):
    columns = {
        "subject": np.array(["A,\n", "ü"], object),
        "seed": np.array([-1, 7]),
        "thickness_mm": np.array([np.nan, 5.25]),
        "mse_nearest": np.array([-1, 3]),
        "mse_flipped": np.array([False, True]),
        "mse_verdict": np.array(["", "copy"], object),
        "digest": np.array(["0a", "1e5"], object),
    }
    segment_table.write_table(tmp_path / "segments.csv", {"synthetic": columns})
    found = segment_table.read_table(tmp_path / "segments.csv")["synthetic"]
    assert list(found) == list(columns)
    for name, values in columns.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_a_large_set_is_numbered_through(tmp_path):
    seeds = np.arange(2500)[::-1]
    segment_table.write_table(tmp_path / "segments.csv", {"synthetic": {"seed": seeds}})
    lines = (tmp_path / "segments.csv").read_text("utf-8").splitlines()
    assert lines[1:3] == ["synthetic,0,2499", "synthetic,1,2498"]
    assert lines[1025] == "synthetic,1024,1475"
    assert len(lines) == 2501
