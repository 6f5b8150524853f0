"""Laying a depth map on points from many starts at once.

A way to lie is nine numbers: a turn, a move and a stretch along three axes. ``fit`` seeks the best
one from each start by Levenberg and Marquardt's steps, with slopes in closed form, and takes all
starts in the same array operations: ninety of them take a third of
a second.
It knows what a fit costs and nothing of heads; ``head_template`` knows which starts and why.

The cost is half the sum of ``rho(r)`` over what is off (mm) and over what is unlikely, with
``rho(r) = 2 c^2 (sqrt(1 + (r / c)^2) - 1)``: squares near 0, lengths beyond ``c`` (SciPy's
``soft_l1``; Charbonnier et al., IEEE Trans. Image Process. 6(2), 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-7, 1e7
_EASIER, _HARDER = 0.2, 5.0
_SETTLED = 1e-6  # share of its cost that a step still spares
_NEAR_HALF_TURN = 3.0  # rad


@dataclass(frozen=True, eq=False)
class DepthMap:
    """What is laid.

    Attributes:
        depth_mm: float32 (x, y, z), distance to the surface, above 0 inside.
        first_mm: float64 (3,), coordinates of its first element.
        step_mm: between elements.
    """

    depth_mm: np.ndarray
    first_mm: np.ndarray
    step_mm: float

    @property
    def size_mm(self) -> np.ndarray:
        """From the first to the last element, float64 (3,)."""
        return self.step_mm * (np.array(self.depth_mm.shape) - 1)


@dataclass(frozen=True)
class Loss:
    """What a way to lie costs.

    Attributes:
        farthest_mm: what lies farther off counts as this far.
        linear_mm: beyond it distances count less than by their square.
        size_std, shape_std: of the logarithms of size and of proportions.
        tilt_weight: residual of a turn of 1 rad from the expected axes, where that of one standard
            deviation is 1. Unlikely sizes, shapes and turns weigh as much as all points do.
    """

    farthest_mm: float
    linear_mm: float
    size_std: float
    shape_std: float
    tilt_weight: float


@dataclass(frozen=True, eq=False)
class Poses:
    """Ways to lie, S of them.

    Attributes:
        axes: float64 (S, 3, 3), columns are the map's axes among the points.
        origin: float64 (S, 3), of the map's coordinates among the points, mm.
        log_scale: float64 (S, 3), logarithms of how much larger the points lie than the map.
    """

    axes: np.ndarray
    origin: np.ndarray
    log_scale: np.ndarray

    def moved(self, step: np.ndarray) -> Poses:
        """Take a step (S, 9) further: a turn (rad), a move (mm) and logarithms of a stretch."""
        return Poses(
            rotations(step[:, :3]) @ self.axes,
            self.origin + step[:, 3:6],
            self.log_scale + step[:, 6:],
        )

    def take(self, index: np.ndarray) -> Poses:
        """Some of them, by number or bool."""
        return Poses(self.axes[index], self.origin[index], self.log_scale[index])


@dataclass(frozen=True, eq=False)
class Fit:
    """What ``fit`` found from each start.

    Attributes:
        poses: the ways.
        cost: float64 (S,), mean over the points.
        median_mm: float64 (S,), median distance of the points from the surface.
    """

    poses: Poses
    cost: np.ndarray
    median_mm: np.ndarray


@dataclass(eq=False)
class _Local:
    """Cost (S,) at some poses, and the quadratic that is like it there."""

    cost: np.ndarray
    slope: np.ndarray  # (S, 9)
    curvature: np.ndarray  # (S, 9, 9)

    def replace(self, index: np.ndarray, other: _Local, where: np.ndarray) -> None:
        self.cost[index] = other.cost[where]
        self.slope[index] = other.slope[where]
        self.curvature[index] = other.curvature[where]


def fit(
    points: np.ndarray,
    known: DepthMap,
    loss: Loss,
    starts: Poses,
    expected_axes: np.ndarray,
    most_steps: int,
) -> Fit:
    """Turn, move and stretch a depth map from each start until points lie on its surface.

    Args:
        points: float (N, 3), mm.
        known: what is laid.
        loss: what it costs.
        starts: where to begin.
        expected_axes: float (3, 3), from which a turn costs.
        most_steps: how often the cost is computed at most.
    """
    points = np.asarray(points, np.float32)
    poses, here = starts, _local(points, known, loss, starts, expected_axes)
    damping = np.full(len(here.cost), _FIRST_DAMPING)
    open_ = np.arange(len(here.cost))
    for _ in range(most_steps - 1):
        step = _step(here.slope[open_], here.curvature[open_], damping[open_])
        tried = poses.take(open_).moved(step)
        there = _local(points, known, loss, tried, expected_axes)
        spared = here.cost[open_] - there.cost
        better = spared > 0
        settled = better & (spared < _SETTLED * here.cost[open_])
        poses = _merged(poses, open_, better, tried)
        here.replace(open_[better], there, better)
        factor = np.where(better, _EASIER, _HARDER)
        damping[open_] = np.maximum(damping[open_] * factor, _LEAST_DAMPING)
        open_ = open_[~settled & (damping[open_] < _MOST_DAMPING)]
        if not open_.size:
            break
    off, _slopes = _off_mm(points, known, poses)
    far = np.minimum(np.abs(off), loss.farthest_mm)
    return Fit(poses, here.cost / len(points), np.median(far, axis=1).astype(float))


def rotations(vectors: np.ndarray) -> np.ndarray:
    """Rotation matrices (S, 3, 3) of rotation vectors (S, 3), rad (Rodrigues)."""
    x, y, z = vectors.T
    nil = np.zeros_like(x)
    cross = np.stack([nil, -z, y, z, nil, -x, -y, x, nil], axis=1).reshape(-1, 3, 3)
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    # sin(a) / a and (1 - cos(a)) / a^2, which have limits at 0.
    first, second = np.sinc(angle / np.pi), np.sinc(angle / (2.0 * np.pi)) ** 2 / 2.0
    return np.eye(3) + first * cross + second * cross @ cross


def rotation_vectors(matrices: np.ndarray) -> np.ndarray:
    """Rotation vectors (S, 3), rad, up to a half turn, of rotation matrices (S, 3, 3)."""
    cosine = np.clip((np.trace(matrices, axis1=1, axis2=2) - 1.0) / 2.0, -1.0, 1.0)
    angle = np.arccos(cosine)[:, None]
    skew = np.stack(
        [
            matrices[:, 2, 1] - matrices[:, 1, 2],
            matrices[:, 0, 2] - matrices[:, 2, 0],
            matrices[:, 1, 0] - matrices[:, 0, 1],
        ],
        axis=1,
    )
    # The skew part fades near a half turn; there the symmetric part holds the axis but for its
    # sign.
    symmetric = (matrices + matrices.transpose(0, 2, 1)) / 2.0 - cosine[:, None, None] * np.eye(3)
    widest = np.diagonal(symmetric, axis1=1, axis2=2).argmax(1)
    axis = symmetric[np.arange(len(matrices)), :, widest]
    axis = axis / np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-12)
    axis = axis * np.where((axis * skew).sum(1, keepdims=True) < 0, -1.0, 1.0)
    by_skew = skew / (2.0 * np.maximum(np.sinc(angle / np.pi), 1e-12))
    return np.where(angle < _NEAR_HALF_TURN, by_skew, axis * angle)


def _merged(poses: Poses, index: np.ndarray, better: np.ndarray, tried: Poses) -> Poses:
    """The poses, those at ``index`` where ``better`` replaced."""
    axes, origin, scale = poses.axes.copy(), poses.origin.copy(), poses.log_scale.copy()
    chosen = index[better]
    axes[chosen], origin[chosen] = tried.axes[better], tried.origin[better]
    scale[chosen] = tried.log_scale[better]
    return Poses(axes, origin, scale)


def _step(slope: np.ndarray, curvature: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Damped Newton steps, float64 (S, 9)."""
    n = np.arange(9)
    damped = curvature.copy()
    damped[:, n, n] *= 1.0 + damping[:, None]
    damped[:, n, n] += 1e-9
    return -np.linalg.solve(damped, slope[..., None])[..., 0]


