"""Walls of artificial segments, drawn by formula: smooth layers, or plainly no skull.

``render`` turns ``Parameters``, in which all chance is decided, and three numbers of a fit into HU
and masks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.segment_set import SIZE

STYLES = ("idealized", "unrealistic")
UNIFORMS = 16
"""Random numbers that a segment is made of, besides its blocks."""
BLOCKS = (6, 32)
"""Blocks down and across the wall of an unrealistic segment."""

_MASKED_ABOVE = 0.25
"""Share of the table's height at which the mask ends, as extraction cuts real segments."""
_EDGE_PIXELS = {"idealized": 1.0, "unrealistic": 0.4}
"""Standard deviation of the blur at the wall's surfaces; a sharp CT kernel's is about 1 pixel."""


@dataclass(frozen=True)
class Parameters:
    """What chance decides of N segments; the rest follows.

    Attributes:
        targets: float (N, 3), the metrics to be met: SDR, mm and HU.
        arcs: float (N, 3), the outer surface's row: offset + tilt * x + bow * x².
        uniforms: float (N, UNIFORMS), uniform in [0, 1).
        blocks: float (N, *BLOCKS), uniform in [0, 1).
    """

    targets: np.ndarray
    arcs: np.ndarray
    uniforms: np.ndarray
    blocks: np.ndarray

    def __getitem__(self, index: np.ndarray) -> Parameters:
        return Parameters(
            *(each[index] for each in (self.targets, self.arcs, self.uniforms, self.blocks))
        )


def render(parameters: Parameters, style: str, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Apply parameters: int16 HU and uint8 mask (N, 128, 128) for a state (N, 3) of the fit."""
    from scipy.special import ndtr

    share, thickness, level = (state[:, i, None, None] for i in range(3))
    shape = _idealized_walls if style == "idealized" else _unrealistic_walls
    outer, wall = shape(parameters, thickness[:, 0])
    # At least a row above the wall; below it, the picture's end cuts what does not fit.
    outer = np.maximum(outer, 2.0)[:, None, :]
    wall = wall[:, None, :]
    rows = min(SIZE, int(np.ceil((outer + wall).max())) + 3)
    depth = np.arange(rows)[:, None] - outer
    blur = _EDGE_PIXELS[style]
    surface = ndtr(depth / blur) * ndtr((wall - depth) / blur)
    pattern = (_layers if style == "idealized" else _texture)(parameters, depth, wall)
    intensity = level * (share + (1 - share) * pattern) * surface
    inside = surface >= _MASKED_ABOVE
    hu = np.zeros((len(state), SIZE, SIZE), np.int16)
    mask = np.zeros((len(state), SIZE, SIZE), np.uint8)
    hu[:, :rows] = np.rint(np.where(inside, intensity, 0))
    mask[:, :rows] = inside
    return hu, mask


def _idealized_walls(
    parameters: Parameters, thickness: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the outer surface's row and the wall's thickness in pixels, both (N, 128)."""
    x = np.linspace(-1, 1, SIZE)
    outer = parameters.arcs @ np.stack([np.ones(SIZE), x, x**2])
    slope, curve = (parameters.uniforms[:, i, None] - 0.5 for i in (0, 1))
    return outer, thickness * (1 + 0.4 * slope * x + 0.3 * curve * (x**2 - 1 / 3))


def _layers(parameters: Parameters, depth: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Give 1 in the tables and 0 in the diploë, the inner table a little lower than the outer."""
    from scipy.special import ndtr

    outer, inner, lower = (parameters.uniforms[:, i, None, None] for i in (2, 3, 4))
    blur = _EDGE_PIXELS["idealized"]
    below_outer = ndtr((depth - (0.18 + 0.12 * outer) * wall) / blur)
    above_inner = ndtr(((1 - 0.15 - 0.12 * inner) * wall - depth) / blur)
    return (1 - below_outer * above_inner) * (1 - 0.1 * lower * np.clip(depth / wall, 0, 1))


def _unrealistic_walls(
    parameters: Parameters, thickness: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the outer surface's row and the wall's thickness in pixels, both (N, 128)."""
    uniforms = parameters.uniforms
    which = (3 * uniforms[:, 0]).astype(int)
    cycles = 3 + 7 * uniforms[:, 1, None]
    turn = cycles * np.linspace(0, 1, SIZE) + uniforms[:, 2, None]
    outline = _one_of(which, (_steps(turn), _teeth(turn), np.sin(2 * np.pi * turn)))
    # A step of less than the wall's thickness leaves it in one piece.
    height = (0.15 + 0.2 * uniforms[:, 3, None]) * thickness
    swell = _one_of(which, (_steps(2 * turn), _teeth(1.5 * turn), np.sin(3 * np.pi * turn)))
    base = parameters.arcs[:, :1] + 6 * uniforms[:, 4, None]
    return base + height * outline, thickness * (1 + 0.3 * uniforms[:, 5, None] * swell)


def _texture(parameters: Parameters, depth: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Give a pattern in [0, 1]: checks, waves or blocks, with two peaks down nearly any column."""
    uniforms = parameters.uniforms[:, :, None, None]
    place = np.clip(depth / wall, 0, 0.999)
    column = np.arange(SIZE)
    width = 4 + 10 * uniforms[:, 6]
    checks = ((5 * place).astype(int) + (column / width + uniforms[:, 7]).astype(int)) % 2 == 0
    slant = np.where(uniforms[:, 9] < 0.5, -0.5, 0.5) / width
    waves = 0.5 + 0.5 * np.cos(2 * np.pi * ((2 + 2 * uniforms[:, 8]) * place + column * slant))
    down, across = BLOCKS
    segment = np.arange(len(place))[:, None, None]
    blocks = parameters.blocks[segment, (down * place).astype(int), column * across // SIZE]
    which = (3 * parameters.uniforms[:, 10]).astype(int)
    return _one_of(which, (checks.astype(float), waves, blocks))


def _steps(turn: np.ndarray) -> np.ndarray:
    return np.where(turn % 1 < 0.5, -1.0, 1.0)


def _teeth(turn: np.ndarray) -> np.ndarray:
    return 2 * np.abs(2 * (turn % 1) - 1) - 1


def _one_of(which: np.ndarray, choices: tuple[np.ndarray, ...]) -> np.ndarray:
    """Give, for each segment, its row of the choice that ``which`` (N,) names."""
    shape = (-1,) + (1,) * (choices[0].ndim - 1)
    return np.choose(which.reshape(shape), choices)
