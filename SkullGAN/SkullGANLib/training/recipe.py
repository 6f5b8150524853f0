"""Recipes: every setting of a training, in one frozen object that travels as JSON.

``named("demo")`` gives one of ``RECIPES``; ``with_settings`` changes settings given as text
(``--set key=value``); ``to_json`` and ``from_json`` write and read ``recipe.json``. What each
setting means stands beside its default and can be asked for with ``meanings``.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ..errors import BadInputError

UPDATE_GATES = {
    "off": "both networks are updated with every batch",
    "below": "a network is updated only if its loss in the last batch was below update_gate_loss "
    "(the paper's sentence; a generator that falls behind then never catches up)",
    "above": "a network is updated only while its loss is above update_gate_loss, so that the one "
    "that is winning waits for the other (the published code)",
}


PRECISIONS = {
    "fp32": "everything in float32",
    "bf16": "the networks' layers in bfloat16; weights, batch statistics, losses and the optimizer "
    "in float32",
    "auto": "bf16 where the device has matrix units for it, else fp32",
}

ON_DIVERGENCE = {
    "warn": "say so in events and status and go on",
    "stop": "end the training as failed",
}


def _setting(default: Any, meaning: str, unit: str = "") -> Any:
    return field(default=default, metadata={"meaning": meaning, "unit": unit})


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters of a training; the defaults are the paper's
    (arXiv:2308.00206, section Training).

    Where the paper is silent (learning rate, Adam's second beta, how fast and how strongly reals
    are blurred) the defaults are the published code's. Settings that neither knows are off.

    Raises:
        BadInputError: if a value is outside its range, naming setting, value and need.

    Example:
        >>> recipe = named("paper").with_settings({"epochs": "3", "flips": "yes"})
        >>> recipe.epochs, recipe.flips, recipe.batch_size
        (3, True, 64)
        >>> named("paper").with_settings({"batchsize": "8"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        SkullGANLib.errors.BadInputError: There is no setting 'batchsize'; ... 'batch_size'.
    """

    name: str = _setting("paper", "what the recipe is called")

    latent_size: int = _setting(200, "numbers in a latent vector", "numbers")
    generator_width: int = _setting(4096, "channels of the generator's first layer", "channels")
    discriminator_width: int = _setting(
        64, "channels of the discriminator's first layer", "channels"
    )
    initial_weight_std: float = _setting(
        0.01, "standard deviation of the initial convolution weights; 0: by each layer's inputs"
    )

    epochs: int = _setting(1000, "length of the training, in epochs", "epochs")
    epoch_segments: int = _setting(
        0,
        "segments shown in an epoch, again and again if the set is smaller; 0: each one once",
        "segments",
    )
    batch_size: int = _setting(64, "segments in a batch", "segments")

    generator_learning_rate: float = _setting(3e-4, "Adam's learning rate, generator")
    discriminator_learning_rate: float = _setting(3e-4, "Adam's learning rate, discriminator")
    adam_beta1: float = _setting(0.5, "Adam's decay of the gradient's mean")
    adam_beta2: float = _setting(0.999, "Adam's decay of the squared gradient's mean")
    real_label: float = _setting(0.9, "what the discriminator should say of reals (smoothed 1)")
    fake_label: float = _setting(0.0, "what the discriminator should say of fakes")

    plateau_patience: int = _setting(
        1000,
        "iterations without a lower loss before a learning rate is reduced; 0: never",
        "iterations",
    )
    generator_plateau_factor: float = _setting(0.5, "what the generator's rate is reduced by")
    discriminator_plateau_factor: float = _setting(0.8, "what the discriminator's is reduced by")

    update_gate: str = _setting(
        "below", "; ".join(f"{gate}: {meaning}" for gate, meaning in UPDATE_GATES.items())
    )
    update_gate_loss: float = _setting(0.9, "the loss that the update gate compares with")
    update_gate_from_epoch: int = _setting(
        0, "epochs before which the update gate is open", "epochs"
    )

    blurred_from_epoch: int = _setting(
        15,
        "epoch after which blurred reals are among the fakes, one more a batch every epoch",
        "epochs",
    )
    blurred_share: float = _setting(0.5, "largest share of blurred reals in a batch of fakes")
    blur_sigma_epochs: float = _setting(
        15.0, "the 3 x 3 blur's sigma is this over the epoch, px", "epochs"
    )
    blur_sigma_least_px: float = _setting(0.5, "and never less than this, px", "px")

    flips: bool = _setting(False, "mirror half of the reals left to right")
    shift_px: int = _setting(
        0, "reals and fakes are moved by up to this many px before they are judged", "px"
    )
    judge_noise: float = _setting(
        0.0, "noise on what is judged, standard deviation on [-1, 1]; falls to 0 over the training"
    )
    settle_share: float = _setting(
        0.0, "last share of the training over which the learning rates fall to a twentieth"
    )
    ema_decay: float = _setting(
        0.0, "decay an iteration of the generator's running average, which is kept; 0: no average"
    )

    augmentation_target: float = _setting(
        0.0,
        "how sure the discriminator may be of reals (mean sign of what it says, 0 to 1); surer, "
        "reals and fakes are augmented more strongly, less sure, less; 0: no augmentation",
    )
    augmentation_ramp_share: float = _setting(
        0.2, "share of the training in which augmentation can grow from none to full"
    )

    precision: str = _setting(
        "fp32", "; ".join(f"{name}: {meaning}" for name, meaning in PRECISIONS.items())
    )
    compile: bool = _setting(False, "compile the networks, on a CUDA device with Triton")

    on_divergence: str = _setting(
        "warn", "; ".join(f"{name}: {meaning}" for name, meaning in ON_DIVERGENCE.items())
    )
    divergence_reports: int = _setting(
        10, "reports in a row in which the discriminator must win outright to be told of", "reports"
    )
    win_share: float = _setting(
        0.98, "it wins outright where reals are this much realer than fakes, of what labels ask for"
    )
    collapse_share: float = _setting(
        0.2, "diversity of the sample grid below which it has collapsed, of that of the reals"
    )

    report_every: int = _setting(50, "iterations between two reports", "iterations")
    snapshot_every: int = _setting(10, "epochs between two sample grids and checkpoints", "epochs")
    sample_count: int = _setting(
        32, "segments in a sample grid, made from seeds 0, 1, 2, ...", "segments"
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise BadInputError(f"{setting.name} is {value}, a finite number is needed.")
        for name in _AT_LEAST_ONE:
            self._need(name, getattr(self, name) >= 1, "at least 1")
        for name in _NOT_NEGATIVE:
            self._need(name, getattr(self, name) >= 0, "0 or more")
        for name in _SHARES:
            self._need(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("adam_beta1", "adam_beta2", "ema_decay"):
            self._need(name, 0 <= getattr(self, name) < 1, "a number from 0 to below 1")
        # Batch norm needs two samples to know a deviation from.
        self._need("batch_size", self.batch_size >= 2, "at least 2")
        for name, choices in _CHOICES.items():
            self._need(name, getattr(self, name) in choices, f"one of {list(choices)}")
        self._need("augmentation_ramp_share", self.augmentation_ramp_share > 0, "above 0")
        self._need("shift_px", self.shift_px <= 64, "at most 64")

    def _need(self, name: str, fulfilled: bool, needed: str) -> None:
        if not fulfilled:
            raise BadInputError(f"{name} is {getattr(self, name)!r}, needed is {needed}.")

    def with_settings(self, settings: Mapping[str, str]) -> Recipe:
        """Change settings given as text, as they come from ``--set key=value``.

        Raises:
            BadInputError: if a setting does not exist (the nearest is named), or the text is not
                of its type or range.
        """
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        _check_names(settings, kinds)
        return replace(self, **{key: _parse(key, s, kinds[key]) for key, s in settings.items()})

    def differences(self, other: Recipe) -> dict[str, str]:
        """Give what another recipe sets otherwise, as ``with_settings`` of this one takes it.

        Example:
            >>> named("demo").differences(named("demo").with_settings({"epochs": "3"}))
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
            text: the JSON.
            where: the file's name, for the sentence of an error.

        Raises:
            BadInputError: if it is not a JSON object, a setting does not exist or has a wrong
                type or value.
        """
        try:
            given = json.loads(text)
        except ValueError as error:
            raise BadInputError(f"{where}: is not JSON ({error}), a recipe is needed.") from error
        if not isinstance(given, dict):
            raise BadInputError(f"{where}: holds {type(given).__name__}, a recipe is needed.")
        return cls.from_dict(given, where)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any], where: str = "The recipe") -> Recipe:
        """Make a recipe of what ``dataclasses.asdict`` gave; raises as ``from_json``."""
        kinds = {f.name: type(f.default) for f in fields(cls)}
        try:
            _check_names(given, kinds)
            return cls(**{key: _typed(key, value, kinds[key]) for key, value in given.items()})
        except BadInputError as error:
            raise BadInputError(f"{where}: {error}") from error


