"""Landmarks: point lists as 3D Slicer writes them, and what cannot be a head."""

import json

import numpy as np
import pytest
from SkullGANLib.anatomy import landmarks
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction import single_ct

HEAD = {
    "nasion": [2.0, 90.0, -30.0],
    "inion": [-1.0, -85.0, -40.0],
    "left porion": [-58.0, 1.0, -36.0],
    "right porion": [60.0, -2.0, -37.0],
}
SAMPLE = {
    "nasion": [5.9, 89.5, 0.9],
    "inion": [8.1, -88.3, 28.5],
    "left porion": [-58.9, -7.6, 12.5],
    "right porion": [71.1, -9.1, 11.2],
}
"""Seen on the slices of the sample CT."""


def lps(ras):
    return [-ras[0], -ras[1], ras[2]]


def point_list(points, system="LPS", **more):
    """What Slicer writes for a point list; ``points`` are labels and positions."""
    control = [
        {"id": str(k), "label": label, "position": position, "positionStatus": "defined"}
        for k, (label, position) in enumerate(points)
    ]
    one = {"type": "Fiducial", "coordinateSystem": system, "controlPoints": control, **more}
    return {"@schema": "markups-schema-v1.0.3.json#", "markups": [one]}


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def fcsv(points, system, version="4.11"):
    lines = [f"# Markups fiducial file version = {version}", f"# CoordinateSystem = {system}"]
    lines.append("# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID")
    for k, (label, (x, y, z)) in enumerate(points):
        lines.append(f'vtkMRMLMarkupsFiducialNode_{k},{x},{y},{z},0,0,0,1,1,1,0,{label},"a, b",')
    return "\n".join(lines) + "\n"


def refused(path):
    """The sentence with which a file is refused; it names the file and ends."""
    with pytest.raises(BadInputError) as caught:
        landmarks.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "expected" in str(caught.value)
    return str(caught.value)


def assert_is_head(found):
    assert set(found) == set(HEAD)
    for name, ras in HEAD.items():
        assert found[name] == pytest.approx(ras)


def in_lps():
    return [(name, lps(ras)) for name, ras in HEAD.items()]


def test_a_point_list_gives_the_same_landmarks_in_lps_and_ras_and_in_either_format(tmp_path):
    in_ras = list(HEAD.items())
    assert_is_head(landmarks.read(write(tmp_path / "a.mrk.json", point_list(in_lps()))))
    assert_is_head(landmarks.read(write(tmp_path / "b.mrk.json", point_list(in_ras, "RAS"))))
    for system, points in (("LPS", in_lps()), ("1", in_lps()), ("RAS", in_ras), ("0", in_ras)):
        assert_is_head(landmarks.read(write(tmp_path / "c.fcsv", fcsv(points, system))))


@pytest.mark.parametrize(
    "labels",
    [
        ("Nasion", "INION", "Left Porion", "right_porion"),
        ("N", "I", "LPo", "RPo"),
        ("Na", "In", "Porion L", "Porion-R"),
        ("Nz", "Iz", "PoL", "PoR"),
        ("nas", "inion ", "l. porion", "Porion  Right"),
    ],
)
def test_labels_may_be_short_or_long_in_any_case(labels, tmp_path):
    points = list(zip(labels, (lps(ras) for ras in HEAD.values()), strict=True))
    points.insert(2, ("glabella", [0, 0, 0]))
    assert_is_head(landmarks.read(write(tmp_path / "a.mrk.json", point_list(points))))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (point_list(in_lps()[:3]), "lacks right porion"),
        (point_list([("F-1", [0, 0, 0])]), "lacks nasion, inion, left porion, right porion"),
        (point_list([*in_lps(), ("N", [0, 0, 0])]), "has the nasion twice"),
        (point_list(in_lps(), "IJK"), "coordinate system is IJK"),
        (point_list(in_lps(), None), "coordinate system is not stated"),
        (point_list(in_lps(), coordinateUnits="um"), "coordinates are in um"),
        (point_list([("N", None), *in_lps()[1:]]), "has a nasion that is not placed"),
        (point_list([("N", [0, "x", 1]), *in_lps()[1:]]), "has a nasion that is not placed"),
        (point_list([("N", [0, float("nan"), 1]), *in_lps()[1:]]), "that is not placed"),
        ({"markups": 7}, "is no markups file"),
        ({"markups": [[]]}, "is no markups file"),
        ({"nodes": []}, "is no markups file"),
        ("{", "is no markups file"),
        ("", "is no markups file"),
        ("x,y,z\n1,2,3\n", "is no markups file"),
        ('{"markups":' + "[" * 100_000, "is no markups file"),
        (fcsv(in_lps(), "2"), "coordinate system is 2"),
        (fcsv(in_lps(), "LPS") + "1,2\n", "has an incomplete line"),
        (fcsv(in_lps()[1:], "LPS"), "lacks nasion"),
    ],
)
def test_a_file_without_four_placed_landmarks_is_refused(content, found, tmp_path):
    assert found in refused(write(tmp_path / "head.mrk.json", content))


