"""The headless scripts that extract from scenes and generate into them."""

from __future__ import annotations

import csv
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
import slicer.util
import vtk
from checkout import ROOT
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5
from SkullGANLib.utils import resources
from SkullGANScene.nodes import mrb, segment_sets, segmentations, volumes
from SkullGANScene.offscreen import headless
from SkullGANScene.scripting import scripts
from SlicerHost.host import Host

SCRIPTS = ROOT / "SkullGAN" / "Scripts"
QUICK = ("--bones", "temporal,parietal", "--planes", "axial", "--interval-mm", "12")


def script(name: str):
    """A script as a module, so that its work can be done without another process."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def called(name: str, *arguments: object) -> int:
    """The exit code of a script's command line, in this process."""
    module = script(name)
    return scripts.exit_code(module.work, module._parser(), list(map(str, arguments)))


def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script as a user does, from another folder, without the package on the path."""
    return subprocess.run(
        _command(name, *arguments),
        env=_environment(),
        cwd=SCRIPTS.anchor,
        capture_output=True,
        text=True,
        check=False,
    )


def _command(name: str, *arguments: object) -> list[str]:
    return [sys.executable, str(SCRIPTS / f"{name}.py"), *map(str, arguments)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def coarse() -> HeadCT:
    """Every other voxel of the sample CT along each axis: cut in a second."""
    ct = volume.read_ct(resources.sample_ct())
    return HeadCT(ct.hu[::2, ::2, ::2].copy(), ct.ijk_to_ras @ np.diag([2.0, 2.0, 2.0, 1.0]))


@pytest.fixture(scope="module")
def from_scene(coarse, tmp_path_factory):
    """What the script makes of a bundle with three CTs: turned, with an edited skull, empty."""
    folder = tmp_path_factory.mktemp("scène of CTs")
    stage = headless.new_stage()
    scene = stage.scene
    turned = volumes.add_ct(scene, coarse, "頭部 turned")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Turn")
    turn = vtk.vtkTransform()
    turn.RotateZ(20)
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    turned.SetAndObserveTransformNodeID(transform.GetID())

    other = HeadCT(np.maximum(coarse.hu, -1000), coarse.ijk_to_ras)
    edited = volumes.add_ct(scene, other, "Edited")
    mask = (coarse.hu > 250).astype(np.uint8)
    columns = np.arange(mask.shape[2])
    r = coarse.ijk_to_ras[0] @ np.stack([columns, *np.zeros((2, len(columns))), columns**0])
    mask[:, :, r < 8] = 0  # no left half
    segmentations.add_skull(edited, mask)

    nothing = HeadCT(np.zeros((20, 20, 20), np.int16), np.eye(4))
    volumes.add_ct(scene, nothing, "Nothing")
    mrb.save(scene, folder / "heads.mrb")
    output = folder / "out" / "segments.h5"
    done = run("extract_from_scene", "--", "--ct", folder / "heads.mrb", "-o", output, *QUICK)
    return done, output


def test_the_segments_of_all_cts_of_a_scene_are_one_set(from_scene):
    done, output = from_scene
    found = hdf5.read(output)
    rows = table(output.with_suffix(".csv"))
    assert [row["state"] for row in rows] == ["done", "done", "failed"]
    assert len(found) == sum(int(row["segments"]) for row in rows)
    assert len(set(found.ct)) == 2
    assert f"{output}: {len(found)} segments of 2 CTs" in done.stdout


def test_a_ct_of_the_scene_that_fails_is_named_and_does_not_stop_the_others(from_scene):
    done, output = from_scene
    assert done.returncode == 1
    reason, summary = done.stderr.splitlines()
    assert "heads.mrb: Nothing: its values run from 0 to 0" in reason
    assert summary == f"1 of 3 CTs failed, {output.with_suffix('.csv')} says why."


def test_a_ct_under_a_transform_is_cut_where_it_is(from_scene):
    """Turned by 20 degrees about the vertical: its segments lie turned likewise."""
    found = hdf5.read(from_scene[1])
    turned = (found.ct == found.ct[0]) & (found.side == "left")
    inward = found.pixel_to_ras[turned, :3, 1]
    angles = np.rad2deg(np.arctan2(inward[:, 1], inward[:, 0]))
    assert abs(np.median(angles) - 20) < 12


def test_a_skull_that_was_edited_in_the_scene_is_the_one_that_is_cut(from_scene):
    found = hdf5.read(from_scene[1])
    assert set(found.side[found.ct == found.ct[0]]) == {"left", "right"}
    assert set(found.side[found.ct != found.ct[0]]) == {"right"}


def test_a_folder_is_cut_whatever_else_lies_in_it(coarse, tmp_path):
    (tmp_path / "CTs").mkdir()
    (tmp_path / "CTs" / "README.md").write_text("Not a CT")
    volume.write_volume(tmp_path / "CTs" / "head one.nrrd", coarse.hu, coarse.ijk_to_ras)
    output = tmp_path / "segments.h5"
    assert called("extract_from_scene", "--ct", tmp_path / "CTs", "-o", output, *QUICK) == 0
    [row] = table(output.with_suffix(".csv"))
    assert row["ct"] == str(tmp_path / "CTs" / "head one.nrrd")
    assert int(row["segments"]) == len(hdf5.read(output))


def test_inside_slicer_the_open_scene_is_taken(coarse, tmp_path, capsys):
    with Host() as host:
        volumes.add_ct(host.scene, coarse, "Head")
        assert called("extract_from_scene", "-o", tmp_path / "segments.h5", *QUICK) == 0
        assert host.scene.GetFirstNodeByName("Head") is not None
    assert "The scene: Head: " in capsys.readouterr().out


def test_a_script_that_is_ended_ends_its_child(tmp_path):
    command = _command("extract_from_scene", "--ct", resources.sample_ct(), "--progress", "lines")
    command += ["-o", str(tmp_path / "segments.h5")]
    process = subprocess.Popen(command, env=_environment(), stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "progress 0.1" in line:
            break
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert said.splitlines()[-1] == "extract_from_scene.py: interrupted."
    assert not (tmp_path / "segments.h5").exists()


def test_mapping_takes_the_cts_of_a_folder_too(scene, tmp_path):
    small = HeadCT(
        np.repeat([-1000, 40, 1500], 576).reshape(12, 12, 12).astype(np.int16), np.eye(4)
    )
    for name in ("b", "a"):
        volume.write_volume(tmp_path / f"{name}.nrrd", small.hu, small.ijk_to_ras)
    (tmp_path / "README.md").write_text("Not a CT")
    found = script("map_scene").cts(scene, tmp_path, keep_names=True)
    assert [node.GetName() for node in found] == ["a", "b"]


@pytest.fixture
def trap(tmp_path) -> Path:
    """A folder with what is no input or no place for an output."""
    (tmp_path / "readme").mkdir()
    (tmp_path / "readme" / "README.md").write_text("Not a CT")
    (tmp_path / "empty").mkdir()
    (tmp_path / "there.h5").write_text("somebody's")
    (tmp_path / "there.mrb").write_text("somebody's")
    (tmp_path / "table.csv").write_text("somebody's")
    stage = headless.new_stage()
    stage.scene.AddNewNodeByClass("vtkMRMLTableNode", "No CT")
    mrb.save(stage.scene, tmp_path / "none.mrb")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("extract_from_scene", "-o new.h5", "No CT was named, expected --ct"),
        ("extract_from_scene", "--ct readme -o new.h5", "readme: holds no DICOM image"),
        ("extract_from_scene", "--ct empty -o new.h5", "empty: is an empty folder"),
        ("extract_from_scene", "--ct gone -o new.h5", "gone: there is no such file or folder"),
        ("extract_from_scene", "--ct gone.mrb -o new.h5", "gone.mrb: there is no such file"),
        ("extract_from_scene", "--ct none.mrb -o new.h5", "none.mrb: there is no CT in it"),
        ("extract_from_scene", "--ct gone -o there.h5", "there.h5: is there already"),
        ("extract_from_scene", "--ct gone -o table.h5", "table.csv: is not the table of a batch"),
        ("extract_from_scene", "--ct gone -o new.txt", "expected a name that ends in .h5"),
        ("extract_from_scene", "--ct gone -o there.h5/new.h5", "new.h5: cannot be written"),
        ("extract_from_scene", "--ct gone -o new.h5 --bones nose", "The bone 'nose' is not known"),
        ("extract_from_scene", "--ct gone -o new.h5 --interval-mm 0", "interval"),
        ("generate_to_scene", "-n 0 -o new.mrb", "at least 1 segment"),
        ("generate_to_scene", "-n 2001 -o new.mrb", "a scene takes 2000 segments at once"),
        ("generate_to_scene", "-o there.mrb", "there.mrb: is there already"),
        ("generate_to_scene", "-o new.h5", "expected a name that ends in .mrb"),
        ("generate_to_scene", "-o there.h5/new.mrb", "new.mrb: cannot be written"),
        ("generate_to_scene", "-o new.mrb --model gone", "gone: there is no such file"),
        ("generate_to_scene", "-o new.mrb --sdr 1,0", "The limits are '1,0', expected LOW,HIGH"),
        ("generate_to_scene", "-o new.mrb --most 0", "At most 0 segments are to be made"),
        ("generate_to_scene", "-n x -o new.mrb", "invalid int value: 'x'"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_without_a_result(
    trap, monkeypatch, capsys, name, arguments, sentence
):
    monkeypatch.chdir(trap)
    before = {path: path.read_bytes() for path in trap.iterdir() if path.is_file()}
    assert called(name, *arguments.split()) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert sentence in said
    results = {path for path in trap.iterdir() if path.suffix in (".h5", ".mrb")}
    assert results <= set(before)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_scene_holds_the_selection_of_generated_segments_their_masks_and_metrics(tmp_path):
    """A selection of six within limits, in the order of their seeds."""
    output = tmp_path / "scène" / "made.mrb"
    limits = ("--sdr", "0.2,0.9", "--thickness-mm", "2,20")
    done = run("generate_to_scene", "-n", 6, "--seed", 3, "-o", output, *limits)
    assert done.returncode == 0, done.stderr
    stage = headless.new_stage()
    mrb.open_bundle(stage.scene, output)
    [made] = segment_sets.in_scene(stage.scene)
    segments = segment_sets.segment_set_from(made)
    assert len(segments) == 6
    assert (np.diff(segments.seed) > 0).all()
    assert segments.seed[0] >= 3
    metrics = segment_sets.nodes_of(made).metrics
    thickness = slicer.util.arrayFromTableColumn(metrics, "Thickness (mm)")
    assert (thickness >= 2).all()
    assert (thickness <= 20).all()
    assert f"{output}: 6 synthetic segments, with masks" in done.stdout


def test_a_python_package_that_is_missing_is_named(capsys):
    def work(_options):
        import skullgan_lacks_this  # noqa: F401

    assert scripts.exit_code(work, scripts.Parser(prog="script"), []) == 1
    assert "script: the Python package skullgan_lacks_this is not installed" in (
        capsys.readouterr().err
    )
