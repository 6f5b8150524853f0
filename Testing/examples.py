"""Small sets, recipes and models that several test modules use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.training.recipe import Recipe

TINY = Recipe(
    name="demo",
    latent_size=8,
    generator_width=8,
    discriminator_width=2,
    initial_weight_std=0.0,
    epochs=2,
    samples_per_epoch=12,
    batch_size=4,
    generator_learning_rate=2e-3,
    discriminator_learning_rate=1e-3,
    adam_beta2=0.99,
    plateau_patience=0,
    update_gate_from_epoch=0,
    blurred_share=0.0,
    flips=True,
    shift_px=4,
    instance_noise_std=0.2,
    lr_decay_fraction=0.4,
    ema_decay=0.99,
    report_every=2,
    snapshot_every=1,
    sample_count=3,
)
"""Six iterations of networks as narrow as they get: below a second."""

COUNT = 30
"""Segments in each of ``four_sets``."""


def arches(count: int = 10, kind: str = "real") -> SegmentSet:
    """Walls of two bright tables and a darker diploë, each a little lower than the last."""
    rows = np.arange(128)[None, :, None]
    columns = np.arange(128)[None, None, :]
    top = 20 + 0.003 * (columns - 64) ** 2 + np.arange(count)[:, None, None]
    depth = rows - top
    mask = (depth >= 0) & (depth < 16)
    table = (depth < 4) | (depth >= 12)
    hu = np.where(mask, np.where(table, 1600, 700), 0).astype(np.int16)
    return segment_set.without_patient(hu, mask, np.full(count, -1), kind=kind)


def straight_walls(count: int, seed: int, row: int = 8, noise_hu: float = 30) -> SegmentSet:
    """Straight walls of three layers, their place, thickness and HU by rng."""
    rng = np.random.default_rng(seed)
    hu = np.zeros((count, 128, 128), np.int16)
    for one in hu:
        top, third = rng.integers(row, row + 6), rng.integers(4, 7)
        levels = rng.normal([1500, 700, 1400], 60)
        layers = np.repeat(levels, third)[:, None] + rng.normal(0, noise_hu, (3 * third, 128))
        one[top : top + 3 * third] = np.rint(layers)
    return segment_set.without_patient(hu, hu != 0, np.arange(count))


def bent_walls(count: int, seed: int, kind: str = "real", **changes) -> SegmentSet:
    """Layered walls that bend and vary by chance; the real ones of three subjects."""
    rng = np.random.default_rng(seed)
    hu = np.zeros((count, 128, 128), np.int16)
    for one in hu:
        third, top = rng.integers(4, 9), rng.integers(6, 12)
        bend = np.rint(rng.uniform(0, 12) * np.linspace(-1, 1, 128) ** 2).astype(int)
        layers = np.repeat([1500, rng.integers(400, 1100), 1400], third)[:, None]
        texture = np.rint(rng.normal(0, 200, (3 * third, 128)))
        for column, down in enumerate(top + bend):
            one[down : down + 3 * third, column] = (layers + texture)[:, column]
    made = segment_set.without_patient(hu, hu != 0, np.arange(count), kind=kind)
    if kind == "real":
        people = np.array([f"{seed}-{number % 3}" for number in range(count)])
        made = replace(made, subject=people, seed=np.full(count, -1))
    return replace(made, **changes)


def four_sets() -> dict[str, SegmentSet]:
    """A training, a test, a synthetic and an artificial set; two synthetic ones are copies."""
    train, synthetic = bent_walls(COUNT, 0), bent_walls(COUNT, 2, "synthetic")
    hu, mask = synthetic.hu.copy(), synthetic.mask.copy()
    hu[4], mask[4] = train.hu[7], train.mask[7]
    hu[9], mask[9] = train.hu[11][:, ::-1], train.mask[11][:, ::-1]
    return {
        "train": train,
        "test": bent_walls(COUNT, 1),
        "synthetic": replace(synthetic, hu=hu, mask=mask),
        "artificial": bent_walls(COUNT, 3, "artificial"),
    }


def narrow_model(**changes):
    """A model of random weights, as narrow as they get."""
    import torch
    from SkullGANLib.networks import dcgan, model_file

    torch.manual_seed(0)
    return model_file.Model(dcgan.Generator(8, 16), dcgan.Discriminator(4).eval(), **changes)


def conditioned_model():
    """A model of random weights that is told bone, SDR and thickness, as narrow as they get."""
    import torch
    from SkullGANLib.networks import dcgan, initial_weights, model_file
    from SkullGANLib.networks.architecture import Architecture
    from SkullGANLib.networks.conditions import Conditions

    torch.manual_seed(0)
    names = ("bone", "sdr", "thickness")
    architecture = Architecture(8, 16, 4, conditions=names)
    rng = np.random.default_rng(0)
    values = {
        "bone": np.array(["parietal", "temporal"] * 100),
        "sdr": np.append([0.3, 0.9], rng.uniform(0.3, 0.9, 198)),
        "thickness": np.append([3.0, 10.0], rng.uniform(3, 10, 198)),
    }
    generator, discriminator = dcgan.networks(architecture)
    for network in (generator, discriminator):
        initial_weights.initialize(network, 0.0, torch.Generator().manual_seed(0))
    known = Conditions.learned(names, values, np.arange(200))
    return model_file.Model(generator.eval(), discriminator.eval(), conditions=known)


def stacking_model(slices: int = 2):
    """A model of random weights that makes stacks in depth, as narrow as they get."""
    import torch
    from SkullGANLib.networks import dcgan, model_file
    from SkullGANLib.networks.architecture import Architecture

    torch.manual_seed(0)
    generator, discriminator = dcgan.networks(Architecture(8, 16, 4, slices=slices))
    return model_file.Model(generator.eval(), discriminator.eval(), depth_step_mm=0.9)


def in_stacks(segments: SegmentSet, slices: int, step_mm: float = 0.9) -> SegmentSet:
    """The same segments as slices of stacks, one stack after the other."""
    rows = np.arange(len(segments))
    depth = {"slices": slices, "step_mm": step_mm}
    return replace(
        segments,
        stack=rows // slices,
        slice_number=rows % slices,
        source={**segments.source, "depth": depth},
    )
