"""Find what comes with SkullGAN beside its code: sample data, a model and headless scripts."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import BadInputError

_PACKAGES = Path(__file__).resolve().parents[2]
_ROOMS = (
    _PACKAGES,  # SkullGAN/ of a checkout, or the module's folder in Slicer
    _PACKAGES.parent,  # the root of a checkout
    Path(sys.prefix) / "share" / "skullgan",  # where pip puts them
)


def sample_ct() -> Path:
    """The head CT that comes with SkullGAN (see ``Resources/SampleData/README.md``)."""
    return find("Resources/SampleData/SampleHeadCT.nrrd")


def bundled_model() -> Path:
    """The model that comes with SkullGAN (see ``Resources/Models/README.md``)."""
    return find("Resources/Models/skullgan-three-heads.safetensors")


def find(name: str) -> Path:
    """The path of a file that comes with SkullGAN, by its place in the repository.

    Raises:
        BadInputError: if this installation lacks it.
    """
    for room in _ROOMS:
        if (room / name).is_file():
            return room / name
    raise BadInputError(
        f"{name} did not come with this installation of SkullGAN, expected it beside the code; "
        "install from a checkout of the repository."
    )
