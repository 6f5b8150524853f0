"""Texts out of files on a terminal and in a spreadsheet: shown, never obeyed.

``printable`` writes control characters out; ``harmless_streams`` does it to all that is printed.
``csv_cell`` keeps a spreadsheet from taking a text for a formula, ``csv_text`` takes that back.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PLAIN = re.compile(r"[\n\t\x20-\x7e]*")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode's controls, formats (that turn the writing's direction), halves of pairs, separators."""


def printable(text: str) -> str:
    """Write out what a terminal would obey: escapes, carriage returns, turned writing.

    Example:
        >>> print(printable("red\\x1b[31m, over\\rwritten"))
        red\\x1b[31m, over\\x0dwritten
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(map(_shown, text))


def csv_cell(value: Any) -> Any:
    """Give a cell for a table: a text that a spreadsheet would take for a formula begins with '.

    Numbers stay what they are, negative ones too.

    Example:
        >>> csv_cell("=HYPERLINK(0)"), csv_cell("-5"), csv_cell(-5.0), csv_text("'=HYPERLINK(0)")
        ("'=HYPERLINK(0)", '-5', -5.0, '=HYPERLINK(0)')
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _is_number(value):
        return value
    return f"'{value}"


def csv_text(cell: str) -> str:
    """Give the text that ``csv_cell`` made a cell of."""
    inner = cell[1:]
    quoted = cell.startswith("'") and _FORMULA.match(inner) and not _is_number(inner)
    return inner if quoted else cell


@contextmanager
def harmless_streams() -> Iterator[None]:
    """Have ``printable`` applied to all that is printed while the block runs."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Harmless(before[0]), _Harmless(before[1], bar=True)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Harmless:
    """A text stream that writes ``printable`` texts; all else is the stream's own.

    Args:
        stream: where it writes.
        bar: whether a carriage return may begin or end what is written, as a progress bar does it.
    """

    def __init__(self, stream: TextIO, bar: bool = False) -> None:
        self._stream, self._bar = stream, bar

    def write(self, text: str) -> int:
        if self._bar:
            inner = text.strip("\r")
            at = text.find(inner) if inner else len(text)
            self._stream.write(text[:at] + printable(inner) + text[at + len(inner) :])
        else:
            self._stream.write(printable(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _shown(letter: str) -> str:
    if letter in "\n\t" or unicodedata.category(letter) not in _HIDDEN:
        return letter
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name that is no UTF-8
        code -= 0xDC00
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
