"""A small study in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from examples import straight_walls
from SkullGANLib.data import hdf5
from SkullGANLib.evaluation.study import choose_cases, write_study


@pytest.fixture(scope="session")
def set_files(tmp_path_factory) -> dict[str, Path]:
    """A real and a synthetic set of six segments each, of different HU ranges."""
    folder = tmp_path_factory.mktemp("sets")
    real = replace(straight_walls(6, 0), kind="real", hu_range=(-200.0, 3000.0))
    sets = {"secret-real": real, "secret-synthetic": straight_walls(6, 1)}
    for name, one in sets.items():
        hdf5.write(folder / f"{name}.h5", one)
    return {name: folder / f"{name}.h5" for name in sets}


@pytest.fixture(scope="session")
def study(set_files, tmp_path_factory) -> Path:
    """A study of three segments of each kind."""
    folder = tmp_path_factory.mktemp("made") / "größe study"
    real, synthetic = set_files.values()
    write_study(folder, choose_cases([real], [synthetic], 3, seed=4), seed=4)
    return folder
