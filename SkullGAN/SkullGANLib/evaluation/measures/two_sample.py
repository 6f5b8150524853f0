"""What judges have in common that compare pairs of sets: parts, numbers, rows of a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..names import COLORS, LABELS
from .measure import LEARNED, Inputs, Panel, SummaryColumn, known_number
from .statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE = "judges"
"""The figure that these judges share."""


def compared_pairs(inputs: Inputs) -> Sequence[str]:
    """Give the parts of a judge of pairs."""
    return tuple(inputs.pairs)


def pair_numbers(inputs: Inputs, key: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Give the numbers of each pair; None where there were too few segments.

    Args:
        inputs: whose pairs.
        key: what the numbers are called within each pair's.
        found: by pair.
    """
    pairs = inputs.pairs
    return {
        "judges": {name: {key: found.get(name)} for name in pairs if name != LEARNED},
        "learned": {key: found.get(LEARNED)} if LEARNED in pairs else None,
    }


def pair_panel(
    inputs: Inputs,
    found: Mapping[str, Any],
    markers: Mapping[str, str],
    finish: Callable[[Axes], None],
    *,
    alternative: str,
    caption: str,
    width: float = 1.0,
) -> tuple[Panel, ...]:
    """Give a panel with a row for each pair and its estimates, or none where nothing was found.

    Args:
        inputs: whose pairs.
        found: what has the estimates, by pair.
        markers: of the estimates, by their names; with a legend if they are several.
        finish: gives the axes their title and limits.
        alternative, caption, width: of the panel.
    """
    if not found:
        return ()
    pairs = list(inputs.pairs)
    return (
        Panel(
            FIGURE,
            alternative,
            caption,
            lambda axes: _draw_rows(axes, pairs, found, markers, finish),
            width=width,
            height_in=1.5 + 0.62 * len(pairs),
        ),
    )


def percent_column(
    title: str, numbers: Mapping[str, Any], keys: tuple[str, ...], description: str
) -> SummaryColumn:
    """Give a column of the summary with a share of each set's ``judges``, in per cent."""
    shares = {name: known_number(one, *keys) for name, one in (numbers.get("judges") or {}).items()}
    values = {name: None if share is None else 100 * share for name, share in shares.items()}
    return SummaryColumn(title, values, "%", description)


def _draw_rows(
    axes: Axes,
    pairs: Sequence[str],
    found: Mapping[str, Any],
    markers: Mapping[str, str],
    finish: Callable[[Axes], None],
) -> None:
    for place, name in enumerate(reversed(pairs)):
        one = found.get(name)
        for rank, (what, marker) in enumerate(markers.items()):
            if one is not None:
                estimate: Estimate = getattr(one, what)
                at = place + 0.18 * ((len(markers) - 1) / 2 - rank)
                color = _color(name)
                axes.plot([estimate.low, estimate.high], [at, at], color=color)
                axes.plot([estimate.value], [at], marker, color=color, markersize=5)
    if len(markers) > 1:
        for what, marker in markers.items():
            label = "AUC" if what == "auc" else what
            axes.plot([], [], marker, color="#777777", markersize=5, label=label)
        axes.legend(
            frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.06), ncols=4,
            handletextpad=0.2, columnspacing=1,
        )  # fmt: skip
    axes.grid(axis="x", color="#eeeeee")
    axes.set_yticks(range(len(pairs)), [_label(name) for name in reversed(pairs)])
    axes.set_ylim(-0.5, len(pairs) - 0.5)
    finish(axes)


def _color(name: str) -> str:
    return COLORS["synthetic" if name == LEARNED else name]


def _label(name: str) -> str:
    if name == LEARNED:
        return "Synthetic against\ntraining"
    return LABELS[name] + "\n(real, too)" * (name == "train")
