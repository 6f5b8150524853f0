"""The headless script: CT and segment set in, MRB and picture out, run as a user runs it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import slicer.util
from checkout import ROOT
from SkullGANLib.ct import volume
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.metrics import measure
from SkullGANScene.nodes import mrb, segmentations, volumes
from SkullGANScene.offscreen import headless, rendering
from SkullGANScene.scripting import scripts

SCRIPT = ROOT / "SkullGAN" / "Scripts" / "build_scene.py"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, sphere_head, sphere_mask):
    """A folder with head.nrrd, mask.nrrd and synthetic.h5."""
    folder = tmp_path_factory.mktemp("Eingabe mit Leerzeichen")
    volume.write_volume(folder / "head.nrrd", sphere_head.hu, sphere_head.ijk_to_ras)
    volume.write_volume(folder / "mask.nrrd", sphere_mask, sphere_head.ijk_to_ras)
    hdf5.write(folder / "synthetic.h5", _segments())
    return folder


@pytest.fixture(scope="module")
def opened(inputs):
    """The scene that the script makes from the inputs, opened again, and the script's run."""
    done = _run(
        "--ct", inputs / "head.nrrd", "--synthetic", inputs / "synthetic.h5",
        "-o", inputs / "scene.mrb", "--picture", inputs / "scene.png", "--keep-names",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stage = headless.new_stage()
    mrb.open_bundle(stage.scene, inputs / "scene.mrb")
    return stage.scene, done


def test_the_scene_holds_the_ct_and_the_skull_found_in_it(opened, sphere_head, sphere_mask):
    scene, _ = opened
    ct_node = scene.GetFirstNodeByName("head")
    assert np.array_equal(volumes.ct_from(ct_node).hu, sphere_head.hu)
    mask = segmentations.mask_from(scene.GetFirstNodeByName("head skull"), ct_node)
    assert np.array_equal(mask, sphere_mask)


def test_the_scene_holds_the_segments_and_what_was_measured_on_them(opened):
    scene, _ = opened
    node = scene.GetFirstNodeByName("Synthetic skull segments")
    assert np.array_equal(slicer.util.arrayFromVolume(node), _segments().hu)
    table = scene.GetFirstNodeByName("Synthetic skull segments metrics")
    thickness = slicer.util.arrayFromTableColumn(table, "Thickness (mm)")
    assert np.allclose(thickness, measure(_segments())["thickness_mm"])


@pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)
def test_the_picture_is_made_and_both_files_are_announced(opened, inputs):
    _, done = opened
    assert (inputs / "scene.png").stat().st_size > 10_000
    assert "scene.mrb" in done.stdout
    assert "scene.png" in done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the system draws")
def test_without_a_graphics_library_the_scene_is_made_and_the_package_is_named(inputs, tmp_path):
    done = _run(
        "--", "--ct", inputs / "head.nrrd", "--skull-mask", inputs / "mask.nrrd",
        "--synthetic", inputs / "synthetic.h5",
        "-o", tmp_path / "scene.mrb", "--picture", tmp_path / "scene.png",
        VTK_DEFAULT_OPENGL_WINDOW="vtkXOpenGLRenderWindow", DISPLAY="",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["scene.mrb"]
    assert "libegl1" in done.stderr


def test_a_mask_beside_the_ct_is_refused(inputs, tmp_path, sphere_head, sphere_mask, capsys):
    moved = sphere_head.ijk_to_ras.copy()
    moved[0, 3] += 2.0
    volume.write_volume(tmp_path / "moved.nrrd", sphere_mask, moved)
    code = _called(
        "--ct", inputs / "head.nrrd", "--synthetic", inputs / "synthetic.h5",
        "--skull-mask", tmp_path / "moved.nrrd", "-o", tmp_path / "scene.mrb",
    )  # fmt: skip
    assert code == 1
    assert "moved.nrrd: the mask lies 2.00 mm beside the CT" in capsys.readouterr().err
    assert not (tmp_path / "scene.mrb").exists()


@pytest.mark.parametrize("missing", ["--ct", "--synthetic"])
def test_a_missing_input_ends_in_one_sentence_that_names_it(inputs, tmp_path, missing, capsys):
    given = {"--ct": inputs / "head.nrrd", "--synthetic": inputs / "synthetic.h5"}
    given[missing] = tmp_path / "nothing here"
    code = _called(*(part for pair in given.items() for part in pair), "-o", tmp_path / "scene.mrb")
    [said] = capsys.readouterr().err.splitlines()
    assert code == 1
    assert "nothing here" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("head.nrrd", "expected a name that ends in .mrb"), ("there.mrb", "is there already")],
)
def test_a_file_that_is_no_scene_or_is_there_is_kept(inputs, tmp_path, name, sentence, capsys):
    (tmp_path / name).write_text("precious")
    given = ("--ct", inputs / "head.nrrd", "--synthetic", inputs / "synthetic.h5")
    assert _called(*given, "-o", tmp_path / name) == 1
    assert sentence in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "precious"


def test_a_wrong_command_line_ends_in_one_sentence():
    done = _run("--ct", "head.nrrd")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "--synthetic" in done.stderr


def _called(*arguments: object) -> int:
    """The exit code of the script's command line, in this process."""
    spec = importlib.util.spec_from_file_location("build_scene", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return scripts.exit_code(module.work, module._parser(), list(map(str, arguments)))


def _run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script from another folder, without the package on the path."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env={**inherited, **environment},
        cwd=SCRIPT.anchor,
        capture_output=True,
        text=True,
        check=False,
    )


def _segments() -> segment_set.SegmentSet:
    """Walls of 8, 9 and 10 pixels: two tables of 1500 HU around a diploë of 700 HU."""
    mask = np.zeros((3, 128, 128), np.uint8)
    hu = np.zeros((3, 128, 128), np.int16)
    for k in range(3):
        mask[k, 40 : 48 + k] = 1
        hu[k, 40 : 48 + k] = 1500
        hu[k, 43:45] = 700
    return segment_set.without_patient(hu, mask, np.arange(3))
