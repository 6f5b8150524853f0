"""Numbers that stand for words in maps: what a ray met, and which bone and side a vertex shows.

A file or a scene keeps the words beside the numbers (``table_of``), and its numbers are read by
its own words (``decode``): lists of bones may grow and change their order, old maps stay right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

CODES = {
    0: "measured",
    1: "no bone",
    2: "air",
    3: "leaves the field of view",
    4: "metal",
}
"""What a ray met, by its code. Only the values of code 0 are numbers."""
MEASURED, NO_BONE, AIR, OUTSIDE, METAL = CODES
REASONS = {meaning.replace(" ", "_"): code for code, meaning in CODES.items() if code != MEASURED}
"""Why a ray was not measured, as a column's name, with its code."""


def encode(texts: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, dict[int, str]]:
    """Turn texts into numbers.

    Args:
        texts: (N,) texts.
        names: those that have the first numbers, in order; others found come behind them.

    Returns:
        uint8 (N,), and the table of what each number means.

    Example:
        >>> encode(np.array(["frontal", "temporal"]), ("temporal", "parietal"))
        (array([2, 0], dtype=uint8), {0: 'temporal', 1: 'parietal', 2: 'frontal'})
    """
    others = sorted({str(text) for text in texts} - set(names))
    table = dict(enumerate((*names, *others)))
    numbers = np.zeros(len(texts), np.uint8)
    for number, name in table.items():
        numbers[texts == name] = number
    return numbers, table


def decode(numbers: np.ndarray, table: Mapping[str, str]) -> np.ndarray:
    """Turn numbers back into texts.

    Args:
        numbers: (N,) integers.
        table: what each number means, numbers as texts as JSON has them.

    Returns:
        (N,) texts.

    Raises:
        ValueError: if a number has no meaning in the table.
    """
    present, places = np.unique(numbers, return_inverse=True)
    lacking = [int(number) for number in present if str(int(number)) not in table]
    if lacking:
        raise ValueError(f"numbers without meaning: {lacking}")
    texts = np.array([table[str(int(number))] for number in present], dtype=str)
    return texts[places.reshape(np.shape(numbers))]


def current_codes(code: np.ndarray, table: Mapping[str, str]) -> np.ndarray:
    """Turn codes of rays that a table explains into those of ``CODES``, uint8 (N,).

    Raises:
        ValueError: if a code has no meaning, or one that is not in ``CODES``.
    """
    today = {meaning: number for number, meaning in CODES.items()}
    met = decode(code, table)
    unknown = sorted(set(met.tolist()) - set(today))
    if unknown:
        raise ValueError(f"rays met what is not known here: {', '.join(unknown)}")
    return np.array([today[meaning] for meaning in met.tolist()], np.uint8).reshape(met.shape)
