"""The command skullgan, run as users run it: in a process of its own, on real files."""

import pytest
from checkout import ROOT
from commands import SAMPLE, in_this_process, skullgan


def test_info_says_what_each_file_is(extracted, trained):
    done = skullgan("info", extracted / "segments.h5", trained, trained / "model.safetensors")
    assert done.returncode == 0, done.stderr
    for part in ("segments, real", "subjects", "SDR (peaks)", "finished, 100%", "parameters"):
        assert part in done.stdout


@pytest.mark.parametrize(
    "command", ["extract", "pretrain", "train", "generate", "map", "realness", "info", "demo"]
)
def test_every_command_has_a_help_with_an_example(command):
    done = skullgan(command, "--help")
    assert done.returncode == 0
    assert f"Example: skullgan {command}" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("extract", "nowhere.nrrd", "-o", "{out}/a.h5"), "nowhere.nrrd: there is no such file"),
        (("extract", SAMPLE, "-o", "{out}/a.xyz"), "expected a name that ends in .h5"),
        (("extract", SAMPLE, "-o", "{out}/a.h5", "--bones", "nasal"), "'nasal' is not known"),
        (("extract", SAMPLE, "-o", "{out}/a.h5", "--interval-mm", "x"), "--interval-mm"),
        (("extract", SAMPLE, "-o", "{out}/a.h5", *(2 * ("--subject", "A"))), "once for each"),
        (("generate", "no.safetensors", "-o", "{out}/a.h5"), "no.safetensors: there is no such"),
        (("generate", "no.safetensors", "-n", 0, "-o", "{out}/a.h5"), "at least 1 segment"),
        (("generate", "no.safetensors", "-n", -5, "-o", "{out}/a.h5"), "at least 1 segment"),
        (("generate", "m", "--seed", 2**63, "-o", "{out}/a.h5"), "seeds from 0 to 2**63 - 1"),
        (("generate", "m", "-o", "{out}/a.gif"), "a.gif: expected a name that ends in .h5, .nrrd"),
        (("generate", "m", "-o", "{out}/a", "--format", "mat"), "a name that ends in .mat"),
        (("generate", "m", "-n", 40000, "-o", "{out}/a.nii.gz"), "at most 32767 go into this"),
        (("info", "nothing"), "nothing: there is no such file"),
        (("info", ROOT / "README.md"), "README.md: '.md' files cannot be read"),
        (("info", ROOT / "README.md"), "or a segment set (.h5), a model (.safetensors), a map"),
        (("skull", SAMPLE, "-o", "{out}/a.png"), "expected one of .nrrd, .nii, .nii.gz, .mha"),
        (("skull", SAMPLE, "-o", "{out}/a.mha", "--threshold-hu", 9000), "9000 HU, expected 50"),
        (("extract", SAMPLE, "-o", "{out}/a.h5", "--threshold-hu", 0), "is 0 HU, expected 50"),
        (("map", SAMPLE, "-o", "{out}/a.vtp", "--target", "-5,2,3"), "as in --target=-5,2,3"),
        ((), "skullgan: the following arguments are required: COMMAND"),
    ],
)
def test_bad_input_ends_with_one_sentence_exit_code_1_and_no_file(
    tmp_path, capsys, arguments, sentence
):
    given = [str(one).format(out=tmp_path) for one in arguments]
    assert in_this_process(*given) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_reader_that_has_enough_ends_it_quietly(extracted):
    import subprocess
    import sys

    command = [sys.executable, "-m", "SkullGANLib", "info", *(40 * [extracted / "segments.h5"])]
    with subprocess.Popen(
        [str(one) for one in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT / "SkullGAN",
    ) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0
