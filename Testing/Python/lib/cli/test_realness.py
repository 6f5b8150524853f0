"""The command that says where a discriminator's decision comes from."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from checkout import ROOT
from SkullGANLib import cli
from SkullGANLib.data import hdf5
from SkullGANLib.extraction import single_ct
from SkullGANLib.mapping import vtp
from SkullGANLib.networks import dcgan, model_file

MAP = ROOT / "Testing" / "Python" / "older_files" / "map.vtp"
"""Of the sample CT, a vertex every 6 mm."""


def run(*arguments: object) -> int:
    return cli.main([str(one) for one in arguments])


@pytest.fixture(scope="module")
def cut(sample_ct, sample_mask):
    """Segments of the sample, every fourth plane."""
    found = single_ct.extract(sample_ct, sample_mask, interval_mm=12.4, planes=["coronal"])
    return found.segments


def test_realness_is_explained_and_laid_back_on_the_skull(cut, tmp_path, capsys):
    hdf5.write(tmp_path / "segments.h5", cut)
    code = run(
        "realness", tmp_path / "segments.h5", "-o", tmp_path / "why.npy", "-o",
        tmp_path / "why.nrrd", "-o", tmp_path / "scores.csv", "-o", tmp_path / "skull.vtp",
        "--map", MAP, "--device", "cpu",
    )  # fmt: skip
    assert code == cli.DONE
    assert "not calibrated" in capsys.readouterr().out
    values = np.load(tmp_path / "why.npy")
    assert values.shape == cut.hu.shape
    with open(tmp_path / "scores.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    scores = np.array([float(row["realness_not_calibrated"]) for row in rows])
    # The values of a segment sum to its logit.
    assert np.allclose(1 / (1 + np.exp(-values.sum(axis=(1, 2)))), scores, atol=1e-4)
    found = vtp.read(tmp_path / "skull.vtp")
    there = np.isfinite(found.values["realness"])
    assert 0.02 < there.mean() < 0.6
    assert (found.bone[there] == "parietal").mean() > 0.9


def test_realness_without_a_map_and_of_another_pixel_size_is_refused(cut, tmp_path, capsys):
    hdf5.write(tmp_path / "segments.h5", cut)
    assert run("realness", tmp_path / "segments.h5", "-o", tmp_path / "skull.vtp") == cli.FAILED
    assert "expected a map to lay the scores on" in capsys.readouterr().err
    small = model_file.Model(dcgan.Generator(8, 8), dcgan.Discriminator(4), pixel_spacing_mm=0.9)
    model_file.write(tmp_path / "other.safetensors", small)
    code = run(
        "realness", tmp_path / "segments.h5", "--model", tmp_path / "other.safetensors",
        "-o", tmp_path / "why.npy",
    )  # fmt: skip
    assert code == cli.FAILED
    assert "The model judges pixels of 0.9 mm" in capsys.readouterr().err
    assert not (tmp_path / "why.npy").exists()
