"""Generation: seeds to synthetic skull segments in HU.

``generate`` gives them batch by batch, ``generate_set`` all at once, ``SyntheticSegments`` one by
one to a torch DataLoader. A segment is a function of the model and its seed: latent vector and
noise are drawn image by image from the seed alone, and the networks stand in evaluation mode, where
no image sees the others of its batch. What is left is rounding:

- in float32 on one processor at most 1 HU over batch sizes and orders. PyTorch versions, processors
  and numbers of threads round differently too, and there a noise layer may rarely take a pixel for
  the other side of its threshold and change a few pixels around it by more;
- in bf16 the same holds over batch sizes and orders, but against float32 an image differs by a few
  HU in the mean and more at such thresholds;
- a CUDA device draws its own latent vectors and noise: the same seed gives the same image at any
  batch size from 64 on and any order on one kind of device, and another one on another kind or on
  the CPU. cuDNN chooses no algorithm by a stopwatch and none that adds in another order each time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count as counted
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from ..data import segment_set
from ..data.segment_set import SIZE, SegmentSet
from ..data.walls import WALL_THRESHOLD_HU
from ..errors import BadInputError
from ..networks.conditions import BONE, Asked, told
from ..networks.fast_generator import images_together
from ..networks.model_file import Model
from ..networks.precision import chosen_precision
from .draws import draw as draw
from .pipeline import Batch, Network, made_by


def generate(
    model: Model,
    seeds: Sequence[int] | np.ndarray,
    *,
    batch_size: int = 64,
    device: torch.device | str | None = None,
    precision: str = "auto",
    batch_statistics: bool = False,
    wall_threshold_hu: float = WALL_THRESHOLD_HU,
    asked: Asked | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[SegmentSet]:
    """Make one segment per seed, in batches, as they are asked for; a model of stacks, one stack,
    whose slices are segments that follow each other and share the seed.

    Args:
        model: its generator is moved to the device and set to evaluation mode.
        seeds: whole numbers from 0 to 2**63 - 1, one per segment. A range takes no memory.
        batch_size: segments in each set that is given; it changes memory and speed, not the
            segments. Multiples of 8, on a CUDA device of 64, cost the least. Fewer than 64 on a
            CUDA device are made by fewer at once, in less memory, and round differently.
        device: where to compute; None is where the model is. Several of one type, "cuda:0,cuda:1",
            take turns in making batches, each in a thread of its own; the segments are the same.
        precision: "fp32", "tf32", "bf16", or "auto" for the faster of fp32 and bf16 there, see
            ``networks.precision``.
        batch_statistics: normalize with the statistics of the batch instead of those of the
            training, in float32, as the published weights were meant to be used. A segment then
            depends on the others of its batch, on the batch size and on the order.
        wall_threshold_hu: HU above which a pixel is wall, see ``wall_mask``.
        asked: conditions, of a model that is told some, by name: a value for all or (N,) values.
            What is not asked for follows from the seed, as it goes together with the rest in the
            training set.
        on_progress: called after each batch with the seeds done and to be done.

    Yields:
        Segment sets of kind synthetic, in the order of the seeds; HU outside the wall are 0. Their
        bone is what the model was told, unknown if it is not told one.

    Raises:
        BadInputError: if there is no seed, a seed is out of range, the batch size below 1, the
            precision unknown, not to be had on the device or, with batch statistics, not fp32, or
            the model cannot be asked for such conditions; and from the sets, if a GPU's memory is
            not enough, with a batch size that fits.

    Example:
        >>> from SkullGANLib.networks.dcgan import Discriminator, Generator
        >>> model = Model(Generator(latent_size=4, width=8), Discriminator(2))
        >>> [batch.hu.shape for batch in generate(model, seeds=range(5), batch_size=3)]
        [(3, 128, 128), (2, 128, 128)]
    """
    seeds = _checked_seeds(seeds)
    if batch_size < 1:
        raise BadInputError(f"batch_size is {batch_size}, expected at least 1.")
    how = _Settings.chosen(
        model, device, precision, batch_statistics, wall_threshold_hu, batch_size
    )
    asked = asked or {}
    first = {name: np.ravel(value)[:1] for name, value in asked.items()}
    told(model.conditions, np.array(seeds[:1], np.int64), first)  # or refused
    batches = _batches(model, seeds, batch_size, asked)
    return _with_progress(_sets(model, batches, how), len(seeds), model.slices, on_progress)


def generate_set(model: Model, seeds: Sequence[int] | np.ndarray, **settings: Any) -> SegmentSet:
    """Make one segment per seed, all in one set; arguments and errors as for ``generate``."""
    return segment_set.concatenate(list(generate(model, seeds, **settings)))


class SyntheticSegments(IterableDataset[dict[str, Tensor | int]]):
    """Synthetic segments one by one, for a torch DataLoader; each is made when it is asked for.

    The workers of a DataLoader share the seeds out among them without repeating one; every pass
    gives the same segments. In workers, generate on the CPU.

    Args:
        model: where they come from.
        count: how many; None never ends.
        first_seed: the seeds are this one and those that follow.
        device, precision: as for ``generate``.
        asked: conditions, by name: a value for all segments.

    Raises:
        BadInputError: if the count is below 1 or a seed out of range.

    Yields:
        Dicts of ``hu``, float32 (1, 128, 128), or the slices of a stack; ``mask``, uint8 of the
        same shape; and ``seed``.

    Example:
        >>> from SkullGANLib.networks.dcgan import Discriminator, Generator
        >>> model = Model(Generator(latent_size=4, width=8), Discriminator(2))
        >>> loader = torch.utils.data.DataLoader(SyntheticSegments(model, 3), batch_size=3)
        >>> next(iter(loader))["seed"]
        tensor([0, 1, 2])
    """

    def __init__(
        self,
        model: Model,
        count: int | None = None,
        first_seed: int = 0,
        *,
        device: torch.device | str | None = None,
        precision: str = "auto",
        asked: Asked | None = None,
    ) -> None:
        if count is not None and count < 1:
            raise BadInputError(f"count is {count}, expected at least 1, or None for no end.")
        _checked_seeds([first_seed, first_seed + (count or 1) - 1])
        self._asked = asked or {}
        told(model.conditions, np.array([first_seed]), self._asked)  # or refused
        self._model, self._count, self._first_seed = model, count, first_seed
        self._how = _Settings.chosen(model, device, precision)

    def __iter__(self) -> Iterator[dict[str, Tensor | int]]:
        worker = get_worker_info()
        mine, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        ours = islice(counted(self._first_seed), mine, self._count, workers)
        together = images_together(self._how.devices[0])
        numbers = iter(lambda: list(islice(ours, together)), [])
        batches = (_batch(self._model, seeds, self._asked) for seeds in numbers)
        slices = self._model.slices
        for made in _sets(self._model, batches, self._how):
            of_seed = (-1, slices, SIZE, SIZE)
            hus, masks = made.hu.reshape(of_seed), made.mask.reshape(of_seed)
            for hu, mask, seed in zip(hus, masks, made.seed[::slices], strict=True):
                yield {
                    "hu": torch.from_numpy(hu.astype(np.float32)),
                    "mask": torch.from_numpy(mask),
                    "seed": int(seed),
                }


@dataclass(frozen=True)
class _Settings:
    """Settings of ``generate``, checked and with nothing left to choose."""

    devices: tuple[torch.device, ...]
    precision: str
    batch_statistics: bool
    wall_threshold_hu: float
    together: int | None = None

    @staticmethod
    def chosen(
        model: Model,
        device: torch.device | str | None,
        precision: str,
        batch_statistics: bool = False,
        wall_threshold_hu: float = WALL_THRESHOLD_HU,
        together: int | None = None,
    ) -> _Settings:
        named = str(device).split(",") if device else [next(model.generator.parameters()).device]
        where = tuple(map(torch.device, named))
        if len({one.type for one in where}) > 1:
            raise BadInputError(f"The devices are {device}, expected devices of one type.")
        if batch_statistics and precision not in ("auto", "fp32"):
            raise BadInputError(
                f"The precision is {precision}, with batch statistics fp32 is expected."
            )
        precision = "fp32" if batch_statistics else precision
        chosen = chosen_precision(precision, where[0], model.generator.width)
        return _Settings(where, chosen, batch_statistics, wall_threshold_hu, together)

    def networks(self, model: Model) -> list[Network]:
        """Lay the model's generator out on each device."""
        first, *others = self.devices
        generators = [model.generator, *(copy.deepcopy(model.generator) for _ in others)]
        return [
            Network(
                generator,
                device,
                self.precision,
                model.hu_range,
                batch_statistics=self.batch_statistics,
                together=self.together,
            )
            for generator, device in zip(generators, (first, *others), strict=True)
        ]


