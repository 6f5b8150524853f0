"""Walls of skull for tests of metrics, made of layers whose answers are worked out by hand."""

from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter

SPACING_MM = 0.45


def layered(*layers: tuple[int, int], top: int = 20, count: int = 1) -> np.ndarray:
    """A flat wall of (HU, rows) layers, int16 (count, 128, 128), 0 HU around it."""
    hu = np.zeros((count, 128, 128), np.int16)
    row = top
    for value, rows in layers:
        hu[:, row : row + rows] = value
        row += rows
    return hu


def arched_wall(
    edge_angle_deg: float,
    tables_mm: tuple[float, float, float] = (2.0, 4.0, 2.0),
    hu: tuple[float, float, float] = (1500, 600, 1500),
    fwhm_mm: float = 0.0,
    depth_mm: float = 3.0,
) -> np.ndarray:
    """A wall that arches down to both sides, averaged over its pixels, float64 (1, 128, 128)."""
    fine = 5
    pixel = SPACING_MM / fine
    y, x = (np.mgrid[: 64 * fine, : 128 * fine] + 0.5) * pixel
    if edge_angle_deg:
        half = 64 * SPACING_MM
        radius = half / np.sin(np.deg2rad(edge_angle_deg))
        depth = radius - np.hypot(x - half, y - depth_mm - radius)
    else:
        depth = y - depth_mm
    layers = np.cumsum((0, *tables_mm))
    image = np.select([(depth >= a) & (depth < b) for a, b in pairwise(layers)], hu)
    if fwhm_mm:
        image = gaussian_filter(image.astype(float), fwhm_mm / 2.3548 / pixel)
    wall = np.zeros((1, 128, 128))
    wall[0, :64] = image.reshape(64, fine, 128, fine).mean(axis=(1, 3))
    return wall


def masked(hu: np.ndarray, threshold_hu: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut a wall out at a threshold, its diploë kept, as segments are stored."""
    bone = hu > threshold_hu
    mask = np.maximum.accumulate(bone, 1) & np.maximum.accumulate(bone[:, ::-1], 1)[:, ::-1]
    return np.where(mask, hu, 0), mask
