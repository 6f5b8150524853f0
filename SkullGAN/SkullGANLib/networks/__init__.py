"""SkullGAN's networks (Table 1 of the paper), how they run fast, their file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .dcgan import Discriminator as Discriminator
    from .dcgan import Generator as Generator
    from .devices import chosen_device as chosen_device
    from .model_file import Model as Model

__all__ = ["Discriminator", "Generator", "Model", "chosen_device"]

_HOMES = {
    "Discriminator": "dcgan",
    "Generator": "dcgan",
    "chosen_device": "devices",
    "Model": "model_file",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
