"""Texts from anywhere, shown and not obeyed."""

from __future__ import annotations

import sys

import pytest
from SkullGANLib.utils.printable import csv_cell, csv_text, harmless_streams, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\rb", "a\\x0db"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\udcff", "\\xff"),
        ("Kopf ä 頭\n\tend", "Kopf ä 頭\n\tend"),
    ],
)
def test_hostile_escapes_are_shown_and_not_sent(text, shown):
    assert printable(text) == shown


def test_what_is_printed_is_harmless_and_a_progress_bar_still_returns(capsys):
    with harmless_streams():
        print("a\x1b[2Jb\rc")
        print("\rbar 50 %", end="", file=sys.stderr)
        print("\r\x1b[0mbar\r", end="", file=sys.stderr)
        assert sys.stdout.encoding
    out, err = capsys.readouterr()
    assert out == "a\\x1b[2Jb\\x0dc\n"
    assert err == "\rbar 50 %\r\\x1b[0mbar\r"


@pytest.mark.parametrize(
    "text", ["=1+1", "+a", "-a", "@SUM(A1)", "\t=1", "'=1", "''=1", "-5", "+1e3", "plain", "", "'a"]
)
def test_a_cell_gives_back_its_text_and_is_no_formula(text):
    cell = csv_cell(text)
    assert csv_text(cell) == text
    assert cell[:1] not in ("=", "@", "\t")
    assert csv_cell(-3.5) == -3.5
