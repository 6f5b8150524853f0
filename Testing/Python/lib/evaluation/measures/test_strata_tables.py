"""The table of leakage has a row for each range of distances."""

from __future__ import annotations

from SkullGANLib.evaluation.measures.strata_tables import leakage_tables


def test_leakage_is_laid_out_by_distance_also_the_last_and_open_range():
    bands = [
        {"from_mm": 0.0, "to_mm": 2.0, "count": 3, "median_ratio": 0.4},
        {"from_mm": 20.0, "to_mm": None, "count": 9, "median_ratio": 0.9},
    ]
    [table] = leakage_tables({"leakage": {"bands": bands}})
    rows = [[column.text(row) for column in table.columns] for row in range(2)]
    assert rows == [["0 to 2", "3", "0.40"], ["20 and more", "9", "0.90"]]
    assert leakage_tables({"leakage": None}) == ()
