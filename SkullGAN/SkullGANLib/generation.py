"""Generation: seeds to synthetic skull segments in HU.

``generate`` gives them batch by batch, ``generate_set`` all at once. A segment is a function of the
model and its seed: latent vector and noise are drawn image by image from the seed alone, and the
networks stand in evaluation mode, where no image sees the others of its batch. What is left is
float rounding, at most 1 HU over batch sizes and orders. Other devices, PyTorch versions or numbers
of threads round differently too, and there a noise layer may rarely take a pixel for the other side
of its threshold and change a few pixels around it by more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from . import segmentset
from .errors import BadInputError
from .model import Model, to_hu
from .networks import Generator
from .segmentset import SegmentSet

WALL_THRESHOLD_HU = 300.0
"""HU above which a generated pixel is wall. Bone begins there at 1 mm of partial volume, and real
segments, cut at about half the height of their tables, have a median of 435 HU at
their edge. Lower values take in the generator's faint halo, higher ones eat the thin tables."""

_TOGETHER = 8
"""Images that the network computes at once, whatever the batch size; a rest is filled up. With
other numbers a CPU shares the work out differently among its threads and rounds differently, which
the noise layers' thresholds made 564 HU of in 15 pixels (2 threads, batches of 3 and of 12)."""


def generate(
    model: Model,
    seeds: Sequence[int] | np.ndarray,
    *,
    batch_size: int = 32,
    device: torch.device | str | None = None,
    wall_threshold_hu: float = WALL_THRESHOLD_HU,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[SegmentSet]:
    """Make one segment per seed, in batches, as they are asked for.

    Args:
        model: its generator is moved to the device and set to evaluation mode.
        seeds: whole numbers from 0 to 2**63 - 1, one per segment.
        batch_size: segments in each set that is given; it changes memory and speed, not the
            segments. Multiples of 8 cost the least.
        device: where to compute; None is where the model is.
        wall_threshold_hu: HU above which a pixel is wall, see ``wall_mask``.
        on_progress: called after each batch with the segments made and to be made.

    Yields:
        Segment sets of kind synthetic, in the order of the seeds; HU outside the wall are 0.

    Raises:
        BadInputError: if there is no seed, a seed is out of range or the batch size below 1.
    """
    seeds = _checked_seeds(seeds)
    if batch_size < 1:
        raise BadInputError(f"batch_size is {batch_size}, needed is at least 1.")
    return _batches(model, seeds, batch_size, device, wall_threshold_hu, on_progress)


def generate_set(
    model: Model,
    seeds: Sequence[int] | np.ndarray,
    *,
    batch_size: int = 32,
    device: torch.device | str | None = None,
    wall_threshold_hu: float = WALL_THRESHOLD_HU,
    on_progress: Callable[[int, int], None] | None = None,
) -> SegmentSet:
    """Make one segment per seed, all in one set; arguments and errors as for ``generate``."""
    return segmentset.concatenate(
        list(
            generate(
                model,
                seeds,
                batch_size=batch_size,
                device=device,
                wall_threshold_hu=wall_threshold_hu,
                on_progress=on_progress,
            )
        )
    )


def draw(generator: Generator, seeds: np.ndarray) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Draw latent vectors and noise, each image's from its own seed.

    NumPy draws: its PCG64 takes in all 64 bits of a seed, where torch's CPU generator uses the
    lower 32 alone, so that seeds 2**32 apart would give one image.

    Args:
        generator: says how many numbers an image needs.
        seeds: int64 (N,).

    Returns:
        Latent vectors, float32 (N, latent_size) uniform in [-1, 1], and the two noises, float32
        (N, channels, 128, 128) standard normal, on the CPU.
    """
    latents = np.empty((len(seeds), generator.latent_size), np.float32)
    noises = tuple(np.empty((len(seeds), *s), np.float32) for s in generator.noise_shapes)
    for row, seed in enumerate(seeds):
        chance = np.random.Generator(np.random.PCG64(int(seed)))
        latents[row] = chance.random(generator.latent_size, np.float32) * 2 - 1
        for noise in noises:
            chance.standard_normal(dtype=np.float32, out=noise[row])
    first, second = (torch.from_numpy(noise) for noise in noises)
    return torch.from_numpy(latents), (first, second)


def wall_mask(hu: np.ndarray, threshold_hu: float = WALL_THRESHOLD_HU) -> np.ndarray:
    """Find the skull wall: the largest connected piece above a threshold, its holes filled.

    A hole (diploë below the threshold) that runs out of the picture at the left or right counts as
    closed there, for the wall goes on beyond the picture.

    Args:
        hu: int16 (128, 128).
        threshold_hu: HU above which a pixel can be wall.

    Returns:
        uint8 (128, 128), 1 inside the wall; all 0 if nothing is above the threshold.

    Example:
        >>> hu = np.zeros((128, 128), np.int16)
        >>> hu[20:40] = 1500  # two tables and a soft diploë from edge to edge, joined once
        >>> hu[25:35] = 100
        >>> hu[25:35, 60:64] = 800
        >>> hu[90, 5] = 900  # a speck
        >>> mask = wall_mask(hu)
        >>> bool(mask[20:40].all()), int(mask.sum()) == 20 * 128
        (True, True)
    """
    pieces, count = ndimage.label(hu > threshold_hu, structure=np.ones((3, 3)))
    if count == 0:
        return np.zeros(hu.shape, np.uint8)
    largest = 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    wall = np.pad(pieces == largest, ((0, 0), (1, 1)))
    for beyond, edge in ((0, 1), (-1, -2)):
        rows = np.flatnonzero(wall[:, edge])
        if len(rows):
            wall[rows[0] : rows[-1] + 1, beyond] = True
    return ndimage.binary_fill_holes(wall)[:, 1:-1].astype(np.uint8)


def _batches(
    model: Model,
    seeds: np.ndarray,
    batch_size: int,
    device: torch.device | str | None,
    wall_threshold_hu: float,
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[SegmentSet]:
    where = torch.device(device) if device else next(model.generator.parameters()).device
    generator = model.generator.to(where).eval()
    source = {
        "made_by": "SkullGAN",
        "recipe": str(model.recipe.get("name", "unknown")),
        "trained_on": dict(model.trained_on),
    }
    for start in range(0, len(seeds), batch_size):
        batch = seeds[start : start + batch_size]
        hu = np.concatenate(
            [
                to_hu(_images(generator, batch[i : i + _TOGETHER], where), model.hu_range)
                for i in range(0, len(batch), _TOGETHER)
            ]
        )
        mask = np.stack([wall_mask(one, wall_threshold_hu) for one in hu])
        yield segmentset.without_patient(
            np.where(mask == 1, hu, 0),
            mask,
            batch,
            pixel_spacing_mm=model.pixel_spacing_mm,
            hu_range=model.hu_range,
            source=source,
        )
        if on_progress:
            on_progress(start + len(batch), len(seeds))


@torch.inference_mode()
def _images(generator: Generator, seeds: np.ndarray, where: torch.device) -> Tensor:
    latent, (first, second) = draw(generator, np.resize(seeds, _TOGETHER))
    return generator(latent.to(where), (first.to(where), second.to(where)))[: len(seeds)]


def _checked_seeds(seeds: Sequence[int] | np.ndarray) -> np.ndarray:
    whole = np.asarray(seeds)
    if whole.ndim != 1 or len(whole) == 0:
        raise BadInputError(f"The seeds are {whole.shape}, needed is a list of at least one.")
    if not np.issubdtype(whole.dtype, np.integer):
        raise BadInputError(f"The seeds are {whole.dtype}, needed are whole numbers.")
    if whole.min() < 0 or whole.max() >= 2**63:
        raise BadInputError(
            f"The seeds go from {whole.min()} to {whole.max()}, needed are 0 to 2**63 - 1."
        )
    return whole.astype(np.int64)
