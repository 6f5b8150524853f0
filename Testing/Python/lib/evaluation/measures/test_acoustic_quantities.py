"""The table and the page's words on ultrasound."""

from __future__ import annotations

from SkullGANLib.evaluation.measures.acoustic_quantities import acoustic_tables
from SkullGANLib.evaluation.report.measure_tables import laid_out

ONE = {"value": 44.04, "low": 43.2, "high": 44.8}
APART = {
    "difference": {"value": -1.5, "low": -2.4, "high": -0.3},
    "wasserstein": {"value": 1.9, "low": 1.6, "high": 2.5},
    "ks": 0.16,
    "chance_ks": 0.11,
    "p_value": 0.0033,
    "measured": [297, 300],
}
NAMES = ("transmission_percent", "phase_delay_rad", "phase_spread_rad")
NUMBERS = {
    "reference": "test",
    "acoustic": {
        "sets": {name: dict.fromkeys(NAMES, ONE) for name in ("train", "test", "synthetic")},
        "compared": {"synthetic": dict.fromkeys(NAMES, APART)},
    },
}


def test_each_quantity_has_a_row_for_each_set_the_reference_first():
    (made,) = acoustic_tables(NUMBERS)
    table = laid_out(made)
    assert len(table.rows) == 9
    texts = [[cell.text for cell in row] for row in table.cells()]
    assert texts[0][:3] == ["Pressure that passes, %", "Test", "44.04"]
    assert texts[2] == ["Pressure that passes, %", "Synthetic", "44.04", "-1.50", "1.90",
                        "0.16", "0.11", "0.003", "300"]  # fmt: skip
    assert list(table.cells())[2][3].note == "-2.40 to -0.30"
    assert "Against the test set (real)" in table.caption


def test_a_report_without_the_judge_has_no_table():
    assert acoustic_tables({"reference": None}) == ()
    nothing = dict.fromkeys(("value", "low", "high"))
    sets = {"sets": {"train": dict.fromkeys(NAMES, nothing)}, "compared": {}}
    (table,) = acoustic_tables({"reference": None, "acoustic": sets})
    assert table.columns[2].text(0) == ""


def test_the_page_says_how_it_was_done_and_what_is_left_out(evaluated_folder):
    from web_page import WebPage

    text = WebPage((evaluated_folder / "report.html").read_text("utf-8")).text
    assert "A plane wave of 500 kHz meets every 4th column" in text
    assert "leaves out refraction and shear waves" in text
    assert "Does ultrasound pass through them as through real ones?" in text
