"""Recipes: every setting of a training, in one frozen object that travels as JSON.

``presets.named("demo")`` gives one of the recipes that come along, ``Recipe()`` the published one;
``with_settings`` changes settings given as text (``--set key=value``); ``to_json`` and
``from_json`` write and read ``recipe.json``. What each setting means, its unit and its range stand
beside its default and can be asked for with ``meanings``, ``units``, ``ranges`` and ``choices``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from ..errors import BadInputError
from ..networks import architecture
from ..networks.architecture import ACTIVATIONS, NORMS, Architecture
from ..networks.conditions import NAMES, names_of
from ..networks.precision import PRECISIONS
from ..utils.json_text import parse_json
from .setting import Range, as_text, check_names, choice, parse, setting, typed

T = TypeVar("T")

EARLIER_NAMES = {
    "epoch_segments": "samples_per_epoch",
    "judge_noise": "instance_noise_std",
    "settle_share": "lr_decay_fraction",
    "augmentation_target": "ada_target",
    "augmentation_ramp_share": "ada_ramp_fraction",
    "on_divergence": "on_training_failure",
    "divergence_reports": "failure_reports",
}
"""Settings as runs, models and commands of earlier versions call them, and as they are called."""

UPDATE_GATES = {
    "off": "both networks are updated with every batch",
    "below": "a network is updated only if its loss in the last batch was below update_gate_loss "
    "(the paper's sentence; a generator that falls behind then never catches up)",
    "above": "a network is updated only while its loss is above update_gate_loss, so that the one "
    "that is winning waits for the other (the published code)",
}

LOSSES = {
    "bce": "bce: cross entropy of every image with its label (the paper)",
    "relativistic": "relativistic: how much realer a real looks than the fake beside it, which "
    "leaves no mode behind (Jolicoeur-Martineau 2019; Huang et al. 2024); labels are not used",
}

ADA_REFERENCES = {
    "training": "training: the share of reals that it calls real (r_t of Karras et al. 2020)",
    "held_out": "held_out: how much realer they look than held-out ones, as a share of how much "
    "realer than fakes (r_v there); as training where nothing is held out",
}

ON_TRAINING_FAILURE = {
    "warn": "warn in events and status and continue",
    "stop": "end the training as failed",
}


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters of a training; the defaults are the recipe ``published``.

    They are the paper's (arXiv:2308.00206, section Training), with the batch and the update gate of
    the published code, since the paper's gate, read to the letter, stops the generator. Where the
    paper is silent (learning rate, Adam's second beta, how fast and how strongly reals are blurred)
    they are the published code's, too. Settings that neither knows are off.

    Raises:
        BadInputError: if a value is outside its range, with the setting, the range and the value.

    Example:
        >>> recipe = Recipe().with_settings({"epochs": "3", "flips": "yes"})
        >>> recipe.epochs, recipe.flips, recipe.batch_size
        (3, True, 16)
        >>> Recipe().with_settings({"batchsize": "8"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        SkullGANLib.errors.BadInputError: There is no setting 'batchsize'; ... 'batch_size'.
    """

    name: str = setting("published", "what the recipe is called")

    latent_size: int = setting(200, "numbers in a latent vector", "numbers", least=1)
    generator_width: int = setting(
        4096, "channels of the generator's first layer", "channels", least=1
    )
    discriminator_width: int = setting(
        64, "channels of the discriminator's first layer", "channels", least=1
    )
    generator_channels: str = setting(
        "",
        "channels of the generator's nine hidden layers; or a floor and a cap as in 12..192, "
        "between which they halve from generator_width; empty: halved, not below 8",
    )
    discriminator_channels: str = setting(
        "",
        "channels of the discriminator's five hidden layers; or a floor and a cap, between which "
        "they double from discriminator_width; empty: doubled",
    )
    image_rows: int = setting(
        128,
        "rows from the top that the networks make and see, a multiple of 32; half of them take "
        "half of the time, and segments whose wall reaches below are left out; 0: as few as 99 % "
        "of the segments fit into",
        "px",
        least=0,
        most=128,
    )
    generator_smoothing: bool = setting(
        False,
        "low-pass after the generator's last three transposed convolutions, which takes the grid "
        "out of the marrow",
    )
    noise_scales: int = setting(
        1,
        "scales of the noise that the generator injects: 1: white; with n, channels take turns at "
        "blocks of 1, 2, ... 2^(n-1) px",
        least=1,
        most=architecture.MOST_SCALES,
    )
    generator_activation: str = choice("none", ACTIVATIONS)
    discriminator_norm: str = choice("batch", NORMS)
    minibatch_std: int = setting(
        0,
        "images in a group whose deviation the discriminator sees, so that it notices segments "
        "that are all alike; 0: it does not",
        "segments",
        least=0,
    )
    slices: int = setting(
        0,
        "slices of a stack that are learned and made together, as channels; 0: those of the "
        "segment sets' stacks, or single segments where they have none; 1: single segments",
        "slices",
        least=0,
        most=architecture.MOST_SLICES,
    )
    conditions: str = setting(
        "",
        f"what the networks are told of a segment, so that it can be asked for: some of "
        f"{', '.join(NAMES)}, separated by commas; empty: nothing",
    )
    initial_weight_std: float = setting(
        0.01,
        "standard deviation of the initial convolution weights; 0: by each layer's inputs",
        least=0,
    )

    epochs: int = setting(1000, "length of the training, in epochs", "epochs", least=1)
    samples_per_epoch: int = setting(
        0,
        "segments shown in an epoch, again and again if the set is smaller; 0: each one once",
        "segments",
        least=0,
    )
    # Batch norm needs two samples to know a deviation from.
    batch_size: int = setting(16, "segments in a batch", "segments", least=2)
    balanced_subjects: bool = setting(
        False, "show every subject's segments equally often, however many it has"
    )

    generator_learning_rate: float = setting(3e-4, "Adam's learning rate, generator", least=0)
    discriminator_learning_rate: float = setting(
        3e-4, "Adam's learning rate, discriminator", least=0
    )
    adam_beta1: float = setting(0.5, "Adam's decay of the gradient's mean", least=0, below=1)
    adam_beta2: float = setting(
        0.999, "Adam's decay of the squared gradient's mean", least=0, below=1
    )
    loss: str = choice("bce", LOSSES)
    r1_gamma: float = setting(
        0.0,
        "weight of the penalty on the discriminator's gradient at reals (half the squared norm "
        "over all pixels; Mescheder et al. 2018); 0: none",
        least=0,
    )
    r2_gamma: float = setting(
        0.0, "weight of the penalty on its gradient at fakes; 0: none", least=0
    )
    penalty_every: int = setting(
        1,
        "iterations from one penalty to the next, which then weighs as many times as much "
        "(Karras et al. 2020)",
        "iterations",
        least=1,
    )
    real_label: float = setting(
        0.9, "what the discriminator should say of reals (smoothed 1)", least=0, most=1
    )
    fake_label: float = setting(0.0, "what the discriminator should say of fakes", least=0, most=1)

    plateau_patience: int = setting(
        1000,
        "iterations without a lower loss before a learning rate is reduced; 0: never",
        "iterations",
        least=0,
    )
    generator_plateau_factor: float = setting(
        0.5, "what the generator's rate is reduced by", least=0, most=1
    )
    discriminator_plateau_factor: float = setting(
        0.8, "what the discriminator's is reduced by", least=0, most=1
    )

    update_gate: str = choice("above", UPDATE_GATES)
    update_gate_loss: float = setting(0.9, "the loss that the update gate compares with", least=0)
    update_gate_from_epoch: int = setting(
        10, "epochs before which the update gate is open", "epochs", least=0
    )

    blurred_from_epoch: int = setting(
        15,
        "epoch after which blurred reals are among the fakes, one more a batch every epoch",
        "epochs",
        least=0,
    )
    blurred_share: float = setting(
        0.5, "largest share of blurred reals in a batch of fakes", least=0, most=1
    )
    blur_sigma_epochs: float = setting(
        15.0, "the 3 x 3 blur's sigma is this over the epoch, px", "epochs", least=0
    )
    blur_sigma_least_px: float = setting(0.5, "and never less than this, px", "px", least=0)

    flips: bool = setting(False, "mirror half of the reals left to right")
    shift_px: int = setting(
        0,
        "reals and fakes are moved by up to this many px before the discriminator sees them",
        "px",
        least=0,
        most=64,
    )
    contrast_std: float = setting(
        0.0,
        "reals and fakes are stretched in contrast, about the background, by e to a normal number "
        "of this deviation before the discriminator sees them",
        least=0,
        most=1,
    )
    hide_background: bool = setting(
        False,
        "the discriminator sees reals and fakes as files have them: 0 HU where there is no wall; "
        "otherwise a faint halo, which no real has, gives fakes away",
    )
    instance_noise_std: float = setting(
        0.0,
        "noise on what the discriminator sees, standard deviation on [-1, 1]; falls to 0 over the "
        "training",
        least=0,
    )
    lr_decay_fraction: float = setting(
        0.0,
        "last share of the training over which the learning rates fall to a twentieth",
        least=0,
        most=1,
    )
    ema_decay: float = setting(
        0.0,
        "decay an iteration of the generator's running average, which is kept; 0: no average",
        least=0,
        below=1,
    )

    ada_target: float = setting(
        0.0,
        "how far the discriminator may know the reals by heart, 0 to 1, by the sign that "
        "ada_reference chooses; farther, reals and fakes are augmented more strongly, less far, "
        "less; 0: no augmentation",
        least=0,
        most=1,
    )
    ada_reference: str = choice("training", ADA_REFERENCES)
    ada_ramp_fraction: float = setting(
        0.2,
        "share of the training in which augmentation can grow from none to full",
        above=0,
        most=1,
    )

    precision: str = choice("fp32", PRECISIONS)
    compile: bool = setting(False, "compile the networks, on a CUDA device with Triton")
    cuda_graph: bool = setting(
        False,
        "replay iterations as CUDA graphs, on a CUDA device in one process; replays are compared "
        "with the iterations themselves now and then",
    )

    on_training_failure: str = choice("warn", ON_TRAINING_FAILURE)
    failure_reports: int = setting(
        10,
        "reports in a row in which the discriminator wins outright before there is a warning",
        "reports",
        least=1,
    )
    win_share: float = setting(
        0.98,
        "it wins outright where reals are this much realer than fakes, of what labels ask for",
        least=0,
        most=1,
    )
    collapse_share: float = setting(
        0.2,
        "diversity of the sample grid below which it has collapsed, of that of the reals",
        least=0,
        most=1,
    )

    report_every: int = setting(50, "iterations between two reports", "iterations", least=1)
    snapshot_every: int = setting(
        10, "epochs between two sample grids and checkpoints", "epochs", least=1
    )
    sample_count: int = setting(
        32, "segments in a sample grid, made from seeds 0, 1, 2, ...", "segments", least=1
    )
    quality_count: int = setting(
        0,
        "segments of every snapshot that are compared with as many held-out reals (with reals "
        "learned from, if none are held out); the model kept is the best by that; 0: the last",
        "segments",
        least=0,
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            name, value = one.name, getattr(self, one.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise BadInputError(f"{name}: expected a finite number, found {value}.")
            choices = one.metadata["choices"]
            if choices and value not in choices:
                raise BadInputError(f"{name}: expected one of {list(choices)}, found {value!r}.")
            allowed = one.metadata["range"]
            if not isinstance(value, str) and value not in allowed:
                raise BadInputError(f"{name}: expected {allowed}, found {value!r}.")
        if self.image_rows % 32:
            raise BadInputError(f"image_rows: expected a multiple of 32, found {self.image_rows}.")
        if self.minibatch_std and self.batch_size % self.minibatch_std:
            raise BadInputError(
                f"batch_size: expected a multiple of minibatch_std, {self.minibatch_std}, found "
                f"{self.batch_size}."
            )
        self.architecture  # noqa: B018 - raises where there is none

    @property
    def architecture(self) -> Architecture:
        """The networks' architecture; raises ``BadInputError`` with the setting that makes none."""
        layers = {}
        for name, width, count in (
            ("generator_channels", self.generator_width, architecture.GENERATOR_LAYERS),
            ("discriminator_channels", self.discriminator_width, architecture.DISCRIMINATOR_LAYERS),
        ):
            try:
                layers[name] = architecture.channels(getattr(self, name), width, count)
            except BadInputError as error:
                raise BadInputError(f"{name}: {error}") from error
        others = {f.name: getattr(self, f.name) for f in fields(Architecture)} | layers
        others["conditions"] = names_of(self.conditions)
        others["image_rows"] = self.image_rows or architecture.IMAGE_SIZE
        others["slices"] = self.slices or 1
        return Architecture(**others)

    def with_settings(self, settings: Mapping[str, str]) -> Recipe:
        """Change settings given as text, as they come from ``--set key=value``.

        Earlier names of settings are read, too. A width alone means the published halving or
        doubling from it, in place of the recipe's list of channels; a batch that does not hold
        whole groups for the minibatch deviation makes the groups smaller.

        Raises:
            BadInputError: if a setting does not exist (the nearest is named), or the text is not
                of its type or range.
        """
        settings = current_names(settings)
        types = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        check_names(settings, types)
        changed: dict[str, Any] = {
            key: parse(key, text, types[key]) for key, text in settings.items()
        }
        if "batch_size" in changed and "minibatch_std" not in changed:
            group = math.gcd(changed["batch_size"], self.minibatch_std) if self.minibatch_std else 0
            changed["minibatch_std"] = group if group > 1 else 0
        for network in ("generator", "discriminator"):
            if f"{network}_width" in changed:
                changed.setdefault(f"{network}_channels", "")
        return replace(self, **changed)

    def differences(self, other: Recipe) -> dict[str, str]:
        """Give what another recipe sets otherwise, as ``with_settings`` of this one takes it.

        Example:
            >>> Recipe().differences(Recipe(epochs=3))
            {'epochs': '3'}
        """
        names = [f.name for f in fields(self) if f.name != "name"]
        return {n: as_text(v) for n in names if (v := getattr(other, n)) != getattr(self, n)}

    def to_json(self) -> str:
        """Write the whole recipe as indented JSON, one line a setting."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "The recipe") -> Recipe:
        """Read a recipe; settings that are not there (an older recipe) have their defaults.

        Args:
            text: the JSON; settings may have the names of earlier versions.
            where: the file's name, for the sentence of an error.

        Raises:
            BadInputError: if it is not a JSON object, a setting does not exist or has a wrong
                type or value.
        """
        given = parse_json(text, where, "a recipe as JSON")
        if not isinstance(given, dict):
            raise BadInputError(f"{where}: expected a recipe, found {type(given).__name__}.")
        return cls.from_dict(given, where)

    @classmethod
    def from_dict(cls, given: Mapping[str, object], where: str = "The recipe") -> Recipe:
        """Make a recipe of what ``dataclasses.asdict`` gave; raises as ``from_json``."""
        given = current_names(given)
        types = {f.name: type(f.default) for f in fields(cls)}
        try:
            check_names(given, types)
            values: dict[str, Any] = {
                key: typed(key, value, types[key]) for key, value in given.items()
            }
            return cls(**values)
        except BadInputError as error:
            raise BadInputError(f"{where}: {error}") from error


def current_names(settings: Mapping[str, T]) -> dict[str, T]:
    """Give settings under today's names, where they have those of an earlier version.

    Example:
        >>> current_names({"judge_noise": "0.1", "epochs": "3"})
        {'instance_noise_std': '0.1', 'epochs': '3'}
    """
    return {EARLIER_NAMES.get(name, name): value for name, value in settings.items()}


def meanings() -> dict[str, str]:
    """Give in a line what each setting means, for help texts and panels."""
    return {f.name: f.metadata["meaning"] for f in fields(Recipe)}


def units() -> dict[str, str]:
    """Give the unit of each setting, empty for a pure number, a choice or a name."""
    return {f.name: f.metadata["unit"] for f in fields(Recipe)}


def ranges() -> dict[str, Range]:
    """Give what numbers the settings may be that are numbers."""
    return {
        f.name: f.metadata["range"]
        for f in fields(Recipe)
        if isinstance(f.default, (int, float)) and not isinstance(f.default, bool)
    }


def choices() -> dict[str, tuple[str, ...]]:
    """Give what the settings may be that have a few values to choose from, yes and no included."""
    truths = {f.name: ("yes", "no") for f in fields(Recipe) if isinstance(f.default, bool)}
    return truths | {f.name: f.metadata["choices"] for f in fields(Recipe) if f.metadata["choices"]}
