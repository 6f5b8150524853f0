"""The command skull: the wall as a mask on the grid of the CT, with the head's frame."""

import json

import numpy as np
from commands import SAMPLE
from SkullGANLib import cli
from SkullGANLib.anatomy.head_frame import HeadFrame
from SkullGANLib.ct.volume import read_mask, write_volume


def skull(*arguments: object) -> int:
    return cli.main(["skull", *map(str, arguments), "--progress", "none"])


def test_the_mask_and_the_frame_are_those_of_the_library(tmp_path, capsys, sample_ct, sample_mask):
    path = tmp_path / "skull.nrrd"
    assert skull(SAMPLE, "-o", path, "--frame", tmp_path / "frame.json", "--raw") == 0
    assert np.array_equal(read_mask(path, sample_ct), sample_mask)
    frame, beside = HeadFrame.read(tmp_path / "frame.json")
    assert frame.superior @ [0, 0, 1] > 0.8
    assert f"bone from {beside['threshold_hu']:.0f} HU" in capsys.readouterr().out
    assert json.loads((tmp_path / "frame.json").read_text())["half_length_mm"] > 50


def test_a_ct_without_a_skull_is_refused_by_its_name(tmp_path, capsys):
    soft = np.full((20, 20, 20), -1000, np.int16)
    soft[0, 0, 0] = 1000
    write_volume(tmp_path / "soft.nrrd", soft, np.eye(4))
    assert skull(tmp_path / "soft.nrrd", "-o", tmp_path / "skull.nrrd") == 1
    assert "soft.nrrd: The CT shows no cranial vault" in capsys.readouterr().err
    assert not (tmp_path / "skull.nrrd").exists()