_CHOICES = {
    "update_gate": UPDATE_GATES,
    "precision": PRECISIONS,
    "on_divergence": ON_DIVERGENCE,
}
_AT_LEAST_ONE = (
    "latent_size",
    "generator_width",
    "discriminator_width",
    "epochs",
    "divergence_reports",
    "report_every",
    "snapshot_every",
    "sample_count",
)
_NOT_NEGATIVE = (
    "initial_weight_std",
    "epoch_segments",
    "generator_learning_rate",
    "discriminator_learning_rate",
    "plateau_patience",
    "update_gate_loss",
    "update_gate_from_epoch",
    "blurred_from_epoch",
    "blur_sigma_epochs",
    "blur_sigma_least_px",
    "shift_px",
    "judge_noise",
)
_SHARES = (
    "real_label",
    "fake_label",
    "generator_plateau_factor",
    "discriminator_plateau_factor",
    "blurred_share",
    "settle_share",
    "augmentation_target",
    "augmentation_ramp_share",
    "win_share",
    "collapse_share",
)

RECIPES: dict[str, Recipe] = {
    # As the paper says it, to the letter. With its update gate the generator took one step
    # in 20 iterations and none in the next 120 (47 segments, widths 64 and 8, batch 8): the
    # discriminator wins, the generator's loss rises above 0.9 and stays there. "published" has
    # the other reading, with which both networks go on.
    "paper": Recipe(),
    # As the published code does it.
    "published": Recipe(
        name="published", batch_size=16, update_gate="above", update_gate_from_epoch=10
    ),
    # The same networks and game with what keeps small sets from being learned by heart, and fast on
    # a GPU: 9,600 iterations, whatever the size of the set.
    "fast": Recipe(
        name="fast",
        initial_weight_std=0.0,
        epochs=300,
        epoch_segments=2048,
        adam_beta2=0.99,
        plateau_patience=0,
        update_gate="above",
        blurred_share=0.0,
        flips=True,
        judge_noise=0.1,
        settle_share=0.4,
        ema_decay=0.999,
        augmentation_target=0.6,
        precision="auto",
        compile=True,
    ),
    # Narrow and short: 576 iterations, some 80 s on two CPU cores, whatever the size of the set.
    # The gate keeps the discriminator from winning outright, which it did without within 50
    # iterations; noise on what is judged and a faster generator keep the segments varied.
    "demo": Recipe(
        name="demo",
        generator_width=256,
        discriminator_width=16,
        initial_weight_std=0.0,
        epochs=36,
        epoch_segments=128,
        batch_size=8,
        generator_learning_rate=2e-3,
        discriminator_learning_rate=1e-3,
        adam_beta2=0.99,
        plateau_patience=0,
        update_gate="above",
        blurred_share=0.0,
        flips=True,
        shift_px=4,
        judge_noise=0.2,
        settle_share=0.4,
        ema_decay=0.99,
        report_every=8,
        snapshot_every=9,
        sample_count=32,
    ),
}


