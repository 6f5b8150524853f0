"""The tables about what was measured, from numbers as report.json holds them."""

from __future__ import annotations

from typing import Any

import pytest
from SkullGANLib.evaluation.measures.tables import ReportTable, TableColumn
from SkullGANLib.evaluation.report import measure_tables
from SkullGANLib.plots.html import Table


def estimate(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def texts(table: Table | None) -> list[list[str]]:
    assert table is not None
    return [[cell.text for cell in row] for row in table.cells()]


@pytest.fixture
def numbers() -> dict[str, Any]:
    """Numbers of a synthetic set against a test set, each easily told from the others."""
    ct = {"pixel_spacing_mm": 0.45, "source": {"kernel": "BONE", "slice_thickness_mm": 1.0}}
    sdr = {"wasserstein": 0.12, "ks": 0.5, "p_value": 0.001, "measured": [30, 29]}
    two_sample = {
        "test": {"accuracy": estimate(0.9), "auc": estimate(0.8), "by_subject": False},
        "fidelity": {
            key: estimate(value)
            for key, value in (
                ("precision", 0.1), ("recall", 0.2), ("density", 0.3), ("coverage", 0.4),
            )
        } | {"expected": {"precision": 0.9, "recall": 0.9, "density": 1.0, "coverage": 0.97}},
        "kernel": {"mmd2": estimate(0.25)},
        "frechet": 12.34,
    }  # fmt: skip
    return {
        "sets": {"test": ct, "synthetic": ct},
        "reference": "test",
        "distances": {"synthetic": {"sdr_peaks": sdr}},
        "judges": {"synthetic": two_sample},
        "learned": None,
        "discriminator": {
            "share_judged_real": {"test": estimate(0.7), "synthetic": estimate(0.3)},
            "roc_against": "test",
            "roc": {"synthetic": {"auc": estimate(0.75)}},
            "calibration": {
                "synthetic": {
                    "ece": 0.2, "p_value": 0.01, "brier": 0.24, "is_probability": False,
                }
            },
        },
        "memorization": {
            "mse": {
                "searched": 40,
                "of": 50,
                "synthetic": {"with_neighbor": 30, "ratio_quantiles": {"0.5": 0.81}},
                "held_out": {"with_neighbor": 30, "ratio_quantiles": {"0.5": 0.84}},
                "verdict": {
                    "copies": [4], "suspects": [4, 9], "rate": 0.01, "judged": 30, "p_value": 0.02,
                },
            }
        },
        "usefulness": {
            "thickness_mm": {
                "error": {
                    "real": estimate(0.3), "synthetic": estimate(0.6), "both": estimate(0.2),
                    "augmented": estimate(0.25), "guess": estimate(0.9),
                },
                "ratio": estimate(2.0),
                "gain": estimate(0.7),
                "augmentation": estimate(0.8),
                "beyond": estimate(0.95),
                "artificial": None,
                "beyond_artificial": None,
                "trained_on": 30,
                "tested_on": 1234,
            }
        },
        "settings": {"seed": 0, "files": {"test": ["a.h5"]}},
        "versions": {"skullgan": "1.0"},
    }  # fmt: skip


def test_distances_stand_in_the_metrics_unit_with_the_cts_below(numbers):
    table = measure_tables.distances_table(numbers)

    assert texts(table) == [["SDR, peaks", "Synthetic", "0.120", "0.500", "0.001", "29"]]
    assert table.caption.startswith("Against test (real).")
    known = "Synthetic: kernel BONE, 1 mm slices, voxels of unknown size, pixel 0.45 mm."
    assert known in table.caption


def test_a_pair_of_sets_is_a_row_with_intervals_below_the_numbers(numbers):
    table = measure_tables.two_sample_table(numbers)

    (row,) = table.cells()
    assert [cell.text for cell in row] == [
        "Synthetic against test", "0.90", "0.80", "segments", "0.10", "0.20", "0.30", "0.40",
        "0.250", "12.3",
    ]  # fmt: skip
    assert row[1].note == "0.80 to 1.00"
    assert row[7].note == "0.30 to 0.50\nequal: 0.97"


def test_the_training_set_has_a_row_of_its_own_and_what_was_not_measured_is_left_open(numbers):
    numbers["learned"] = dict.fromkeys(("test", "fidelity", "kernel", "frechet"))

    table = measure_tables.two_sample_table(numbers)

    _, learned = texts(table)
    assert learned == ["Synthetic against training", *[""] * 9]
    assert len(table.head) == 10


def test_an_output_that_is_no_probability_is_set_in_bold(numbers):
    table = measure_tables.discriminator_table(numbers)

    real, synthetic = table.cells()
    assert [cell.text for cell in real] == ["Test", "70 % (60 to 80 %)", *[""] * 5]
    assert [cell.text for cell in synthetic] == [
        "Synthetic", "30 % (20 to 40 %)", "0.75 (0.65 to 0.85)", "0.200", "0.01", "0.240", "no",
    ]  # fmt: skip
    assert synthetic[-1].strong
    assert table.head[2] == "AUC of test against it"


def test_copies_and_suspects_are_counted_beside_what_chance_would_have(numbers):
    (row,) = texts(measure_tables.memorization_table(numbers))

    assert row == [
        "pixel differences (MSE)", "30", "40 of 50", "1", "2", "0.3", "0.02", "0.81", "0.84",
    ]  # fmt: skip


def test_one_in_a_hundred_is_only_said_where_there_are_a_hundred(numbers):
    caption = measure_tables.memorization_table(numbers).caption
    assert "than all but 1 % of held-out real segments" in caption
    numbers["memorization"]["mse"]["verdict"]["rate"] = 1 / 39
    caption = measure_tables.memorization_table(numbers).caption
    assert "than any held-out real segment, or all but 1 % of them" in caption


def test_the_table_of_a_judge_has_intervals_below_and_numbers_on_the_right():
    columns = [
        TableColumn("Set", ["a", "b"], marked=[1]),
        TableColumn("Verdict", ["right", "MISSED"]),
        TableColumn("Share (%)", [estimate(0.5), None], digits=0, factor=100.0),
    ]
    table = measure_tables.laid_out(ReportTable("t", "T", columns, "So it is."))
    assert texts(table) == [["a", "right", "50"], ["b", "MISSED", ""]]
    assert (table.caption, table.numbers_from) == ("So it is.", 2)
    (_, _, share), (marked, _, _) = table.cells()
    assert (share.note, marked.strong) == ("40 to 60", True)


def test_without_a_test_set_copies_are_not_known(numbers):
    del numbers["memorization"]["mse"]["held_out"], numbers["memorization"]["mse"]["verdict"]

    (row,) = texts(measure_tables.memorization_table(numbers))

    assert row[3:] == ["not known", "not known", "", "", "0.81", ""]


def test_errors_of_what_was_learned_stand_beside_their_ratios(numbers):
    (row,) = texts(measure_tables.tstr_table(numbers))

    assert row == [
        "Thickness, mm", "0.300", "0.600", "0.200", "0.250", "0.900",
        "2.00", "0.70", "0.80", "0.95", "30", "1,234",
    ]  # fmt: skip


def test_settings_and_versions_are_laid_out(numbers):
    rows = dict(texts(measure_tables.made_with_table(numbers)))

    assert rows == {"seed": "0", "files": "{'test': ['a.h5']}", "skullgan": "1.0"}


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (measure_tables.distances_table, "distances"),
        (measure_tables.two_sample_table, "judges"),
        (measure_tables.discriminator_table, "discriminator"),
        (measure_tables.memorization_table, "memorization"),
        (measure_tables.tstr_table, "usefulness"),
    ],
)
def test_what_was_not_measured_has_no_table(numbers, table, key):
    assert table(numbers | {key: {}}) is None


def test_numbers_of_a_judge_without_a_table_are_laid_out_by_their_keys(numbers):
    assert measure_tables.others_table(numbers) is None
    numbers["sharpness_hu"] = {"synthetic": {"mean": 12.5, "each": list(range(30))}, "test": None}

    assert texts(measure_tables.others_table(numbers)) == [
        ["sharpness hu synthetic mean", "12.5"],
        ["sharpness hu synthetic each", "30 values in report.json"],
        ["sharpness hu test", "none"],
    ]
