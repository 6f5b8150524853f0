"""The recipes that come along, each with a sentence on what it is for.

``named("demo")`` gives a recipe; ``PRESETS`` is what command and panel list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import BadInputError
from .recipe import Recipe
from .setting import nearest


@dataclass(frozen=True)
class Preset:
    """A recipe that comes along.

    Attributes:
        recipe: the settings.
        description: a sentence on what it is for and what it runs on.
    """

    recipe: Recipe
    description: str


DEFAULT = "published"
"""The recipe that command and panel begin with."""

_RELATIVISTIC: dict[str, Any] = {
    "image_rows": 0,
    "generator_smoothing": True,
    "noise_scales": 4,
    "generator_activation": "leaky_relu",
    "discriminator_norm": "none",
    "minibatch_std": 4,
    "initial_weight_std": 0.0,
    "balanced_subjects": True,
    "adam_beta1": 0.0,
    "adam_beta2": 0.99,
    "loss": "relativistic",
    "r1_gamma": 0.1,
    "r2_gamma": 0.1,
    "penalty_every": 4,
    "real_label": 1.0,
    "plateau_patience": 0,
    "update_gate": "off",
    "blurred_share": 0.0,
    "flips": True,
    "shift_px": 4,
    "contrast_std": 0.03,
    "hide_background": True,
    "lr_decay_fraction": 0.5,
}
"""The game of the recipes that are not the paper's: pairs of a real and a fake, and gradient
penalties (Huang et al. 2024), in a view that hides what would give fakes away for no skull's
sake."""

_ALL = (
    # As the published code does it.
    Preset(
        Recipe(),
        "As the authors' published code; it wants a GPU, and on a CPU the recipe demo is the one "
        "to take.",
    ),
    # As the paper says it, to the letter. With its update gate the generator took one step
    # in 20 iterations and none in the next 120 (47 segments, widths 64 and 8, batch 8): the
    # discriminator wins, the generator's loss rises above 0.9 and stays there. "published" has
    # the other reading, with which both networks go on.
    Preset(
        Recipe(name="paper", batch_size=64, update_gate="below", update_gate_from_epoch=0),
        "The paper to the letter, whose update gate may stop the generator; it wants a GPU.",
    ),
    Preset(
        Recipe(
            name="paper-fast",
            batch_size=64,
            update_gate="below",
            update_gate_from_epoch=0,
            precision="bf16",
            compile=True,
            cuda_graph=True,
        ),
        "The recipe paper with its layers in bf16 and compiled: the paper's settings as fast as a "
        "GPU gives them.",
    ),
    # Table 1's widths with the game of "cpu"; 9,600 iterations, whatever the size of the set.
    # Augmentation is steered by held-out reals: by the reals that are learned from it stayed at
    # 0.07, for the relativistic loss knows no "real" that the target could mean.
    # Left: the update gate (it makes the loser wait for nobody where there are no labels), label
    # smoothing, blurred reals and instance noise (the gradient penalties do what they were for).
    Preset(
        Recipe(
            name="fast",
            epochs=300,
            samples_per_epoch=2048,
            batch_size=64,
            ema_decay=0.999,
            ada_target=0.5,
            ada_reference="held_out",
            precision="auto",
            compile=True,
            cuda_graph=True,
            quality_count=512,
            **_RELATIVISTIC,
        ),
        "The paper's widths in a steadier game, quick on a GPU, which it wants.",
    ),
    # The game that a small machine learns most from in an hour: 16,000 iterations of 8 segments.
    # What was tried on one to three heads, and what came of it:
    #   bce with update gate and instance noise: hatched marrow, 57 HU too dense after 32,000 images
    #   gradient penalties of 1.0: discriminator too weak for minutes, then too strong; 0.1 is even
    #   published halving: 8 channels at 128 x 128; cap and floor spend the same work better
    #   plain additive noise: a grid stays in the marrow; the published injection grows grain
    #   white noise alone: marrow varies too little along the wall (0.5 standard deviations)
    #   no low-pass: the grid's mean is 0.25 standard deviations of the grain; with it 0.03, as real
    #   batch norm in the discriminator: its gradient penalty is that of a batch, and means little
    #   halo left in view of the discriminator: it learns that and little else (see hide_background)
    #   all 128 rows: twice the time for rows in which no wall lies
    #   bf16: a quarter faster with avx512_bf16, slower where it is emulated; hence not set here
    Preset(
        Recipe(
            name="cpu",
            latent_size=64,
            generator_width=192,
            generator_channels="192,128,96,64,32,24,16,16,16",
            discriminator_width=32,
            discriminator_channels="32,64,128,192,256",
            epochs=64,
            samples_per_epoch=2000,
            batch_size=8,
            generator_learning_rate=1e-3,
            discriminator_learning_rate=1e-3,
            ema_decay=0.999,
            snapshot_every=4,
            quality_count=256,
            **_RELATIVISTIC,
        ),
        "The best that an hour of two CPU cores gives, from one to a few heads.",
    ),
    # The same game, narrower and short: 512 iterations, whatever the size of the set. Faster rates
    # and a short memory of the average, for there are few iterations to forget.
    Preset(
        Recipe(
            name="demo",
            latent_size=64,
            generator_width=128,
            generator_channels="128,96,64,48,32,16,12,12,12",
            discriminator_width=24,
            discriminator_channels="24,48,96,128,160",
            epochs=32,
            samples_per_epoch=128,
            batch_size=8,
            generator_learning_rate=2e-3,
            discriminator_learning_rate=2e-3,
            ema_decay=0.98,
            report_every=8,
            snapshot_every=8,
            quality_count=64,
            **_RELATIVISTIC,
        ),
        "Small and short, to try out: minutes on a CPU.",
    ),
)

PRESETS: dict[str, Preset] = {preset.recipe.name: preset for preset in _ALL}


def named(name: str) -> Recipe:
    """Give the recipe of that name.

    Raises:
        BadInputError: if there is none; the sentence names the nearest.

    Example:
        >>> named("demo").batch_size
        8
    """
    if name not in PRESETS:
        raise BadInputError(f"There is no recipe {name!r}; {nearest(name, PRESETS)}.")
    return PRESETS[name].recipe
