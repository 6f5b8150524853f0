"""The masks of ``data.walls`` in tensor operations, on the device where the network made the HU.

A GPU makes segments faster than a processor could find their walls, and no step here waits for it.
Labels spread over a piece by running maxima along rows and columns, each within its run of pixels,
in a fixed number of rounds. Pictures where that was not enough say so.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_ROUNDS = 8
"""Rounds of spreading; the last one tells whether all is settled. 8 settled all of 512 segments of
the bundled model, 5 left 7 of them."""


def device_wall_masks(hu: Tensor, threshold_hu: float) -> tuple[Tensor, Tensor]:
    """Find the skull walls in HU, as ``data.walls.wall_mask`` does.

    Args:
        hu: int16 (N, rows, columns).
        threshold_hu: HU above which a pixel can be wall.

    Returns:
        The masks, uint8 of the same shape, and whether each is settled, bool (N,). A mask that is
        not may be wrong, for its pieces wind about; ``wall_mask`` has to find it.
    """
    inside = hu > threshold_hu
    wall, is_found = _largest_pieces(inside)
    closed = _closed_at_the_sides(wall)
    outside, is_filled = _connected_with_the_edge(~closed)
    return (~outside[:, :, 1:-1]).to(torch.uint8), is_found & is_filled


def _largest_pieces(inside: Tensor) -> tuple[Tensor, Tensor]:
    """Keep of each picture its largest piece; of several as large, the one that comes first."""
    count, rows, columns = inside.shape
    pixels = rows * columns
    places = torch.arange(pixels, dtype=torch.int32, device=inside.device)
    labels = torch.where(inside, places.view(rows, columns) + 1, 0)
    labels, is_settled = _spread(labels, inside, pixels + 1, diagonally=True)
    flat = labels.view(count, pixels).long()
    areas = flat.new_zeros(count, pixels + 1).scatter_add_(1, flat, torch.ones_like(flat))
    areas[:, 0] = 0
    # The place makes equal areas differ, the first one the largest.
    order = areas.gather(1, flat) * pixels + (pixels - 1 - places)
    largest = flat.gather(1, order.argmax(dim=1, keepdim=True))
    return inside & (labels == largest[:, :, None]), is_settled


def _closed_at_the_sides(wall: Tensor) -> Tensor:
    """Add a column on either side, wall between the wall's first and last pixel at that edge."""
    sides = []
    for edge in (wall[:, :, :1], wall[:, :, -1:]):
        at_edge = edge.to(torch.uint8)
        above = at_edge.cummax(dim=1).values
        below = at_edge.flip(1).cummax(dim=1).values.flip(1)
        sides.append((above & below).bool())
    return torch.cat([sides[0], wall, sides[1]], dim=2)


def _connected_with_the_edge(free: Tensor) -> tuple[Tensor, Tensor]:
    inner = torch.zeros_like(free)
    inner[:, 1:-1, 1:-1] = True
    reached = (free & ~inner).to(torch.int32)
    reached, is_settled = _spread(reached, free, 2, diagonally=False)
    return reached > 0, is_settled


def _spread(
    labels: Tensor, within: Tensor, most: int, *, diagonally: bool
) -> tuple[Tensor, Tensor]:
    """Spread the largest label of each piece over it.

    Args:
        labels: int32 (N, rows, columns), 0 outside of ``within``.
        within: bool of the same shape, the pieces.
        most: more than the largest label.
        diagonally: whether pixels that share a corner alone are connected.

    Returns:
        The labels, and whether the last round changed nothing, bool (N,).
    """
    runs = [_numbered_runs(within, dim, backwards) * most for dim, backwards in _WAYS]
    before = labels
    for _ in range(_ROUNDS):
        before = labels
        for (dim, backwards), run in zip(_WAYS, runs, strict=True):
            labels = _running_maximum(labels + run, dim, backwards) - run
            labels = torch.where(within, labels, 0)
        if diagonally:
            labels = torch.where(within, _largest_around(labels), 0)
    return labels, (labels == before).flatten(1).all(dim=1)


_WAYS = ((2, False), (2, True), (1, False), (1, True))
"""Along rows and along columns, forwards and backwards."""


def _numbered_runs(within: Tensor, dim: int, backwards: bool) -> Tensor:
    """Number the runs along a dimension: the number rises where one has ended."""
    ends = (~within).to(torch.int32)
    numbers = ends.cumsum(dim, dtype=torch.int32)
    return ends.sum(dim, keepdim=True, dtype=torch.int32) - numbers if backwards else numbers


def _running_maximum(values: Tensor, dim: int, backwards: bool) -> Tensor:
    if backwards:
        return values.flip(dim).cummax(dim).values.flip(dim)
    return values.cummax(dim).values


def _largest_around(labels: Tensor) -> Tensor:
    """Give the largest of the 3 x 3 labels around each."""
    for pads in ((1, 1, 0, 0), (0, 0, 1, 1)):
        padded = functional.pad(labels, pads)
        size = labels.shape[2] if pads[0] else labels.shape[1]
        first, middle, last = (padded.narrow(2 if pads[0] else 1, k, size) for k in range(3))
        labels = torch.maximum(torch.maximum(first, middle), last)
    return labels
