"""The headless script map_scene.py, run as a user runs it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from checkout import ROOT
from PIL import Image
from SkullGANLib.ct import volume
from SkullGANScene.nodes import map_surface, mrb, volumes
from SkullGANScene.offscreen import headless, rendering
from SkullGANScene.scripting import scripts

SCRIPT = ROOT / "SkullGAN" / "Scripts" / "map_scene.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory, coarse_head):
    """A folder with two CTs, one of which shows no vault, mapped together."""
    folder = tmp_path_factory.mktemp("Köpfe mit Leerzeichen")
    cts = folder / "cts"
    cts.mkdir()
    volume.write_volume(
        cts / "ball.nrrd", coarse_head.hu, coarse_head.ijk_to_ras, {"kernel": "BONE"}
    )
    empty = np.full((20, 20, 20), -1000, np.int16)
    empty[5:9, 5:9, 5:9] = 1500
    volume.write_volume(cts / "empty.nrrd", empty, np.eye(4))
    done = run(
        "--ct", cts, "-o", folder / "map.mrb", "--picture", folder / "map.png",
        "--summary", folder / "sum.csv", "--rays", folder / "rays.csv", "--scalar", "sdr_peaks",
        "--keep-names",
    )  # fmt: skip
    return folder, done


@pytest.fixture
def script(monkeypatch):
    """The script as a module, on a scene of its own."""
    spec = importlib.util.spec_from_file_location("map_scene", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["map_scene"] = module  # where its dataclass looks
    spec.loader.exec_module(module)
    stage = headless.new_stage()
    monkeypatch.setattr(headless, "application_scene", lambda: stage.scene)
    yield module
    del sys.modules["map_scene"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env=inherited,
        cwd=SCRIPT.anchor,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_ct_without_a_vault_is_named_and_does_not_stop_the_other(made):
    _, done = made
    assert done.returncode == 1
    assert "empty: The CT shows no cranial vault" in done.stderr
    assert "1 of 2 volumes could not be mapped" in done.stderr
    assert "1 CT with their maps" in done.stdout


def test_the_scene_holds_surface_overlay_and_tables(made):
    folder, _ = made
    stage = headless.new_stage()
    mrb.open_bundle(stage.scene, folder / "map.mrb")
    [surface] = map_surface.surfaces_in(stage.scene)
    assert surface.GetDisplayNode().GetActiveScalarName() == "sdr_peaks"
    assert map_surface.map_from(surface).source["kernel"] == "BONE"
    assert [node.GetName() for node in volumes.cts_in(stage.scene)] == ["ball", "empty"]
    for name in ("ball wall map", "ball map summary", "ball array rays"):
        assert stage.scene.GetFirstNodeByName(name) is not None


def test_tables_are_named_after_their_ct_where_there_are_several(made):
    folder, done = made
    assert len((folder / "rays-ball.csv").read_text().splitlines()) == 1025
    assert (folder / "sum-ball.csv").read_text().startswith("bone,side,metric")
    assert "1024 elements to" in done.stdout


@pytest.mark.skipif(rendering.rendering_library() is None, reason=rendering.NEEDED)
def test_the_picture_shows_five_sides_in_our_colors_and_a_slice(made):
    folder, _ = made
    pixels = np.asarray(Image.open(folder / "map-ball.png")).astype(int)
    assert pixels.shape == (960, 1440, 3)
    tiles = [pixels[r : r + 480, c : c + 480] for r in (0, 480) for c in (0, 480, 960)]
    for tile in tiles[:5]:
        middle, corner = tile[240, 240], tile[5, 5]
        assert corner[2] > corner[0]  # the bluish background of Slicer's 3D views
        assert np.abs(middle - corner).max() > 40
    assert (tiles[5][5, 5] == 0).all()  # beside the head a slice is black


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--ct", "{here}/nothing.mrb"), "nothing.mrb: there is no such file"),
        (
            ("--ct", "{here}/cts", "-o", "{here}/map.png"),
            "map.png: expected a name that ends in .mrb",
        ),
        (("--ct", "{here}/cts", "-o", "{here}/map.mrb"), "map.mrb: is there already"),
        (("--ct", "{here}/cts/ball.nrrd", "--target=0,0,500"), "outside the intracranial space"),
        (("--ct", "{here}/cts", "--target=0,0,0"), "--target goes with one CT"),
        ((), "--ct"),
    ],
)
def test_wrong_input_ends_in_one_sentence_and_writes_nothing(
    made, tmp_path, capsys, script, arguments, sentence
):
    given = [one.format(here=made[0]) for one in arguments]
    code = scripts.exit_code(
        script.work, script._parser(), ["--", "-o", str(tmp_path / "map.mrb"), *given]
    )
    printed = capsys.readouterr().err
    assert code == 1
    assert sentence in printed
    assert len(printed.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_scene_with_maps_is_mapped_anew(made, tmp_path, script):
    folder, _ = made
    options = script._parser().parse_args(["--ct", str(folder / "map.mrb"), "-o", "x.mrb"])
    stage = headless.new_stage()
    found = script.cts(stage.scene, options.ct)
    assert [node.GetName() for node in found] == ["ball", "empty"]
    again = script.map_ct(found[0], options)
    assert again.found.calvaria.source["kernel"] == "BONE"
    assert len(map_surface.surfaces_in(stage.scene)) == 2
