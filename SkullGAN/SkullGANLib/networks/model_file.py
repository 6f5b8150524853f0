"""Models: a trained generator and discriminator with what it takes to use them, in one file.

``write`` and ``read`` move a ``Model`` between memory and a ``.safetensors`` file: tensors
``generator.*`` and ``discriminator.*``, metadata as JSON strings. Nothing in such a file is ever
executed. ``from_hu`` and ``to_hu`` go from HU to what the networks see and back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .. import __version__
from ..data.depth import Depth
from ..data.segment_set import HU_RANGE, PIXEL_SPACING_MM
from ..errors import BadInputError
from ..utils.atomic_files import write_tensors
from ..utils.json_text import parse_json
from .architecture import Architecture
from .conditions import Conditions
from .dcgan import Discriminator, Generator, architecture_of, networks

FORMAT = "skullgan-model"
FORMAT_VERSION = 2
"""Version 1 knows the architecture of Table 1 alone, at any width; such models are still written as
version 1, for programs that read no other."""

_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained SkullGAN.

    Attributes:
        generator, discriminator: the networks, in evaluation mode and float32 after ``read``.
        hu_range: HU that the networks see as -1 and +1.
        pixel_spacing_mm: size of the square pixels of the segments it makes.
        recipe: the settings it was trained with, as ``dataclasses.asdict(recipe)``.
        trained_on: what it was trained on, and nothing of a patient (segments, subjects, scanner).
        license: under which the weights may be used; empty if unknown.
        created_by: program and version that made it.
        depth_step_mm: from a slice to the next of the stacks that it makes; 0 for a model of single
            segments.
        conditions: what the networks are told and what is known of it; None where they are not.

    Raises:
        BadInputError: if the HU range is empty, the pixels have no size, it makes stacks whose
            slices have no distance, or the conditions are not those of the networks.
    """

    generator: Generator
    discriminator: Discriminator
    hu_range: tuple[float, float] = HU_RANGE
    pixel_spacing_mm: float = PIXEL_SPACING_MM
    recipe: Mapping[str, Any] = field(default_factory=dict)
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    license: str = ""
    created_by: str = f"skullgan {__version__}"
    conditions: Conditions | None = None
    depth_step_mm: float = 0.0

    def __post_init__(self) -> None:
        self.depth  # noqa: B018 - raises where there is none
        lowest, highest = self.hu_range
        if not _INT16.min <= lowest < highest <= _INT16.max:
            raise BadInputError(
                f"A model's hu_range is {self.hu_range}, expected lowest first, within int16."
            )
        if not self.pixel_spacing_mm > 0:
            raise BadInputError(
                f"A model's pixel_spacing_mm is {self.pixel_spacing_mm}, expected above 0."
            )
        known = self.conditions.names if self.conditions else ()
        if known != self.generator.shape.conditions:
            raise BadInputError(
                f"A model's networks are told {self.generator.shape.conditions}, expected what is "
                f"known of these conditions, found {known}."
            )

    @property
    def architecture(self) -> Architecture:
        """What rebuilds the networks."""
        return architecture_of(self.generator, self.discriminator)

    @property
    def slices(self) -> int:
        """Segments that one latent vector gives: those of a stack, or 1."""
        return self.generator.shape.slices

    @property
    def depth(self) -> Depth | None:
        """Of the stacks that it makes; None for single segments."""
        return Depth(self.slices, self.depth_step_mm) if self.slices > 1 else None


