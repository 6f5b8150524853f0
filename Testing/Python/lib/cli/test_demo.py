"""The demo: the whole road, with a training cut short."""

import json
import subprocess
import sys

import numpy as np
import pytest
from checkout import ROOT
from examples import bent_walls
from PIL import Image
from SkullGANLib.cli.demo import between
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.training.presets import named
from SkullGANLib.training.run_directory import Run, Status
from web_page import WebPage

SHORT = ("--set", "epochs=1", "--set", "samples_per_epoch=16", "-n", "8")


def run_demo(folder) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "SkullGANLib", "demo", "-o", folder, *SHORT],
        cwd=ROOT / "SkullGAN",
        capture_output=True,
        text=True,
    )


def cut_at(planes: list[tuple[str, float]]) -> SegmentSet:
    """A segment in each plane of the name, so many millimeters from the origin."""
    matrices = np.tile(np.eye(4), (len(planes), 1, 1))
    axes = {"axial": ((1, 0, 0), (0, 1, 0), 2), "coronal": ((1, 0, 0), (0, 0, 1), 1)}
    for matrix, (name, at) in zip(matrices, planes, strict=True):
        column, row, across = axes[name]
        matrix[:3, 0], matrix[:3, 1] = np.multiply(column, 0.45), np.multiply(row, 0.45)
        matrix[:3, 3] = 7, -3, 5
        matrix[across, 3] = at
    names = np.array([name for name, _ in planes])
    return bent_walls(len(planes), 0, pixel_to_ras=matrices, plane=names)


def test_held_out_segments_lie_in_planes_between_those_at_hand():
    coarse = [("axial", 0.0), ("axial", 3.0), ("coronal", 1.5)]
    finer = [("axial", 0.0), ("axial", 1.5), ("axial", 3.0), ("coronal", 0.0), ("coronal", 1.5)]

    found = between(cut_at(finer), cut_at(coarse))

    assert found.plane.tolist() == ["axial", "coronal"]
    assert found.pixel_to_ras[0, 2, 3] == 1.5
    assert found.pixel_to_ras[1, 1, 3] == 0.0
    assert "between" in found.source["split"]


def test_all_is_held_out_where_nothing_is_at_hand():
    segments = cut_at([("axial", 0.0), ("axial", 1.5)])

    assert len(between(segments, segments[:0])) == 2


@pytest.mark.slow
def test_the_demo_walks_the_whole_road_where_an_earlier_one_was_walked(tmp_path):
    folder = tmp_path / "デモ with spaces"
    Run.create(folder / "run", named("demo")).write_status(Status("failed", pid=1))
    (folder / "run" / "checkpoints").mkdir(exist_ok=True)
    (folder / "run" / "checkpoints" / "3.safetensors").write_bytes(b"not one of ours")
    (folder / "report").mkdir()
    (folder / "report" / "report.json").write_text('{"earlier": 1}')
    for name in ("segments.h5", "synthetic.h5", "scene.mrb"):
        (folder / name).write_text("earlier")
    done = run_demo(folder)
    assert done.returncode == 0, done.stderr
    for name in ("segments.h5", "held_out.h5", "model.safetensors", "synthetic.h5"):
        assert (folder / name).stat().st_size > 10_000
    for name in ("synthetic.h5", "bundled.h5"):
        assert len(hdf5.read(folder / name)) == 8
    assert json.loads((folder / "run" / "status.json").read_text())["state"] == "finished"
    page = WebPage((folder / "report" / "report.html").read_text("utf-8")).text
    assert "How the network was trained State: finished" in page
    assert "TRAINING AND TEST SHARE 1 SUBJECT" in page
    assert "split: planes between those of the training segments, in the same head" in page
    assert hdf5.count(folder / "run" / "test.h5") == hdf5.count(folder / "held_out.h5")
    assert (folder / "scene.mrb").stat().st_size > 1_000_000, done.stdout
    if (folder / "scene.png").exists():  # needs a library that renders without a screen
        assert min(Image.open(folder / "scene.png").size) >= 400
    else:
        assert "apt-get install" in done.stdout


def test_the_demo_does_not_remove_a_folder_that_is_no_run(tmp_path):
    precious = tmp_path / "run" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    done = run_demo(tmp_path)
    assert done.returncode == 1
    assert "is in the way" in done.stderr
    assert precious.read_text() == "years of work"
