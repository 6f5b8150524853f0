"""skullgan map and skullgan realness, run as users run them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from SkullGANLib import cli
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.ct import volume
from SkullGANLib.mapping import array_table, head_maps, vtp
from SkullGANLib.mapping.codes import MEASURED
from SkullGANLib.mapping.wall_overlay import overlay
from SkullGANLib.metrics import METRICS
from SkullGANLib.utils import resources


@pytest.fixture(scope="module")
def written(tmp_path_factory, sample_ct, sample_mask):
    """The folder with all that skullgan map makes of the sample, and what it said."""
    folder = tmp_path_factory.mktemp("Karte ä")
    volume.write_volume(folder / "mask.nrrd", sample_mask, sample_ct.ijk_to_ras)
    names = ("map.vtp", "vertex.nrrd", "map.json", "map.csv")
    code = run(
        "map", resources.sample_ct(), "--skull-mask", folder / "mask.nrrd", "--scalar", "vertex",
        *(part for name in names for part in ("-o", folder / name)),
        "--rays", folder / "rays.csv", "--spacing-mm", 2, "--progress", "lines",
    )  # fmt: skip
    assert code == cli.DONE
    return folder


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_the_surface_has_what_was_measured(written):
    found = vtp.read(written / "map.vtp")
    assert (found.code == MEASURED).mean() > 0.9
    assert 5 < np.nanmean(found.values["thickness_mm"]) < 7
    assert found.source["kernel"] == "BONEPLUS"
    assert not {"subject", "name", "date"} & set(found.source)


def test_the_overlay_of_vertices_lies_on_the_cts_grid_and_leads_to_any_scalar(
    written, sample_ct, sample_mask
):
    numbers = head_maps.read_vertices(written / "vertex.nrrd", sample_ct)
    assert np.array_equal(numbers >= 0, sample_mask > 0)
    found = vtp.read(written / "map.vtp")
    voxels = overlay(found, numbers, "sdr_peaks")
    assert voxels.shape == sample_ct.hu.shape
    assert 0.4 < voxels[voxels > 0].mean() < 0.8


def test_the_numbers_hold_summary_array_and_caveats(written):
    told = head_maps.read_numbers(written / "map.json")
    assert told["array"]["elements"] == 1024
    assert 0.3 < told["array"]["scalars"]["sdr_peaks"]["mean"] < 0.8
    whole = [row for row in told["summary"] if row["bone"] == "all"]
    assert {row["metric"] for row in whole} == set(METRICS)
    assert told["source"]["kernel"] == "BONEPLUS"
    assert any("field of view" in one for one in told["caveats"])
    json.dumps(told, allow_nan=False)


def test_the_summary_has_kernel_and_slice_thickness_in_every_row(written):
    with open(written / "map.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == (1 + 2 * len(cut_plan.BONES)) * len(METRICS)
    assert {row["kernel"] for row in rows} == {"BONEPLUS"}
    assert {row["slice_thickness_mm"] for row in rows} == {"1.0"}
    assert {row["voxels"] for row in rows} == {"1 x 1 x 1 mm"}


def test_the_table_of_rays_has_a_row_per_element(written):
    columns = array_table.read_csv(written / "rays.csv")
    assert len(columns["element"]) == 1024
    assert columns["active"].sum() > 900


def test_info_says_what_a_map_is(written, capsys):
    assert run("info", written / "map.vtp") == cli.DONE
    said = capsys.readouterr().out
    assert "vertices" in said
    assert "BONEPLUS" in said
    assert "leaves the field of view" in said


def test_a_target_and_an_array_of_ones_own_are_used(tmp_path, written, capsys):
    (tmp_path / "array.csv").write_text("x,y,z\n0,0,140\n60,0,120\n-60,0,120\n")
    code = run(
        "map", resources.sample_ct(), "--skull-mask", written / "mask.nrrd", "--spacing-mm", 4,
        "-o", tmp_path / "thickness.mha", "--rays", tmp_path / "rays.csv",
        "--elements", tmp_path / "array.csv", "--target=5,0,60",
    )  # fmt: skip
    said = capsys.readouterr().out
    assert code == cli.DONE
    assert "3 elements to (5.0, 0.0, 60.0) RAS mm: SDR" in said
    assert "Kernel BONEPLUS, voxels 1 x 1 x 1 mm, slices 1 mm thick" in said
    columns = array_table.read_csv(tmp_path / "rays.csv")
    assert len(columns["element"]) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{ct}", "-o", "{out}/map.stl"), "has an unknown ending, expected one of .vtp, .nrrd"),
        (("{ct}", "-o", "{here}/map.vtp"), "is there already"),
        (("{ct}", "-o", "{out}/a.vtp", "-o", "{out}/a.vtp"), "was named twice"),
        (("{ct}", "-o", "{out}/a.vtp", "--rays", "{out}/rays.txt"), "expected one of .csv"),
        (("{ct}", "-o", "{out}/a.vtp", "--target", "1,2"), "Expected a target as R,A,S in mm"),
        (("{ct}", "-o", "{out}/a.vtp", "--elements", "{here}/map.csv"), "x, y, z are missing"),
        (("{ct}", "-o", "{out}/a.vtp", "--spacing-mm", "0"), "of 0.3 to 10 mm, found 0 mm"),
        (("{ct}", "-o", "{out}/a.vtp", "--target", "0,0,900"), "outside the intracranial space"),
        (("{out}/no.nrrd", "-o", "{out}/a.vtp"), "there is no such file"),
        (("{noise}", "-o", "{out}/a.vtp"), "shows no cranial vault"),
    ],
)  # fmt: skip
def test_wrong_input_ends_in_one_sentence_and_writes_nothing(
    arguments, sentence, written, tmp_path, capsys
):
    hu = np.full((40, 40, 40), -1000, np.int16)
    hu[10:20, 10:20, 10:20] = 1200
    volume.write_volume(tmp_path / "noise.nrrd", hu, np.diag([2.0, 2.0, 2.0, 1.0]))
    out = tmp_path / "out"
    out.mkdir()
    places = {"ct": resources.sample_ct(), "out": out, "here": written}
    places["noise"] = tmp_path / "noise.nrrd"
    given = [one.format(**places) for one in arguments]
    if "--target" in given or "--spacing-mm" in given:
        given += ["--skull-mask", str(written / "mask.nrrd")]
    assert run("map", *given) == cli.FAILED
    printed = capsys.readouterr().err
    assert sentence in printed
    assert len(printed.splitlines()) == 1
    assert list(out.iterdir()) == []