def _local(
    points: np.ndarray, known: DepthMap, loss: Loss, poses: Poses, expected: np.ndarray
) -> _Local:
    """The cost of poses, its slope and its curvature."""
    off, slopes = _off_mm(points, known, poses)
    squares = (off / loss.linear_mm) ** 2
    within = np.abs(off) < loss.farthest_mm
    squares = np.minimum(squares, (loss.farthest_mm / loss.linear_mm) ** 2)
    cost = loss.linear_mm**2 * (np.sqrt(1.0 + squares) - 1.0).sum(1, dtype=np.float64)
    weight = np.where(within, 1.0 / np.sqrt(1.0 + squares), 0.0)
    weighted = slopes * weight[..., None]
    slope = (weighted * off[..., None]).sum(1, dtype=np.float64)
    curvature = (weighted.transpose(0, 2, 1) @ slopes).astype(np.float64)
    here = _Local(cost, slope, curvature)
    _add_unlikely(here, loss, poses, expected, len(points))
    return here


def _add_unlikely(
    here: _Local, loss: Loss, poses: Poses, expected: np.ndarray, points: int
) -> None:
    """Add what an unlikely size, shape or turn costs."""
    count = len(here.cost)
    size = poses.log_scale.mean(1)
    rows = np.zeros((count, 7, 9))
    rows[:, 0, 6:] = 1.0 / (3.0 * loss.size_std)
    rows[:, 1:4, 6:] = (np.eye(3) - 1.0 / 3.0) / loss.shape_std
    rows[:, 4:, :3] = loss.tilt_weight * np.eye(3)
    value = np.concatenate(
        [
            size[:, None] / loss.size_std,
            (poses.log_scale - size[:, None]) / loss.shape_std,
            loss.tilt_weight * rotation_vectors(poses.axes @ expected.T),
        ],
        axis=1,
    )
    rows, value = rows * np.sqrt(points), value * np.sqrt(points)
    # A turn is one residual, the length of its vector.
    squares = value[:, :5] ** 2
    squares[:, 4] = (value[:, 4:] ** 2).sum(1)
    squares = squares / loss.linear_mm**2
    here.cost += loss.linear_mm**2 * (np.sqrt(1.0 + squares) - 1.0).sum(1)
    weight = (1.0 / np.sqrt(1.0 + squares))[:, [0, 1, 2, 3, 4, 4, 4]]
    weighted = rows * weight[..., None]
    here.slope += (weighted * value[..., None]).sum(1)
    here.curvature += weighted.transpose(0, 2, 1) @ rows


