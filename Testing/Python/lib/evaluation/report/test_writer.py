"""The report of an evaluation: numbers and segments beside the page, all of it or nothing."""

from __future__ import annotations

import csv
import json

import pytest
from examples import COUNT
from SkullGANLib.errors import OutputError
from SkullGANLib.evaluation.measures import c2st
from SkullGANLib.evaluation.report import writer


@pytest.mark.slow
def test_every_number_and_every_segment_lies_beside_the_page(evaluated_folder, sets, found):
    numbers = json.loads((evaluated_folder / "report.json").read_text("utf-8"))
    assert (numbers["settings"]["seed"], numbers["settings"]["most"]) == (0, 4000)
    assert numbers["settings"]["files"]["test"] == ["test.h5"]
    assert numbers["memorization"]["mse"]["verdict"]["copies"] == [4, 9]
    assert {"skullgan", "python", "numpy", "scikit-learn"} <= numbers["versions"].keys()
    with open(evaluated_folder / "numbers.csv", newline="", encoding="utf-8") as file:
        flat = dict(csv.reader(file))
    area = found.findings_of(c2st.MEASURE)["synthetic"].auc.value
    assert float(flat["judges/synthetic/test/auc/value"]) == pytest.approx(area)
    with open(evaluated_folder / "segments.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["set"] for row in rows] == [name for name in sets for _ in range(COUNT)]
    copy = rows[2 * COUNT + 4]
    assert (copy["mse_verdict"], copy["mse_nearest"], copy["mse_ratio"]) == ("copy", "7", "0")
    assert float(copy["thickness_mm"]) == pytest.approx(
        rows[7]["thickness_mm"] and float(rows[7]["thickness_mm"])
    )
    assert all(row["realness"] and row["tsne_pixels_x"] for row in rows)


@pytest.mark.slow
def test_a_new_report_replaces_the_old_one_and_leaves_what_is_not_its_own(evaluated_folder):
    assert not (evaluated_folder / "figures" / "old.png").exists()
    assert (evaluated_folder / "notes.txt").read_text() == "mine"


def test_a_folder_that_is_a_file_or_has_other_figures_is_named(tmp_path, sets, found):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="file: is a file"):
        writer.write(tmp_path / "file", sets, found, settings={})
    (tmp_path / "figures").mkdir()
    with pytest.raises(OutputError, match="figures: is there already and of no report"):
        writer.write(tmp_path, sets, found, settings={})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures", "file"]
