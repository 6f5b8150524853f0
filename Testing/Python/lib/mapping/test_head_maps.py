"""All maps of a head, made together and written as files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from SkullGANLib.anatomy.cut_plan import BONES
from SkullGANLib.ct.volume import write_volume
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import head_maps, vtp
from SkullGANLib.mapping.array_geometry import hemisphere
from SkullGANLib.mapping.head_maps import HeadMaps
from SkullGANLib.metrics import METRICS, Metric, registered

TOY = Metric(
    name="outer_peak_hu",
    quantity="Outer peak",
    unit="HU",
    digits=0,
    digits_of_means=0,
    color_range=(500.0, 2500.0),
    limit=1000.0,
    of_profiles=lambda profiles: profiles.dip.outer,
)


@pytest.fixture(scope="module")
def made(sphere_head, sphere_mask) -> HeadMaps:
    return head_maps.make(sphere_head, sphere_mask, spacing_mm=4.0, elements=hemisphere(50))


def test_the_lines_hold_a_row_for_each_bone_and_side_and_the_arrays_number(made):
    lines = list(head_maps.format_lines(made))
    assert len(lines) == 1 + (1 + 2 * len(BONES)) + 1 + 5 + 2
    assert lines[0].split()[:3] == ["bone", "side", "vertices"]
    assert lines[1].split()[:2] == ["all", "all"]
    assert "50 elements to (" in lines[-8]
    assert "Kernel unknown, voxels 1 x 1 x 1 mm, slices of unknown thickness" in lines[-2]
    assert lines[-1].startswith("Head frame from scanner's axes, certainty")


def test_the_sdr_of_an_array_is_told_as_others_measure_it(made):
    told = [line for line in head_maps.format_lines(made) if " ray" in line][-4:]
    scalars = head_maps.numbers_of(made.array)["scalars"]
    names = ("sdr_peaks", "sdr_peaks_single_ray", "sdr_outer_peak", "sdr_outer_peak_single_ray")
    for line, name in zip(told, names, strict=True):
        assert line.split()[-6:-5] == [f"{scalars[name]['mean']:.3f}"]
        assert line.split()[-3:-2] == [f"{scalars[name]['active']['mean']:.3f}"]


def test_the_numbers_come_back_from_their_file(made, sphere_head, tmp_path):
    head_maps.write(tmp_path / "map.json", made, sphere_head)
    numbers = head_maps.read_numbers(tmp_path / "map.json")
    assert numbers["summary"] == head_maps.summary(made)
    assert numbers["caveats"] == list(made.caveats)
    assert numbers["array"]["elements"] == 50


def test_the_vertices_of_an_overlay_come_back_on_the_grid_of_their_ct(made, sphere_head, tmp_path):
    head_maps.write(tmp_path / "map.nrrd", made, sphere_head, head_maps.VERTEX)
    vertices = head_maps.read_vertices(tmp_path / "map.nrrd", sphere_head)
    assert ((vertices >= 0) == (made.mask > 0)).all()
    assert vertices.max() < len(made.calvaria)


def test_one_place_a_metric_that_is_registered_is_in_every_file_of_a_map(
    sphere_head, sphere_mask, tmp_path
):
    with registered(TOY):
        made = head_maps.make(sphere_head, sphere_mask, spacing_mm=6.0, elements=hemisphere(20))
        assert TOY.name in head_maps.overlay_scalars()
        for name in ("map.vtp", "map.csv", "map.json"):
            head_maps.write(tmp_path / name, made, sphere_head)
    assert np.nanmedian(vtp.read(tmp_path / "map.vtp").values[TOY.name]) > 1200
    with open(tmp_path / "map.csv", newline="", encoding="utf-8") as file:
        [row] = [
            row
            for row in csv.DictReader(file)
            if row["bone"] == "all" and row["metric"] == TOY.name
        ]
    assert row["unit"] == "HU"
    assert float(row["share_below_1000.00"]) < 0.1
    assert row["share_below_0.40"] == ""
    scalars = head_maps.read_numbers(tmp_path / "map.json")["array"]["scalars"]
    assert scalars[TOY.name]["mean"] > 1200


def test_files_of_something_else_are_refused(sphere_head, sphere_mask, tmp_path):
    write_volume(tmp_path / "mask.nrrd", sphere_mask, sphere_head.ijk_to_ras)
    with pytest.raises(BadInputError, match="holds no numbers of vertices"):
        head_maps.read_vertices(tmp_path / "mask.nrrd", sphere_head)
    for text, sentence in (
        ("{}", "cannot be read as the numbers of a map"),
        ("[]", "cannot be read as the numbers of a map"),
        ('{"format": "sheep"}', "is 'sheep', expected the numbers of a map"),
        (json.dumps({"format": head_maps.FORMAT, "format_version": 2}), "expected at most 1"),
    ):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(BadInputError, match=sentence):
            head_maps.read_numbers(tmp_path / "other.json")


def test_an_overlay_may_hold_any_metric_or_the_vertex():
    assert head_maps.overlay_scalars() == (*METRICS, "vertex")
