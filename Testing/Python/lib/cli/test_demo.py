"""The demo: the whole road, with a training cut short."""

import json
import subprocess
import sys

import pytest
from checkout import ROOT
from PIL import Image
from SkullGANLib.data import hdf5

SHORT = ("--set", "epochs=1", "--set", "samples_per_epoch=16", "-n", "8")


def run_demo(folder) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "SkullGANLib", "demo", "-o", folder, *SHORT],
        cwd=ROOT / "SkullGAN",
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_the_demo_walks_the_whole_road_and_can_be_walked_again(tmp_path):
    folder = tmp_path / "デモ with spaces"
    for _ in range(2):
        done = run_demo(folder)
        assert done.returncode == 0, done.stderr
    for name in ("segments.h5", "model.safetensors", "synthetic.h5", "report/report.html"):
        assert (folder / name).stat().st_size > 10_000
    for name in ("synthetic.h5", "box.h5"):
        assert len(hdf5.read(folder / name)) == 8
    assert json.loads((folder / "run" / "status.json").read_text())["state"] == "finished"
    assert 'src="data:image/png' in (folder / "report" / "report.html").read_text()
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
