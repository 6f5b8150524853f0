"""Maps as .vtp files, written by us and read by VTK."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import vtk
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.mapping import calvaria_map, vtp
from SkullGANLib.mapping.calvaria_map import CalvariaMap
from SkullGANLib.mapping.codes import AIR, METAL
from SkullGANLib.metrics import METRICS, Metric, registered
from SkullGANScene.nodes.vtk_errors import heard_errors
from vtk.util.numpy_support import vtk_to_numpy


def small_map() -> CalvariaMap:
    """Four vertices, two triangles; the last vertex met air."""
    count = 4
    rng = np.random.default_rng(1)
    values = {name: rng.random(count) for name in METRICS}
    for one in values.values():
        one[3] = np.nan
    return CalvariaMap(
        points_ras=rng.random((count, 3)) * 100,
        triangles=np.array([[0, 1, 2], [1, 3, 2]], np.int32),
        normals=np.tile([0.0, 0.6, 0.8], (count, 1)),
        values=values,
        code=np.array([0, 0, 0, 2], np.uint8),
        bone=np.array(["temporal", "parietal", "frontal", "occipital"]),
        side=np.array(["left", "right", "left", "right"]),
        source={"kernel": "Knöchern <&>", "threshold_hu": 300.0},
    )


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "karte ä.vtp"
    vtp.write(path, small_map())
    return path


def test_a_map_comes_back_as_it_was(written):
    found, expected = vtp.read(written), small_map()
    assert np.allclose(found.points_ras, expected.points_ras, atol=1e-4)
    assert np.array_equal(found.triangles, expected.triangles)
    for name in METRICS:
        assert np.allclose(found.values[name], expected.values[name], equal_nan=True)
    for name in ("code", "bone", "side"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    assert found.source == expected.source
    assert found.created_by == expected.created_by


def test_a_realness_comes_back_too(written):
    vtp.write(written, calvaria_map.with_realness(small_map(), np.array([0.1, np.nan, 0.5, 1.0])))
    assert vtp.read(written).values["realness"] == pytest.approx([0.1, np.nan, 0.5, 1], nan_ok=True)


def with_metadata(path, **changes) -> None:
    """Change what a file says of itself, whose length stays the same."""
    content = path.read_bytes()
    start = content.index(b'{"format_version"')
    end = content.index(b"\0", start)
    known = json.loads(content[start:end]) | changes
    text = json.dumps(known, ensure_ascii=True).encode().ljust(end - start)
    assert len(text) == end - start
    path.write_bytes(content[:start] + text + content[end:])


def test_a_bone_put_in_front_of_the_list_leaves_the_bones_of_older_maps_as_they_were(
    written, monkeypatch
):
    monkeypatch.setattr(vtp, "BONES", ("ethmoid", *vtp.BONES))
    monkeypatch.setattr(vtp, "SIDES", vtp.SIDES[::-1])
    found, expected = vtp.read(written), small_map()
    assert found.bone.tolist() == expected.bone.tolist()
    assert found.side.tolist() == expected.side.tolist()
    vtp.write(written, found)  # and written anew they are the same still
    assert vtp.read(written).bone.tolist() == expected.bone.tolist()


def test_a_bone_that_is_not_known_here_is_kept(tmp_path):
    bone = np.array(["ethmoid", "parietal", "frontal", "occipital"])
    vtp.write(tmp_path / "map.vtp", replace(small_map(), bone=bone))
    assert vtp.read(tmp_path / "map.vtp").bone.tolist() == bone.tolist()


def test_a_file_has_the_metrics_that_it_has_whatever_is_known_here(tmp_path):
    values = {"thickness_mm": np.ones(4), "porosity": np.array([1.0, 2.0, 3.0, np.nan])}
    vtp.write(tmp_path / "map.vtp", replace(small_map(), values=values))
    found = vtp.read(tmp_path / "map.vtp")
    assert set(found.values) == {"thickness_mm", "porosity"}
    assert found.values["porosity"] == pytest.approx(values["porosity"], nan_ok=True)


def test_one_place_a_metric_that_is_registered_is_in_the_file_and_comes_back(tmp_path):
    toy = Metric(
        name="outer_peak_hu",
        quantity="Outer peak",
        color_range=(500.0, 2500.0),
        of_profiles=lambda profiles: profiles.dip.outer,
    )
    with registered(toy):
        vtp.write(tmp_path / "map.vtp", small_map())
    assert "outer_peak_hu" in vtp.read(tmp_path / "map.vtp").values


def test_codes_are_those_of_the_files_own_table(written):
    with_metadata(written, code={"0": "air", "1": "air", "2": "metal", "3": "measured"})
    assert vtp.read(written).code.tolist() == [AIR, AIR, AIR, METAL]


def test_a_map_of_a_later_version_is_refused_in_one_sentence(written):
    with_metadata(written, format_version=2)
    with pytest.raises(BadInputError, match=r"format version 2, expected at most 1"):
        vtp.read(written)


def test_a_bone_without_meaning_is_refused(written):
    with_metadata(written, bone={"0": "temporal"})
    with pytest.raises(BadInputError, match="cannot be read as a map"):
        vtp.read(written)


def test_vtk_reads_the_same(written):
    reader = vtk.vtkXMLPolyDataReader()
    with heard_errors() as errors:
        reader.SetFileName(str(written))
        reader.Update()
    assert errors == []
    data, expected = reader.GetOutput(), small_map()
    points = vtk_to_numpy(data.GetPoints().GetData())
    assert np.allclose(points, expected.points_ras, atol=1e-4)
    triangles = vtk_to_numpy(data.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    assert np.array_equal(triangles, expected.triangles)
    assert data.GetPointData().GetScalars().GetName() == "thickness_mm"
    for name in METRICS:
        values = vtk_to_numpy(data.GetPointData().GetArray(name))
        assert np.allclose(values, expected.values[name], equal_nan=True)
    fields = data.GetFieldData()
    assert fields.GetAbstractArray("SPACE").GetValue(0) == "RAS"
    known = json.loads(fields.GetAbstractArray(vtp.METADATA).GetValue(0))
    assert known["code"]["2"] == "air"


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_a_truncated_file_is_refused(written, kept):
    content = written.read_bytes()
    written.write_bytes(content[: int(kept * len(content) - 40)])
    with pytest.raises(BadInputError, match="cannot be read as a map"):
        vtp.read(written)


def test_other_files_are_refused_in_one_sentence(tmp_path):
    for name, content in (
        ("other.vtp", b"<VTKFile/>"),
        ("empty.vtp", b""),
        ("bomb.vtp", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x><AppendedData encoding="raw">_'),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInputError, match=rf"{name}: cannot be read as a map"):
            vtp.read(tmp_path / name)
    with pytest.raises(BadInputError, match="there is no such file"):
        vtp.read(tmp_path / "nowhere.vtp")


def test_triangles_of_vertices_that_are_not_there_are_refused(written):
    content = written.read_bytes()
    last = small_map().triangles.astype("<i4").tobytes()
    assert last in content
    written.write_bytes(content.replace(last, np.full(6, 99, "<i4").tobytes()))
    with pytest.raises(BadInputError, match="cannot be read as a map"):
        vtp.read(written)


def test_a_map_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"map\.vtp: cannot be written"):
        vtp.write(tmp_path / "file" / "map.vtp", small_map())
