"""The command generate: every format, limits, and what an interruption leaves."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from checkout import ROOT
from commands import in_this_process, skullgan
from examples import conditioned_model
from SkullGANLib import cli
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.metrics import measure
from SkullGANLib.networks import dcgan, model_file
from SkullGANLib.plots import contact_sheet
from SkullGANLib.utils import atomic_files, resources


def test_generate_writes_as_many_segments_as_asked_and_each_follows_from_its_seed(tiny, tmp_path):
    for name, options in (("a", ("-n", 5, "--seed", 7)), ("b", ("-n", 2, "--seed", 9))):
        done = skullgan("generate", tiny, *options, "-o", tmp_path / f"{name}.h5")
        assert done.returncode == 0, done.stderr
    a, b = (hdf5.read(tmp_path / f"{name}.h5") for name in "ab")
    assert a.seed.tolist() == [7, 8, 9, 10, 11]
    assert a.kind == "synthetic"
    assert np.abs(a.hu[2:4].astype(int) - b.hu).mean() < 0.01


def test_generate_without_a_model_uses_the_bundled_one(tmp_path):
    assert in_this_process("generate", "-n", 2, "-o", tmp_path / "a.h5") == cli.DONE
    found = hdf5.read(tmp_path / "a.h5")
    assert len(found) == 2
    assert found.source["model_sha256"] == atomic_files.sha256(resources.bundled_model())


@pytest.mark.parametrize(
    ("output", "format", "others"),
    [
        ("g.h5", None, ["g.metrics.csv"]), ("g.nrrd", None, ["g-mask.seg.nrrd", "g.metrics.csv"]),
        ("g.nii.gz", None, ["g-mask.nii.gz", "g.metrics.csv"]), ("g.mat", None, ["g.metrics.csv"]),
        ("g.npy", None, ["g-mask.npy", "g.metrics.csv"]), ("g", "png", ["g.metrics.csv"]),
        ("g", "dicom", ["g-dicom-mask.seg.nrrd", "g.metrics.csv"]),
    ],
)  # fmt: skip
def test_generate_writes_every_format_with_what_belongs_to_it(
    tiny, tmp_path, capsys, output, format, others
):
    arguments = ("generate", tiny, "-n", 3, "--seed", 7, "-o", tmp_path / output)
    assert in_this_process(*arguments, *(("--format", format) if format else ())) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([output, *others])
    assert all(str(tmp_path / other) in capsys.readouterr().out for other in others[:1])
    lines = (tmp_path / "g.metrics.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == ["seed", "7", "8", "9"]


@pytest.mark.slow
def test_a_generation_that_was_killed_and_interrupted_is_resumed_to_the_same_bytes(tiny, tmp_path):
    options = (tiny, "-n", 120, "--batch-size", 8)
    process_of = [sys.executable, "-m", "SkullGANLib", "generate", *map(str, options)]
    path = tmp_path / "g.h5"
    for number, ending in ((signal.SIGKILL, -9), (signal.SIGINT, 2)):
        before = path.stat().st_mtime_ns if path.exists() else None
        process = subprocess.Popen(
            [*process_of, "-o", path, *(("--resume",) if before else ())],
            cwd=ROOT / "SkullGAN", stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            while process.poll() is None and not (
                path.exists() and path.stat().st_mtime_ns != before
            ):
                time.sleep(0.01)
            process.send_signal(number)
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
        assert process.returncode == ending, said
        assert (ending < 0) or "with --resume does the rest" in said
        held = hdf5.read(path).seed
        assert 0 < len(held) < 120
        assert held.tolist() == list(range(len(held)))
    assert in_this_process("generate", *options, "-o", path, "--resume") == 0
    assert in_this_process("generate", *options, "-o", tmp_path / "whole.h5") == 0
    assert path.read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert (tmp_path / "g.metrics.csv").read_bytes() == (
        tmp_path / "whole.metrics.csv"
    ).read_bytes()
    assert len(list(tmp_path.iterdir())) == 4


def test_other_formats_are_resumed_from_the_segments_collected_beside_them(
    tiny, tmp_path, monkeypatch, capsys
):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    command = ("generate", tiny, "-n", 6, "--batch-size", 2, "-o", tmp_path / "g.nrrd")
    with monkeypatch.context() as patch:
        patch.setattr("SkullGANLib.export.conversion.convert", interrupted)
        assert in_this_process(*command) == 2
    assert hdf5.count(tmp_path / "g.nrrd.partial.h5") == 6
    assert in_this_process(*command) == 1
    assert "was interrupted; --resume completes it" in capsys.readouterr().err
    assert in_this_process(*command, "--resume") == 0
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ["g-mask.seg.nrrd", "g.metrics.csv", "g.nrrd"]
    assert in_this_process(*command, "--resume") == 1
    assert "g.nrrd: is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (("--seed", 1), "begun with first_seed 0, 1 was given now"),
        (("-n", 3), "begun with segments 2, 3 was given now"),
        (("--batch-size", 5), "begun with batch_size 64, 5 was given now"),
        (("--precision", "bf16"), "begun with precision fp32, bf16 was given now"),
        (("--batch-statistics",), "begun with batch_statistics False, True was given now"),
        (("--overwrite",), "--resume and --overwrite were given"),
    ],
)
def test_a_generation_is_not_resumed_with_other_settings(tiny, tmp_path, capsys, changes, sentence):
    command = ("generate", tiny, "-n", 2, "-o", tmp_path / "g.h5", "--device", "cpu")
    assert in_this_process(*command) == 0
    before = (tmp_path / "g.h5").read_bytes()
    assert in_this_process(*command, "--resume", *changes) == 1
    assert sentence in capsys.readouterr().err
    assert (tmp_path / "g.h5").read_bytes() == before
    assert in_this_process(*command, "--resume") == 0


def test_a_generation_is_not_resumed_with_another_model_or_in_another_set(tiny, tmp_path, capsys):
    command = ("generate", tiny, "-n", 1, "-o", tmp_path / "g.h5")
    assert in_this_process(*command) == 0
    other = tmp_path / "other.safetensors"
    model_file.write(other, model_file.Model(dcgan.Generator(8, 16), dcgan.Discriminator(4)))
    assert in_this_process("generate", other, *command[2:], "--resume") == 1
    assert "begun with model_sha256" in capsys.readouterr().err
    pixels = np.ones((1, 128, 128))
    hdf5.write(tmp_path / "g.h5", segment_set.without_patient(pixels, pixels, [0]))
    assert in_this_process(*command, "--resume") == 1
    assert "begun with model_sha256 None" in capsys.readouterr().err


def test_the_set_says_how_it_was_made_and_bad_settings_leave_no_file(tiny, tmp_path, capsys):
    command = ("generate", tiny, "-n", 2, "-o", tmp_path / "g.h5", "--batch-statistics")
    command += ("--device", "cpu")
    for more, sentence in (
        (("--precision", "bf16"), "with batch statistics fp32 is expected"),
        (("--batch-size", 0), "The batch size is 0, expected 1"),
    ):
        assert in_this_process(*command, *more) == 1
        assert sentence in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []
    assert in_this_process(*command) == 0
    source = hdf5.read(tmp_path / "g.h5").source
    assert source["made_by"] == "SkullGAN"
    assert (source["precision"], source["batch_statistics"]) == ("fp32", True)
    assert (source["first_seed"], source["segments"], source["device"]) == (0, 2, "cpu")


def test_the_contact_sheet_shows_the_first_hundred_segments(tiny, tmp_path):
    command = ("generate", tiny, "-n", 101, "-o", tmp_path / "g.h5", "--no-metrics")
    assert in_this_process(*command, "--contact-sheet", tmp_path / "sheet.png") == 0
    first = hdf5.read(tmp_path / "g.h5", slice(100))
    contact_sheet.write_contact_sheet(tmp_path / "expected.png", first.hu)
    assert (tmp_path / "sheet.png").read_bytes() == (tmp_path / "expected.png").read_bytes()


def test_an_output_that_is_there_is_kept_unless_told_otherwise(tiny, tmp_path, capsys):
    for name in ("kept.h5", "kept.metrics.csv"):
        (tmp_path / name).write_text("precious")
        command = ("generate", tiny, "-n", 1, "-o", tmp_path / "kept.h5")
        assert in_this_process(*command) == 1
        assert f"{name}: is there already" in capsys.readouterr().err
        assert (tmp_path / name).read_text() == "precious"
        assert in_this_process(*command, "--overwrite") == 0
        assert hdf5.count(tmp_path / "kept.h5") == 1
        (tmp_path / "kept.h5").unlink()


def test_progress_can_be_read_by_a_program(tiny, tmp_path, capsys):
    assert in_this_process(
        "generate", tiny, "-n", 4, "--batch-size", 1, "-o", tmp_path / "g.h5",
        "--progress", "lines",
    ) == 0  # fmt: skip
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().err.splitlines()]
    shares = [float(share) for _, share, title in lines if title.startswith("Generating")]
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert lines[-1][1:] == ["1.0000", "Measuring 4/4"]


def test_a_selection_keeps_as_many_as_asked_and_resuming_asks_for_the_same(tiny, tmp_path, capsys):
    command = ("generate", tiny, "--batch-size", 8, "--device", "cpu")
    assert in_this_process(*command, "-n", 80, "-o", tmp_path / "all.h5") == 0
    whole = hdf5.read(tmp_path / "all.h5")
    thickness = measure(whole)["thickness_mm"]
    low = float(np.nanmedian(thickness))
    limited = (*command, "-n", 12, "--thickness-mm", f"{low},1000", "-o", tmp_path / "some.h5")
    capsys.readouterr()

    assert in_this_process(*limited) == 0

    kept = whole.seed[thickness >= low][:12]
    assert hdf5.read(tmp_path / "some.h5").seed.tolist() == kept.tolist()
    made = int(kept[-1]) + 1
    said = capsys.readouterr().out
    assert f"12 synthetic segments of {made} that were made, seeds 0 to {made - 1}" in said
    assert in_this_process(*limited, "--resume") == 0
    assert in_this_process(*limited, "--diverse", "--resume") == 1
    assert "was begun with diverse None" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (("--sdr", "1,0"), "The limits are '1,0', expected LOW,HIGH, such as 0.4,1."),
        (("--thickness-mm", "900,901", "--most", 64), "0 of 64 segments fit, 2 were to be kept"),
        (("--diverse", "--most", 1), "At most 1 segments are to be made, expected at least the 2"),
        (("--like", "gone.h5"), "gone.h5: there is no such file"),
        (("--diverse", "--like-ks", 2), "allowed is 2, expected 0.02 to 1"),
    ],
)
def test_a_selection_that_makes_no_sense_leaves_no_file(tiny, tmp_path, capsys, limits, sentence):
    assert in_this_process("generate", tiny, "-n", 2, "-o", tmp_path / "g.h5", *limits) == 1
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A model that is told bone, SDR and thickness."""
    path = tmp_path_factory.mktemp("told") / "model.safetensors"
    model_file.write(path, conditioned_model())
    return path


