"""From batches of seeds to HU and wall masks: networks on their devices, and what follows them.

A device is given the next batches before the first one is waited for, a fixed number ahead, so
that whoever takes the segments slowly holds the network back, and never waits for it where it is
the slower. What a GPU has made comes through a ring of pinned buffers, one more than batches ahead.
Wall masks are found by threads. An error of a network comes with the batch that it made; who stops
taking batches stops the networks.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ..data.segment_set import SIZE
from ..data.walls import wall_mask
from ..errors import BadInputError
from ..networks.conditions import Asked
from ..networks.dcgan import Generator
from ..networks.fast_generator import Images, bytes_of_image, images_together, prepared
from ..networks.model_file import in_hu
from ..networks.precision import cuda_arithmetic
from .device_walls import device_wall_masks
from .draws import draw, draw_on

_AHEAD = 2
"""Batches that a GPU, or each of several devices, is given ahead."""

_FEW_CORES = 4
"""Below, a GPU finds the wall masks itself. A core finds 22,000 a second (EPYC); on the GPU 400
small kernels are reckoned at 45 µs a segment, which the network would wait for."""

_MASKED_AT_ONCE = 16


@dataclass(frozen=True)
class Batch:
    """Seeds that are made at once.

    Attributes:
        seeds: int64 (N,).
        codes: float (N, M), what the network is told beside the latent vectors; None is nothing.
        known: the conditions that it is told, (N,) values by name.
        asked: those that were asked for.
    """

    seeds: np.ndarray
    codes: np.ndarray | None = None
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    asked: Asked = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.seeds)


Made = tuple[Batch, np.ndarray, np.ndarray]
"""The batch, int16 HU (N · slices, 128, 128) that are 0 outside the wall, and uint8 masks."""

Draws = Callable[[torch.device, Generator, np.ndarray], tuple[Tensor, tuple[Tensor, Tensor]]]


class Network:
    """A generator on its device: seeds to HU, as ``from_seeds.generate`` explains.

    Args:
        generator: is moved to the device and set to evaluation mode.
        device: where to compute.
        precision: fp32, tf32 or bf16.
        hu_range: HU of -1 and of +1.
        batch_statistics: normalize with the statistics of all that are made together.
        together: images that a GPU makes together at most.
        draws: gives latent vectors and noise on a CUDA device.
    """

    def __init__(
        self,
        generator: Generator,
        device: torch.device,
        precision: str,
        hu_range: tuple[float, float],
        *,
        batch_statistics: bool = False,
        together: int | None = None,
        draws: Draws = draw_on,
    ) -> None:
        self.device, self.slices = device, generator.shape.slices
        self._generator = generator.to(device).eval()
        self._hu_range, self._draws = hu_range, draws
        self._precision = precision
        if batch_statistics:
            self._images, self.together = _with_batch_statistics(self._generator), None
        else:
            self._images = prepared(self._generator, precision)
            most = images_together(device)
            self.together = min(most, together or most) if device.type == "cuda" else most

    @torch.inference_mode()
    def hu(self, seeds: np.ndarray, codes: np.ndarray | None = None) -> Tensor:
        """Make the HU of some seeds, at most ``together``, where that is not None.

        A GPU always makes as many, and they are yet to come when this returns.

        Args:
            seeds: int64 (N,).
            codes: of the conditions, as in ``Batch``.

        Returns:
            int16 (N, 128, 128) on the device; of stacks, slice by slice (N · slices, 128, 128).
        """
        on_cuda = self.device.type == "cuda"
        with cuda_arithmetic(self._precision) if on_cuda else nullcontext():
            if self.device.type == "cpu":
                latent, noise = draw(self._generator, seeds)
                return in_hu(self._images(_beside(latent, codes), noise), self._hu_range)
            filled = np.resize(seeds, self.together or len(seeds))
            if codes is not None:
                codes = np.resize(codes, (len(filled), codes.shape[1]))
            if on_cuda:
                latent, noise = self._draws(self.device, self._generator, filled)
            else:
                latent, (first, second) = draw(self._generator, filled)
                latent = latent.to(self.device)
                noise = first.to(self.device), second.to(self.device)
            images = self._images(_beside(latent, codes), noise)
            return in_hu(images[: len(seeds)], self._hu_range)

    def out_of_memory(self) -> BadInputError:
        """Explain that the device's memory was not enough, and what would be."""
        torch.cuda.empty_cache()
        free, _ = torch.cuda.mem_get_info(self.device)
        return memory_error(
            str(self.device), self.together or 0, bytes_of_image(self._generator), free
        )


