"""Tables of strata, of models side by side and of leakage, out of the numbers of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...metrics import METRICS
from ..names import LABELS
from .tables import ReportTable, TableColumn, Value, by_key


def strata_tables(numbers: Mapping[str, Any]) -> Sequence[ReportTable]:
    """Lay out the numbers of ``strata`` and ``files``; what there is nothing for is left out."""
    made = (_strata(numbers), _files(numbers))
    return [table for table in made if table is not None]


def leakage_tables(numbers: Mapping[str, Any]) -> Sequence[ReportTable]:
    """Lay out how near held-out segments come to training ones, by their distance in the head."""
    found = numbers.get("leakage")
    if not found:
        return ()
    bands = found["bands"]
    columns = [
        TableColumn("Distance (mm)", [_band(one) for one in bands]),
        TableColumn("Held-out segments", by_key(bands, "count"), digits=0),
        TableColumn("Median ratio", by_key(bands, "median_ratio")),
    ]
    caption = (
        "Held-out segments by how far the nearest training cut of the same head lies from them, "
        "and their likeness ratio: near 1, a segment is as new as any; lower ratios at small "
        "distances mean that neighboring cuts show the same bone, and that the test set is not new."
    )
    return (ReportTable("leakage", "Leakage between neighboring cuts", columns, caption),)


def _band(one: Mapping[str, Any]) -> str:
    if one["to_mm"] is None or not np.isfinite(one["to_mm"]):
        return f"{one['from_mm']:g} and more"
    return f"{one['from_mm']:g} to {one['to_mm']:g}"


def _strata(numbers: Mapping[str, Any]) -> ReportTable | None:
    strata = numbers.get("strata") or {}
    named = [(by, name, one) for by, each in strata.items() for name, one in each.items()]
    if not named:
        return None
    rows = [one for _, _, one in named]
    judged = (numbers.get("discriminator") or {}).get("by_stratum") or {}
    shares = [judged.get(by, {}).get(name) for by, name, _ in named]
    real = LABELS[numbers["reference"]].lower()
    columns = [
        TableColumn("Stratum", [f"{by}: {name}" for by, name, _ in named]),
        TableColumn(f"Segments, {real}", by_key(rows, "real"), digits=0),
        TableColumn("Compared with", by_key(rows, "other"), digits=0, description="Synthetic"),
        TableColumn("Covered (%)", by_key(rows, "covered"), digits=0, factor=100.0, unit="%",
                    description="Share of the real ones with a synthetic one among their like"),
    ]  # fmt: skip
    if any(shares):
        columns.append(
            TableColumn(f"{LABELS[numbers['reference']]} judged real (%)", shares, 0, 100.0, "%")
        )
    for name, metric in METRICS.items():
        if any(name in row["ks"] for row in rows):
            unit = f" ({metric.unit})" if metric.unit else ""
            for title, key in ((real, "means"), ("synthetic", "other_means")):
                columns.append(
                    TableColumn(f"{metric.short}{unit}, {title}", by_key(rows, key, name),
                                metric.digits_of_means, unit=metric.unit)
                )  # fmt: skip
            columns.append(TableColumn(f"{metric.short}, KS", by_key(rows, "ks", name)))
    caption = (
        f"Strata of the {real} set with 20 segments or more. Covered: share that has a synthetic "
        f"segment among its like; {100 * rows[0]['expected']:.0f} % where both are of one "
        "distribution. A stratum that is covered less than others is one that the model makes too "
        "seldom. Synthetic segments that do not know where in a skull they are, are compared as a "
        "whole, so that metrics differ between strata even of a perfect model."
    )
    return ReportTable("strata", "By bone, side and plane", columns, caption)


def _files(numbers: Mapping[str, Any]) -> ReportTable | None:
    files = numbers.get("files") or {}
    if not files:
        return None
    rows = list(files.values())
    judged = (numbers.get("discriminator") or {}).get("by_file") or {}
    given: list[tuple[str, list[Any], int, float, str]] = [
        ("Told apart (%)", by_key(rows, "accuracy"), 0, 100.0, "%"),
        ("Precision (%)", by_key(rows, "precision"), 0, 100.0, "%"),
        ("Coverage (%)", by_key(rows, "coverage"), 0, 100.0, "%"),
    ]
    if judged:
        given.append(("Judged real (%)", [judged.get(name) for name in files], 0, 100.0, "%"))
    given += [
        (f"{metric.short}, KS", by_key(rows, "ks", name), 2, 1.0, "")
        for name, metric in METRICS.items()
        if any(name in row["ks"] for row in rows)
    ]
    head: list[Value] = list(files)
    columns = [TableColumn("File (model or seed)", [*head, "mean", "standard deviation"])]
    columns.append(TableColumn("Segments", [*by_key(rows, "segments"), None, None], digits=0))
    columns += [
        TableColumn(title, [*values, *_spread(values)], digits, factor, unit)
        for title, values, digits, factor, unit in given
    ]
    caption = (
        "Each file of the synthetic set, compared alone with equally many real segments, 500 at "
        "most. The last row is what a model varies by from seed to seed or training to training: "
        "differences between models that are not larger say nothing."
    )
    return ReportTable("files", "Models and seeds side by side", columns, caption)


def _spread(values: Sequence[Any]) -> list[float | None]:
    """Give the mean of numbers or estimates, and their standard deviation if there are several."""
    bare = [one["value"] if isinstance(one, Mapping) else one for one in values]
    known = np.array([one for one in bare if one is not None], float)
    if not len(known):
        return [None, None]
    return [float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else None]
