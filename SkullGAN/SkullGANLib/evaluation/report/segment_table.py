"""The table of all segments of a report, ``segments.csv``: a line for each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ...data.segment_set import TEXTS
from ...metrics import METRICS
from ...utils.atomic_files import written_aside
from ...utils.printable import csv_cell, csv_text
from ..measures.registry import columns

_AT_ONCE = 1024
"""Segments that are texts at a time: a line of them takes kilobytes."""
_BASE_KINDS: Mapping[str, type] = {**dict.fromkeys((*TEXTS, "digest"), str), "seed": int}


def write_table(path: Path, tables: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Write a line for every segment of every set, the heading first.

    Args:
        path: the CSV file.
        tables: by set, arrays (N,) by column; all sets have the same columns.

    Raises:
        OutputError: if the file cannot be written.
    """
    head = list(next(iter(tables.values())))
    rows = (
        (name, start + place, *row)
        for name, its in tables.items()
        for start in range(0, len(its[head[0]]), _AT_ONCE)
        for place, row in enumerate(
            zip(*(_cells(its[one][start : start + _AT_ONCE]) for one in head), strict=True)
        )
    )
    write_rows(path, chain([("set", "segment", *head)], rows))


def write_rows(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file; raises as ``write_table`` does."""
    with (
        written_aside(path) as temporary,
        # Names are a user's: what is no Unicode in them is no reason to fail.
        open(temporary, "w", newline="", encoding="utf-8", errors="replace") as file,
    ):
        csv.writer(file).writerows([csv_cell(cell) for cell in row] for row in rows)


def _cells(values: np.ndarray) -> list[Any]:
    if values.dtype.kind == "f":
        known = np.isfinite(values)
        return [f"{one:.6g}" if k else "" for one, k in zip(values.tolist(), known, strict=True)]
    return (values.astype(int) if values.dtype.kind == "b" else values).tolist()


def read_table(path: Path) -> dict[str, dict[str, np.ndarray]]:
    rows: dict[str, list[list[str]]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        head = next(lines)
        for line in lines:
            rows.setdefault(line[0], []).append([csv_text(cell) for cell in line])
    return {
        name: {
            column: _values(column, cells)
            for column, cells in zip(head[2:], list(zip(*each, strict=True))[2:], strict=True)
        }
        for name, each in rows.items()
    }


def _values(column: str, cells: Sequence[str]) -> np.ndarray:
    kind = _kind(column, cells)
    if kind is float:
        return np.array([float(one) if one else np.nan for one in cells])
    if kind is bool:
        return np.array(cells, str) == "1"
    return np.array(cells, str) if kind is str else np.array(list(map(int, cells)))


def _kind(column: str, cells: Sequence[str]) -> type:
    """Give the type of a column; of one that no judge here fills, by what it holds."""
    judged = columns()
    if column in judged:
        return judged[column].kind
    if column in _BASE_KINDS:
        return _BASE_KINDS[column]
    return float if column in METRICS or all(map(_is_number, cells)) else str


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True
