"""The CSV of metrics beside an output."""

import csv

import pytest
from exported_sets import COUNT, make_set
from SkullGANLib.export import (
    write_metrics,
)
from SkullGANLib.metrics import METRICS, measure


def test_metrics_are_a_row_per_segment_and_empty_where_there_is_no_bone(tmp_path):
    hu = make_set().hu.copy()
    hu[2] = 0
    segments = make_set(hu=hu)
    write_metrics(tmp_path / "g.csv", [segments[:5], segments[5:]])

    with open(tmp_path / "g.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = measure(segments)
    assert [row["seed"] for row in rows] == [str(seed) for seed in segments.seed]
    assert [row["segment"] for row in rows] == [str(number) for number in range(COUNT)]
    assert rows[0]["kind"] == "synthetic"
    assert rows[2]["thickness_mm"] == rows[2]["sdr_peaks"] == ""
    for name in METRICS:
        assert float(rows[3][name]) == pytest.approx(expected[name][3], rel=1e-5)
