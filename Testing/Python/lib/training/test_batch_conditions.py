"""The conditions of a training: told of each batch, resumed, shared, begun with another model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from examples import TINY, arches, bent_walls
from SkullGANLib.errors import BadInputError, CancelledError
from SkullGANLib.generation.conditions import measured
from SkullGANLib.generation.from_seeds import generate_set
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import networks
from SkullGANLib.training import start
from SkullGANLib.training.loop import train
from SkullGANLib.training.memory_estimate import needed
from SkullGANLib.training.pictures import Pictures
from SkullGANLib.training.recipe import Recipe
from SkullGANLib.training.run_directory import Run
from SkullGANLib.training.state import TrainingState

CPU = torch.device("cpu")
TOLD = replace(
    TINY,
    conditions="bone,sdr,thickness",
    **{"loss": "relativistic", "r1_gamma": 0.1, "r2_gamma": 0.1, "penalty_every": 2},
    **{"discriminator_norm": "none", "minibatch_std": 2, "update_gate": "off"},
    **{"ada_target": 0.3, "ada_reference": "held_out", "quality_count": 6},
)


def walls(count: int = 12, seed: int = 0):
    """Walls of which the thinner half is called temporal."""
    found = bent_walls(count, seed)
    thickness = measured(("thickness",), found)["thickness"]
    thin = thickness < np.median(thickness)
    return replace(found, bone=np.where(thin, "temporal", "parietal"))


def test_reals_and_fakes_are_told_the_conditions_of_the_same_segments():
    segments = walls()
    state = TrainingState(segments, replace(TOLD, flips=False), CPU, 0)
    state.begin_iteration()
    reals = state.next_reals()
    rows = state.reals.order[:4].numpy()
    values = {n: v[rows] for n, v in measured(state.conditions.names, segments).items()}
    told = torch.from_numpy(state.conditions.encode(values))
    assert torch.equal(state.reals.told.batch, told)
    seen = []
    state._generate = lambda latent, noise: seen.append(latent) or state.generator(latent, noise)
    state.generate()
    assert torch.equal(seen[0][:, -10:], told)
    expected = state.discriminator(reals, told)
    torch.testing.assert_close(state.logits(reals), expected)


def test_held_out_reals_are_judged_by_their_own_conditions():
    held_out = walls(5, 1)
    state = TrainingState(walls(), TOLD, CPU, 0, held_out=held_out)
    values = measured(state.conditions.names, held_out)
    told = torch.from_numpy(state.conditions.encode(values))
    rows = torch.tensor([4, 0])
    assert torch.equal(state.reals.told.of_held_out(rows), told[rows])


def test_a_training_with_conditions_that_was_stopped_ends_at_the_same_weights(tmp_path):
    segments, held_out, done = walls(), walls(8, 1), []
    whole = train(segments, tmp_path / "whole", TOLD, seed=1, held_out=held_out)
    with pytest.raises(CancelledError):
        train(
            segments,
            tmp_path / "run",
            TOLD,
            seed=1,
            held_out=held_out,
            on_progress=lambda *n: done.append(n),
            should_stop=lambda: len(done) == 4,
        )
    train(segments, tmp_path / "run", TOLD, seed=1, held_out=held_out, resume=True)
    again = model_file.read(Run.open(tmp_path / "run").last_model_path)
    last = model_file.read(Run.open(tmp_path / "whole").last_model_path)
    for network in ("generator", "discriminator"):
        own = getattr(again, network).state_dict()
        for name, tensor in getattr(last, network).state_dict().items():
            assert torch.equal(own[name], tensor), name
    assert whole.conditions.bones == ("parietal", "temporal")
    assert whole.conditions.to_dict() == again.conditions.to_dict()
    events = [e for e in Run.open(tmp_path / "whole").events()[0] if "condition_sdr" in e]
    assert [event["iteration"] for event in events] == [3, 6]
    parts = ("quality_kernel", "quality_ks_sdr", "quality_ks_thickness", "quality_ks_intensity")
    for event in events:
        kernel, *ks = (event[name] for name in parts)
        total = kernel + np.mean(ks) + event["quality_conditions"]
        assert event["quality_distance"] == pytest.approx(total)
    assert set(generate_set(whole, range(3), asked={"bone": "temporal"}).bone) == {"temporal"}


def test_an_old_recipe_has_no_conditions_and_its_networks_are_what_they_were():
    assert Recipe.from_json("{}").architecture.conditions == ()
    generator, discriminator = networks(Recipe().architecture.__class__(8, 16, 4))
    assert generator.input_size == generator.latent_size == 8
    assert discriminator.projection is None


def test_segments_whose_conditions_cannot_be_measured_are_left_out(caplog):
    segments = walls()
    hu = segments.hu.copy()
    hu[3] = 0
    damaged = replace(segments, hu=hu, mask=(hu != 0).astype(np.uint8))
    left, _ = start.fitted(damaged, TOLD)
    assert len(left) == 11
    assert "1 of 12 segments cannot be measured for the conditions" in caplog.text
    nothing = replace(segments, hu=hu * 0, mask=segments.mask * 0)
    with pytest.raises(BadInputError, match="bone, sdr, thickness can be measured, found none"):
        start.fitted(nothing, TOLD)


def test_pictures_have_no_conditions():
    pictures = Pictures(np.zeros((20, 128, 128), np.uint8))
    with pytest.raises(BadInputError, match="expected none for pictures"):
        start.fitted(pictures, TOLD)


def test_memory_is_estimated_for_networks_with_conditions():
    plain, told = (needed(replace(TOLD, conditions=c), 10) for c in ("", TOLD.conditions))
    assert plain.fixed < told.fixed
    assert abs(told.per_image / plain.per_image - 1) < 0.05


def test_conditions_of_a_training_without_quality_are_told_as_well(tmp_path):
    """Also by the paper's own loss, with batch norm, and where nothing is compared."""
    recipe = replace(TINY, conditions="thickness,intensity", epochs=1)
    made = train(arches(), tmp_path / "run", recipe)
    assert made.conditions.names == ("thickness", "intensity")
    assert made.conditions.bones == ()