def test_single_values_are_conditions_and_ranges_limits(told, tmp_path, capsys):
    asked = ("--bone", "parietal", "--sdr", "0.35")
    command = ("generate", told, "-n", 4, "--device", "cpu", *asked)
    assert in_this_process(*command, "-o", tmp_path / "a.h5") == 0
    found = hdf5.read(tmp_path / "a.h5")
    assert found.source["asked"] == {"bone": "parietal", "sdr": 0.35}
    assert set(found.bone) == {"parietal"}
    both = (*command, "--thickness-mm", "0,1000", "-o", tmp_path / "b.h5")
    assert in_this_process(*both) == 0
    source = hdf5.read(tmp_path / "b.h5").source
    assert source["limits"] == {"thickness_mm": [0.0, 1000.0]}
    assert source["asked"] == {"bone": "parietal", "sdr": 0.35}
    assert in_this_process(*both, "--resume") == 0
    capsys.readouterr()
    other = ("generate", told, "-n", 4, "--device", "cpu", "--sdr", "0.4")
    assert in_this_process(*other, "-o", tmp_path / "a.h5", "--resume") == 1
    assert "was begun with asked {'bone': 'parietal', 'sdr': 0.35}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--sdr", "0.01"), "The SDR asked for is 0.01, expected 0.3 to 0.9"),
        (("--bone", "nasal"), "The bone is 'nasal', expected one that the model has learned"),
        (("--sdr", "much"), "'much' was asked for, expected VALUE or LOW,HIGH"),
        (("--sdr", "nan"), "'nan' was asked for, expected VALUE or LOW,HIGH"),
    ],
)
def test_conditions_that_were_not_learned_leave_no_file(told, tmp_path, capsys, asked, sentence):
    assert in_this_process("generate", told, "-n", 2, "-o", tmp_path / "g.h5", *asked) == 1
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_older_model_refuses_conditions_and_says_what_selects(tiny, tmp_path, capsys):
    command = ("generate", tiny, "-n", 2, "-o", tmp_path / "g.h5")
    assert in_this_process(*command, "--sdr", "0.35") == 1
    said = capsys.readouterr().err
    assert "it was made without conditions; use --sdr LOW,HIGH to select." in said
    assert not list(tmp_path.iterdir())
