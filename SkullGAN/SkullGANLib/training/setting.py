"""One setting of a recipe: its default with meaning, unit and range, and its value as text or JSON.

``setting`` and ``choice`` declare a field of ``recipe.Recipe``; ``parse`` reads a value that was
typed, ``typed`` one out of JSON, ``as_text`` writes one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ..errors import BadInputError

Value = int | float | bool | str
"""What a setting may be."""
V = TypeVar("V", int, float, bool, str)

MOST_WHOLE = 10**9
"""Of epochs, segments and all other counts: more is a slip of the hand."""
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True}
_TRUTHS |= {"false": False, "no": False, "off": False, "0": False}
_TYPE_NAMES = {int: "a whole number", float: "a number", bool: "yes or no", str: "a text"}


@dataclass(frozen=True)
class Range:
    """What numbers a setting may be.

    Attributes:
        least, most: the smallest and largest; None where there is no limit.
        above, below: what it must be above or below; None where there is no limit.

    Example:
        >>> print(Range(least=0, most=1), "|", Range(least=0, below=1), "|", Range(least=2))
        a number from 0 to 1 | a number from 0 to below 1 | at least 2
        >>> 1 in Range(least=0, below=1)
        False
    """

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        low = f"above {self.above:g}" if self.above is not None else ""
        low = f"at least {self.least:g}" if self.least is not None else low
        high = f"below {self.below:g}" if self.below is not None else ""
        high = f"{self.most:g}" if self.most is not None else high
        if low and high:
            return f"a number {low.replace('at least', 'from')} to {high}"
        return low or (f"at most {high}" if self.most is not None else high)


def setting(
    default: V,
    meaning: str,
    unit: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: Mapping[str, str] | None = None,
) -> V:
    """Declare a setting: everything that anybody asks about it stands here and nowhere else."""
    metadata = {
        "meaning": meaning,
        "unit": unit,
        "range": Range(least, most, above, below),
        "choices": tuple(choices or ()),
    }
    return field(default=default, metadata=metadata)


def choice(default: str, choices: Mapping[str, str]) -> str:
    """Declare a setting that is one of a few words, each with its meaning."""
    meaning = "; ".join(f"{choice}: {meaning}" for choice, meaning in choices.items())
    return setting(default, meaning, choices=choices)


def as_text(value: Value) -> str:
    """Write a setting's value as ``with_settings`` reads it."""
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """Write which of the known names is nearest to an unknown one, or all where none is near."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"the nearest is {near[0]!r}" if near else f"there are {', '.join(known)}"


def check_names(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ``BadInputError`` with the nearest name if a setting is not known."""
    known = list(known)
    for name in given:
        if name not in known:
            raise BadInputError(f"There is no setting {name!r}; {nearest(name, known)}.")


def parse(name: str, text: str, kind: type) -> Value:
    """Read a setting's value out of a text; raises ``BadInputError`` if it is of another type."""
    try:
        if kind is int:
            return _whole(name, int(text.strip()))
        return _TRUTHS[text.strip().lower()] if kind is bool else kind(text.strip())
    except (ValueError, KeyError) as error:
        found = repr(text[:40])
        raise BadInputError(f"{name}: expected {_TYPE_NAMES[kind]}, found {found}.") from error


def _whole(name: str, value: int) -> int:
    """Refuse counts that no training can reach and no loop of them ends."""
    if abs(value) > MOST_WHOLE:
        raise BadInputError(
            f"{name}: expected at most {MOST_WHOLE:,}, found {len(str(abs(value)))} digits."
        )
    return value


def typed(name: str, value: object, kind: type) -> Value:
    """Take a setting's value out of JSON; raises ``BadInputError`` if it is of another type."""
    # JSON writes 3.0 and 3 alike in other languages, and Python counts True as an int.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and kind is float:
        return float(value)
    if isinstance(value, (int, str)) and type(value) is kind:
        return value if kind is not int else _whole(name, int(value))
    raise BadInputError(f"{name}: expected {_TYPE_NAMES[kind]}, found {value!r}.")
