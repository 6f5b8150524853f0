"""What figures of an evaluation have in common: style, width, rows of segments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.segment_set import SIZE
from ...plots.charts import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

INK = "#222222"
GUIDE: dict[str, Any] = {
    "color": "#555555",
    "linewidth": 0.9,
    "linestyle": (0, (4, 3)),
    "zorder": 1,
}
"""Style of a line to compare with."""
WIDTH_IN = 12.0
"""Inches of a figure: as wide as the page, so that text is as large as it is meant."""
GAP_PX = 5
_WINDOW_HU = (0, 2000)
_DIFFERENCE_HU = 1000


def writer(height_in: float, draw: Callable[[Figure], None]) -> Callable[[Path], None]:
    """Give what writes a figure of the page's width as PNG and SVG."""
    return lambda path: write_figure(path, (WIDTH_IN, height_in), draw, svg=True)


def line_height(rows: slice, width_in: float, across: int, margin_in: float) -> float:
    """Give the inches that a line of pictures takes, with what stands above or below it.

    Args:
        rows: of the segments that are shown.
        width_in: of the line.
        across: pictures in it.
        margin_in: above or below.
    """
    return width_in / across * (rows.stop - rows.start) / SIZE + margin_in


def draw_row(axes: Axes, pictures: np.ndarray, places: int, difference: bool = False) -> AxesImage:
    """Draw pictures (N, rows, 128) in HU side by side, as one: many axes take seconds to lay out.

    Args:
        axes: where.
        pictures: in HU.
        places: how many there is room for.
        difference: whether they are differences, in colors with white in the middle.
    """
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.grid(False)
    _, height, width = pictures.shape
    line = np.full((height, places * (width + GAP_PX) - GAP_PX), np.nan)
    for place, picture in enumerate(pictures):
        left = place * (width + GAP_PX)
        line[:, left : left + width] = picture
    low, high = (-_DIFFERENCE_HU, _DIFFERENCE_HU) if difference else _WINDOW_HU
    colors = "RdBu_r" if difference else "gray"
    return axes.imshow(line, cmap=colors, vmin=low, vmax=high, interpolation="nearest")