def memory_error(device: str, together: int, image_bytes: int, free_bytes: int) -> BadInputError:
    """Say what a device's memory is short of, and a batch that fits (three quarters of it)."""
    fits = int(0.75 * free_bytes) // image_bytes
    fits -= fits % 8 if fits >= 8 else 0
    need, have = (f"{amount / 2**30:.1f} GiB" for amount in (together * image_bytes, free_bytes))
    found = f"{device} has {have} of free memory, about {need} is expected for {together} images"
    if fits < 1:
        return BadInputError(f"{found} at once and one does not fit either; --device cpu works.")
    return BadInputError(f"{found} at once; --batch-size {min(fits, together)} fits.")


def made_by(
    networks: Sequence[Network], batches: Iterable[Batch], wall_threshold_hu: float
) -> Iterator[Made]:
    """Make batches of segments, in order.

    Args:
        networks: the same generator on one or several devices, which take turns.
        batches: the seeds of each, and what the networks are told.
        wall_threshold_hu: as for ``wall_mask``.

    Raises:
        BadInputError: if a GPU's memory is not enough.
    """
    threads = max(torch.get_num_threads(), min(4, os.cpu_count() or 1) if _on_gpu(networks) else 1)
    with ExitStack() as open_pools:
        masking = open_pools.enter_context(MaskingPool(threads))
        several = len(networks) > 1
        lanes = [
            _Lane(
                network,
                wall_threshold_hu,
                open_pools.enter_context(_Pool(1, "network")) if several else None,
            )
            for network in networks
        ]
        ahead = len(lanes) * _AHEAD if several else lanes[0].ahead
        under_way: deque[Future[_Started]] = deque()
        for number, batch in enumerate(batches):
            under_way.append(lanes[number % len(lanes)].start(batch))
            if len(under_way) > ahead:
                yield _finished(under_way.popleft(), masking, wall_threshold_hu)
        while under_way:
            yield _finished(under_way.popleft(), masking, wall_threshold_hu)


class _Pool(ThreadPoolExecutor):
    """Threads that nobody waits for longer than for what they are at."""

    def __exit__(self, *_: object) -> None:
        self.shutdown(cancel_futures=True)


class MaskingPool(_Pool):
    """Threads that find wall masks.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads, "masking")
        self.threads = threads


@dataclass
class _Started:
    """A batch under way. ``masks`` and ``settled`` are there where the device finds the walls."""

    batch: Batch
    hu: Tensor
    count: int
    masks: Tensor | None = None
    settled: Tensor | None = None
    computed: torch.cuda.Event | None = None


class _Lane:
    """A device, and the ring of buffers through which its batches come."""

    def __init__(
        self, network: Network, wall_threshold_hu: float, thread: ThreadPoolExecutor | None
    ) -> None:
        self._network, self._thread = network, thread
        self._threshold_hu = wall_threshold_hu
        self._is_gpu = network.device.type == "cuda"
        self._finds_walls = self._is_gpu and (os.cpu_count() or 1) < _FEW_CORES
        self.ahead = _AHEAD if self._is_gpu else 0
        self._ring: deque[_Started] = deque(maxlen=_AHEAD + 1)

    def start(self, batch: Batch) -> Future[_Started]:
        """Begin a batch: at once, or in the lane's thread."""
        if self._thread is not None:
            return self._thread.submit(self._start, batch)
        done: Future[_Started] = Future()
        try:
            done.set_result(self._start(batch))
        except Exception as error:  # raised by result(), after the batches before it
            done.set_exception(error)
        return done

    def _start(self, batch: Batch) -> _Started:
        size = self._network.together or len(batch)
        parts = [slice(start, start + size) for start in range(0, len(batch), size)]
        if not self._is_gpu:
            made = [self._hu(batch, part).cpu() for part in parts]
            hu = torch.cat(made) if len(made) > 1 else made[0]
            return _Started(batch, hu, len(hu))
        try:
            with torch.cuda.device(self._network.device):
                started = self._buffer(batch)
                for part in parts:
                    start = part.start * self._network.slices
                    copy_to_host(self._hu(batch, part), started, start, self._threshold_hu)
                # The caller's stream may be another one from call to call.
                started.computed = torch.cuda.current_stream().record_event()
                return started
        except torch.cuda.OutOfMemoryError as error:
            raise self._network.out_of_memory() from error

    def _hu(self, batch: Batch, part: slice) -> Tensor:
        codes = None if batch.codes is None else batch.codes[part]
        return self._network.hu(batch.seeds[part], codes)

    def _buffer(self, batch: Batch) -> _Started:
        """Give the buffer that was free the longest: its batch was taken, for no more are ahead."""
        count = len(batch) * self._network.slices
        if len(self._ring) == self._ring.maxlen:
            started = self._ring.popleft()
            if len(started.hu) >= count:
                started.batch, started.count = batch, count
                self._ring.append(started)
                return started
        hu = torch.empty((count, SIZE, SIZE), dtype=torch.int16, pin_memory=True)
        started = _Started(batch, hu, count)
        if self._finds_walls:
            started.masks = torch.empty(hu.shape, dtype=torch.uint8, pin_memory=True)
            started.settled = torch.empty(count, dtype=torch.bool, pin_memory=True)
        self._ring.append(started)
        return started


