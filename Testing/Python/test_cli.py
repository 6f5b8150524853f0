"""The command skullgan, run as users run it: in a process of its own, on real files."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from SkullGANLib import segments, segmentset, volume

SAMPLE = ROOT / "Resources" / "SampleData" / "SampleHeadCT.nrrd"
SHORT = ("--set", "epochs=1", "--set", "epoch_segments=16", "--set", "generator_width=16",
         "--set", "discriminator_width=4")  # fmt: skip


def skullgan(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal; a traceback on its standard error is always a failure."""
    done = subprocess.run(
        [sys.executable, "-m", "SkullGANLib", *map(str, arguments)],
        cwd=ROOT / "SkullGAN",
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """The folder of one extraction of the sample head, with its contact sheet."""
    folder = tmp_path_factory.mktemp("extracted")
    done = skullgan(
        "extract", SAMPLE, "-o", folder / "segments.h5", "--contact-sheet", folder / "sheet.png",
        "--subject", "A",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def trained(extracted, tmp_path_factory):
    """A run directory of a training of two iterations."""
    run = tmp_path_factory.mktemp("trained") / "run"
    done = skullgan(
        "train", extracted / "segments.h5", "-o", run, "--recipe", "demo", *SHORT, "--device", "cpu"
    )
    assert done.returncode == 0, done.stderr
    return run


def test_extract_writes_the_segments_and_their_contact_sheet(extracted, sample_ct, sample_mask):
    found = segmentset.read(extracted / "segments.h5")
    expected = segments.extract(sample_ct, sample_mask, subject="A").segments
    assert np.array_equal(found.hu, expected.hu)
    assert found.source["kernel"] == "BONEPLUS"
    assert Image.open(extracted / "sheet.png").size[0] > 8 * 128


def test_several_cts_become_one_set_with_their_subjects(tmp_path, sample_ct):
    for name in ("one", "two"):
        volume.write_volume(tmp_path / f"{name}.nii.gz", sample_ct.hu, sample_ct.ijk_to_ras)
    done = skullgan(
        "extract", tmp_path / "one.nii.gz", tmp_path / "two.nii.gz", "-o", tmp_path / "both.h5",
        "--bones", "temporal", "--subject", "A", "--subject", "B",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = segmentset.read(tmp_path / "both.h5")
    assert (found.subject == "A").sum() == (found.subject == "B").sum() == len(found) / 2
    assert set(found.bone.tolist()) == {"temporal"}


def test_a_mask_of_ones_own_is_used(tmp_path, sample_ct, sample_mask, extracted):
    left_only = sample_mask.copy()
    left_only[:, :, : sample_mask.shape[2] // 2] = 0
    volume.write_volume(tmp_path / "mask.nrrd", left_only, sample_ct.ijk_to_ras)
    done = skullgan(
        "extract", SAMPLE, "--skull-mask", tmp_path / "mask.nrrd", "-o", tmp_path / "half.h5"
    )
    assert done.returncode == 0, done.stderr
    assert set(segmentset.read(tmp_path / "half.h5").side.tolist()) == {"left"}


def test_train_leaves_a_finished_run_with_a_model(trained):
    status = json.loads((trained / "status.json").read_text())
    assert status["state"] == "finished"
    assert (trained / "model.safetensors").is_file()
    assert list((trained / "samples").glob("*.png"))


def test_generate_writes_as_many_segments_as_asked_and_each_follows_from_its_seed(
    trained, tmp_path
):
    model = trained / "model.safetensors"
    for name, options in (("a", ("-n", 5, "--seed", 7)), ("b", ("-n", 2, "--seed", 9))):
        done = skullgan("generate", model, *options, "-o", tmp_path / f"{name}.h5")
        assert done.returncode == 0, done.stderr
    a, b = (segmentset.read(tmp_path / f"{name}.h5") for name in "ab")
    assert a.seed.tolist() == [7, 8, 9, 10, 11]
    assert a.kind == "synthetic"
    assert np.abs(a.hu[2:4].astype(int) - b.hu).mean() < 0.01


def test_info_says_what_each_file_is(extracted, trained):
    done = skullgan("info", extracted / "segments.h5", trained, trained / "model.safetensors")
    assert done.returncode == 0, done.stderr
    for part in ("segments, real", "subjects", "SDR (peaks)", "finished, 100%", "parameters"):
        assert part in done.stdout


def test_progress_can_be_read_by_a_program(trained, tmp_path):
    done = skullgan(
        "generate", trained / "model.safetensors", "-n", 4, "--batch-size", 1,
        "-o", tmp_path / "g.h5", "--progress", "lines",
    )  # fmt: skip
    shares = [float(line.split()[1]) for line in done.stderr.splitlines()]
    assert shares == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("command", ["extract", "train", "generate", "info", "demo"])
def test_every_command_has_a_help_with_an_example(command):
    done = skullgan(command, "--help")
    assert done.returncode == 0
    assert f"Example: skullgan {command}" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("extract", "nowhere.nrrd", "-o", "{out}/a.h5"), "nowhere.nrrd: there is no such file"),
        (("extract", SAMPLE, "-o", "{out}/a.xyz"), "a name that ends in .h5 is needed"),
        (("extract", SAMPLE, "-o", "{out}/a.h5", "--bones", "nasal"), "'nasal' is not known"),
        (("extract", SAMPLE, "-o", "{out}/a.h5", "--interval-mm", "x"), "--interval-mm"),
        (("extract", SAMPLE, "-o", "{out}/a.h5", *(2 * ("--subject", "A"))), "once for each"),
        (("train", "nowhere.h5", "-o", "{out}/run"), "nowhere.h5: there is no such file"),
        (("train", "x.h5", "-o", "{out}/run", "--recipe", "dem"), "the nearest is 'demo'"),
        (("train", "x.h5", "-o", "{out}/run", "--set", "epochs"), "KEY=VALUE is needed"),
        (("train", "x.h5", "-o", "{out}/run", "--set", "epoch=3"), "the nearest is 'epochs'"),
        (("generate", "no.safetensors", "-o", "{out}/a.h5"), "no.safetensors: there is no such"),
        (("generate", "no.safetensors", "-n", 0, "-o", "{out}/a.h5"), "at least 1 segment"),
        (("info", "nothing"), "nothing: there is no such file"),
        (("info", ROOT / "README.md"), "README.md: cannot be read"),
        ((), "COMMAND"),
    ],
)
def test_bad_input_ends_with_one_sentence_exit_code_1_and_no_file(tmp_path, arguments, sentence):
    given = [str(one).replace("{out}", str(tmp_path)) for one in arguments]
    done = skullgan(*given)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_there_is_kept_unless_told_otherwise(trained, tmp_path):
    (tmp_path / "kept.h5").write_text("precious")
    arguments = ("generate", trained / "model.safetensors", "-n", 1, "-o", tmp_path / "kept.h5")
    refused = skullgan(*arguments)
    assert refused.returncode == 1
    assert "is there already" in refused.stderr
    assert (tmp_path / "kept.h5").read_text() == "precious"
    assert skullgan(*arguments, "--overwrite").returncode == 0
    assert len(segmentset.read(tmp_path / "kept.h5")) == 1


def ask_by_file(process, run):
    (run / "stop").touch()


def ask_by_sigterm(process, run):
    process.terminate()


def ask_by_ctrl_c(process, run):
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("ask", [ask_by_file, ask_by_sigterm, ask_by_ctrl_c])
def test_a_training_that_is_asked_to_stop_saves_and_ends_with_exit_code_2(extracted, tmp_path, ask):
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "SkullGANLib", "train", extracted / "segments.h5", "-o", run,
         "--recipe", "demo", "--set", "epochs=10000", *SHORT[2:], "--device", "cpu"],
        cwd=ROOT / "SkullGAN", stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while process.poll() is None and not (run / "events.jsonl").exists():
            time.sleep(0.1)
        ask(process, run)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 2, said
    assert "stopped on request" in said
    assert json.loads((run / "status.json").read_text())["state"] == "cancelled"
    assert list((run / "checkpoints").iterdir())
