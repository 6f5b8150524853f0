"""Packing: the pixels of segments as the chunks that HDF5's filters (shuffle, deflate) read.

Chunks are packed here and not by HDF5, so that several threads pack at once, a packer that is
faster than zlib can do it, and a file can be laid out anew without unpacking. Any deflate stream
is one to HDF5, MATLAB and h5py, whoever wrote it.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np

from .segment_set import SIZE

CHUNK = 16
"""Segments in a chunk: fewer are larger and take longer, more save nothing."""

LEVEL = 1
"""Of zlib, and what files tell HDF5: 4 takes 1.4 times as long and saves a tenth."""
_NG_LEVEL = 2
"""Of zlib-ng's: a segment's HU and mask take 50 µs and 3.2 KiB, at 1 30 µs and 3.9 KiB."""

PIXELS = {"hu": "<i2", "mask": "u1"}

Packed = tuple[bytes, bytes]
"""The HU and the mask of ``CHUNK`` segments as HDF5's filters store them."""


@dataclass(frozen=True)
class Packer:
    """What makes deflate streams.

    Attributes:
        name: library and level; the same packer gives the same bytes.
        compress: gives the zlib stream of some bytes.
    """

    name: str
    compress: Callable[[memoryview], bytes]


@lru_cache(maxsize=1)
def packers() -> dict[str, Packer]:
    """The packers that are installed, by name, the fastest first."""
    found = [Packer(f"zlib {LEVEL}", lambda content: zlib.compress(content, LEVEL))]
    # Not isal, which is twice as fast: one chunk in 2,000 comes out of it with another byte now and
    # then, though of the same content, and a resumed file would not be that of an undisturbed run.
    if importlib.util.find_spec("zlib_ng"):
        zlib_ng = importlib.import_module("zlib_ng.zlib_ng")

        def compress(content: memoryview) -> bytes:
            return bytes(zlib_ng.compress(content, _NG_LEVEL))

        found.insert(0, Packer(f"zlib-ng {_NG_LEVEL}", compress))
    return {packer.name: packer for packer in found}


def chosen_packer(name: str | None = None) -> Packer:
    """The packer of that name, or the fastest one if it is not installed or none is named."""
    by_name = packers()
    return by_name.get(name or "") or next(iter(by_name.values()))


def pack(hu: np.ndarray, mask: np.ndarray, packer: Packer) -> Packed:
    """Pack a chunk as HDF5's filters do; zlib and zlib-ng let go of the interpreter meanwhile.

    Args:
        hu, mask: (N, 128, 128) of at most ``CHUNK`` segments; 0 fills the chunk up, as HDF5 does.
        packer: what packs them.
    """
    whole = _filled(hu, PIXELS["hu"]).reshape(-1)
    shuffled = _scratch()
    np.copyto(shuffled[0], whole, casting="unsafe")  # the lower halves: a third of a transpose
    np.copyto(shuffled[1], whole >> 8, casting="unsafe")
    return packer.compress(shuffled.data), packer.compress(_filled(mask, PIXELS["mask"]).data)


def unpack(packed: Packed) -> tuple[np.ndarray, np.ndarray]:
    """Give the HU and the mask of a chunk back, (``CHUNK``, 128, 128) each.

    Raises:
        ValueError, zlib.error: if that is no chunk.
    """
    hu, mask = (np.frombuffer(zlib.decompress(content), np.uint8) for content in packed)
    halves = np.ascontiguousarray(hu.reshape(2, -1).T)
    shape = (CHUNK, SIZE, SIZE)
    return halves.view(PIXELS["hu"]).reshape(shape), mask.view(PIXELS["mask"]).reshape(shape)


_of_thread = threading.local()


def _scratch() -> np.ndarray:
    """Room for a shuffled chunk, one for each thread."""
    if not hasattr(_of_thread, "shuffled"):
        _of_thread.shuffled = np.empty((2, CHUNK * SIZE * SIZE), np.uint8)
    return cast("np.ndarray", _of_thread.shuffled)


def _filled(pixels: np.ndarray, dtype: str) -> np.ndarray:
    if len(pixels) == CHUNK:
        return np.ascontiguousarray(pixels, dtype)
    whole = np.zeros((CHUNK, SIZE, SIZE), dtype)
    whole[: len(pixels)] = pixels
    return whole
