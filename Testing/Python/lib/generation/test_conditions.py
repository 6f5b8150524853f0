"""The conditions of segments: measured, learned from a set, and known again of synthetic ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from examples import bent_walls, conditioned_model, narrow_model
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import conditions
from SkullGANLib.generation.from_seeds import SyntheticSegments, generate, generate_set
from SkullGANLib.metrics import measure

NAMES = ("bone", "sdr", "thickness")


def test_conditions_are_what_the_metrics_measure_and_an_empty_segment_has_none():
    walls = bent_walls(6, 0)
    hu = walls.hu.copy()
    hu[2] = 0
    walls = replace(walls, hu=hu, mask=(hu != 0).astype(np.uint8))
    found = conditions.measured(NAMES, walls)
    metrics = measure(walls)
    np.testing.assert_array_equal(found["sdr"], metrics["sdr_peaks"])
    np.testing.assert_array_equal(found["thickness"], metrics["thickness_mm"])
    assert conditions.are_known(found).tolist() == [True, True, False, True, True, True]
    assert conditions.are_known(conditions.measured(("bone",), walls)).all()


def test_the_sample_of_conditions_has_every_subject_equally_often_where_training_has():
    walls = bent_walls(30, 0)
    few = walls[np.r_[0:30:3, 1, 2]]  # ten of one subject, one each of two
    many = segment_set.concatenate([replace(few, bone=few.subject)] * 90)
    found = conditions.learned(("bone",), many, balanced_subjects=True).sample["bone"]
    assert sorted(np.unique(found, return_counts=True)[1].tolist()) == [85, 85, 86]
    found = conditions.learned(("bone",), many, balanced_subjects=False).sample["bone"]
    assert max(np.unique(found, return_counts=True)[1]) > 190


def test_segments_of_a_model_with_conditions_carry_its_bone_and_what_was_asked():
    model = conditioned_model()
    made = generate_set(model, range(5), asked={"bone": "temporal", "thickness": 5.0})
    assert set(made.bone) == {"temporal"}
    assert made.source["asked"] == {"bone": "temporal", "thickness": 5.0}
    other = generate_set(model, range(5), asked={"bone": "temporal", "thickness": 7.0})
    assert not np.array_equal(made.hu, other.hu)
    assert set(generate_set(narrow_model(), range(2)).bone) == {"unknown"}


def test_what_is_asked_one_by_one_and_batch_by_batch_gives_the_same_conditioned_segments():
    model = conditioned_model()
    each = {"sdr": np.array([0.4, 0.5, 0.6, 0.7, 0.8])}
    whole = generate_set(model, range(5), asked=each)
    parts = list(generate(model, range(5), batch_size=2, asked=each))
    alone = generate_set(model, [3], asked={"sdr": 0.7})
    np.testing.assert_array_equal(whole.hu, segment_set.concatenate(parts).hu)
    assert np.abs(whole.hu[3].astype(int) - alone.hu[0]).max() <= 1
    streamed = next(iter(SyntheticSegments(model, 1, 3, asked={"sdr": 0.7})))
    assert torch.equal(streamed["hu"][0].short(), torch.from_numpy(alone.hu[0]))


def test_batch_statistics_go_together_with_conditions():
    made = generate_set(conditioned_model(), range(4), batch_statistics=True, asked={"sdr": 0.5})
    assert len(made) == 4


def test_conditions_are_refused_before_anything_is_generated():
    with pytest.raises(BadInputError, match="The SDR asked for is 3"):
        generate(conditioned_model(), range(3), asked={"sdr": 3.0}).__next__()
    with pytest.raises(BadInputError, match="made without conditions"):
        SyntheticSegments(narrow_model(), asked={"sdr": 0.5})


def test_what_a_model_was_told_is_known_again_from_seeds_and_source():
    model = conditioned_model()
    made = generate_set(model, range(5, 9), asked={"sdr": 0.5})
    told = conditions.told_of(model, made)
    assert told["sdr"].tolist() == [0.5] * 4
    expected = model.conditions.draw(np.arange(5, 9), {"sdr": 0.5})
    assert told["thickness"].tolist() == expected["thickness"].tolist()
    joined = segment_set.concatenate([made, generate_set(model, [1], asked={"sdr": 0.6})])
    assert conditions.told_of(model, joined) is None
    other = replace(model, trained_on={"segments": 3})
    assert conditions.told_of(other, made) is None
    assert conditions.told_of(narrow_model(), made) is None
