"""Segments laid over each other: turned, moved by parts of a pixel and scaled in HU.

``register`` finds for each pair how the second is turned, moved and scaled to lie over the first
with the least difference within the wall. It begins where the strips of both suggest and goes on by
the inverse compositional method of Baker & Matthews (2004), whose costs are those of looking up the
second segment at a thousand points of the first one's wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.segment_set import SIZE
from .wall_strips import WallStrips, lags, overlapping, smoothed

if TYPE_CHECKING:
    from torch import Tensor

POINTS = 1024
"""Points of the wall, and of one pixel around it, that are compared; half as many where it need not
be fine."""
GAINS = (0.75, 1.33)
"""Least and most factor of HU."""

_CENTER = (SIZE - 1) / 2
_MARGIN_PX = 1
_STEPS = 3
"""Of the smoothed segments, and as many of those as they are."""
_LEAST_OVERLAP = 0.5
_ROUNDED_PX, _ROUNDED_RAD, _ROUNDED_HU, _ROUNDED_GAIN = 0.1, 0.002, 0.5, 0.001
"""What poses may be rounded by, and what differences that may cost."""
_ROUNDING_HU = 1e-3
"""Differences below it are those of single precision."""
_MOST_STEP_PX, _MOST_STEP_RAD = 3.0, 0.06


@dataclass(frozen=True, eq=False)
class Registered:
    """How the second of each of n pairs lies over the first; see ``neighbors.aligned``.

    Attributes:
        shift_px: float64 (n, 2), rows and columns.
        turn_deg: float64 (n,), counterclockwise as one sees it, before the shift.
        gain: float64 (n,), of its HU.
        rms_hu: float64 (n,), root mean square difference at the points of the wall that both show.
    """

    shift_px: np.ndarray
    turn_deg: np.ndarray
    gain: np.ndarray
    rms_hu: np.ndarray


class Walls:
    """Segments ready to be registered: what is looked up, and for those in the first place where.

    Args:
        hu: int16 (N, 128, 128).
        mask: (N, 128, 128).
        strips: of the same segments.
    """

    def __init__(self, hu: np.ndarray, mask: np.ndarray, strips: WallStrips) -> None:
        self.hu, self.mask, self.strips = hu, mask, strips
        used = np.asarray(mask.any(axis=2))
        self.rows = np.where(used.any(axis=1), SIZE - used[:, ::-1].argmax(axis=1), 0)
        """int (N,), rows from the top that hold each wall."""

    def __len__(self) -> int:
        return len(self.hu)


def register(
    walls: Walls, pool: Walls, which: np.ndarray, flipped: np.ndarray, fine: bool
) -> Registered:
    """Lay segments of a pool over walls.

    Args:
        walls: n segments.
        pool: segments to lay over them.
        which: int (n, each), those of the pool that go with each wall.
        flipped: bool (n, each), whether they are mirrored before.
        fine: whether the smallest differences count; else some hundredths of a pixel are left.

    Returns:
        Of the n * each pairs, those of the first wall first.
    """
    import torch

    each, which, flipped = which.shape[1], which.ravel(), flipped.ravel()
    with torch.inference_mode():
        rows = _rows_in_use(walls.rows, pool.rows[which])
        hu = pool.hu[which, :rows]
        hu[flipped] = hu[flipped][:, :, ::-1]
        points = _Points(walls, rows, POINTS if fine else POINTS // 2)
        strips = pool.strips[which].mirrored(flipped)
        pose = torch.from_numpy(_first_guess(walls.strips, strips, each))
        pose, _, _ = _refined(points, points.smooth, _floats(smoothed(hu)), pose, each, _STEPS)
        steps, sharp = _STEPS if fine else 0, _floats(hu)
        found = _refined(points, points.sharp, sharp, pose, each, steps)
        if fine:
            found = _whole_where_as_good(points, sharp, found, each)
        pose, rms, gain = found
        rms = torch.where(rms < _ROUNDING_HU, 0.0, rms)
    angle, across, down = pose.double().numpy().T
    cosine, sine = np.cos(angle), np.sin(angle)
    # Where a point of the first looks into the second, the second moves the other way round.
    columns, rows = -cosine * across - sine * down, sine * across - cosine * down
    return Registered(
        shift_px=np.stack([rows, columns], axis=1),
        turn_deg=np.rad2deg(angle),
        gain=gain.double().numpy(),
        rms_hu=rms.double().numpy(),
    )


def _whole_where_as_good(
    points: _Points, others: Tensor, found: tuple[Tensor, Tensor, Tensor], each: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Give whole pixels and no turn where they do as well: of a copy nothing should be left."""
    import torch

    pose, rms, gain = found
    whole = torch.cat([torch.zeros_like(pose[:, :1]), pose[:, 1:].round()], 1)
    near = ((pose - whole).abs() < torch.tensor([_ROUNDED_RAD, _ROUNDED_PX, _ROUNDED_PX])).all(1)
    _, whole_rms, whole_gain = _refined(points, points.sharp, others, whole, each, 0)
    taken = near & (whole_rms <= rms + _ROUNDED_HU)
    gain = torch.where(taken, whole_gain, gain)
    gain = torch.where((gain - 1).abs() < _ROUNDED_GAIN, 1.0, gain)
    return torch.where(taken[:, None], whole, pose), torch.where(taken, whole_rms, rms), gain


