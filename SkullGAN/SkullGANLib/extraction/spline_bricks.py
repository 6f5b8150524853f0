"""A cubic spline through a CT: its coefficients, found brick by brick where they are asked for.

Neighboring cuts need most of the same coefficients. Finding them once, and only around the wall,
spares what ``scipy.ndimage`` does for each cut anew.
"""

from __future__ import annotations

import itertools
import threading
from functools import lru_cache

import numpy as np

_BRICK = 32
_MARGIN = 10  # voxels after which a cubic spline no longer feels the rest (0.27 ** 10)
_POLE = np.sqrt(3.0) - 2.0


class SplineBricks:
    """The coefficients of a volume's cubic spline; any thread may ask.

    A coefficient is the sum of the voxels around, with weights that fall by 0.27 a voxel (Unser,
    IEEE Signal Process. Mag. 16(6), 1999), and beyond the volume's ends it is mirrored, as
    ``scipy.ndimage.spline_filter(mode="mirror")`` has it. What is found stays, float32.

    Args:
        volume: (slices, rows, columns), numbers.

    Example:
        >>> rising = np.broadcast_to(np.arange(40.0), (3, 3, 40))
        >>> SplineBricks(rising).at(np.array([[1.0, 1.0, 20.25]])).round(3).tolist()
        [20.25]
    """

    def __init__(self, volume: np.ndarray) -> None:
        self._volume = volume
        self._bricks: dict[tuple[int, ...], np.ndarray] = {}
        self._guard = threading.Lock()
        self._under_way: dict[tuple[int, ...], threading.Lock] = {}

    def at(self, ijk: np.ndarray) -> np.ndarray:
        """Give the spline's values.

        Args:
            ijk: float64 (N, 3), array indices (slice, row, column), within half a voxel of the
                volume; elsewhere values mean nothing.

        Returns:
            float64 (N,).
        """
        from scipy import ndimage

        last = np.array(self._volume.shape) - 1
        below = np.floor(ijk).astype(np.int64)
        low, high = np.clip(below - 2, 0, last), np.clip(below + 3, 0, last)
        first, end = low.min(0), high.max(0) + 1
        coefficients = np.zeros(end - first, np.float32)
        for number in _numbers(low // _BRICK, high // _BRICK):
            brick = self._brick(number)
            start = np.array(number) * _BRICK
            begin, stop = np.maximum(first, start), np.minimum(end, start + brick.shape)
            here = _box(begin - start, stop - start)
            coefficients[_box(begin - first, stop - first)] = brick[here]
        return ndimage.map_coordinates(
            coefficients, (ijk - first).T, order=3, mode="mirror", prefilter=False, output=float
        )

    def _brick(self, number: tuple[int, ...]) -> np.ndarray:
        with self._guard:
            if number in self._bricks:
                return self._bricks[number]
            lock = self._under_way.setdefault(number, threading.Lock())
        with lock:  # others that need this brick wait, and find it
            if number not in self._bricks:
                self._bricks[number] = self._filtered(number)
            return self._bricks[number]

    def _filtered(self, number: tuple[int, ...]) -> np.ndarray:
        """One brick. Products of small matrices, each of which BLAS makes in the thread that asks:
        half the time of a recursive filter, which waits for each voxel before the next."""
        box, weights = [], []
        for n, size in zip(number, self._volume.shape, strict=True):
            around, of_axis = _weights(n * _BRICK, size)
            box.append(around)
            weights.append(of_axis)
        voxels = self._volume[tuple(box)].astype(np.float32)
        along_rows = weights[1] @ voxels
        along_slices = weights[0] @ along_rows.transpose(1, 0, 2)
        return np.ascontiguousarray((along_slices @ weights[2].T).transpose(1, 0, 2))


def _numbers(low: np.ndarray, high: np.ndarray) -> list[tuple[int, ...]]:
    """The bricks that hold the corners of boxes, from ``low`` to ``high``, both int (N, 3)."""
    first = low.min(0)
    used = np.zeros(high.max(0) - first + 1, bool)
    _, rows, columns = used.shape
    strides = (rows * columns, columns, 1)
    ends = [
        [(end[:, axis] - first[axis]) * stride for end in (low, high)]
        for axis, stride in enumerate(strides)
    ]
    for k, j, i in itertools.product(*ends):
        used.reshape(-1)[k + j + i] = True
    return [tuple(number) for number in (np.argwhere(used) + first).tolist()]


def _box(first: np.ndarray, last: np.ndarray) -> tuple[slice, ...]:
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))


@lru_cache(maxsize=256)
def _weights(start: int, size: int) -> tuple[slice, np.ndarray]:
    """Which voxels of an axis the coefficients of a brick are made of, and their weights.

    Args:
        start: where the brick begins.
        size: of the volume along the axis.

    Returns:
        The voxels, and float32 (coefficients, voxels).
    """
    at = np.arange(start, min(start + _BRICK, size))
    reach = np.arange(-_MARGIN, _MARGIN + 1)
    weight = _POLE ** np.abs(reach)
    weight /= weight.sum()  # a constant is its own spline
    mirrored = at[:, None] + reach
    if size > 1:
        mirrored = np.abs(mirrored) % (2 * (size - 1))
        mirrored = np.minimum(mirrored, 2 * (size - 1) - mirrored)
    else:
        mirrored[:] = 0
    first, last = int(mirrored.min()), int(mirrored.max()) + 1
    weights = np.zeros((len(at), last - first), np.float32)
    np.add.at(weights, (np.arange(len(at))[:, None], mirrored - first), weight)
    return slice(first, last), weights
