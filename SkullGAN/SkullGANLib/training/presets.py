"""The recipes that come along, each with a sentence on what it is for.

``named("demo")`` gives a recipe; ``PRESETS`` is what command and panel list.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    # The same networks and game with what keeps small sets from being learned by heart, and fast on
    # a GPU: 9,600 iterations, whatever the size of the set.
    Preset(
        Recipe(
            name="fast",
            initial_weight_std=0.0,
            epochs=300,
            samples_per_epoch=2048,
            batch_size=64,
            adam_beta2=0.99,
            plateau_patience=0,
            update_gate="above",
            update_gate_from_epoch=0,
            blurred_share=0.0,
            flips=True,
            instance_noise_std=0.1,
            lr_decay_fraction=0.4,
            ema_decay=0.999,
            ada_target=0.6,
            precision="auto",
            compile=True,
        ),
        "The paper's networks, steadied for small sets and quick on a GPU, which it wants.",
    ),
    # Narrow and short: 576 iterations, some 80 s on two CPU cores, whatever the size of the set.
    # The gate keeps the discriminator from winning outright, which it did without within 50
    # iterations; noise on what it sees and a faster generator keep the segments varied.
    Preset(
        Recipe(
            name="demo",
            generator_width=256,
            discriminator_width=16,
            initial_weight_std=0.0,
            epochs=36,
            samples_per_epoch=128,
            batch_size=8,
            generator_learning_rate=2e-3,
            discriminator_learning_rate=1e-3,
            adam_beta2=0.99,
            plateau_patience=0,
            update_gate="above",
            update_gate_from_epoch=0,
            blurred_share=0.0,
            flips=True,
            shift_px=4,
            instance_noise_std=0.2,
            lr_decay_fraction=0.4,
            ema_decay=0.99,
            report_every=8,
            snapshot_every=9,
            sample_count=32,
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
