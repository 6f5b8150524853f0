"""Draw the icons of the extension and its modules: the wall of a skull, cut across.

    python Resources/draw_icons.py

Two bright tables arch over a darker diploë with its marrow spaces; training adds a falling curve,
evaluation two violins. The same script gives the same pictures. Needs Pillow and numpy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
SIZE = 128
FINER = 8  # drawn so much larger, then reduced
NIGHT, TABLE, DIPLOE, MARROW = (24, 32, 48), (250, 244, 228), (186, 156, 120), (122, 92, 70)
AMBER, TEAL = (255, 171, 0), (64, 196, 190)


def wall(center: tuple[float, float], outer: float) -> Image.Image:
    """Draw the arch about a center, in pixels of the icon, on a rounded dark square."""
    image = Image.new("RGBA", (SIZE * FINER,) * 2)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(_scaled((0, 0, SIZE - 0.2, SIZE - 0.2)), 20 * FINER, fill=NIGHT)
    radii = np.array([outer, outer - 11, outer - 33, outer - 42])
    for radius, color in zip(radii, (TABLE, DIPLOE, TABLE, NIGHT), strict=True):
        _disc(draw, center, radius, color)
    rng = np.random.default_rng(3)
    for _ in range(70):
        radius = rng.uniform(radii[2] + 4, radii[1] - 4)
        angle = rng.uniform(0, 2 * np.pi)
        at = center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle)
        _disc(draw, at, rng.uniform(1.2, 3.2), MARROW)
    return _inside_the_square(image)


def falling_curve(image: Image.Image) -> Image.Image:
    """Add what a training looks like."""
    x = np.linspace(26, 104, 60)
    y = 84 + 26 * (1 - np.exp(-(x - 26) / 22)) + 2.2 * np.sin(x / 3.1)
    points = [(a * FINER, b * FINER) for a, b in zip(x, y, strict=True)]
    draw = ImageDraw.Draw(image)
    draw.line(points, fill=AMBER, width=6 * FINER, joint="curve")
    for end in (points[0], points[-1]):
        _disc(draw, (end[0] / FINER, end[1] / FINER), 3, AMBER)
    return image


def two_violins(image: Image.Image) -> Image.Image:
    """Add what an evaluation looks like: two distributions, side by side."""
    y = np.linspace(74, 118, 80)
    width = 13 * np.exp(-(((y - 98) / 12) ** 2)) + 1
    for middle, color in ((46, TEAL), (82, AMBER)):
        left = [(middle - w, a) for w, a in zip(width, y, strict=True)]
        right = [(middle + w, a) for w, a in zip(width, y, strict=True)]
        outline = [(a * FINER, b * FINER) for a, b in left + right[::-1]]
        ImageDraw.Draw(image).polygon(outline, fill=color)
    return image


def _disc(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], radius: float, color: tuple[int, ...]
) -> None:
    box = (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)
    draw.ellipse(_scaled(box), fill=color)


def _inside_the_square(image: Image.Image) -> Image.Image:
    square = Image.new("L", image.size)
    box = _scaled((0, 0, SIZE - 0.2, SIZE - 0.2))
    ImageDraw.Draw(square).rounded_rectangle(box, 20 * FINER, fill=255)
    image.putalpha(square)
    return image


def _scaled(box: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(value * FINER for value in box)


def main() -> None:
    """Write all icons."""
    whole = wall((64, 122), 98)
    high = wall((64, 116), 104)
    icons = {
        "Resources/SkullGAN.png": whole,
        "SkullGAN/Resources/Icons/SkullGAN.png": whole,
        "SkullGANTrain/Resources/Icons/SkullGANTrain.png": falling_curve(high.copy()),
        "SkullGANEvaluate/Resources/Icons/SkullGANEvaluate.png": two_violins(high.copy()),
    }
    for name, image in icons.items():
        image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(ROOT / name, optimize=True)


if __name__ == "__main__":
    main()
