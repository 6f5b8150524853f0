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
  batch size and order on one kind of device, and another one on another kind or on the CPU.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count as counted
from itertools import islice
from typing import Any

import numpy as np
import torch
from scipy import special
from torch import Tensor, nn
from torch.utils.data import IterableDataset, get_worker_info

from ..data import segment_set
from ..data.segment_set import SIZE, SegmentSet
from ..data.walls import WALL_THRESHOLD_HU, wall_mask
from ..errors import BadInputError
from ..networks.conditions import BONE, Asked, told
from ..networks.dcgan import Generator
from ..networks.fast_generator import Images, images_together, prepared
from ..networks.model_file import Model, in_hu
from ..networks.precision import chosen_precision


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
        seeds: whole numbers from 0 to 2**63 - 1, one per segment.
        batch_size: segments in each set that is given; it changes memory and speed, not the
            segments. Multiples of 8, on a CUDA device of 64, cost the least.
        device: where to compute; None is where the model is.
        precision: "fp32", "bf16", or "auto" for the faster of the two there, see
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
            precision unknown or, with batch statistics, bf16, or the model cannot be asked for
            such conditions.

    Example:
        >>> from SkullGANLib.networks.dcgan import Discriminator
        >>> model = Model(Generator(latent_size=4, width=8), Discriminator(2))
        >>> [batch.hu.shape for batch in generate(model, seeds=range(5), batch_size=3)]
        [(3, 128, 128), (2, 128, 128)]
    """
    seeds = _checked_seeds(seeds)
    if batch_size < 1:
        raise BadInputError(f"batch_size is {batch_size}, expected at least 1.")
    how = _Settings.chosen(model, device, precision, batch_statistics, wall_threshold_hu)
    asked = asked or {}
    told(model.conditions, seeds[:1], {n: np.ravel(v)[:1] for n, v in asked.items()})  # or refused
    parts = (slice(start, start + batch_size) for start in range(0, len(seeds), batch_size))
    batches = (
        _Batch(seeds[one], {n: v[one] if np.ndim(v) else v for n, v in asked.items()})
        for one in parts
    )
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
        >>> from SkullGANLib.networks.dcgan import Discriminator
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
        together = images_together(self._how.device)
        numbers = iter(lambda: list(islice(ours, together)), [])
        batches = (_Batch(np.array(seeds), self._asked) for seeds in numbers)
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


def draw(generator: Generator, seeds: np.ndarray) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Draw latent vectors and noise on the CPU, each image's from its own seed.

    NumPy gives the bits, for it takes in all 64 of a seed, where torch's CPU generator uses the
    lower 32 alone, so that seeds 2**32 apart would give one image. A number of noise is one of
    65,536 quantiles of the standard normal distribution, the largest at 4.3: a third of the time of
    exact draws, which at full width (2.6 million a segment) cost a tenth of the network.

    Args:
        generator: says how many numbers an image needs.
        seeds: int64 (N,).

    Returns:
        Latent vectors, float32 (N, latent_size) uniform in [-1, 1], and the two noises, float32
        (N, channels, 128, 128) standard normal in channels-last memory.
    """
    latents = np.empty((len(seeds), generator.latent_size), np.float32)
    noises = [
        np.empty((len(seeds), rows, columns, channels), np.float32)
        for channels, rows, columns in generator.noise_shapes
    ]
    quantiles = _normal_quantiles()

    def draw_one(row: int) -> None:
        bits = np.random.SFC64(int(seeds[row]))
        uniform = np.random.Generator(bits)
        latents[row] = uniform.random(generator.latent_size, np.float32) * 2 - 1
        for noise in noises:
            for piece in np.array_split(noise[row].reshape(-1), noise[row].size // 2**15):
                words = bits.random_raw(-(-piece.size // 4)).view(np.uint16)[: piece.size]
                np.take(quantiles, words, out=piece, mode="clip")  # "raise" would copy

    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        list(threads.map(draw_one, range(len(seeds))))
    first, second = (torch.from_numpy(noise).permute(0, 3, 1, 2) for noise in noises)
    return torch.from_numpy(latents), (first, second)


@lru_cache(maxsize=1)
def _normal_quantiles() -> np.ndarray:
    middles = special.ndtri((np.arange(2**16) + 0.5) / 2**16)
    return (middles / middles.std()).astype(np.float32)


def _draw_on(
    device: torch.device, generator: Generator, seeds: np.ndarray
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Draw as ``draw`` does, but on a CUDA device: copying noise there costs more than the network.

    CUDA's generator (Philox) takes in all 64 bits of a seed.
    """
    source = torch.Generator(device)
    latents = torch.empty(len(seeds), generator.latent_size, device=device)
    shapes = [(rows, columns, channels) for channels, rows, columns in generator.noise_shapes]
    noises = [torch.empty(len(seeds), *shape, device=device) for shape in shapes]
    for row, seed in enumerate(seeds):
        source.manual_seed(int(seed))
        for fill in (latents[row].uniform_, *(noise[row].normal_ for noise in noises)):
            fill(generator=source)
    first, second = (noise.permute(0, 3, 1, 2) for noise in noises)
    return latents * 2 - 1, (first, second)


@dataclass(frozen=True)
class _Batch:
    """Seeds that are made at once, and what is asked of them."""

    seeds: np.ndarray
    asked: Asked


@dataclass(frozen=True)
class _Settings:
    """Settings of ``generate``, checked and with nothing left to choose."""

    device: torch.device
    precision: str
    batch_statistics: bool
    wall_threshold_hu: float

    @staticmethod
    def chosen(
        model: Model,
        device: torch.device | str | None,
        precision: str,
        batch_statistics: bool = False,
        wall_threshold_hu: float = WALL_THRESHOLD_HU,
    ) -> _Settings:
        where = torch.device(device) if device else next(model.generator.parameters()).device
        if batch_statistics and precision == "bf16":
            raise BadInputError("The precision is bf16, with batch statistics fp32 is expected.")
        chosen = chosen_precision(precision, where, model.generator.width)
        return _Settings(where, chosen, batch_statistics, wall_threshold_hu)


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


def _sets(model: Model, batches: Iterable[_Batch], how: _Settings) -> Iterator[SegmentSet]:
    source: dict[str, Any] = {
        "made_by": "SkullGAN",
        "recipe": str(model.recipe.get("name", "unknown")),
        "trained_on": dict(model.trained_on),
    }
    if model.depth:
        source["depth"] = model.depth.as_source()
    for batch, known, hu in _hu(model, batches, how):
        mask = wall_mask(hu, how.wall_threshold_hu)
        asked = {name: np.asarray(v).tolist() for name, v in batch.asked.items() if not np.ndim(v)}
        made = segment_set.without_patient(
            np.where(mask == 1, hu, 0),
            mask,
            batch.seeds.repeat(model.slices),
            pixel_spacing_mm=model.pixel_spacing_mm,
            hu_range=model.hu_range,
            source=source | ({"asked": asked} if asked else {}),
        )
        made = _numbered(made, model.slices) if model.depth else made
        yield replace(made, bone=known[BONE].repeat(model.slices)) if BONE in known else made


def _numbered(made: SegmentSet, slices: int) -> SegmentSet:
    """Say which segments are a stack: those of one seed, slice after slice."""
    numbers = np.tile(np.arange(slices), len(made) // slices)
    return replace(made, stack=made.seed, slice_number=numbers)


def _hu(
    model: Model, batches: Iterable[_Batch], how: _Settings
) -> Iterator[tuple[_Batch, dict[str, np.ndarray], np.ndarray]]:
    """Give batches with what the model was told and int16 (N · slices, 128, 128); a GPU is given
    the next batch before waiting."""
    generator = model.generator.to(how.device).eval()
    if how.batch_statistics:
        images, together = _with_batch_statistics(generator), None
    else:
        images, together = prepared(generator, how.precision), images_together(how.device)
    stream = torch.cuda.current_stream(how.device) if how.device.type == "cuda" else None
    under_way: deque[
        tuple[_Batch, dict[str, np.ndarray], list[Tensor], torch.cuda.Event | None]
    ] = deque()
    for batch in batches:
        seeds = batch.seeds
        size = together or len(seeds)
        known = told(model.conditions, seeds, batch.asked)
        codes = model.conditions.encode(known) if model.conditions else np.empty((len(seeds), 0))
        parts = [slice(start, start + size) for start in range(0, len(seeds), size)]
        made = [
            _started(generator, images, seeds[one], codes[one], size, model.hu_range, how)
            for one in parts
        ]
        under_way.append((batch, known, made, stream.record_event() if stream else None))
        if len(under_way) > (1 if stream else 0):
            yield _finished(*under_way.popleft())
    while under_way:
        yield _finished(*under_way.popleft())


@torch.inference_mode()
def _started(
    generator: Generator,
    images: Images,
    seeds: np.ndarray,
    codes: np.ndarray,
    together: int,
    hu_range: tuple[float, float],
    how: _Settings,
) -> Tensor:
    """Compute the HU of some seeds and the codes of their conditions; a GPU always makes as many,
    and they are yet to come."""
    where = how.device
    if where.type == "cpu":
        latent, noise = draw(generator, seeds)
        return in_hu(images(_beside(latent, codes), noise), hu_range)
    filled, codes = np.resize(seeds, together), np.resize(codes, (together, codes.shape[1]))
    if where.type == "cuda":
        latent, noise = _draw_on(where, generator, filled)
        hu = in_hu(images(_beside(latent, codes), noise)[: len(seeds)], hu_range)
        return torch.empty(hu.shape, dtype=hu.dtype, pin_memory=True).copy_(hu, non_blocking=True)
    latent, (first, second) = draw(generator, filled)
    made = images(_beside(latent, codes).to(where), (first.to(where), second.to(where)))
    return in_hu(made[: len(seeds)], hu_range).cpu()


def _beside(latent: Tensor, codes: np.ndarray) -> Tensor:
    """Put codes behind latent vectors, where they are."""
    if not codes.shape[1]:
        return latent
    return torch.cat([latent, torch.from_numpy(codes).to(latent)], 1)


def _finished(
    batch: _Batch,
    known: dict[str, np.ndarray],
    parts: list[Tensor],
    computed: torch.cuda.Event | None,
) -> tuple[_Batch, dict[str, np.ndarray], np.ndarray]:
    if computed:
        computed.synchronize()
    return batch, known, torch.cat(parts).numpy()


def _with_batch_statistics(generator: Generator) -> Images:
    """Share a generator's weights with one that normalizes by its batch and keeps no statistics."""
    with torch.device("meta"):
        other = Generator(generator.latent_size, generator.width, generator.shape)
    other.load_state_dict(generator.state_dict(), assign=True)
    for layer in other.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean = layer.running_var = None
    return other.eval()


def _checked_seeds(seeds: Sequence[int] | np.ndarray) -> np.ndarray:
    whole = np.asarray(seeds)
    if whole.ndim != 1 or len(whole) == 0:
        raise BadInputError(f"The seeds are {whole.shape}, expected a list of at least one.")
    if not np.issubdtype(whole.dtype, np.integer):
        raise BadInputError(f"The seeds are {whole.dtype}, expected whole numbers.")
    if whole.min() < 0 or whole.max() >= 2**63:
        raise BadInputError(
            f"The seeds go from {whole.min()} to {whole.max()}, expected 0 to 2**63 - 1."
        )
    return whole.astype(np.int64)
