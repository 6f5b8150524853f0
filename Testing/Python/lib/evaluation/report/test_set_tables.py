"""The tables about the sets, cell by cell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from SkullGANLib.evaluation.report import set_tables
from SkullGANLib.evaluation.report.set_description import describe_set
from SkullGANLib.metrics import METRICS, measure
from SkullGANLib.plots.html import Table


@pytest.fixture
def described(real, synthetic) -> dict[str, dict]:
    return {
        "Heads": describe_set(real, measure(real)),
        "Made": describe_set(synthetic, measure(synthetic)),
    }


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.cells()]


def test_sets_are_laid_out_with_kind_size_and_origin(described):
    table = set_tables.sets_table(described)

    heads, made = texts(table)
    assert heads == [
        "Heads", "real", "10", "2",
        "4 parietal, 6 temporal\n5 left, 5 right\n10 axial",
        "kernel BONEPLUS, 0.625 mm slices, voxels of unknown size, pixel 0.45 mm",
    ]  # fmt: skip
    assert made[:5] == ["Made", "synthetic", "20", "none", "not recorded"]
    kinds = [row[1] for row in table.cells()]
    assert "no patient, not for diagnosis" in kinds[1].note
    assert all(kind.strong for kind in kinds)


def test_sources_are_laid_out_line_by_line_and_many_cts_as_their_number(described, real):
    cts = {"one": {"kernel": "BONE"}, "two": {"kernel": "BONE"}}
    many = replace(real, source={"cts": cts, "kvp": 120.0})
    described["Many"] = describe_set(many, measure(many))

    rows = dict(texts(set_tables.sources_table(described)))

    assert rows["Heads"].splitlines()[:3] == [
        "kernel: BONEPLUS", "scanner: GE LightSpeed", "slice thickness mm: 0.625",
    ]  # fmt: skip
    assert rows["Many"].splitlines()[:2] == ["cts: 2, each alone in report.json", "kvp: 120"]
    assert rows["Many"].splitlines()[-1].startswith("made by skullgan")


def test_every_metric_of_every_set_has_a_row_of_quantiles(described):
    table = set_tables.quantiles_table(described)

    rows = texts(table)
    assert [row[0] for row in rows[::2]] == [metric.label for metric in METRICS.values()]
    assert rows[0] == [
        "SDR, peaks", "Heads", "10", "0.390 ± 0.061", "0.309", "0.345", "0.390", "0.435", "0.471",
    ]  # fmt: skip
    assert table.head[4:] == ("5 %", "25 %", "50 %", "75 %", "95 %")


def test_what_was_not_measured_is_none_in_the_table(real):
    empty = replace(real, hu=real.hu * 0)

    rows = texts(set_tables.quantiles_table({"Empty": describe_set(empty, measure(empty))}))

    assert rows[0][2:] == ["0", "none ± none", *["none"] * 5]
