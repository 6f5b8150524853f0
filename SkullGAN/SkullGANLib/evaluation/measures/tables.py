"""Tables that a judge makes of its numbers, for the page and for a scene alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = str | float | int | Mapping[str, float] | None
"""A text, a number, an estimate as JSON holds it (``value``, ``low``, ``high``), or nothing."""


@dataclass(frozen=True)
class TableColumn:
    """A column of a table.

    Attributes:
        title: heading.
        values: one for each row, all texts or all numbers and estimates; None where there is none.
        digits: behind the point.
        factor: that numbers are shown times, 100 for per cent.
        unit, description: in a scene.
        marked: rows whose value is to be seen first.
    """

    title: str
    values: Sequence[Value]
    digits: int = 2
    factor: float = 1.0
    unit: str = ""
    description: str = ""
    marked: Collection[int] = ()

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return any(isinstance(one, str) for one in self.values)

    def number(self, row: int, key: str = "value") -> float | None:
        """Give a number as it is shown, or one end of its interval."""
        one = self.values[row]
        if isinstance(one, Mapping):
            one = one[key]
        elif key != "value":
            return None
        return None if one is None or isinstance(one, str) else self.factor * float(one)

    def text(self, row: int, key: str = "value") -> str:
        """Give what stands in a cell, or one end of its interval."""
        one = self.values[row]
        if isinstance(one, str):
            return one
        number = self.number(row, key)
        return "" if number is None else f"{number:,.{self.digits}f}"

    def has_interval(self, row: int) -> bool:
        """Whether a number comes with an interval."""
        return isinstance(self.values[row], Mapping)


@dataclass(frozen=True)
class ReportTable:
    """A table; its first column holds the headings of the rows.

    Attributes:
        name: of its own among all tables.
        title: heading.
        columns: all of one length.
        caption: what to conclude from it; plain text.
    """

    name: str
    title: str
    columns: Sequence[TableColumn]
    caption: str = ""

    def __len__(self) -> int:
        return len(self.columns[0].values)


def by_key(rows: Sequence[Mapping[str, Any]], *keys: str) -> list[Any]:
    """Give a value of each row out of nested mappings; None where it is missing.

    Example:
        >>> by_key([{"auc": {"value": 0.5}}, {"auc": None}], "auc", "value")
        [0.5, None]
    """
    found: list[Any] = []
    for row in rows:
        value: Any = row
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        found.append(value)
    return found
