"""A CT and its skull mask, made ready to be interpolated wherever a ray goes.

``Field`` is prepared once a head; ``sample`` interpolates the CT at any points. ``in_parts``
spreads work over threads, in parts whose profiles stay in a core's cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..anatomy.voxel_blocks import around
from ..ct.field_of_view import Unseen
from ..ct.volume import HeadCT

RAYS_AT_ONCE = 2048
"""Their profiles stay in a core's cache."""

_MARGIN = 8  # voxels around the mask, after which a cubic spline no longer feels the border


@dataclass(frozen=True, eq=False)
class Field:
    """A CT and its skull mask, prepared for interpolation.

    Attributes:
        spline: float32, coefficients of the cubic spline through the CT, in a box around the mask.
        hu: int16, the CT in the same box.
        mask: uint8, the skull mask in the same box.
        unseen: voxels of the whole CT that lie beyond the field of view; None of a bare skull,
            around which air or water may be as constant as padding.
        box_to_ras: float64 (4, 4), takes (k, j, i, 1) of the box to RAS mm.
        first, last: float64 (3,), the box's indices of the CT's outermost voxels.
        threshold_hu: HU from which a sample at the wall's surface is bone.
        threads: how many work at once.
    """

    spline: np.ndarray
    hu: np.ndarray
    mask: np.ndarray
    unseen: Unseen | None
    box_to_ras: np.ndarray
    first: np.ndarray
    last: np.ndarray
    threshold_hu: float
    threads: int

    @classmethod
    def of(
        cls,
        ct: HeadCT,
        mask: np.ndarray,
        threshold_hu: float,
        threads: int | None = None,
        is_bare: bool = False,
    ) -> Field:
        """Prepare a CT.

        Args:
            ct: the head CT.
            mask: (slices, rows, columns), nonzero in the skull wall.
            threshold_hu: HU from which a sample at the wall's surface is bone
                (``skull.bone_threshold_hu``).
            threads: how many work at once; None is one a core, up to four.
            is_bare: as ``anatomy.cavity.Cavity`` has it.
        """
        threads = threads or min(4, os.cpu_count() or 1)
        nothing = (slice(0, _MARGIN + 1),) * 3
        box = around(mask, np.full(3, _MARGIN)) if mask.any() else nothing
        start = np.array([part.start for part in box], float)
        to_ras = np.eye(4)
        to_ras[:3, :3] = ct.ijk_to_ras[:3, 2::-1]
        to_ras[:3, 3] = to_ras[:3, :3] @ start + ct.ijk_to_ras[:3, 3]
        return cls(
            spline=_spline(ct.hu[box], threads),
            hu=ct.hu[box],
            mask=(mask[box] != 0).astype(np.uint8),
            unseen=None if is_bare or not ct.unseen.any() else ct.unseen,
            box_to_ras=to_ras,
            first=-start,
            last=np.array(ct.hu.shape) - 1.0 - start,
            threshold_hu=threshold_hu,
            threads=threads,
        )

    def index(self, points_ras: np.ndarray) -> np.ndarray:
        """Take RAS mm (N, 3) to indices of the box, float64 (N, 3)."""
        inverse = np.linalg.inv(self.box_to_ras)
        return points_ras @ inverse[:3, :3].T + inverse[:3, 3]

    def is_outside(self, points_ras: np.ndarray) -> np.ndarray:
        """Whether points (N, 3), RAS mm, lie where the field of view ends, or beyond: within half a
        voxel of the CT's outermost ones, or within a voxel or so of one that was not scanned."""
        return self.at_the_rim(self.index(points_ras))

    def at_the_rim(self, index: np.ndarray) -> np.ndarray:
        """The same of indices of the box."""
        beyond = ((index < self.first + 0.5) | (index > self.last - 0.5)).any(axis=1)
        if self.unseen is not None:
            beyond |= self.unseen.beside(index - self.first)
        return np.asarray(beyond)

    def step(self, directions: np.ndarray) -> np.ndarray:
        """Take vectors (N, 3), mm in RAS, to those of the box's indices."""
        return directions @ np.linalg.inv(self.box_to_ras[:3, :3]).T

    def hu_at(self, index: np.ndarray) -> np.ndarray:
        """HU at indices (3, N) of the box, float32 (N,)."""
        # Mirrored as the spline was made; rays that reach the CT's rim are not measured anyway.
        return ndimage.map_coordinates(
            self.spline, index, order=3, prefilter=False, mode="mirror", output=np.float32
        )

    def hu_between(self, index: np.ndarray) -> np.ndarray:
        """HU at indices (3, N) of the box by trilinear interpolation, float32 (N,)."""
        return ndimage.map_coordinates(self.hu, index, order=1, mode="nearest", output=np.float32)

    def share_at(self, index: np.ndarray) -> np.ndarray:
        """How far indices (3, N) of the box lie in the mask, float32 (N,), 0.5 at its surface."""
        return ndimage.map_coordinates(self.mask, index, order=1, output=np.float32)


def sample(field: Field, points_ras: np.ndarray) -> np.ndarray:
    """Interpolate the CT by its cubic spline.

    Args:
        field: the CT.
        points_ras: float (..., 3), RAS mm; the CT is mirrored at the border of the field's box.

    Returns:
        float32 (...), HU.
    """
    at = field.index(points_ras.reshape(-1, 3))
    found = np.empty(len(at), np.float32)

    def work(part: slice) -> None:
        found[part] = field.hu_at(at[part].T)

    in_parts(work, len(at), field.threads, at_once=50 * RAYS_AT_ONCE)
    return found.reshape(points_ras.shape[:-1])


def in_parts(
    work: Callable[[slice], None], count: int, threads: int, at_once: int = RAYS_AT_ONCE
) -> None:
    """Do work for slices of a count of rays, several at once.

    Args:
        work: takes the slice to do.
        count: of rays.
        threads: how many work at once.
        at_once: rays a slice.
    """
    parts = [slice(n, min(n + at_once, count)) for n in range(0, count, at_once)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))


def _spline(hu: np.ndarray, threads: int) -> np.ndarray:
    """Coefficients of the cubic spline through a volume, mirrored at its ends, float32."""
    found = np.empty(hu.shape, np.float32)

    def along_slice(k: int) -> None:
        plane = ndimage.spline_filter1d(hu[k], 3, axis=0, output=np.float32)
        ndimage.spline_filter1d(plane, 3, axis=1, output=found[k])

    def across_slices(j: int) -> None:
        found[:, j] = ndimage.spline_filter1d(found[:, j], 3, axis=0, output=np.float32)

    # SciPy's filters let go of the interpreter: two threads take half the time of one.
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(along_slice, range(hu.shape[0])))
        list(pool.map(across_slices, range(hu.shape[1])))
    return found
