"""Conditions: what networks are told, drawn and asked for, and how it travels in a model."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from examples import conditioned_model, narrow_model
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks import model_file
from SkullGANLib.networks.architecture import Architecture
from SkullGANLib.networks.conditions import (
    BONE_SLOTS,
    Conditions,
    names_of,
    options_of,
    size_of,
    told,
)

NAMES = ("bone", "sdr", "thickness")


def learned(count: int = 64) -> Conditions:
    """Thin temporal bone of high SDR, and thick parietal bone of low SDR."""
    thin = np.arange(count) % 2 == 0
    values = {
        "bone": np.where(thin, "temporal", "parietal"),
        "sdr": np.where(thin, 0.8, 0.4) + np.linspace(0, 0.1, count),
        "thickness": np.where(thin, 3.0, 8.0) + np.linspace(0, 1, count),
    }
    return Conditions.learned(NAMES, values, np.arange(count))


def test_conditions_are_named_in_any_order_and_an_unknown_one_is_refused():
    assert names_of(" thickness,bone, ,sdr") == NAMES
    assert names_of("") == ()
    with pytest.raises(BadInputError, match="expected some of bone, sdr, thickness, intensity"):
        names_of("bone,colour")


def test_networks_without_conditions_are_told_nothing_and_an_architecture_keeps_its_names():
    assert size_of(()) == 0
    assert "conditions" not in Architecture().to_dict()
    given = Architecture(conditions=NAMES)
    assert given.condition_size == BONE_SLOTS + 2
    assert Architecture.from_dict(json.loads(json.dumps(given.to_dict()))) == given
    with pytest.raises(BadInputError, match="conditions"):
        Architecture(conditions=("sdr", "bone"))


def test_conditions_are_told_as_a_slot_a_bone_and_standardized_numbers():
    known = learned()
    values = {
        "bone": np.array(["parietal", "temporal", "unknown"]),
        "sdr": np.array([known.mean["sdr"], known.mean["sdr"] + known.std["sdr"], np.nan]),
        "thickness": np.full(3, known.mean["thickness"]),
    }
    codes = known.encode(values)
    assert codes.shape == (3, BONE_SLOTS + 2)
    assert codes[:, :2].tolist() == [[1, 0], [0, 1], [0.5, 0.5]]  # as often as they were
    np.testing.assert_allclose(codes[:, BONE_SLOTS:], [[0, 0], [1, 0], [0, 0]], atol=1e-6)


def test_a_condition_in_which_all_segments_are_alike_is_told_as_nothing():
    known = Conditions.learned(("sdr",), {"sdr": np.full(9, 0.4)}, np.arange(9))
    assert known.encode({"sdr": np.array([0.4, 0.4])}).tolist() == [[0], [0]]


def test_conditions_that_nobody_asks_for_follow_the_joint_distribution_and_the_seed_alone():
    known, seeds = learned(), np.arange(400)
    drawn = known.draw(seeds)
    thin = drawn["bone"] == "temporal"
    assert 0.4 < thin.mean() < 0.6
    assert drawn["thickness"][thin].max() < drawn["thickness"][~thin].min()
    again = known.draw(seeds[[7, 300]])
    assert [again[n].tolist() for n in NAMES] == [drawn[n][[7, 300]].tolist() for n in NAMES]
    assert known.draw(np.array([2**63 - 1]))["sdr"].shape == (1,)


def test_a_condition_that_is_asked_for_is_told_and_the_others_go_together_with_it():
    known, seeds = learned(), np.arange(50)
    thick = known.draw(seeds, {"thickness": 8.5})
    assert set(thick["thickness"]) == {8.5}
    assert set(thick["bone"]) == {"parietal"}
    assert thick["sdr"].max() < 0.6
    each = known.draw(seeds[:2], {"bone": ["temporal", "parietal"]})
    assert each["thickness"][0] < 5 < each["thickness"][1]
    # What never goes together is told as it was asked.
    odd = known.draw(seeds, {"bone": "temporal", "thickness": 8.5})
    assert (set(odd["bone"]), set(odd["thickness"])) == ({"temporal"}, {8.5})


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"bone": "nasal"}, r"The bone is 'nasal', expected .* learned: parietal, temporal\."),
        (
            {"sdr": 0.05},
            "The SDR asked for is 0.05, expected 0.40. to 0.898, which the model has learned",
        ),
        ({"thickness": np.nan}, "The thickness asked for is nan mm, expected 3 to 9 mm"),
        ({"intensity": 900.0}, "is told bone, sdr, thickness and no intensity"),
    ],
)
def test_a_condition_that_was_not_learned_is_refused_with_what_was(asked, sentence):
    with pytest.raises(BadInputError, match=sentence):
        learned().draw(np.arange(3), asked)


def test_a_model_without_conditions_is_asked_for_none_and_says_what_selects():
    assert told(None, np.arange(3)) == {}
    with pytest.raises(
        BadInputError, match="made without conditions; use --sdr LOW,HIGH to select"
    ):
        told(None, np.arange(3), {"sdr": 0.35, "bone": "parietal"})
    assert options_of({"bone": "parietal", "thickness": 6.0}) == [
        "--bone", "parietal", "--thickness-mm", "6.0",
    ]  # fmt: skip


def test_more_bones_than_slots_are_refused_as_a_condition():
    values = {"bone": np.array([f"bone {number}" for number in range(BONE_SLOTS + 1)])}
    with pytest.raises(BadInputError, match=r"of 9 bones .* expected at most 8"):
        Conditions.learned(("bone",), values, np.arange(3))


def test_the_sample_of_conditions_is_rounded_and_has_no_more_rows_than_it_was_given():
    values = {"sdr": np.array([0.123456, 0.654321]), "thickness": np.array([5.4321, 6.789])}
    known = Conditions.learned(("sdr", "thickness"), values, np.array([1]))
    assert {n: v.tolist() for n, v in known.sample.items()} == {
        "sdr": [0.654], "thickness": [6.79],
    }  # fmt: skip


def test_conditions_travel_in_the_models_file_and_older_models_have_none(tmp_path):
    model = conditioned_model()
    path = tmp_path / "model.safetensors"
    model_file.write(path, model)
    found = model_file.read(path)
    assert found.conditions.to_dict() == model.conditions.to_dict()
    assert found.architecture == model.architecture
    assert model_file.read_architecture(path).conditions == NAMES
    model_file.write(path, narrow_model())
    assert model_file.read(path).conditions is None


def test_a_model_whose_conditions_are_not_its_networks_is_refused():
    model = conditioned_model()
    with pytest.raises(BadInputError, match="expected what is known of these conditions"):
        model_file.Model(model.generator, model.discriminator)


@pytest.mark.parametrize(
    "change",
    [
        {"names": ["sdr", "bone"]}, {"names": []}, {"bones": ["a\x1b[2J"]}, {"bones": []},
        {"std": {"sdr": 0.0, "thickness": 1.0}}, {"mean": {"sdr": float("nan"), "thickness": 1.0}},
        {"sample": {"bone": ["parietal"], "sdr": [], "thickness": [1.0]}},
        {"sample": {"bone": ["nasal"], "sdr": [0.5], "thickness": [1.0]}}, {"low": None},
    ],
)  # fmt: skip
def test_conditions_of_a_damaged_file_are_refused(change):
    with pytest.raises(BadInputError, match="The conditions are not sound"):
        Conditions.from_dict(learned().to_dict() | change)


def test_a_discriminator_with_conditions_is_not_called_without_them():
    model = conditioned_model()
    with pytest.raises(BadInputError, match="expected them beside the images"):
        model.discriminator(torch.zeros(1, 1, 128, 128))
