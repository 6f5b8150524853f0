"""The architecture of a model's networks: Table 1 of the paper, or what a recipe asks for instead.

Nothing heavy is imported, so that recipes and files may be checked without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..errors import BadInputError
from . import conditions

IMAGE_SIZE = 128
NARROWEST = 8
"""Channels that no hidden layer goes below, however narrow the network is chosen."""
GENERATOR_LAYERS = 9
"""Hidden layers of the generator: six transposed convolutions and three plain ones."""
DISCRIMINATOR_LAYERS = 5
MOST_SCALES = 5
"""Of noise: blocks of 16 pixels are as thick as a wall."""
MOST_SLICES = 64
"""Of a stack, as channels of an image."""

ACTIVATIONS = {
    "none": "none: the noise layers are all that is not linear after the last transposed "
    "convolution (the published code)",
    "leaky_relu": "leaky ReLU of slope 0.2",
}
NORMS = {
    "batch": "batch norm in all but the first and the last layer (Table 1)",
    "none": "none, which gradient penalties want: a batch norm makes an image's gradient that of "
    "its whole batch",
    "spectral": "spectral norm: each layer's weight over its largest singular value",
}

_WIDEST = 2**16
_ROWS = tuple(range(32, IMAGE_SIZE + 1, 32))
_PUBLISHED_NAMES = ("latent_size", "generator_width", "discriminator_width")


@dataclass(frozen=True)
class Architecture:
    """What rebuilds a generator and a discriminator; the defaults are Table 1's.

    Attributes:
        latent_size: numbers in a latent vector.
        generator_width: channels of the generator's first layer, halved from layer to layer but
            not below ``NARROWEST``.
        discriminator_width: channels of the discriminator's first layer, doubled from layer to
            layer.
        generator_channels, discriminator_channels: channels of each hidden layer, 9 and 5; empty
            where they follow from the widths.
        image_rows: rows from the top that the networks make and see, a multiple of 32; below them
            is background.
        generator_smoothing: a low-pass of (1, 2, 1) / 4 in rows and columns after each of the last
            three transposed convolutions.
        noise_scales: how many scales the injected noise has: 1 is white; with n, channels take
            turns at blocks of 1, 2, ... 2^(n-1) pixels.
        generator_activation: one of ``ACTIVATIONS``, after the first three plain convolutions.
        discriminator_norm: one of ``NORMS``.
        minibatch_std: images in a group whose deviation the discriminator's last layer sees; 0: it
            does not.
        slices: of a stack in depth, which are the channels of an image; 1 is a single segment.
        conditions: what the networks are told of a segment, out of ``conditions.NAMES``.

    Raises:
        BadInputError: if a value makes no network.

    Example:
        >>> Architecture(generator_width=256).generator_layers
        (256, 128, 64, 32, 16, 8, 8, 8, 8)
        >>> Architecture().discriminator_layers
        (64, 128, 256, 512, 1024)
    """

    latent_size: int = 200
    generator_width: int = 4096
    discriminator_width: int = 64
    generator_channels: tuple[int, ...] = ()
    discriminator_channels: tuple[int, ...] = ()
    image_rows: int = IMAGE_SIZE
    generator_smoothing: bool = False
    noise_scales: int = 1
    generator_activation: str = "none"
    discriminator_norm: str = "batch"
    minibatch_std: int = 0
    slices: int = 1
    conditions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not self._is_sound(one.name, value):
                raise BadInputError(f"The architecture's {one.name} is {value!r}, which is none.")

    @property
    def generator_layers(self) -> tuple[int, ...]:
        """Channels of the generator's hidden layers."""
        return self.generator_channels or _halved(self.generator_width)

    @property
    def discriminator_layers(self) -> tuple[int, ...]:
        """Channels of the discriminator's hidden layers."""
        return self.discriminator_channels or _doubled(self.discriminator_width)

    @property
    def condition_size(self) -> int:
        """How many numbers the networks are told of a segment."""
        return conditions.size_of(self.conditions)

    def to_dict(self) -> dict[str, Any]:
        """Give it as files have it: sizes, and of the rest what Table 1 has otherwise."""
        given = {name: getattr(self, name) for name in _PUBLISHED_NAMES}
        given["image_size"] = IMAGE_SIZE
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name not in _PUBLISHED_NAMES and value != one.default:
                given[one.name] = list(value) if isinstance(value, tuple) else value
        return given

    @classmethod
    def from_dict(cls, given: object) -> Architecture:
        """Read what ``to_dict`` gave.

        Raises:
            BadInputError: if it is something else.
        """
        expected = (
            f"expected latent_size, generator_width, discriminator_width and an image_size of "
            f"{IMAGE_SIZE}"
        )
        names = {one.name for one in fields(cls)}
        if not isinstance(given, Mapping) or given.get("image_size") != IMAGE_SIZE:
            raise BadInputError(f"the architecture is {given!r}, {expected}.")
        strange = given.keys() - names - {"image_size"}
        if strange or not given.keys() >= set(_PUBLISHED_NAMES):
            raise BadInputError(f"the architecture is {dict(given)!r}, {expected}.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
            if name != "image_size"
        }
        try:
            return cls(**values)
        except BadInputError as error:
            raise BadInputError(
                f"the architecture is {dict(given)!r}, {expected} ({error})"
            ) from error

    @staticmethod
    def _is_sound(name: str, value: object) -> bool:
        if name in _PUBLISHED_NAMES:
            return _is_size(value)
        if name == "minibatch_std":
            return value == 0 or (_is_size(value) and value != 1)
        if name == "slices":
            return _is_size(value) and value in range(1, MOST_SLICES + 1)
        if name == "conditions":
            return isinstance(value, tuple) and value == tuple(
                one for one in conditions.NAMES if one in value
            )
        if name == "noise_scales":
            return _is_size(value) and value in range(1, MOST_SCALES + 1)
        if name == "image_rows":
            return value in _ROWS and not isinstance(value, bool)
        if name == "generator_smoothing":
            return isinstance(value, bool)
        if name == "generator_activation":
            return isinstance(value, str) and value in ACTIVATIONS
        if name == "discriminator_norm":
            return isinstance(value, str) and value in NORMS
        layers = GENERATOR_LAYERS if name == "generator_channels" else DISCRIMINATOR_LAYERS
        return value == () or (
            isinstance(value, tuple) and len(value) == layers and all(map(_is_size, value))
        )