def write(path: str | Path, model: Model, *, dtype: torch.dtype = torch.float32) -> None:
    """Write a model, aside and renamed.

    Args:
        path: the ``.safetensors`` file.
        model: what to write.
        dtype: of the convolutions' weights; ``torch.bfloat16`` halves the file. Batch norm and
            biases, a thousandth of it, stay float32. ``read`` gives float32 whatever it was.

    Raises:
        BadInputError: if a weight is NaN or infinite.
        OutputError: if the file cannot be written.
    """
    tensors = {
        f"{part}.{name}": _as_stored(tensor, dtype).detach().cpu().contiguous()
        for part, network in (
            ("generator", model.generator),
            ("discriminator", model.discriminator),
        )
        for name, tensor in network.state_dict().items()
    }
    _check_finite(path, tensors)
    metadata = {
        "format": FORMAT,
        "format_version": _version_of(model.architecture),
        "architecture": model.architecture.to_dict(),
        "hu_range": list(model.hu_range),
        "pixel_spacing_mm": model.pixel_spacing_mm,
        "recipe": dict(model.recipe),
        "trained_on": dict(model.trained_on),
        "licence": model.license,  # as the format spells it
        "created_by": model.created_by,
    }
    if model.depth:
        metadata["depth_step_mm"] = model.depth_step_mm
    if model.conditions:
        metadata["conditions"] = model.conditions.to_dict()
    write_tensors(path, tensors, {key: json.dumps(value) for key, value in metadata.items()})


def read(path: str | Path, device: torch.device | str = "cpu") -> Model:
    """Read a model.

    Args:
        path: a ``.safetensors`` file that ``write`` made.
        device: where the networks go.

    Raises:
        BadInputError: if the file does not exist, is damaged or something else, is of a later
            version, lacks a tensor or has one too many or of another shape, or a weight is NaN or
            infinite.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, expected a model (.safetensors).")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = _metadata(path, file.metadata() or {})
            generator, discriminator = _empty_networks(path, metadata["architecture"])
            parts: dict[str, Generator | Discriminator] = {
                "generator": generator,
                "discriminator": discriminator,
            }
            expected = {
                f"{part}.{name}": tuple(tensor.shape)
                for part, network in parts.items()
                for name, tensor in network.state_dict().items()
            }
            names = file.keys()
            found = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            _check_tensors(path, expected, found)
            _check_types(path, {n: file.get_slice(n).get_dtype() for n in expected})
            tensors = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, OSError) as error:
        raise BadInputError(
            f"{path}: cannot be read as a model (.safetensors); the file is damaged or something "
            "else."
        ) from error
    _check_finite(path, tensors)
    for part, network in parts.items():
        weights = {
            name: _as_trained(tensors[f"{part}.{name}"]).to(device) for name in network.state_dict()
        }
        network.load_state_dict(weights, assign=True)
        network.eval()
    return _model(path, generator, discriminator, metadata)


def read_architecture(path: str | Path) -> Architecture:
    """Read the sizes of a model's networks and no weight; raises as ``read`` of a damaged file."""
    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, expected a model (.safetensors).")
    try:
        with safe_open(path, framework="pt") as file:
            architecture = _metadata(path, file.metadata() or {})["architecture"]
    except (SafetensorError, OSError, KeyError) as error:
        raise BadInputError(
            f"{path}: cannot be read as a model (.safetensors); the file is damaged or something "
            "else."
        ) from error
    return _architecture(path, architecture)


def from_hu(hu: np.ndarray | Tensor, hu_range: tuple[float, float]) -> Tensor:
    """Turn HU into what the networks see, linearly; HU beyond the range are clipped to it.

    Args:
        hu: int16 (N, 128, 128), or (N, slices, 128, 128) of stacks; a tensor may be on any device.
        hu_range: HU that become -1 and +1.

    Returns:
        float32 (N, 1, 128, 128), or with the slices, in [-1, 1], where the HU are.
    """
    lowest, highest = hu_range
    if not isinstance(hu, Tensor):
        hu = torch.from_numpy(np.asarray(hu, np.float32))
    scaled = (hu.float() - lowest) * (2 / (highest - lowest)) - 1
    scaled = scaled.clamp(-1, 1)
    return scaled if scaled.ndim == 4 else scaled[:, None]


def to_hu(images: Tensor, hu_range: tuple[float, float]) -> np.ndarray:
    """Turn a generator's output into HU, rounded.

    Args:
        images: float (N, slices, 128, 128) in [-1, 1].
        hu_range: HU of -1 and of +1.

    Returns:
        int16 (N, 128, 128), of stacks slice by slice (N · slices, 128, 128).
    """
    return in_hu(images, hu_range).cpu().numpy()


