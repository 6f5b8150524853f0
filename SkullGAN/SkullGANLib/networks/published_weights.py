"""The weights that SkullGAN's authors published: two PyTorch files become one model of ours.

They are plain state dicts, ``netG_*.pth`` and ``netD_*.pth``, whose names are those of
``networks``, sometimes behind the ``module.`` that DataParallel puts before each. ``read`` takes
tensors out of such files and nothing else: whatever asks to be run is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..data.segment_set import HU_RANGE, PIXEL_SPACING_MM
from ..errors import BadInputError
from ..utils.reader_process import array_folder, read_apart, seconds_for
from .dcgan import Discriminator, Generator
from .model_file import Model

Network = Generator | Discriminator

_PARALLEL = "module."
_COUNTER = "num_batches_tracked"
"""Counts training steps; nothing depends on it, and old PyTorch did not save it."""
_NAMED_AT_MOST = 3
_TENSORS = "tensors.safetensors"


def read(
    first: str | Path,
    second: str | Path,
    *,
    hu_range: tuple[float, float] = HU_RANGE,
    pixel_spacing_mm: float = PIXEL_SPACING_MM,
    license: str = "",
) -> Model:
    """Read published weights; the widths of the networks follow from the tensors' shapes.

    Args:
        first, second: the generator's and the discriminator's file, in either order: the names of
            their tensors tell which is which.
        hu_range: HU that the networks see as -1 and +1; the default is the published model's.
        pixel_spacing_mm: size of a pixel, which the files do not tell.
        license: under which the weights may be used.

    Returns:
        The model, float32, in evaluation mode. Its ``trained_on`` notes that the published
        inference normalized by the statistics of the batch, not by the running ones in the files.

    Raises:
        BadInputError: if a file does not exist, is damaged or no plain state dict, is not the one
            or the other network (saying what is missing, what is too many, what has another shape
            or type), holds NaN or infinite values, or both files hold the same network.
    """
    networks = {path: _network(path, state_dict_of(path)) for path in map(Path, (first, second))}
    generators = [one for one in networks.values() if isinstance(one, Generator)]
    discriminators = [one for one in networks.values() if isinstance(one, Discriminator)]
    if not (generators and discriminators):
        which = "generator" if generators else "discriminator"
        raise BadInputError(
            f"{first} and {second}: both hold a {which}, expected one file of each network."
        )
    return Model(
        generator=generators[0],
        discriminator=discriminators[0],
        hu_range=hu_range,
        pixel_spacing_mm=pixel_spacing_mm,
        recipe={"name": "published weights"},
        trained_on={
            "origin": "imported PyTorch weights",
            "batch_norm": "the published inference used batch statistics, not the running ones",
        },
        license=license,
    )


def state_dict_of(path: Path) -> dict[str, Tensor]:
    """Read a plain state dict, without the prefix of DataParallel; nothing in the file is run.

    Raises:
        BadInputError: if the file does not exist, is damaged or holds anything else.
    """
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, expected PyTorch weights (.pth).")
    size = path.stat().st_size
    with array_folder(size) as folder:
        names = read_apart(
            "networks.published_weights:load_here",
            {"path": str(path.absolute()), "named": str(path), "folder": str(folder)},
            where=path,
            expected="expected PyTorch weights (.pth)",
            needed_bytes=6 * size + 2**31,  # PyTorch itself takes much of it
            seconds=2 * seconds_for(size),
        )
        stored = load_file(folder / _TENSORS) if names else {}
    found = {name: stored[str(number)].clone() for number, name in enumerate(names)}
    if found and all(name.startswith(_PARALLEL) for name in found):
        found = {name[len(_PARALLEL) :]: value for name, value in found.items()}
    return found


def load_here(path: str, named: str, folder: str) -> list[str]:
    """Read a state dict in this process, its tensors by number into a folder; gives their names.

    Args:
        path: the file.
        named: what the user calls it.
        folder: where the tensors go.

    Raises:
        BadInputError: as ``state_dict_of`` and ``check_values``.
    """
    try:
        # weights_only: its unpickler knows tensors and containers, and calls nothing else.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rare pickle protocols, which then are refused
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on damaged input it raises whatever it stumbles over
        raise BadInputError(
            f"{named}: cannot be read as PyTorch weights (.pth): it is damaged, something else, or "
            "holds more than tensors, and nothing in it was run."
        ) from error
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise BadInputError(
            f"{named}: holds a {type(found).__name__}, expected a state dict (tensors by name)."
        )
    for name, value in found.items():
        _check_plain(Path(named), name, value)
    tensors = {str(number): value.contiguous() for number, value in enumerate(found.values())}
    save_file({n: v.clone() for n, v in tensors.items()}, Path(folder) / _TENSORS)
    return list(found)


def _check_plain(path: Path, name: str, value: object) -> None:
    """Raise unless a value is a tensor whose numbers are all there, each of its own."""
    if not isinstance(value, Tensor) or value.layout != torch.strided:
        raise BadInputError(f"{path}: {name} is no plain tensor, expected nothing else.")
    if (
        value.is_quantized
        or value.untyped_storage().nbytes() < value.numel() * value.element_size()
    ):
        raise BadInputError(
            f"{path}: {name} claims {tuple(value.shape)} numbers and holds fewer, expected all of "
            "them."
        )


def _network(path: Path, found: dict[str, Tensor]) -> Network:
    with torch.device("meta"):  # names and shapes alone, nothing is allocated
        kinds = {"generator": Generator(1, 1), "discriminator": Discriminator(1)}
    shared = {kind: len(found.keys() & one.state_dict().keys()) for kind, one in kinds.items()}
    kind = max(shared, key=shared.__getitem__)
    if shared[kind] == 0:
        raise BadInputError(
            f"{path}: holds {listed(found) or 'nothing'}, expected the weights of a SkullGAN "
            "generator (main1.0.weight, ...) or discriminator (main.0.weight, ...)."
        )
    expected = kinds[kind].state_dict().keys()
    _check_names(path, kind, expected, found)
    check_values(path, found)
    network = _empty(path, kind, found)
    weights = {}
    for name, empty in network.state_dict().items():
        value = found.get(name, torch.zeros((), dtype=torch.int64))  # only a counter can be missing
        if value.shape != empty.shape:
            raise BadInputError(
                f"{path}: {name} is {tuple(value.shape)}, expected {tuple(empty.shape)} to fit "
                "the first layer."
            )
        weights[name] = value.to(empty.dtype).contiguous()
    network.load_state_dict(weights, assign=True)
    return network.eval()


def _empty(path: Path, kind: str, found: dict[str, Tensor]) -> Network:
    first = "main1.0.weight" if kind == "generator" else "main.0.weight"
    shape = tuple(found[first].shape)
    sound = len(shape) == 4 and min(shape) > 0
    if not sound:
        raise BadInputError(f"{path}: {first} is {shape}, expected four sizes above 0.")
    with torch.device("meta"):
        return Generator(shape[0], shape[1]) if kind == "generator" else Discriminator(shape[0])


def _check_names(path: Path, kind: str, expected: Iterable[str], found: dict[str, Tensor]) -> None:
    expected = set(expected)
    missing = [name for name in expected - found.keys() if not name.endswith(_COUNTER)]
    extra = found.keys() - expected
    faults = [
        f"{what} {listed(names)}" for what, names in (("lacks", missing), ("has", extra)) if names
    ]
    if faults:
        raise BadInputError(
            f"{path}: is not the {kind} of SkullGAN: it {' and '.join(faults)}; expected exactly "
            "the names of the published weights."
        )


def check_values(path: Path, found: dict[str, Tensor]) -> None:
    """Check that all are plain tensors of finite numbers, counters whole ones.

    Raises:
        BadInputError: naming the first that is not.
    """
    for name, value in found.items():
        counter = name.endswith(_COUNTER)
        fitting = value.dtype == torch.int64 if counter else value.is_floating_point()
        if not fitting:
            raise BadInputError(
                f"{path}: {name} is {str(value.dtype).removeprefix('torch.')}, expected "
                f"{'int64' if counter else 'a floating-point type'}."
            )
        # As float32: what a float64 file holds may be beyond it.
        if not counter and not torch.isfinite(value.float()).all():
            raise BadInputError(f"{path}: {name} has values that are NaN or infinite.")


def listed(names: Iterable[str]) -> str:
    """Name the first few, and how many there are; an empty text if there are none."""
    names = sorted(names)
    more = ", ..." if len(names) > _NAMED_AT_MOST else ""
    return f"{', '.join(names[:_NAMED_AT_MOST])}{more} ({len(names)} in all)" if names else ""
