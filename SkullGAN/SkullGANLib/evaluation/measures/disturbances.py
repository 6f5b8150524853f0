"""Segments changed in ways whose effect is known: what judges are tested by, and augmentation.

``laid`` mirrors, turns and moves each segment by its own amount, ``augmented`` mirrors and moves by
chance; ``brighter``, ``blurred``, ``noisy`` and ``repeated`` do what their names say.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...data.segment_set import SIZE, SegmentSet

MOVED_PX = 3
"""Most shift of ``augmented``."""

_AT_ONCE = 256


def laid(
    segments: SegmentSet,
    *,
    mirrored: np.ndarray,
    turn_deg: np.ndarray,
    shift_px: np.ndarray,
    gain: np.ndarray,
) -> SegmentSet:
    """Mirror, turn, move and scale segments; what is beyond an edge repeats it.

    Args:
        segments: N segments.
        mirrored: bool (N,), before all else.
        turn_deg: float (N,), counterclockwise about the middle of the segment.
        shift_px: float (N, 2), rows and columns, last of all.
        gain: float (N,), of the HU.
    """
    import torch
    from torch.nn import functional

    angle = np.deg2rad(turn_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    side = np.where(mirrored, -1.0, 1.0)
    down, across = shift_px.T * (2 / SIZE)
    # Where each pixel comes from, in halves of the image from its middle: (x, y).
    rows = np.stack(
        [
            np.stack([side * cosine, -side * sine, -side * (cosine * across - sine * down)], 1),
            np.stack([sine, cosine, -(sine * across + cosine * down)], 1),
        ],
        axis=1,
    ).astype(np.float32)
    hu = np.empty_like(segments.hu)
    mask = np.empty_like(segments.mask)
    for start in range(0, len(hu), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        both = np.stack([segments.hu[part], segments.mask[part]], axis=1).astype(np.float32)
        grid = functional.affine_grid(
            torch.from_numpy(rows[part]), list(both.shape), align_corners=False
        )
        found = functional.grid_sample(
            torch.from_numpy(both), grid, padding_mode="border", align_corners=False
        ).numpy()
        mask[part] = found[:, 1] >= 0.5
        hu[part] = np.where(mask[part], np.rint(found[:, 0] * gain[part, None, None]), 0)
    return replace(segments, hu=hu, mask=mask)


def augmented(segments: SegmentSet, seed: int = 0) -> SegmentSet:
    """Mirror each segment or not and move it by up to 3 whole pixels, by chance.

    What no training does without, and what leaves a segment as likely as it was: turns and parts of
    pixels teach less than they cost (they blur, and no held-out segment is turned).
    """
    rng = np.random.default_rng(seed)
    count = len(segments)
    mirrored = rng.random(count) < 0.5
    shift_px = rng.integers(-MOVED_PX, MOVED_PX + 1, (count, 2))
    # As ``laid`` has it, but nothing lies between pixels.
    rows, columns = (np.clip(np.arange(SIZE) - one[:, None], 0, SIZE - 1) for one in shift_px.T)
    columns[mirrored] = SIZE - 1 - columns[mirrored]
    hu, mask = np.empty_like(segments.hu), np.empty_like(segments.mask)
    for place, (row, column) in enumerate(zip(rows, columns, strict=True)):
        hu[place] = segments.hu[place][row][:, column]
        mask[place] = segments.mask[place][row][:, column]
    return replace(segments, hu=np.where(mask > 0, hu, 0), mask=mask)


def brighter(segments: SegmentSet, hu: float) -> SegmentSet:
    """Add HU within the wall."""
    return _with_values(segments, segments.hu + float(hu))


def noisy(segments: SegmentSet, deviation_hu: float, seed: int = 0) -> SegmentSet:
    """Add independent noise to each pixel of the wall."""
    noise = np.random.default_rng(seed).normal(0, deviation_hu, segments.hu.shape)
    return _with_values(segments, segments.hu + noise)


def blurred(segments: SegmentSet, deviation_px: float) -> SegmentSet:
    """Blur by a Gaussian within the wall, which nothing beyond it enters."""
    from scipy import ndimage

    def smoothed(values: np.ndarray) -> np.ndarray:
        sigma = (0, deviation_px, deviation_px)
        return ndimage.gaussian_filter(values.astype(np.float32), sigma, mode="nearest")

    weight = smoothed(segments.mask > 0)
    total = smoothed(segments.hu)
    return _with_values(segments, total / np.maximum(weight, 1e-6))


def repeated(segments: SegmentSet, place: int = 0) -> SegmentSet:
    """Give one segment as many times as there are: a generator that makes one thing alone."""
    return segments[np.full(len(segments), place)]


def _with_values(segments: SegmentSet, values: np.ndarray) -> SegmentSet:
    limits = np.iinfo(np.int16)
    hu = np.where(segments.mask > 0, np.rint(values).clip(limits.min, limits.max), 0)
    return replace(segments, hu=hu.astype(np.int16))
