"""The pixels of a segment set that grows: packed by a pool of threads, waiting in a nameless file.

``PackedPixels`` is what a ``hdf5.Writer`` holds between two commits. Who appends goes on while the
threads pack; a bound on what is under way holds back who appends faster than they do.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .packing import CHUNK, PIXELS, Packed, Packer, pack, unpack
from .segment_set import SIZE

_CHUNKS_A_THREAD = 4
"""Under way at most: 0.75 MiB each."""


Pixels = tuple[np.ndarray, np.ndarray]
"""The HU and the masks of a chunk."""


@dataclass(frozen=True)
class _UnderWay:
    pixels: Pixels
    packed: Future[Packed]


class PackedPixels:
    """Segments' HU and masks, appended one by one or by the thousand, given back in chunks.

    Whole chunks lie packed in a file without a name; what does not fill one waits as it is. So
    the chunks follow from the segments alone, however they were appended.

    Args:
        folder: where the nameless file lies.
        packer: what packs.

    Raises:
        OSError: here and from ``append``, ``cut`` and ``chunks``: if the file cannot be written.
    """

    def __init__(self, folder: Path, packer: Packer) -> None:
        self._packer = packer
        # Unbuffered: what a full disk refused must not come again with the next call.
        self._spool = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
        threads = min(8, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, "packing")
        self._most = _CHUNKS_A_THREAD * threads
        self._sizes: list[tuple[int, int]] = []
        """Bytes of the HU and of the mask of each chunk in the file."""
        self._bytes = 0
        self._under_way: deque[_UnderWay] = deque()
        self._free: list[Pixels] = []
        """Buffers of a chunk that were packed: as many as there are under way at most. New memory
        for each cost as much as packing does."""
        self._filling, self._filled = self._buffer(), 0
        """What does not fill a chunk, and how many segments that is."""

    def __len__(self) -> int:
        return CHUNK * (len(self._sizes) + len(self._under_way)) + self._filled

    @property
    def most_bytes(self) -> int:
        """What all of it takes packed, at most: deflate adds little to what does not compress."""
        raw = CHUNK * SIZE * SIZE * sum(np.dtype(dtype).itemsize for dtype in PIXELS.values())
        unpacked = len(self._under_way) + (self._filled > 0)
        return self._bytes + unpacked * (raw + raw // 500 + 64)

    def append(self, hu: np.ndarray, mask: np.ndarray) -> None:
        """Add pixels (N, 128, 128); they may be changed afterwards.

        An error may be that of earlier ones, packed or written meanwhile; ``cut`` goes back to
        before them.
        """
        start = 0
        while start < len(hu):
            end = min(start + CHUNK - self._filled, len(hu))
            rows = slice(self._filled, self._filled + end - start)
            for buffer, pixels in zip(self._filling, (hu, mask), strict=True):
                buffer[rows] = pixels[start:end]
            self._filled, start = rows.stop, end
            if self._filled < CHUNK:
                return
            self._take_packed(self._most - 1)
            whole = self._filling
            # Before it is under way: an interruption between the two must not count it twice.
            self._filling, self._filled = self._buffer(), 0
            packed = self._pool.submit(pack, *whole, self._packer)
            self._under_way.append(_UnderWay(whole, packed))

    def reachable(self) -> int:
        """How many segments ``cut`` can go back to without anything being written."""
        first = CHUNK if self._under_way else self._filled
        return CHUNK * len(self._sizes) + first

    def cut(self, count: int) -> None:
        """Forget all but the first ``count`` segments, at most ``reachable``."""
        if count == len(self):
            return
        place, left = divmod(count, CHUNK)
        kept = list(self._under_way)[: max(0, place - len(self._sizes))]
        if place < len(self._sizes):
            found = unpack(self._read(place, sum(map(sum, self._sizes[:place]))))
        elif len(kept) < len(self._under_way):
            found = self._under_way[len(kept)].pixels
        else:
            found = self._filling
        for buffer, pixels in zip(self._filling, found, strict=True):
            buffer[:left] = pixels[:left]
        for one in list(self._under_way)[len(kept) :]:
            one.packed.cancel()
        self._under_way, self._filled = deque(kept), left
        del self._sizes[place:]
        self._bytes = sum(map(sum, self._sizes))
        self._spool.truncate(self._bytes)

    def chunks(self) -> Iterator[Packed]:
        """Give all chunks, the last one filled up with 0."""
        self._take_packed(0)
        start = 0
        for place, sizes in enumerate(self._sizes):
            yield self._read(place, start)
            start += sum(sizes)
        if self._filled:
            hu, mask = self._filling
            yield pack(hu[: self._filled], mask[: self._filled], self._packer)

    def settle(self) -> None:
        """Wait until all whole chunks are in the file; ``cut`` reaches everything then."""
        self._take_packed(0)

    def forget_chunks(self) -> None:
        """Forget what ``chunks`` gave but for the segments that do not fill a chunk."""
        self._sizes, self._bytes = [], 0
        self._spool.truncate(0)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._spool.close()

    def _take_packed(self, left: int) -> None:
        """Write the oldest chunks, and those packed by now, until so many are under way at most."""
        while self._under_way:
            oldest = self._under_way[0].packed
            if len(self._under_way) <= left and not oldest.done():
                return
            packed = oldest.result()
            rest = memoryview(b"".join(packed))
            self._spool.seek(self._bytes)
            while rest:
                rest = rest[self._spool.write(rest) :]
            self._sizes.append((len(packed[0]), len(packed[1])))
            self._bytes += sum(self._sizes[-1])
            self._free.append(self._under_way.popleft().pixels)

    def _buffer(self) -> Pixels:
        if self._free:
            return self._free.pop()
        shape = (CHUNK, SIZE, SIZE)
        return np.empty(shape, PIXELS["hu"]), np.empty(shape, PIXELS["mask"])

    def _read(self, place: int, start: int) -> Packed:
        self._spool.seek(start)
        hu_bytes, mask_bytes = self._sizes[place]
        return self._spool.read(hu_bytes), self._spool.read(mask_bytes)
