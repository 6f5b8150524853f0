"""``skullgan train``: run directories, held-out parts, resuming, stopping, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from checkout import ROOT
from commands import SHORT, in_this_process
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.networks import model_file
from SkullGANLib.training.run_directory import Run


def test_train_leaves_a_finished_run_with_a_model(trained):
    status = json.loads((trained / "status.json").read_text())
    assert status["state"] == "finished"
    assert (trained / "model.safetensors").is_file()
    assert list((trained / "samples").glob("*.png"))


@pytest.fixture(scope="module")
def subjects(extracted):
    """The sample's segments as if every third were of another subject."""
    found = hdf5.read(extracted / "segments.h5")
    path = extracted / "subjects.h5"
    whose = np.array(["A", "B", "C"])[np.arange(len(found)) % 3]
    hdf5.write(path, replace(found, subject=whose))
    return path


def test_train_holds_a_subject_out_and_leaves_both_parts_for_the_evaluation(
    subjects, tmp_path, capsys
):
    run = tmp_path / "run"
    assert in_this_process("train", subjects, "-o", run, "--recipe", "demo", *SHORT) == 0
    parts = [hdf5.read(run / f"{name}.h5") for name in ("training", "test")]
    training, test = (set(part.subject.tolist()) for part in parts)
    assert (len(training), len(test), len(training & test)) == (2, 1, 0)
    assert training | test == {"A", "B", "C"}
    learned, held_out = map(len, parts)
    printed = capsys.readouterr().out
    assert (
        f"{learned} segments of 2 subjects. Held out: {held_out} segments of 1 subject," in printed
    )
    trained_on = model_file.read(run / "model.safetensors").trained_on
    assert (trained_on["segments"], trained_on["subjects"]) == (learned, 2)
    assert trained_on["source"]["split"] == {
        "by": "subjects", "seed": 0, "training_segments": learned, "training_subjects": 2,
        "test_segments": held_out, "test_subjects": 1,
    }  # fmt: skip


def test_a_run_where_another_process_trains_is_left_alone(trained, extracted, capsys):
    command = ("train", extracted / "segments.h5", "-o", trained, "--recipe", "demo", *SHORT,
               "--device", "cpu")  # fmt: skip
    with Run.open(trained).held():
        Run.open(trained).request_stop()
        status = (trained / "status.json").read_text()
        assert in_this_process(*command, "--resume") == 1
        assert f"process {json.loads(status)['pid']} trains there now" in capsys.readouterr().err
        assert Run.open(trained).stop_requested()
        assert (trained / "status.json").read_text() == status
    assert in_this_process(*command, "--resume") == 0


def test_a_run_is_resumed_by_its_name_alone(extracted, tmp_path, capsys):
    """It knows its segments, its recipe and its seed."""
    run = Run(tmp_path / "run")
    command = ("train", extracted / "segments.h5", "-o", run.path, "--recipe", "demo", *SHORT,
               "--set", "epochs=3", "--set", "snapshot_every=1", "--seed", "5")  # fmt: skip
    assert in_this_process(*command, "--device", "cpu") == 0
    whole = model_file.read(run.model_path)
    run.checkpoints()[-1].unlink()
    run.model_path.unlink()
    assert in_this_process("train", "-o", run.path, "--resume", "--device", "cpu") == 0
    again = model_file.read(run.model_path)
    assert again.trained_on == whole.trained_on
    assert again.trained_on["seed"] == 5
    weights = again.generator.state_dict()
    assert all(
        torch.equal(value, weights[name]) for name, value in whole.generator.state_dict().items()
    )
    run.training_path.unlink()
    assert in_this_process("train", "-o", run.path, "--resume") == 1
    assert "holds no training.h5" in capsys.readouterr().err
    assert in_this_process("train", "-o", tmp_path / "new") == 1
    assert "Expected at least one segment set (or --resume), found none" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot limit the size of a process's files")
def test_a_training_whose_disk_is_full_ends_with_one_sentence(extracted, tmp_path, capsys):
    import resource

    run = tmp_path / "run"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**21, before[1]))
    try:
        ended = in_this_process(
            "train", extracted / "segments.h5", "-o", run, "--recipe", "demo", *SHORT,
            "--set", "sample_count=1", "--set", "generator_width=128",
        )  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ended == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "iteration-00000002.safetensors: cannot be written (File too large" in said
    assert json.loads((run / "status.json").read_text())["state"] == "failed"
    assert not [one for one in run.rglob("*") if "partial" in one.name]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """A folder of segment sets that a training cannot use."""
    folder = tmp_path_factory.mktemp("wrong")
    wall = np.ones((3, 128, 128))
    few = segment_set.without_patient(wall, wall, np.full(3, -1), kind="real")
    for name, found in {
        "few": few,
        "empty": few[:0],
        "made": replace(few, kind="synthetic"),
        "coarse": replace(few, pixel_spacing_mm=0.9),
    }.items():
        hdf5.write(folder / f"{name}.h5", found)
    return folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "nowhere.h5", "-o", "{out}/run"), "nowhere.h5: there is no such file"),
        (("train", "x.h5", "-o", "{out}/run", "--recipe", "dem"), "the nearest is 'demo'"),
        (("train", "x.h5", "-o", "{out}/run", "--set", "epochs"), "expected KEY=VALUE"),
        (("train", "x.h5", "-o", "{out}/run", "--set", "epoch=3"), "the nearest is 'epochs'"),
        (("train", "{in}/empty.h5", "-o", "{out}/run"), "empty.h5: expected segments, found none"),
        (("train", "{in}/few.h5", "-o", "{out}/run"), "3 segments in an epoch and batch_size is"),
        (("train", "{in}/made.h5", "-o", "{out}/run"), "made.h5: expected real segments, found"),
        (("train", "{in}/few.h5", "{in}/coarse.h5", "-o", "{out}/run"), "found 0.9"),
        (("train", "{in}/few.h5", "-o", "{out}/run", "--split", "bone"), "invalid choice: 'bone'"),
        (("train", "{in}/few.h5", "-o", "{out}/run", "--test-share", 1), "The test share is 1.0"),
        (("train", "{in}/few.h5", "-o", "{out}/run", "--pretrained", "m"), "m: there is no such"),
        (
            ("train", "{in}/few.h5", "-o", "{out}/run", "--batch-size", 2, "--device", "cuda:99"),
            "The device is 'cuda:99'",
        ),
    ],
)
def test_a_training_that_cannot_be_ends_with_one_sentence_exit_code_1_and_no_file(
    tmp_path, capsys, wrong, arguments, sentence
):
    given = [str(one).format(out=tmp_path, **{"in": wrong}) for one in arguments]
    assert in_this_process(*given) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def ask_by_sigterm(process):
    process.terminate()


def ask_by_ctrl_c(process):
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("ask", [ask_by_sigterm, ask_by_ctrl_c])
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
        ask(process)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 2, said
    assert "stopped on request" in said
    assert json.loads((run / "status.json").read_text())["state"] == "cancelled"
    assert list((run / "checkpoints").iterdir())