def in_hu(images: Tensor, hu_range: tuple[float, float]) -> Tensor:
    """Do as ``to_hu``, but give a tensor where the images are."""
    lowest, highest = hu_range
    hu = (images.flatten(0, 1).float() + 1) * ((highest - lowest) / 2) + lowest
    return hu.round().to(torch.int16)


def _metadata(path: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    try:
        metadata = {key: parse_json(text, str(path), "a model") for key, text in texts.items()}
    except BadInputError:
        metadata = {}  # other programs write plain texts
    if metadata.get("format") != FORMAT:
        raise BadInputError(
            f"{path}: is a safetensors file but not a SkullGAN model; expected one that skullgan "
            "train or skullgan import-weights wrote."
        )
    version = metadata.get("format_version")
    if version not in range(1, FORMAT_VERSION + 1):
        raise BadInputError(
            f"{path}: is a model of version {version}, this program reads up to version "
            f"{FORMAT_VERSION}; the SkullGAN that wrote it, or a newer one, reads it."
        )
    return metadata


def _model(
    path: Path, generator: Generator, discriminator: Discriminator, metadata: Mapping[str, Any]
) -> Model:
    try:
        return Model(
            generator=generator,
            discriminator=discriminator,
            hu_range=(float(metadata["hu_range"][0]), float(metadata["hu_range"][1])),
            pixel_spacing_mm=float(metadata["pixel_spacing_mm"]),
            recipe=dict(metadata["recipe"]),
            trained_on=dict(metadata["trained_on"]),
            license=str(metadata["licence"]),
            created_by=str(metadata["created_by"]),
            conditions=Conditions.from_dict(metadata["conditions"])
            if "conditions" in metadata
            else None,
            depth_step_mm=float(metadata.get("depth_step_mm", 0.0)),
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadInputError(f"{path}: the model's metadata are incomplete ({error}).") from error
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error


def _architecture(path: Path, given: object) -> Architecture:
    try:
        return Architecture.from_dict(given)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error


def _empty_networks(path: Path, architecture: object) -> tuple[Generator, Discriminator]:
    # On "meta" nothing is allocated, whatever widths the file claims.
    with torch.device("meta"):
        return networks(_architecture(path, architecture))


def _version_of(architecture: Architecture) -> int:
    """The first version of the format that knows such an architecture."""
    sizes = replace(
        Architecture(),
        latent_size=architecture.latent_size,
        generator_width=architecture.generator_width,
        discriminator_width=architecture.discriminator_width,
    )
    return 1 if architecture == sizes else FORMAT_VERSION


def _check_tensors(
    path: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]
) -> None:
    for which, names in (
        ("lacks", sorted(expected.keys() - found.keys())),
        ("has the unknown", sorted(found.keys() - expected.keys())),
    ):
        if names:
            raise BadInputError(
                f"{path}: the model {which} {names[0]} ({len(names)} such tensors in all); it is "
                "of another architecture or was damaged."
            )
    for name, shape in expected.items():
        if found[name] != shape:
            raise BadInputError(f"{path}: {name} is {found[name]}, expected {shape}.")


def _check_types(path: Path, found: Mapping[str, str]) -> None:
    for name, kind in found.items():
        expected = (
            ("I64",) if name.endswith("num_batches_tracked") else ("F16", "BF16", "F32", "F64")
        )
        if kind not in expected:
            raise BadInputError(
                f"{path}: {name} is of the type {kind}, expected {' or '.join(expected)}."
            )


def _check_finite(path: str | Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise BadInputError(
                f"{path}: {name} has values that are NaN or infinite; the training that made this "
                "model has diverged."
            )


def _as_stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.ndim == 4 else tensor  # 4: a convolution's


def _as_trained(tensor: Tensor) -> Tensor:
    # Files may hold half precision to be small; what counts (batch norm's counter) stays whole.
    return tensor.float() if tensor.is_floating_point() else tensor
