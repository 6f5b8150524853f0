"""JSON out of files from anywhere: of a size, a depth and numbers that can be used, or a sentence.

Every reader of ours takes JSON through ``read_json`` or ``parse_json``.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError

MOST_BYTES = 64 * 2**20
MOST_DEPTH = 64
_MOST_DIGITS = 64
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_json(
    path: str | Path, what: str = "JSON", *, most_bytes: int = MOST_BYTES, finite: bool = False
) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        what: what is expected, for the sentences.
        most_bytes: what it may have.
        finite: whether NaN and infinite numbers are refused.

    Raises:
        BadInputError: if it is no regular file, cannot be read, is too large, no UTF-8, no JSON,
            nested too deeply, or holds a number that is none.
    """
    return parse_json(read_bytes(path, what, most_bytes=most_bytes), str(path), what, finite=finite)


def read_object(path: str | Path, what: str, names: Sequence[str]) -> dict[str, Any]:
    """Read a JSON file that is an object with certain names; raises as ``read_json``."""
    found = read_json(path, what)
    if not isinstance(found, dict) or not set(names) <= found.keys():
        raise BadInputError(f"{path}: lacks {', '.join(names)}, expected {what}.")
    return found


def as_numbers(value: Any, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Give finite numbers of a shape, float64, out of what JSON held.

    Raises:
        BadInputError: if they are something else.
    """
    try:
        found = np.array(value, float)
    except (ValueError, TypeError):
        found = np.empty(0)
    if found.shape != shape or not np.isfinite(found).all():
        size = " x ".join(map(str, shape))
        raise BadInputError(f"{where} is something else, expected {size} finite numbers.")
    return found


def parse_json(text: str | bytes, where: str, what: str = "JSON", *, finite: bool = False) -> Any:
    """Read JSON that is in memory; raises as ``read_json``.

    Example:
        >>> parse_json('{"a": [1, 2.5]}', "here")
        {'a': [1, 2.5]}
        >>> parse_json("[" * 100_000, "here.json", "a recipe")
        Traceback (most recent call last):
        ...
        SkullGANLib.errors.BadInputError: here.json: is nested too deeply, expected a recipe.
    """

    def whole(digits: str) -> int:
        if len(digits) > _MOST_DIGITS or not -(2**63) <= int(digits) < 2**64:
            raise ValueError(f"the number {digits[:20]}... is beyond 64 bits")
        return int(digits)

    def broken(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise ValueError(f"the number {digits[:20]} is beyond 64 bits")
        return value

    def constant(name: str) -> float:
        if finite:
            raise ValueError(f"{name} is no number")
        return float(name)

    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        found = json.loads(decoded, parse_int=whole, parse_float=broken, parse_constant=constant)
        if _too_deep(found):
            raise RecursionError
        return found
    except RecursionError as error:
        raise BadInputError(f"{where}: is nested too deeply, expected {what}.") from error
    except ValueError as error:
        raise BadInputError(f"{where}: cannot be read ({error}), expected {what}.") from error


def read_bytes(path: str | Path, what: str, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a regular file whole; pipes and devices are not opened for long, links are followed.

    Raises:
        BadInputError: if it is something else, cannot be read or has more bytes than that.
    """
    try:
        # A pipe that nobody writes to would keep us waiting.
        number = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        with os.fdopen(number, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise BadInputError(f"{path}: is no regular file, expected {what}.")
            content = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"{path}: cannot be read ({reason}), expected {what}.") from error
    if len(content) > most_bytes:
        raise BadInputError(f"{path}: is larger than {most_bytes / 2**20:g} MiB, expected {what}.")
    return content


def _too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than ``MOST_DEPTH``; level by level, so that
    nothing here recurses."""
    level = [value]
    for _depth in range(MOST_DEPTH):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        level = [one for one in inner if isinstance(one, dict | list)]
        if not level:
            return False
    return True