def channels(text: str, width: int, layers: int) -> tuple[int, ...]:
    """Read the channels of a network's hidden layers, as a recipe has them.

    Args:
        text: a number for each layer, "192,128,..."; or a floor and a cap, "12..192", between
            which the published halving or doubling of ``width`` is kept; or nothing for that
            alone.
        width: channels of the first layer.
        layers: ``GENERATOR_LAYERS`` or ``DISCRIMINATOR_LAYERS``.

    Returns:
        The channels; empty if they follow from the width.

    Raises:
        BadInputError: if it is none of these.

    Example:
        >>> channels("12..192", 256, GENERATOR_LAYERS)
        (192, 128, 64, 32, 16, 12, 12, 12, 12)
        >>> channels("16,32,64,96,96", 16, DISCRIMINATOR_LAYERS)
        (16, 32, 64, 96, 96)
    """
    text = text.replace(" ", "")
    if not text:
        return ()
    published = _halved(width) if layers == GENERATOR_LAYERS else _doubled(width)
    floor, dots, cap = text.partition("..")
    try:
        if dots:
            least, most = int(floor), int(cap)
            chosen = tuple(min(max(one, least), most) for one in published)
            sound = 1 <= least <= most <= _WIDEST
        else:
            chosen = tuple(map(int, text.split(",")))
            sound = len(chosen) == layers and all(map(_is_size, chosen))
    except ValueError:
        sound = False
    if not sound:
        raise BadInputError(
            f"expected {layers} numbers of channels, separated by commas, or a floor and a cap as "
            f'in "12..192", found {text!r}.'
        )
    return chosen


def _halved(width: int) -> tuple[int, ...]:
    return tuple(max(width // 2**halvings, NARROWEST) for halvings in range(GENERATOR_LAYERS))


def _doubled(width: int) -> tuple[int, ...]:
    return tuple(width * 2**doublings for doublings in range(DISCRIMINATOR_LAYERS))


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _WIDEST