def _off_mm(points: np.ndarray, known: DepthMap, poses: Poses) -> tuple[np.ndarray, np.ndarray]:
    """How far points lie off the map's surface, float32 (S, N), above 0 inside, and the slopes of
    that over the nine numbers of a step, float32 (S, N, 9)."""
    axes, scale = poses.axes.astype(np.float32), np.exp(poses.log_scale).astype(np.float32)
    arm = points[None] - poses.origin.astype(np.float32)[:, None]
    along = arm @ axes / scale[:, None]
    depth, slope = _depth_mm(along - known.first_mm.astype(np.float32), known)
    slopes = np.empty((*depth.shape, 9), np.float32)
    pull = (slope / scale[:, None]) @ axes.transpose(0, 2, 1)
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        slopes[..., a] = pull[..., b] * arm[..., c] - pull[..., c] * arm[..., b]
    slopes[..., 3:6] = -pull
    slopes[..., 6:] = -slope * along
    return depth, slopes


def _depth_mm(place: np.ndarray, known: DepthMap) -> tuple[np.ndarray, np.ndarray]:
    """Depth (...,) at places (..., 3), mm from the map's first element, linear between elements;
    less the distance from the map outside of it. And its slope (..., 3)."""
    last = np.array(known.depth_mm.shape) - 1
    beyond = np.maximum(-place, place - known.size_mm.astype(np.float32))
    at = np.clip(place / np.float32(known.step_mm), 0, last.astype(np.float32))
    low = np.minimum(at.astype(np.int32), last - 1)
    part = at - low
    _, ny, nz = known.depth_mm.shape
    index = (low[..., 0] * ny + low[..., 1]) * nz + low[..., 2]
    flat = known.depth_mm.ravel()
    x, y, z = (part[..., n] for n in range(3))
    # Corners along z, then y, then x; differences on the way are the slopes.
    by_xy, slope_z = [], []
    for corner in (0, nz, ny * nz, ny * nz + nz):
        first, second = flat[index + corner], flat[index + corner + 1]
        slope_z.append(second - first)
        by_xy.append(first + z * slope_z[-1])
    by_x = [by_xy[0] + y * (by_xy[1] - by_xy[0]), by_xy[2] + y * (by_xy[3] - by_xy[2])]
    depth = by_x[0] + x * (by_x[1] - by_x[0])
    slope = np.stack(
        [
            by_x[1] - by_x[0],
            (1 - x) * (by_xy[1] - by_xy[0]) + x * (by_xy[3] - by_xy[2]),
            (1 - x) * ((1 - y) * slope_z[0] + y * slope_z[1])
            + x * ((1 - y) * slope_z[2] + y * slope_z[3]),
        ],
        axis=-1,
    ) / np.float32(known.step_mm)
    outside = beyond > 0
    slope[outside] = 0.0
    farthest = np.maximum(beyond.max(-1), 0.0)
    which = (beyond == farthest[..., None]) & outside
    slope -= np.where(which, np.sign(place), 0.0)
    return depth - farthest, slope
