"""Phantom heads whose truth is known in closed form.

A ``Phantom`` is a skull of nested ellipsoids in scalp and air; a sphere is one of equal half axes.
``Phantom.ct`` scans it; ``Phantom.crossings_mm`` says where a straight line passes its surfaces, so
that a segment's layers are known to the last digit, whatever plane it was cut in. ``painted`` puts
metal, holders or defects into the scan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr
from SkullGANLib.ct.volume import HeadCT

OUTER_RADIUS_MM = 80.0
LAYERS_MM = (2.0, 4.0, 1.5)
"""Outer table, diploë, inner table of the spherical phantom: 7.5 mm in all."""

AIR_HU, SCALP_HU, BRAIN_HU = -1000.0, 50.0, 30.0
_SHARP = 4.0  # standard deviations of the blur beyond which a surface is not felt


@dataclass(frozen=True, eq=False)
class Phantom:
    """A head of concentric ellipsoids about RAS 0: scalp, outer table, diploë, inner table, brain.

    Attributes:
        half_axes_mm: of the skull's outer surface, to the right, anterior, superior.
        layers_mm: how much shorter the half axes get through each layer of the skull. Along the
            axes that is the layer's thickness, between them a layer is a little thicker or thinner.
        layers_hu: of outer table, diploë and inner table (or of any number of layers).
        scalp_mm: by how much the scalp's half axes are longer than the skull's.
        head_to_ras: rotation (3, 3) of the head.
    """

    half_axes_mm: tuple[float, float, float] = (72.0, 92.0, 75.0)
    layers_mm: tuple[float, ...] = (2.0, 4.0, 2.0)
    layers_hu: tuple[float, ...] = (1500.0, 600.0, 1500.0)
    scalp_mm: float = 6.0
    head_to_ras: np.ndarray = field(default_factory=lambda: np.eye(3))

    @property
    def surfaces_mm(self) -> np.ndarray:
        """Half axes of the skull's surfaces from outside to inside, float64 (layers + 1, 3)."""
        inset = np.cumsum((0.0, *self.layers_mm))
        return np.asarray(self.half_axes_mm) - inset[:, None]

    @property
    def sdr(self) -> float:
        """Diploë over the mean of the tables: what ``peaks`` is without blur and noise."""
        outer, diploe, inner = self.layers_hu
        return diploe / ((outer + inner) / 2.0)

    def ct(
        self,
        spacing_mm: tuple[float, float, float] = (1.2, 1.2, 1.2),
        blur_mm: tuple[float, float, float] = (0.5, 0.5, 0.5),
        noise_hu: float = 20.0,
        below_mm: float = 50.0,
        margin_mm: float = 18.0,
        seed: int = 0,
    ) -> HeadCT:
        """Scan the head: columns run to the left, rows to the back, slices up, as scanners store.

        Args:
            spacing_mm: of columns, rows and slices.
            blur_mm: standard deviation of the point-spread function along them, partial volume
                included (that of a box of n mm is n / sqrt(12)). A surface is blurred as the plane
                that touches it, which at 70 mm of radius is right to 0.01 mm.
            noise_hu: standard deviation of white noise.
            below_mm: how far below the middle of the skull the field of view begins.
            margin_mm: how far beyond the skull it reaches elsewhere.
            seed: of the noise.
        """
        # The box of a turned ellipsoid: its half axes added in squares.
        reach = np.sqrt(((self.head_to_ras * self.half_axes_mm) ** 2).sum(1)) + margin_mm
        first = np.array([reach[0], reach[1], -below_mm])
        geometry = np.diag([-spacing_mm[0], -spacing_mm[1], spacing_mm[2], 1.0])
        geometry[:3, 3] = first
        size = np.ceil(np.array([2 * reach[0], 2 * reach[1], reach[2] + below_mm]) / spacing_mm)
        x, y, z = (first[n] + geometry[n, n] * np.arange(int(size[n])) for n in range(3))
        hu = np.empty((len(z), len(y), len(x)), np.int16)
        rng = np.random.default_rng(seed)
        for k, height in enumerate(z):
            points = np.stack(np.broadcast_arrays(x, y[:, None], height)).reshape(3, -1)
            exact = self._hu(points.astype(np.float32), np.asarray(blur_mm, np.float32))
            exact += noise_hu * rng.standard_normal(exact.shape, np.float32)
            hu[k] = np.clip(np.rint(exact), -1024, 3071).reshape(hu[k].shape)
        return HeadCT(hu, geometry)

    def crossings_mm(self, starts_ras: np.ndarray, direction_ras: np.ndarray) -> np.ndarray:
        """Where straight lines enter the skull's surfaces: float64 (N, layers + 1), mm from their
        start; NaN where a line passes one by.

        Args:
            starts_ras: (N, 3), RAS mm, outside the skull.
            direction_ras: (3,) or (N, 3), unit vectors into the head.
        """
        starts = (starts_ras @ self.head_to_ras)[:, None] / self.surfaces_mm
        direction = (direction_ras @ self.head_to_ras)[..., None, :] / self.surfaces_mm
        a = (direction**2).sum(-1)
        b = (starts * direction).sum(-1)
        c = (starts**2).sum(-1) - 1.0
        inside = b**2 - a * c
        root = np.sqrt(inside, out=np.full_like(inside, np.nan), where=inside > 0)
        return (-b - root) / a

    def _hu(self, points_ras: np.ndarray, blur_mm: np.ndarray) -> np.ndarray:
        """HU without noise, float32 (N,), at points (3, N)."""
        turn = self.head_to_ras.astype(np.float32)
        head = turn.T @ points_ras
        levels = [AIR_HU, SCALP_HU, *self.layers_hu, BRAIN_HU]
        surfaces = np.vstack([np.add(self.half_axes_mm, self.scalp_mm), self.surfaces_mm])
        weights = (surfaces**-2.0).astype(np.float32)
        hu = np.full(points_ras.shape[1], AIR_HU, np.float32)
        for squares, weight, step in zip(
            weights @ head**2, weights, np.diff(levels).astype(np.float32), strict=True
        ):
            hu[squares < 1.0] += step
            # Only near the surface is the blur felt; there |x|^2 - 1 is about 2 depth / half axis.
            near = np.abs(squares - 1.0) < 3.0 * _SHARP * blur_mm.max() * np.sqrt(weight.max())
            radius = np.sqrt(squares[near])
            gradient = head[:, near] * weight[:, None] / radius
            steep = np.sqrt((gradient**2).sum(0))
            blur = np.sqrt(((turn @ gradient * blur_mm[:, None]) ** 2).sum(0)) / steep
            depth = (1.0 - radius) / steep
            hu[near] += step * (ndtr(depth / blur) - (radius < 1.0))
        return hu


