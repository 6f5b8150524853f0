"""Figures of numbers: violins of distributions and curves over a training, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..utils.atomic_files import written_aside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which any color vision distinguishes.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#666666",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "svg.hashsalt": "skullgan",
}
_DPI = 130
_FEWEST_FOR_VIOLIN = 8
_MOST_FOR_VIOLIN = 20_000
VIOLIN_REACH = 0.38
"""Half the width of a violin, of the distance between neighbors."""
_POINTS = 400


def write_violins(
    path: str | Path,
    sets: Mapping[str, Mapping[str, np.ndarray]],
    metrics: Mapping[str, tuple[str, str]],
    limits: Mapping[str, float] | None = None,
    *,
    colors: Sequence[str] = COLORS,
    width: float = 10,
    svg: bool = False,
) -> None:
    """Draw the distributions of metrics, a panel a metric and a violin a set.

    Args:
        path: the PNG file, written aside and renamed.
        sets: for each set's name the values, float64 (N,), by metric; NaN are left out.
        metrics: for each metric to draw its title and the format of its median.
        limits: a value to mark with a dashed line, by metric.
        colors: of the sets, in their order.
        width: of the figure, inches.
        svg: write it as SVG beside the PNG, too.

    Raises:
        OutputError: if the file cannot be written.
    """

    def draw(figure: Figure) -> None:
        panels = np.atleast_1d(figure.subplots(1, len(metrics)))
        for axes, (metric, (label, digits)) in zip(panels, metrics.items(), strict=True):
            values = {name: measured[metric] for name, measured in sets.items()}
            _draw_panel(axes, label, values, digits, (limits or {}).get(metric), colors)

    write_figure(path, (width, 4.4), draw, svg=svg)


def write_curves(
    path: str | Path,
    panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    log_scale: Collection[str] = (),
    unit: Collection[str] = (),
    *,
    svg: bool = False,
) -> None:
    """Draw curves over the iterations of a training, a panel for each that belong together.

    Args:
        path: the PNG file, written aside and renamed.
        panels: for each panel's title its curves: name to iterations and values, float64 (M,).
        log_scale: titles of panels whose values span decades.
        unit: titles of panels whose values lie in [0, 1].
        svg: write it as SVG beside the PNG, too.

    Raises:
        OutputError: if the file cannot be written.
    """

    def draw(figure: Figure) -> None:
        subplots = np.atleast_1d(figure.subplots(1, len(panels)))
        for axes, (label, curves) in zip(subplots, panels.items(), strict=True):
            for number, (what, (x, y)) in enumerate(curves.items()):
                line = "-" if number % 2 == 0 else (0, (5, 1.5))  # to see both where they coincide
                color = COLORS[number % len(COLORS)]
                axes.plot(*_averaged(x, y), color=color, linestyle=line, label=what)
            if label in log_scale:
                axes.set_yscale("log")
            if label in unit:
                axes.set_ylim(0, 1)
            axes.set_title(label)
            axes.set_xlabel("iteration")
            axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)

    write_figure(path, (10, 3.2), draw, svg=svg)


def write_figure(
    path: str | Path,
    size: tuple[float, float],
    draw: Callable[[Figure], None],
    *,
    svg: bool = False,
) -> None:
    """Write a figure, in the style of all: the same drawing gives the same bytes.

    Args:
        path: the PNG file, written aside and renamed.
        size: width and height, inches.
        draw: draws on an empty figure.
        svg: write it as SVG beside the PNG, too.

    Raises:
        OutputError: if a file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with rc_context(_STYLE):
        layout = ConstrainedLayoutEngine()
        figure = Figure(figsize=size, dpi=_DPI, layout=layout, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        draw(figure)
        # The layout changes the ticks and these the layout: a second pass leaves none cut off.
        # Then it stays; ``savefig`` would lay out twice more for each file, which takes longest.
        for _ in range(2 if figure.axes else 0):
            layout.execute(figure)
        figure.set_layout_engine("none")
        with written_aside(path) as temporary:
            # Without its version in the metadata, the same matplotlib drawing is the same file.
            canvas.print_png(temporary, metadata={"Software": None})
        if svg:
            with written_aside(Path(path).with_suffix(".svg")) as temporary:
                FigureCanvasSVG(figure).print_svg(temporary, metadata={"Date": None})


def _draw_panel(
    axes: Axes,
    label: str,
    sets: Mapping[str, np.ndarray],
    digits: str,
    limit: float | None,
    colors: Sequence[str],
) -> None:
    counts = []
    for place, values in enumerate(sets.values()):
        measured = values[np.isfinite(values)]
        _draw_violin(axes, place, measured, colors[place % len(colors)], digits)
        counts.append(len(measured))
    labels = [f"{_shortened(name)}\nn = {n:,}" for name, n in zip(sets, counts, strict=True)]
    axes.set_xticks(range(len(labels)), labels)
    for text in axes.get_xticklabels():
        text.set_parse_math(False)  # a set's name may hold a dollar sign
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    low, high = axes.get_ylim()
    # Else the shapes would be squeezed into the top; what is negative has no 0 to begin at.
    if axes.dataLim.ymin >= 0 and low < high / 4:
        axes.set_ylim(0, high)
    axes.set_title(label)
    if limit is not None:
        axes.axhline(limit, color="#555555", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)


def _draw_violin(axes: Axes, place: int, values: np.ndarray, color: str, digits: str) -> None:
    """Draw a distribution with its quartiles and its median; few values are drawn as points."""
    if values.size == 0:
        axes.text(place, 0.5, "none\nmeasured", ha="center", transform=axes.get_xaxis_transform())
        return
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    shape = violin(values)
    if shape is not None:
        grid, width = shape
        axes.fill_betweenx(
            grid,
            place - VIOLIN_REACH * width,
            place + VIOLIN_REACH * width,
            color=color,
            alpha=0.45,
            linewidth=0,
        )
    else:
        axes.plot(np.full(values.size, place), values, "o", color=color, alpha=0.6, markersize=4)
    axes.plot([place, place], [low, high], color="#222222", linewidth=4, solid_capstyle="butt")
    axes.plot(
        [place], [median], "o", color="white", markeredgecolor="#222222", markersize=6, zorder=4
    )
    axes.annotate(
        format(median, digits),
        (place, median),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        fontweight="bold",
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
    )


def violin(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Give the shape of a distribution: values (200,), and widths (200,) of which the largest is 1.

    None for what is too few, or too much alike, to have a shape; then draw the values themselves.
    The density is a sum of Gaussians, as wide as Scott's rule has it (Scott 1992).

    Args:
        values: float (N,), finite.
    """
    if values.size < _FEWEST_FOR_VIOLIN:
        return None
    if np.ptp(values) <= 1e-6 * max(1.0, abs(float(np.median(values)))):
        return None
    # 20,000 values, evenly taken, draw the same line as all of a larger set.
    taken = np.sort(values)[:: max(1, values.size // _MOST_FOR_VIOLIN)]
    grid = np.linspace(values.min(), values.max(), 200)
    width = taken.std(ddof=1) * taken.size**-0.2
    density = np.array([np.exp(-(((taken - place) / width) ** 2) / 2).sum() for place in grid])
    return grid, density / density.max()


def _shortened(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= 16 else name[:15] + "…"


def _averaged(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average neighboring reports, so that a long training draws as one readable line."""
    group = -(-len(x) // _POINTS)
    starts = np.arange(0, len(x), group)
    count = np.diff(np.append(starts, len(x)))
    return np.add.reduceat(x, starts) / count, np.add.reduceat(y, starts) / count
