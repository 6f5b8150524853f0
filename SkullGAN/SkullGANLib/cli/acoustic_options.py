"""The options of acoustic media, and what they mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..acoustics.convention import FREQUENCY_KHZ
from ..acoustics.media import MediumSettings
from ..acoustics.registry import CONVENTIONS
from ..acoustics.tissues import TISSUES

if TYPE_CHECKING:
    from ..export.format import Format

_OPTIONS = (
    "medium", "frequency_khz", "refine", "spacing_mm", "points_per_wavelength", "outside", "inside",
    "scalp_mm", "densest_hu",
)  # fmt: skip
"""The fields of ``MediumSettings``; options are called so, but for ``grid_mm``."""


def add_medium(one: argparse.ArgumentParser) -> None:
    """Add how acoustic media are made; ``medium_settings`` reads it."""
    usual = MediumSettings()
    group = one.add_argument_group("of acoustic media (--format acoustic)")
    group.add_argument(
        "--medium",
        choices=tuple(CONVENTIONS),
        help=f"how HU become density, sound speed and attenuation ({usual.medium})",
    )
    group.add_argument(
        "--frequency-khz",
        type=float,
        metavar="KHZ",
        help=f"of the ultrasound, for points per wavelength and for what depends on it "
        f"({FREQUENCY_KHZ:g})",
    )
    group.add_argument(
        "--points-per-wavelength",
        type=float,
        metavar="N",
        help="grid as fine as that in the slowest medium, never coarser than the pixels",
    )
    group.add_argument(
        "--refine", type=int, metavar="N", help="grid points for a pixel along each axis"
    )
    group.add_argument(
        "--grid-mm", dest="spacing_mm", type=float, metavar="MM", help="spacing of the grid"
    )
    for where, what in (("outside", "above"), ("inside", "below")):
        group.add_argument(
            f"--{where}",
            choices=tuple(TISSUES),
            help=f"what lies {what} the wall ({getattr(usual, where)})",
        )
    group.add_argument(
        "--scalp-mm", type=float, metavar="MM", help="thickness of scalp on the wall (0)"
    )
    group.add_argument(
        "--densest-hu",
        type=float,
        metavar="HU",
        help="densest bone, for marsac, to make media of several sets alike (that of the set)",
    )


def medium_settings(options: argparse.Namespace) -> MediumSettings:
    """Give the settings that were asked for; raises as ``MediumSettings``."""
    given = {name: getattr(options, name) for name in _OPTIONS}
    return MediumSettings(**{name: value for name, value in given.items() if value is not None})


def asked_for(options: argparse.Namespace) -> list[str]:
    """Give the options of acoustic media that were given."""
    names = {"spacing_mm": "grid_mm"}
    return [
        f"--{names.get(name, name).replace('_', '-')}"
        for name in _OPTIONS
        if getattr(options, name) is not None
    ]


def acoustic_format(options: argparse.Namespace) -> Format:
    """Give the format with the settings that were asked for."""
    from ..export.acoustic import format_with

    return format_with(medium_settings(options))
