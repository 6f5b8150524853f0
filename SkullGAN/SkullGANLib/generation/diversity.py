"""Diversity: of segments that look alike only the first is kept, as TUSNet did.

TUSNet (Naftchi-Ardebili et al., its published preparation script) made 5,000 segments with SkullGAN
and kept 3,222: it thresholded rows 0 to 49 at 1200 HU, and of a pair that differs in fewer than
200 of these pixels one went. ``Diversity`` holds these settings, ``Gallery`` what is kept already.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..data.segment_set import SIZE
from ..errors import BadInputError

_ONES_OF_16_BITS = np.array([bin(word).count("1") for word in range(2**16)], np.uint8)


@dataclass(frozen=True)
class Diversity:
    """When two segments are too much alike.

    Attributes:
        rows: of the pixels compared, these first ones.
        threshold_hu: a pixel is compared by whether it is above this.
        least_px: in so many pixels any two segments differ at least.

    Raises:
        BadInputError: if a number is out of range.
    """

    rows: int = 50
    threshold_hu: int = 1200
    least_px: int = 200

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= SIZE or not 1 <= self.least_px <= self.rows * SIZE:
            raise BadInputError(
                f"Diversity compares {self.rows} rows and asks for {self.least_px} pixels, "
                f"expected 1 to {SIZE} rows and 1 pixel to all of them."
            )

    def as_source(self) -> dict[str, int]:
        """Give the settings as a segment set's ``source`` holds them."""
        return asdict(self)


class Gallery:
    """What is kept already, each segment as the bits of its thresholded pixels (800 bytes)."""

    def __init__(self, settings: Diversity) -> None:
        self._settings = settings
        self._count = 0
        width = -(-settings.rows * SIZE // 64)
        self._bits = np.empty((256, width), np.uint64)
        self._bright = np.empty(256, np.int64)

    def __len__(self) -> int:
        return self._count

    def bits_of(self, hu: np.ndarray) -> np.ndarray:
        """Give the bits, uint64 (N, width), of segments, int16 (N, 128, 128)."""
        bright = hu[:, : self._settings.rows] > self._settings.threshold_hu
        packed = np.packbits(bright.reshape(len(hu), -1), axis=1)
        padding = -packed.shape[1] % 8
        return np.pad(packed, ((0, 0), (0, padding))).view(np.uint64)

    def has_one_like(self, bits: np.ndarray) -> bool:
        """Tell whether a segment, its bits (width,), is too much like one that is there."""
        # Segments differ in at least as many pixels as their numbers of bright ones do.
        least = self._settings.least_px
        bright = self._bright[: self._count]
        near = np.flatnonzero(np.abs(bright - ones(bits[None])[0]) < least)
        return bool((ones(self._bits[near] ^ bits) < least).any())

    def add(self, bits: np.ndarray) -> None:
        """Add a segment by its bits (width,)."""
        if self._count == len(self._bits):
            self._bits = np.concatenate([self._bits, np.empty_like(self._bits)])
            self._bright = np.concatenate([self._bright, np.empty_like(self._bright)])
        self._bits[self._count], self._bright[self._count] = bits, ones(bits[None])[0]
        self._count += 1


def ones(words: np.ndarray) -> np.ndarray:
    """Count the bits that are set in each row of uint64 (N, width): int64 (N,)."""
    if hasattr(np, "bitwise_count"):  # NumPy 2
        return np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return ones_by_table(words)


def ones_by_table(words: np.ndarray) -> np.ndarray:
    """Count as ``ones`` does, with any NumPy."""
    return _ONES_OF_16_BITS[np.ascontiguousarray(words).view(np.uint16)].sum(axis=1, dtype=np.int64)
