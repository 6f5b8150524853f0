"""What a seed stands for: the latent vector and the noise that a generator makes an image of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from scipy import special
from torch import Tensor

from ..networks.dcgan import Generator


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


def draw_on(
    device: torch.device, generator: Generator, seeds: np.ndarray
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Draw as ``draw`` does, but on a CUDA device: copying noise there costs more than the network.

    CUDA's generator (Philox) takes in all 64 bits of a seed. Noise is drawn where it is used, in
    the channels-last memory that the layers read.
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