def _with_progress(
    sets: Iterator[SegmentSet],
    total: int,
    slices: int,
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[SegmentSet]:
    count = 0
    for made in sets:
        yield made
        count += len(made) // slices
        if on_progress:
            on_progress(count, total)


def _batches(
    model: Model, seeds: range | np.ndarray, batch_size: int, asked: Asked
) -> Iterator[Batch]:
    for start in range(0, len(seeds), batch_size):
        one = slice(start, start + batch_size)
        yield _batch(model, seeds[one], {n: v[one] if np.ndim(v) else v for n, v in asked.items()})


def _batch(model: Model, seeds: Sequence[int] | np.ndarray, asked: Asked) -> Batch:
    numbers = np.array(seeds, np.int64)
    known = told(model.conditions, numbers, asked)
    codes = model.conditions.encode(known) if model.conditions else None
    return Batch(numbers, codes, known, asked)


def _sets(model: Model, batches: Iterable[Batch], how: _Settings) -> Iterator[SegmentSet]:
    source: dict[str, Any] = {
        "made_by": "SkullGAN",
        "recipe": str(model.recipe.get("name", "unknown")),
        "trained_on": dict(model.trained_on),
    }
    if model.depth:
        source["depth"] = model.depth.as_source()
    for batch, hu, mask in made_by(how.networks(model), batches, how.wall_threshold_hu):
        asked = {name: np.asarray(v).tolist() for name, v in batch.asked.items() if not np.ndim(v)}
        made = segment_set.without_patient(
            hu,
            mask,
            batch.seeds.repeat(model.slices),
            pixel_spacing_mm=model.pixel_spacing_mm,
            hu_range=model.hu_range,
            source=source | ({"asked": asked} if asked else {}),
        )
        made = _numbered(made, model.slices) if model.depth else made
        known = batch.known
        yield replace(made, bone=known[BONE].repeat(model.slices)) if BONE in known else made


def _numbered(made: SegmentSet, slices: int) -> SegmentSet:
    """Say which segments are a stack: those of one seed, slice after slice."""
    numbers = np.tile(np.arange(slices), len(made) // slices)
    return replace(made, stack=made.seed, slice_number=numbers)


def _checked_seeds(seeds: Sequence[int] | np.ndarray) -> range | np.ndarray:
    """Give seeds as they are sliced: a range stays one, for its numbers may not fit into memory."""
    if isinstance(seeds, range) and len(seeds):
        lowest, highest = sorted((seeds[0], seeds[-1]))
        _check_reach(lowest, highest)
        return seeds
    whole = np.asarray(seeds)
    if whole.ndim != 1 or len(whole) == 0:
        raise BadInputError(f"The seeds are {whole.shape}, expected a list of at least one.")
    if not np.issubdtype(whole.dtype, np.integer):
        raise BadInputError(f"The seeds are {whole.dtype}, expected whole numbers.")
    _check_reach(int(whole.min()), int(whole.max()))
    return whole.astype(np.int64)


def _check_reach(lowest: int, highest: int) -> None:
    if lowest < 0 or highest >= 2**63:
        raise BadInputError(f"The seeds go from {lowest} to {highest}, expected 0 to 2**63 - 1.")
