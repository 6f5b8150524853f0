"""What must be known of segment sets before a training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import bent_walls
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import concatenate
from SkullGANLib.training import cautions


@pytest.fixture
def many():
    return replace(bent_walls(60, 0), source={"kernel": "BONE"})


def _written(tmp_path, **sets):
    for name, one in sets.items():
        hdf5.write(tmp_path / f"{name}.h5", one)
    return [tmp_path / f"{name}.h5" for name in sets]


def test_nothing_is_said_of_enough_segments_that_all_differ(tmp_path, many):
    assert cautions.of_files(_written(tmp_path, one=many)) == []


def test_too_few_segments_are_said(tmp_path, many):
    [said] = cautions.of_files(_written(tmp_path, one=many[:5]))
    assert said.startswith("There are 5 segments")


def test_segments_that_occur_twice_within_or_between_sets_are_counted(tmp_path, many):
    other = replace(bent_walls(60, 1), source={"kernel": "BONE"})
    paths = _written(tmp_path, one=many, other=concatenate([other, other[:1], many[:5]]))
    within, between = cautions.of_files(paths)
    assert within == (
        f"{paths[1]}: 1 segment is the same, pixel by pixel, as others of the set; they weigh "
        "twice."
    )
    assert between == (
        f"{paths[1]}: 5 segments are the same, pixel by pixel, as in {paths[0]}; they weigh twice."
    )


def test_sets_of_different_voxels_and_without_diploe_are_said(tmp_path, many):
    fine, coarse = (
        {"kernel": "BONE", "cts": {name: {"kernel": "BONE", "voxel_mm": [mm] * 3}}}
        for name, mm in (("a", 0.5), ("b", 0.75))
    )
    solid = bent_walls(60, 1)
    solid = replace(
        solid, hu=np.where(solid.mask > 0, 1500 + np.arange(60)[:, None, None], 0).astype(np.int16)
    )
    paths = _written(tmp_path, one=replace(many, source=fine), other=replace(solid, source=coarse))
    said = " ".join(cautions.of_files(paths))
    assert "voxels are of 0.5 x 0.5 x 0.5 to 0.75 x 0.75 x 0.75 mm" in said
    assert "Hardly any diploë in" in said


def test_large_sets_are_not_read_for_it(tmp_path, many, monkeypatch):
    monkeypatch.setattr(cautions, "MOST_READ", 10)
    paths = _written(tmp_path, one=concatenate([many, many]))
    assert cautions.of_files(paths) == []