def painted(
    ct: HeadCT, where: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray], hu: float
) -> HeadCT:
    """A CT with other HU where a condition on RAS x, y, z (arrays that broadcast, mm) holds."""
    if np.count_nonzero(ct.ijk_to_ras[:3, :3]) != 3:
        raise ValueError("only a CT with axes along RAS can be painted")
    k, j, i = np.indices(ct.hu.shape, sparse=True)
    x, y, z = (
        matrix[0] * i + matrix[1] * j + matrix[2] * k + matrix[3] for matrix in ct.ijk_to_ras[:3]
    )
    return HeadCT(np.where(where(x, y, z), np.int16(hu), ct.hu), ct.ijk_to_ras, ct.source)


def make_sphere_head(
    diploe_hu: float = 500.0, noise_hu: float = 20.0, blur_mm: float = 0.6, seed: int = 0
) -> HeadCT:
    """A ball of brain in a bone shell (1500, diploë, 1400 HU) in 6 mm of scalp, 1 mm voxels.

    A head holder's plate of 700 HU stands 15 mm behind the scalp.
    """
    ball = Phantom((OUTER_RADIUS_MM,) * 3, LAYERS_MM, (1500.0, diploe_hu, 1400.0))
    ct = ball.ct((1.0,) * 3, (blur_mm,) * 3, noise_hu, below_mm=105.0, margin_mm=25.0, seed=seed)
    return painted(ct, lambda x, y, z: (y < -102.5) & (abs(x) < 45.5) & (abs(z) < 45.5), 700)
