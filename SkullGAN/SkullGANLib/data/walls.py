"""The skull wall in the HU of a segment: one convention for real and for synthetic segments.

A real segment's mask is that of its CT, less what of its rim is no denser than
``WALL_THRESHOLD_HU``; a synthetic one's is found in its HU alone. So masking a real segment anew
from its own HU gives its own mask, and the rim tells nobody which is which.
"""

from __future__ import annotations

import math

import numpy as np

from .pieces import find_pieces

WALL_THRESHOLD_HU = 150.0
"""HU above which a pixel is wall. Real masks end at about half the height of their tables, where
partial volume leaves 0.25 % of the wall's pixels at less than 100 HU, 0.7 % at less than 150, 1.5 %
at less than 200 and 3.7 % at less than 300 (sharp kernel). A threshold of 300 took that rim off
synthetic segments alone; 100 leaves them the faint pixel in which their edges end, by which two in
a hundred more are told."""


def wall_mask(hu: np.ndarray, threshold_hu: float = WALL_THRESHOLD_HU) -> np.ndarray:
    """Find the skull wall in HU: the largest connected piece above a threshold, its holes filled.

    A hole (diploë no denser than the threshold) that runs out of the picture at the left or right
    counts as closed there, for the wall goes on beyond the picture.

    Args:
        hu: int16 (128, 128), or (N, 128, 128) for N pictures at once.
        threshold_hu: HU above which a pixel can be wall.

    Returns:
        uint8 of the same shape, 1 inside the wall; all 0 if nothing is above the threshold.

    Example:
        >>> hu = np.zeros((128, 128), np.int16)
        >>> hu[20:40] = 1500  # two tables and a soft diploë from edge to edge, joined once
        >>> hu[25:35] = 100
        >>> hu[25:35, 60:64] = 800
        >>> hu[90, 5] = 900  # a speck
        >>> mask = wall_mask(hu)
        >>> bool(mask[20:40].all()), int(mask.sum()) == 20 * 128
        (True, True)
    """
    pictures = hu.reshape(-1, *hu.shape[-2:])
    wall = _largest_pieces(_above(pictures, threshold_hu))
    closed = np.pad(wall, ((0, 0), (0, 0), (1, 1)))
    for beyond, edge in ((0, 1), (-1, -2)):
        at_edge = closed[:, :, edge]
        above = np.logical_or.accumulate(at_edge, axis=1)
        below = np.logical_or.accumulate(at_edge[:, ::-1], axis=1)[:, ::-1]
        closed[:, :, beyond] = above & below
    _fill_holes(closed)
    return closed[:, :, 1:-1].astype(np.uint8).reshape(hu.shape)


def _above(pictures: np.ndarray, threshold_hu: float) -> np.ndarray:
    if pictures.dtype != np.int16:
        return pictures > threshold_hu
    # Against a float all pixels would become floats first.
    whole = math.floor(threshold_hu)
    return pictures > whole if -(2**15) <= whole < 2**15 else np.full(pictures.shape, whole < 0)


def _largest_pieces(inside: np.ndarray) -> np.ndarray:
    """Keep of each picture its largest piece; of several as large, the one that comes first."""
    pieces = find_pieces(inside, diagonally=True)
    areas = pieces.areas()
    firsts = np.flatnonzero(np.diff(pieces.pictures, prepend=-1))
    runs = np.diff(firsts, append=len(areas))
    largest = (
        np.flatnonzero(areas == np.repeat(np.maximum.reduceat(areas, firsts), runs))
        if len(areas)
        else firsts
    )
    kept = np.zeros(len(inside), np.intp)
    kept[pieces.pictures[largest[::-1]]] = pieces.labels[largest[::-1]]  # the first one last
    left_out = pieces.pixels(pieces.labels != kept[pieces.pictures])
    inside.reshape(-1)[left_out] = False
    return inside


def _fill_holes(inside: np.ndarray) -> None:
    """Fill, in place, what is not connected with the edge of its picture."""
    _, rows, columns = inside.shape
    pieces = find_pieces(~inside, diagonally=False)
    column, row = pieces.starts % columns, pieces.starts // columns % rows
    at_edge = (column == 0) | (column + pieces.lengths == columns)
    at_edge |= (row == 0) | (row == rows - 1)
    is_outside = np.zeros(len(at_edge), bool)
    is_outside[pieces.labels[at_edge]] = True
    inside.reshape(-1)[pieces.pixels(~is_outside[pieces.labels])] = True
