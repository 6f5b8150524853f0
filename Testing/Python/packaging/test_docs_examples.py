"""The worked examples of the documents run as they stand, with fewer segments."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT
from examples import bent_walls
from SkullGANLib import cli
from SkullGANLib.data import hdf5

MEDIA = ROOT / "Docs" / "media.md"


def blocks(language: str) -> list[str]:
    text = MEDIA.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_docs_make_media_for_k_wave(folder):
    """A dozen instead of a thousand, at a coarser frequency; k-Wave itself is tested apart."""
    import h5py

    generate, export, simulate = blocks("")[0].splitlines()
    for command in (generate, export):
        shorter = command.replace("-n 1000", "-n 12").replace("500", "100")
        assert cli.main(shlex.split(shorter)[1:]) == 0

    source = hdf5.read("segments.h5", slice(0)).source
    assert (source["kept"], source["diverse"]["least_px"]) == (12, 200)
    with h5py.File("media.h5", "r") as file:
        shapes = {name: one.shape for name, one in file.items() if hasattr(one, "shape")}
    assert any(12 in shape for shape in shapes.values()), shapes
    assert (ROOT / shlex.split(simulate)[1]).is_file()


def test_the_python_examples_of_the_docs_select_and_learn(folder, monkeypatch, capsys):
    import torch

    torch.manual_seed(0)
    hdf5.write("real.h5", bent_walls(60, 0))
    namespace: dict[str, object] = {"__name__": "example"}
    monkeypatch.setitem(sys.modules, "example", type(sys)("example"))

    for block in blocks("python"):
        exec(compile(block, str(MEDIA), "exec"), namespace)

    said = capsys.readouterr().out
    assert "40 of " in said
    errors = [float(one) for one in re.findall(r": ([\d.]+) mm", said)]
    assert len(errors) == 3
    assert np.isfinite(errors).all()
    held_out = int(re.findall(r"(\d+) segments of subjects", said)[0])
    assert held_out == len(namespace["to_test"])  # type: ignore[arg-type]
    assert len(namespace["to_learn"]) + held_out == 60  # type: ignore[arg-type]
