"""Tables of the page about the sets: what they are, where they come from, how they measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...metrics import METRICS
from ...plots.html import Cell, Table
from .set_description import KINDS, QUANTILES, describe_ct, plain

Described = Mapping[str, Mapping[str, Any]]
"""What ``describe_set`` gave, by the name that the table gives the set."""


def sets_table(described: Described) -> Table:
    """Lay out kind, size and origin of each set."""
    rows = []
    for name, one in described.items():
        places = [
            ", ".join(f"{n:,} {what}" for what, n in one[group].items() if what != "unknown")
            for group in ("bones", "sides", "planes")
        ]
        rows.append(
            [
                Cell(name),
                Cell(one["kind"], note=KINDS[one["kind"]], strong=True),
                Cell(f"{one['segments']:,}"),
                Cell(f"{one['subjects']:,}" if one["subjects"] else "none"),
                Cell("\n".join(filter(None, places)) or "not recorded"),
                Cell(describe_ct(one)),
            ]
        )
    return Table(("Set", "Kind", "Segments", "Subjects", "Where from in the skull", "CT"), rows)


def sources_table(described: Described) -> Table:
    """Lay out all that is known of the origin of each set."""
    return Table(("Set", "Source"), [[name, _source(one)] for name, one in described.items()])


def quantiles_table(described: Described) -> Table:
    """Lay out how many segments of each set were measured, and the quantiles of each metric."""
    rows = [
        [metric.label, name, *_summary(one["metrics"][metric.name], metric.digits_of_means)]
        for metric in METRICS.values()
        for name, one in described.items()
    ]
    head = ("Metric", "Set", "n", "Mean ± SD", *(f"{100 * q:g} %" for q in QUANTILES))
    caption = "n: segments measured. Per cent: quantiles; 50 % is the median."
    return Table(head, rows, caption, numbers_from=2)


def _source(one: Mapping[str, Any]) -> str:
    lines = [
        f"{str(key).replace('_', ' ')}: {_entry(key, value)}"
        for key, value in sorted(one["source"].items())
    ]
    return "\n".join([*lines, f"made by {one['created_by']}"])


def _entry(key: str, value: object) -> str:
    """Give what a source's entry holds; of many CTs their number, the rest is in the JSON."""
    if key == "cts" and isinstance(value, Mapping):
        return f"{len(value):,}, each alone in report.json"
    return plain(value)


def _summary(summary: Mapping[str, Any], digits: int) -> list[str]:
    mean, sd = (_number(summary[key], digits) for key in ("mean", "sd"))
    quantiles = [_number(value, digits) for value in summary["quantiles"].values()]
    return [f"{summary['n']:,}", f"{mean} ± {sd}", *quantiles]


def _number(value: float | None, digits: int) -> str:
    return "none" if value is None else f"{value:.{digits}f}"
