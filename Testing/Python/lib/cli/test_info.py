"""What ``skullgan info`` says of each kind of file, and of what is none of ours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from checkout import ROOT
from examples import TINY, bent_walls, narrow_model
from SkullGANLib import cli
from SkullGANLib.cli import info
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks import model_file
from SkullGANLib.training.run_directory import Run, Status


def entries(path) -> dict[str, str]:
    """What is said, by its name."""
    lines = info.describe(path).splitlines()
    begin = len(lines[0]) - len(lines[0].partition("  ")[2].lstrip())
    return {line[:begin].strip(): line[begin:] for line in lines}


def test_a_segment_set_is_told_by_kind_place_and_metrics(tmp_path):
    bones = np.array(["temporal", "parietal"] * 3)
    hdf5.write(tmp_path / "set.h5", bent_walls(6, 0, bone=bones, source={"kernel": "BONE"}))

    found = entries(tmp_path / "set.h5")

    assert found["segment set"] == "6 segments, real"
    assert found["subjects"] == "3 (0-0, 0-1, 0-2)"
    assert "parietal unknown 3, temporal unknown 3" in found["cuts"]
    assert "mm, median" in found["thickness"]
    assert found["kernel"] == "BONE"
    assert found["caution"] == "nothing known"


def test_a_set_without_diploe_is_warned_of(tmp_path):
    walls = bent_walls(6, 0)
    solid = replace(walls, hu=np.where(walls.mask > 0, 1500, 0).astype(np.int16))
    hdf5.write(tmp_path / "solid.h5", solid)

    assert "Hardly any diploë in 0-0" in entries(tmp_path / "solid.h5")["caution"]


def test_an_empty_set_is_told_as_such(tmp_path):
    hdf5.write(tmp_path / "empty.h5", bent_walls(2, 0)[:0])

    found = entries(tmp_path / "empty.h5")

    assert found["segment set"] == "0 segments, real"
    assert found["subjects"] == "none"


def test_a_model_is_told_by_its_size_and_recipe(tmp_path):
    model_file.write(tmp_path / "model.safetensors", narrow_model())

    found = entries(tmp_path / "model.safetensors")

    assert found["model"].startswith("generator of ")
    assert found["license"] == "not stated"


def test_a_run_is_told_by_how_far_it_got(tmp_path):
    run = Run.create(tmp_path / "run", replace(TINY, epochs=5))
    run.add_event({"time": 0.0, "iteration": 3, "generator_loss": 1.5})
    run.write_status(
        Status("finished", pid=1, progress=1.0, iteration=6, iterations=6, message="Trained.")
    )

    found = entries(tmp_path / "run")

    assert found["run"].startswith("recipe demo, with ")
    assert "epochs 5" in found["run"]
    assert found["state"] == "finished, 100%: Trained."
    assert found["iterations"] == "6 of 6"
    assert found["last report"] == "iteration 3, generator_loss 1.5"
    assert found["result"] == "none yet"


def test_a_head_ct_is_told_by_its_voxels(tmp_path):
    hu = np.zeros((20, 30, 40), np.int16)
    hu[:, :15], hu[:, 20:25] = -1000, 1200
    volume.write_volume(tmp_path / "head.nrrd", hu, np.diag([0.5, 0.5, 1.0, 1.0]))

    assert isinstance(volume.read_ct(tmp_path / "head.nrrd"), HeadCT)
    found = entries(tmp_path / "head.nrrd")

    assert found["head CT"] == "40 x 30 x 20 voxels of 0.5 x 0.5 x 1 mm"
    assert found["HU"] == "-1000 to 1200"


def test_several_files_are_told_apart_by_their_names(tmp_path, capsys):
    paths = [tmp_path / "one.h5", tmp_path / "two.h5"]
    for path in paths:
        hdf5.write(path, bent_walls(2, 0))

    assert cli.main(["info", *map(str, paths)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith(str(tmp_path))] == [*map(str, paths)]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("nothing", "there is no such file, expected a segment set"), ("README.md", "cannot be read")],
)
def test_what_is_none_of_ours_is_refused_with_what_was_expected(name, sentence):
    with pytest.raises(BadInputError, match=sentence) as error:
        info.describe(ROOT / name)

    assert "a model (.safetensors), a map (.vtp)" in str(error.value)


def test_the_numbers_of_a_map_are_told(tmp_path):
    found = entries(ROOT / "Testing" / "Python" / "older_files" / "map.json")
    assert found["numbers of a map"] == "1024 elements of an array"
    assert "sdr_peaks" in found
    assert found["head frame"] == "not known"
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(BadInputError, match="cannot be read as the numbers of a map"):
        info.describe(tmp_path / "other.json")


def test_a_set_tells_where_its_head_frame_is_from_and_how_sure_it_is(tmp_path):
    frame = {"from": "vault", "certainty": 0.9}
    walls = replace(bent_walls(3, 0), source={"cts": {"one": {"frame": frame, "dropped": {}}}})
    hdf5.write(tmp_path / "set.h5", walls)
    assert entries(tmp_path / "set.h5")["head frame"] == "from vault, certainty 0.90"


def test_a_set_tells_where_the_parietal_bone_begins_and_whether_the_heights_agree(tmp_path):
    border = {
        **{"left": -12.4, "right": None, "expected": -7.2},
        "agrees": {"left": False, "right": None},
    }
    cts = {"one": {"squamosal_border_mm": border, "dropped": {}}}
    hdf5.write(tmp_path / "set.h5", replace(bent_walls(3, 0), source={"cts": cts}))
    assert entries(tmp_path / "set.h5")["squama's border"] == (
        "left -12.4 mm (does not agree), right not seen; bones are by height, -7.2 mm"
    )


def test_what_this_machine_is_is_told_without_a_file(capsys):
    assert cli.main(["info", "--system"]) == 0
    said = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert said["Python"].startswith("3.")
    assert said["h5py"] != "not installed"
    assert "free" in said["Device cpu"]


def test_neither_a_file_nor_the_machine_is_refused(capsys):
    assert cli.main(["info"]) == 1
    assert "found no file" in capsys.readouterr().err
