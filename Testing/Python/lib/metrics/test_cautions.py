"""What must be known beside an SDR."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import bent_walls
from SkullGANLib.anatomy import frame_source
from SkullGANLib.metrics import cautions

SHARP = {"kernel": "BONEPLUS"}
FINE = [0.49, 0.49, 0.625]


@pytest.mark.parametrize(
    ("voxel_mm", "rise"),
    [
        (FINE, 0.0),
        ([0.75] * 3, 0.054),
        ([1.0] * 3, 0.127),
        ([0.49, 0.49, 2.0], 0.127),
        ([9.0], 0.252),
    ],
)
def test_the_rise_of_sdr_is_that_of_the_table(voxel_mm, rise):
    assert cautions.rise_of_sdr(voxel_mm) == pytest.approx(rise, abs=0.003)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"voxel_mm": FINE, "slice_thickness_mm": 0.625}, None),
        ({"voxel_mm": [1.0, 1.0, 1.0]}, "1 x 1 x 1 mm: SDR comes out higher by about 0.13 than"),
        ({"voxel_mm": [0.5, 0.5, 3.0]}, "they do not show the tables"),
        ({"voxel_mm": [1.0, 1.0, 1.0], "slice_thickness_mm": 5.0}, "5 mm thick, one every 1 mm"),
        ({"voxel_mm": [0.49, 0.49, 0.5], "slice_thickness_mm": 0.625}, None),
        ({"slice_thickness_mm": 5.0}, "5 mm thick"),
        ({"kernel": "STANDARD"}, "is soft"),
        ({"frame": {"from": "vault", "certainty": 0.9}}, None),
        ({"frame": {"from": cautions.GUESS, "certainty": 0.2}}, "certainty 0.20"),
    ],
)
def test_a_ct_is_warned_of_where_it_spoils_an_sdr(source, words):
    said = cautions.of_ct({**SHARP, **source})
    assert said == [] if words is None else len(said) == 1 and words in said[0]


def test_a_guess_is_called_by_one_name():
    assert cautions.GUESS == frame_source.GUESS


def test_sets_say_which_of_their_cts_and_subjects_they_warn_of():
    walls = bent_walls(6, 0)
    cts = {"one": {**SHARP, "voxel_mm": FINE}, "two": {**SHARP, "voxel_mm": [1.0] * 3}}
    coarse, mixed = cautions.of_set(replace(walls, source={"cts": cts}))
    assert coarse.startswith("two: The voxels are 1 x 1 x 1 mm")
    assert "0.49 x 0.49 x 0.625 to 1 x 1 x 1 mm: by that alone SDR differs by about 0.13" in mixed
    solid = replace(walls, hu=np.where(walls.mask > 0, 1500, 0).astype(np.int16), source=SHARP)
    assert cautions.of_set(solid)[0].startswith("Hardly any diploë in 0-0")
    assert cautions.of_set(replace(solid, kind="synthetic")) == []