def test_a_point_that_slicer_says_is_not_placed_is_refused(tmp_path):
    content = point_list(in_lps())
    content["markups"][0]["controlPoints"][2]["positionStatus"] = "undefined"
    sentence = refused(write(tmp_path / "head.mrk.json", content))
    assert "has a left porion that is not placed" in sentence


def test_something_else_than_text_a_huge_file_and_none_are_refused(tmp_path):
    (tmp_path / "a.fcsv").write_bytes(np.random.default_rng(0).bytes(500))
    assert "is no text" in refused(tmp_path / "a.fcsv")
    (tmp_path / "b.fcsv").write_bytes(b" " * (11 * 1024**2))
    assert "is larger than 10 MiB" in refused(tmp_path / "b.fcsv")
    assert "No such file" in refused(tmp_path / "c.fcsv")
    assert "cannot be read" in refused(tmp_path)


def moved(**places):
    return {**HEAD, **{name.replace("_", " "): place for name, place in places.items()}}


@pytest.mark.parametrize(
    ("points", "found"),
    [
        (
            moved(left_porion=HEAD["right porion"], right_porion=HEAD["left porion"]),
            "left porion lies 118 mm to the right of the right porion",
        ),
        (moved(nasion=HEAD["inion"], inion=HEAD["nasion"]), "nasion lies 175 mm behind the inion"),
        (moved(nasion=[2, 190, -30]), "lie 275 mm apart, expected 110 to 230 mm"),
        (moved(nasion=[2, 1, -30]), "lie 87 mm apart"),
        (moved(left_porion=[20, 0, -36]), "poria lie 40 mm apart, expected 70 to 180"),
        (moved(right_porion=[60, -60, -37]), "degrees off a right angle"),
        (
            moved(left_porion=[-58, 60, -36], right_porion=[60, 58, -37]),
            "stand at 82% of the way from inion to nasion",
        ),
        (
            moved(left_porion=[-90, 1, -36], right_porion=[20, -2, -37]),
            "mm beside the poria's middle, expected at most 20 mm",
        ),
        (moved(nasion=[np.nan, 0, 0]), "NaN"),
        ({"nasion": [0, 0, 0]}, "lack inion, left porion, right porion"),
    ],
)
def test_points_that_are_no_head_are_refused_with_what_is_found_and_expected(points, found):
    with pytest.raises(BadInputError, match="expected") as caught:
        landmarks.check_plausible(points)
    assert found in str(caught.value)


def test_a_head_is_no_objection():
    landmarks.check_plausible(HEAD)
    landmarks.check_plausible(SAMPLE)


def test_landmarks_outside_the_ct_are_refused(sample_ct):
    points = {**SAMPLE, "inion": np.array([8.0, -130.0, 28.0])}
    with pytest.raises(BadInputError, match=r"inion lies 28 mm outside the CT, expected"):
        find_cavity(sample_ct, points)


@pytest.mark.slow
def test_landmarks_seen_on_a_real_head_give_nearly_what_is_found_without(sample_ct, sample_mask):
    """Pitch is the landmarks' own (see frame.NASION_RISES_DEG), yaw and roll are those found."""
    found, needed = (
        single_ct.extract(sample_ct, sample_mask, landmarks=given, interval_mm=9.3).segments
        for given in (SAMPLE, None)
    )
    (given,), (without,) = (
        [one["frame"] for one in each.source["cts"].values()] for each in (found, needed)
    )
    assert (given["from"], without["from"]) == ("landmarks", "vault")
    assert given["landmarks_ras"] == SAMPLE
    head_to_ras = np.array(given["head_to_ras"])
    cosines = (head_to_ras * without["head_to_ras"])[:3].sum(0)
    assert cosines[0] > np.cos(np.deg2rad(2))
    assert cosines[2] > np.cos(np.deg2rad(15))
    assert len(found) == pytest.approx(len(needed), rel=0.1)
    thickness = [one.mask.sum((1, 2)).mean() for one in (found, needed)]
    assert thickness[0] == pytest.approx(thickness[1], rel=0.03)
    middle = found.pixel_to_ras @ [63.5, 10.0, 0.0, 1.0]
    assert (((middle @ np.linalg.inv(head_to_ras).T)[:, 0] < 0) == (found.side == "left")).all()
