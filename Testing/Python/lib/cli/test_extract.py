"""The command extract: one CT or several, and where it cuts."""

import shutil

import numpy as np
from commands import SAMPLE, skullgan
from PIL import Image
from SkullGANLib import cli
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.cli.extract import add_where
from SkullGANLib.cli.options import Parser
from SkullGANLib.ct import volume
from SkullGANLib.data import hdf5
from SkullGANLib.extraction import single_ct


def test_extract_writes_the_segments_and_their_contact_sheet(extracted, sample_ct, sample_mask):
    found = hdf5.read(extracted / "segments.h5")
    expected = single_ct.extract(sample_ct, sample_mask, subject="A").segments
    assert np.array_equal(found.hu, expected.hu)
    assert found.source["kernel"] == "BONEPLUS"
    assert Image.open(extracted / "sheet.png").size[0] > 8 * 128


def test_several_cts_become_one_set_and_a_failure_is_said_and_stops_none(tmp_path, coarse_head):
    named = [tmp_path / f"{name}.nii.gz" for name in ("one", "two", "nowhere")]
    for number, path in enumerate(named[:2]):
        volume.write_volume(path, coarse_head.hu + np.int16(number), coarse_head.ijk_to_ras)
    arguments = (
        "extract", *named, "-o", tmp_path / "both.h5", "--jobs", 2, "--interval-mm", 9.3,
        "--bones", "parietal", "--planes", "coronal", *(3 * ("--subject", "A")),
    )  # fmt: skip
    done = skullgan(*arguments)
    assert done.returncode == 1
    no_file, table = [one for one in done.stderr.splitlines() if "WARNING" not in one]
    assert "WARNING" in done.stderr  # voxels of 2 mm
    assert "nowhere.nii.gz: there is no such file" in no_file
    assert f"1 of 3 CTs failed, {tmp_path / 'both.csv'} says why" in table
    found = hdf5.read(tmp_path / "both.h5")
    assert set(found.subject.tolist()) == {"A"}
    assert len(set(found.ct.tolist())) == 2
    assert set(found.bone.tolist()) == {"parietal"}
    assert set(found.plane.tolist()) == {"coronal"}
    shutil.copy(named[0], named[2])
    again = skullgan(*arguments)
    assert again.returncode == 0, again.stderr
    assert "the same voxels as" in again.stdout
    said = skullgan("info", tmp_path / "both.h5").stdout
    assert said.count("segments, dropped: ") == 2
    refused = skullgan(*arguments, "--skull-mask", "x.nrrd")
    assert "goes with one CT and without --jobs" in refused.stderr


def test_a_mask_of_ones_own_is_used(tmp_path, sample_ct, sample_mask, extracted):
    left_only = sample_mask.copy()
    left_only[:, :, : sample_mask.shape[2] // 2] = 0
    volume.write_volume(tmp_path / "mask.nrrd", left_only, sample_ct.ijk_to_ras)
    done = skullgan(
        "extract", SAMPLE, "--skull-mask", tmp_path / "mask.nrrd", "-o", tmp_path / "half.h5"
    )
    assert done.returncode == 0, done.stderr
    assert set(hdf5.read(tmp_path / "half.h5").side.tolist()) == {"left"}


def test_bones_and_planes_of_the_cut_plan_are_options_and_its_defaults_are_cut(monkeypatch):
    monkeypatch.setattr(cut_plan, "BONES", (*cut_plan.BONES, "ethmoid"))
    parser = Parser()
    add_where(parser)
    help_text = " ".join(parser.format_help().split())
    assert ",".join(cut_plan.BONES) in help_text.replace(" ", "")
    given = parser.parse_args([])
    assert (given.bones, given.planes) == (list(cut_plan.DEFAULT_BONES), list(cut_plan.PLANES))
    single_ct.check_settings(["ethmoid"], given.planes, given.interval_mm, 0.45)


def test_the_only_ct_of_a_batch_says_once_why_it_failed(tmp_path, capsys):
    arguments = ["extract", tmp_path / "nowhere.nrrd", "-o", tmp_path / "set.h5", "--jobs", 1]
    assert cli.main(list(map(str, arguments))) == 1
    [sentence] = capsys.readouterr().err.splitlines()
    assert "nowhere.nrrd: there is no such file" in sentence
    assert not (tmp_path / "set.h5").exists()


def test_a_depth_that_makes_no_sense_is_refused_before_the_ct_is_read(tmp_path, capsys):
    for depth, sentence in (
        (["--depth", "0"], "The depth is 0 slices, expected 2 to 64"),
        (["--depth", "1"], "The depth is 1 slices"),
        (["--depth", "900"], "The depth is 900 slices"),
        (["--depth", "8", "--depth-step-mm", "0"], "The depth's step is 0 mm"),
        (["--depth-step-mm", "0.9"], "--depth-step-mm was given without --depth"),
    ):
        assert cli.main(["extract", "nowhere.nrrd", "-o", str(tmp_path / "a.h5"), *depth]) == 1
        assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_batch_in_depth_goes_on_with_the_same_depth_alone(tmp_path, coarse_head, capsys):
    volume.write_volume(tmp_path / "one.nii.gz", coarse_head.hu, coarse_head.ijk_to_ras)
    command = ["extract", str(tmp_path / "one.nii.gz"), "-o", str(tmp_path / "set.h5")]
    where = ["--jobs", "1", "--interval-mm", "14", "--planes", "axial", "--bones", "parietal"]
    assert cli.main([*command, *where, "--depth", "3", "--depth-step-mm", "2"]) == 0
    assert "stacks of 3 slices 2 mm apart" in capsys.readouterr().out
    assert cli.main([*command, *where, "--depth", "4", "--depth-step-mm", "2"]) == 1
    assert "was begun with depth_slices 3, 4 was given now" in capsys.readouterr().err
    assert cli.main([*command, *where]) == 1
    assert "was begun with depth_slices 3, None was given now" in capsys.readouterr().err
