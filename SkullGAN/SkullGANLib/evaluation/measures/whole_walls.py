"""Whole walls: how many segments pass the rules by which extraction drops cuts of a CT.

A set that was extracted passes as a whole. Every synthetic segment that does not is one that no CT
would have given, whatever the other judges say of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from ...metrics.wall_rules import rejection_reasons
from ..names import LABELS
from .measure import (
    LIKENESS,
    Column,
    Inputs,
    Measure,
    Numbers,
    PerSegment,
    Progress,
    Result,
    Statement,
    SummaryColumn,
)
from .statistics import percent, proportion
from .tables import ReportTable, TableColumn

NAME = "whole_walls"


def _parts(inputs: Inputs) -> Sequence[str]:
    return tuple(inputs.compared)


def _run(inputs: Inputs, part: str, report_progress: Progress) -> list[str]:
    one = inputs.compared[part]
    return rejection_reasons(one.hu, one.mask, one.pixel_spacing_mm)


def _describe(inputs: Inputs, found: Mapping[str, list[str]]) -> Result:
    numbers = {
        name: {
            "segments": len(reasons),
            "whole": asdict(proportion(reasons.count(""), len(reasons))),
            "reasons": dict(Counter(filter(None, reasons)).most_common()),
        }
        for name, reasons in found.items()
        if reasons
    }
    columns = [
        PerSegment("wall_rule", name, inputs.places[name], np.array(reasons, object))
        for name, reasons in found.items()
    ]
    return Result({NAME: numbers}, _statements(numbers), columns=tuple(columns))


def _statements(numbers: Numbers) -> tuple[Statement, ...]:
    if "synthetic" not in numbers:
        return ()
    one = numbers["synthetic"]
    dropped = _counted(one["reasons"])
    others = f"; it would drop {dropped} (generate --whole leaves them out)" if dropped else ""
    kept = f"Extraction would keep {percent(one['whole'])} of the synthetic segments"
    return (Statement(LIKENESS, reasons=(f"{kept}{others}.",)),)


def _counted(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} for “{reason}”" for reason, count in reasons.items())


def _tables(numbers: Numbers) -> Sequence[ReportTable]:
    found = numbers.get(NAME) or {}
    if not found:
        return ()
    why = [_counted(one["reasons"]) for one in found.values()]
    return (
        ReportTable(
            NAME,
            "Whole walls",
            (
                TableColumn("Set", [LABELS[name] for name in found]),
                TableColumn("Segments", [one["segments"] for one in found.values()], 0),
                TableColumn(
                    "Whole (%)", [one["whole"] for one in found.values()], 1, 100.0, unit="%"
                ),
                TableColumn("Not kept", why),
            ),
            "By the rules that extraction keeps cuts of a CT by: one uninterrupted wall from edge "
            "to edge, with both tables.",
        ),
    )


def _summary(numbers: Numbers) -> Sequence[SummaryColumn]:
    found = numbers.get(NAME) or {}
    values = {name: 100 * one["whole"]["value"] for name, one in found.items()}
    return (SummaryColumn("Whole walls (%)", values, "%", "Share that extraction would keep"),)


MEASURE: Measure[list[str]] = Measure(
    name=NAME,
    title="Whole walls",
    run=_run,
    describe=_describe,
    parts=_parts,
    weight=0.2,
    columns=(
        Column(
            "wall_rule",
            str,
            "Wall rule",
            "",
            "Rule of extraction that the segment breaks; empty where it is a whole wall",
        ),
    ),
    tables=_tables,
    summary=_summary,
)