def _first_guess(strips: WallStrips, others: WallStrips, each: int) -> np.ndarray:
    """Give angle, columns and rows, float32 (n * each, 3), by which surfaces lie on each other."""
    own_points = np.repeat(strips.points, each, axis=0) - _CENTER
    _, lag = lags(strips.hu, others.hu, each)
    found = np.empty((len(lag), 3), np.float32)
    for value in np.unique(lag):
        pairs = lag == value
        own, other = overlapping(int(value))
        here, there = own_points[pairs, own], others.points[pairs, other] - _CENTER
        middle, aim = here.mean(axis=1), there.mean(axis=1)
        a, b = here - middle[:, None], there - aim[:, None]
        cross = np.sum(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], axis=1)
        angle = np.arctan2(cross, np.sum(a * b, axis=(1, 2)))
        turned = _turned(angle, middle)
        found[pairs] = np.column_stack([angle, aim - turned])
    return found


def _turned(angle: np.ndarray, points: np.ndarray) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y = points.T
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1)


class _Points:
    """Points of each wall, what is there, and how that changes as the segment moves."""

    def __init__(self, walls: Walls, rows: int, count: int) -> None:
        import torch

        hu = walls.hu[:, :rows]
        index = _points_of(walls.mask[:, :rows], count)
        down, across = np.divmod(index, SIZE)
        self.x = torch.from_numpy((across - _CENTER).astype(np.float32))
        self.y = torch.from_numpy((down - _CENTER).astype(np.float32))
        # The pixels themselves, and those above, below, left and right of them.
        above, below = (np.clip(down + step, 0, rows - 1) * SIZE + across for step in (-1, 1))
        left, right = (down * SIZE + np.clip(across + step, 0, SIZE - 1) for step in (-1, 1))
        picked = np.stack([index, above, below, left, right], axis=1)
        self.smooth, self.sharp = (self._look(one, picked) for one in (smoothed(hu), hu))

    def _look(self, hu: np.ndarray, picked: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Give HU (n, P), its change with angle, columns and rows (n, 3, P), and its inverse."""
        import torch

        flat = hu.reshape(len(hu), 1, -1)
        value, above, below, left, right = _floats(np.take_along_axis(flat, picked, 2)).unbind(1)
        gx, gy = (right - left) / 2, (below - above) / 2
        change = torch.stack([gy * self.x - gx * self.y, gx, gy], 1)
        square = change @ change.transpose(1, 2)
        square += torch.diag_embed(1e-4 * square.diagonal(dim1=1, dim2=2) + 1.0)
        return value, change, torch.linalg.inv(square)


def _floats(hu: np.ndarray) -> Tensor:
    import torch

    return torch.from_numpy(hu.astype(np.float32))


def _rows_in_use(*rows: np.ndarray) -> int:
    """Give the rows that hold all walls, and two more."""
    most = max(int(one.max(initial=0)) for one in rows)
    return min(SIZE, most + 2) if most else SIZE


def _points_of(mask: np.ndarray, count: int) -> np.ndarray:
    """Give the flat places of points in and around each wall, int64 (n, P), evenly taken."""
    from scipy import ndimage

    near = ndimage.maximum_filter(mask > 0, (1, *[2 * _MARGIN_PX + 1] * 2))
    found = np.empty((len(mask), count), np.int64)
    for row, one in zip(found, near, strict=True):
        places = np.flatnonzero(one) if one.any() else np.arange(one.size)
        row[:] = places[np.linspace(0, len(places) - 1, count).astype(int)]
    return found


def _refined(
    points: _Points,
    own: tuple[Tensor, Tensor, Tensor],
    others: Tensor,
    pose: Tensor,
    each: int,
    steps: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Improve poses (m, 3) step by step; gives the best of them, its rms and gain."""
    import torch
    from torch.nn import functional

    value, change, inverse = (one.repeat_interleave(each, 0) for one in own)
    x, y = (one.repeat_interleave(each, 0) for one in (points.x, points.y))
    best = pose, torch.full((len(pose),), torch.inf), torch.ones(len(pose))
    for step in range(steps + 1):
        cosine, sine = pose[:, :1].cos(), pose[:, :1].sin()
        u = cosine * x - sine * y + pose[:, 1:2]
        v = sine * x + cosine * y + pose[:, 2:3]
        # From -1 to 1 over the columns, and over the rows that are in use.
        there = (v + (_CENTER + 0.5)) * (2 / others.shape[1]) - 1
        grid = torch.stack([u * (2 / SIZE), there], -1)[:, None]
        seen = functional.grid_sample(
            others[:, None], grid, padding_mode="border", align_corners=False
        )[:, 0, 0]
        # Rows beyond the segment are empty, columns beyond it are not known.
        inside = (u.abs() <= _CENTER).float()
        count = inside.sum(1)
        seen = seen * inside
        gain = (seen * value).sum(1) / seen.square().sum(1).clamp(min=1)
        gain = gain.clamp(*GAINS)
        gap = gain[:, None] * seen - value * inside
        rms = (gap.square().sum(1) / count.clamp(min=1)).sqrt()
        rms = torch.where(count < _LEAST_OVERLAP * x.shape[1], torch.inf, rms)
        better = rms < best[1]
        best = (
            torch.where(better[:, None], pose, best[0]),
            torch.where(better, rms, best[1]),
            torch.where(better, gain, best[2]),
        )
        if step < steps:
            pose = _moved(pose, (inverse @ (change @ gap[:, :, None]))[:, :, 0])
    return best


def _moved(pose: Tensor, step: Tensor) -> Tensor:
    """Give each pose after the inverse of a step that was found in the first segment."""
    import torch

    angle = pose[:, 0] - step[:, 0].clamp(-_MOST_STEP_RAD, _MOST_STEP_RAD)
    across, down = step[:, 1:].clamp(-_MOST_STEP_PX, _MOST_STEP_PX).T
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack(
        [
            angle,
            pose[:, 1] - (cosine * across - sine * down),
            pose[:, 2] - (sine * across + cosine * down),
        ],
        1,
    )