def named(name: str) -> Recipe:
    """Give the recipe of that name.

    Raises:
        BadInputError: if there is none; the sentence names the nearest.
    """
    if name not in RECIPES:
        raise BadInputError(f"There is no recipe {name!r}; {_nearest(name, RECIPES)}.")
    return RECIPES[name]


def meanings() -> dict[str, str]:
    """Say in a line what each setting means, for help texts and panels."""
    return {f.name: f.metadata["meaning"] for f in fields(Recipe)}


def units() -> dict[str, str]:
    """Give the unit of each setting, empty for a pure number, a choice or a name."""
    return {f.name: f.metadata["unit"] for f in fields(Recipe)}


def choices() -> dict[str, tuple[str, ...]]:
    """Give what the settings may be that have a few values to choose from, yes and no included."""
    truths = {f.name: ("yes", "no") for f in fields(Recipe) if isinstance(f.default, bool)}
    return truths | {name: tuple(allowed) for name, allowed in _CHOICES.items()}


def as_text(value: Any) -> str:
    """Write a setting's value as ``with_settings`` reads it."""
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _check_names(given: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in given:
        if name not in known:
            raise BadInputError(f"There is no setting {name!r}; {_nearest(name, known)}.")


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"the nearest is {nearest[0]!r}" if nearest else f"there are {', '.join(known)}"


_TRUTHS = {"true": True, "yes": True, "on": True, "1": True}
_TRUTHS |= {"false": False, "no": False, "off": False, "0": False}
_KIND_NAMES = {int: "a whole number", float: "a number", bool: "yes or no", str: "a text"}


def _parse(name: str, text: str, kind: type) -> Any:
    try:
        return _TRUTHS[text.strip().lower()] if kind is bool else kind(text.strip())
    except (ValueError, KeyError) as error:
        raise BadInputError(f"{name} is {text!r}, needed is {_KIND_NAMES[kind]}.") from error


def _typed(name: str, value: Any, kind: type) -> Any:
    # JSON writes 3.0 and 3 alike in other languages, and Python counts True as an int.
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind is float and (whole or isinstance(value, float)):
        return float(value)
    if whole if kind is int else isinstance(value, kind):
        return value
    raise BadInputError(f"{name} is {value!r}, needed is {_KIND_NAMES[kind]}.")