@torch.inference_mode()
def copy_to_host(hu: Tensor, started: _Started, start: int, wall_threshold_hu: float) -> None:
    """Have HU, and the walls that the device finds in them, copied when they are computed."""
    rows = slice(start, start + len(hu))
    started.hu[rows].copy_(hu, non_blocking=True)
    if started.masks is not None and started.settled is not None:
        masks, settled = device_wall_masks(hu, wall_threshold_hu)
        started.masks[rows].copy_(masks, non_blocking=True)
        started.settled[rows].copy_(settled, non_blocking=True)


def _finished(future: Future[_Started], masking: MaskingPool, wall_threshold_hu: float) -> Made:
    started = future.result()
    if started.computed is not None:
        started.computed.synchronize()
    count = started.count
    hu = started.hu[:count].numpy()
    masks = settled = None
    if started.masks is not None and started.settled is not None:
        masks, settled = started.masks[:count].numpy(), started.settled[:count].numpy()
    return started.batch, *masked(hu, wall_threshold_hu, masking, masks, settled)


def masked(
    hu: np.ndarray,
    wall_threshold_hu: float,
    masking: MaskingPool,
    masks: np.ndarray | None = None,
    settled: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the walls in HU (N, 128, 128), but those settled already; gives new arrays."""
    walls = np.empty(hu.shape, np.uint8)
    inside = np.zeros_like(hu)
    at_once = max(_MASKED_AT_ONCE, -(-len(hu) // masking.threads))

    def find(start: int) -> None:
        rows = slice(start, start + at_once)
        if masks is None or settled is None:
            walls[rows] = wall_mask(hu[rows], wall_threshold_hu)
        else:
            walls[rows] = masks[rows]
            left = start + np.flatnonzero(~settled[rows])
            if len(left):
                walls[left] = wall_mask(hu[left], wall_threshold_hu)
        np.copyto(inside[rows], hu[rows], where=walls[rows].view(bool))

    list(masking.map(find, range(0, len(hu), at_once)))
    return inside, walls


def _on_gpu(networks: Sequence[Network]) -> bool:
    return any(network.device.type == "cuda" for network in networks)


def _with_batch_statistics(generator: Generator) -> Images:
    """Share a generator's weights with one that normalizes by its batch and keeps no statistics."""
    with torch.device("meta"):
        other = Generator(generator.latent_size, generator.width, generator.shape)
    other.load_state_dict(generator.state_dict(), assign=True)
    for layer in other.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean = layer.running_var = None
    return other.eval()


def _beside(latent: Tensor, codes: np.ndarray | None) -> Tensor:
    """Put codes behind latent vectors, where they are."""
    if codes is None or not codes.shape[1]:
        return latent
    return torch.cat([latent, torch.from_numpy(codes).to(latent)], 1)
