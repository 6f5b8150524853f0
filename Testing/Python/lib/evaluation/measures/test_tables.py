"""Tables of judges give numbers to a scene and texts to a page."""

from __future__ import annotations

from SkullGANLib.evaluation.measures.tables import ReportTable, TableColumn

ESTIMATE = {"value": 0.25, "low": 0.125, "high": 0.5}


def test_numbers_are_scaled_and_rounded_and_missing_ones_stay_away():
    column = TableColumn("Share (%)", [ESTIMATE, 0.5, None], digits=0, factor=100.0)
    assert [column.text(row) for row in range(3)] == ["25", "50", ""]
    assert (column.text(0, "low"), column.text(0, "high"), column.text(1, "low")) == (
        "12", "50", "",
    )  # fmt: skip
    assert [column.number(row) for row in range(3)] == [25, 50, None]
    assert [column.has_interval(row) for row in range(3)] == [True, False, False]
    assert not column.is_text


def test_texts_stay_what_they_are():
    column = TableColumn("Set", ["a", "b"])
    assert column.is_text
    assert (column.text(1), column.number(1)) == ("b", None)
    assert len(ReportTable("t", "T", [column])) == 2
