"""Progress on a terminal: a bar, lines for a program, or nothing."""

import sys

import pytest
from SkullGANLib.utils import progress


def test_lines_are_written_once_a_thousandth_and_say_what_is_done(capsys):
    with progress.shown("Cutting", "lines") as report_progress:
        for share in (0.0, 0.0004, 0.5, 0.5004):
            report_progress(share)
        report_progress(1.0, "2/2")
    written = capsys.readouterr()
    assert written.err.splitlines() == [
        "progress 0.0000 Cutting",
        "progress 0.5000 Cutting",
        "progress 1.0000 Cutting 2/2",
    ]
    assert written.out == ""


def test_a_bar_leaves_nothing_behind(capsys):
    with progress.shown("Cutting", "bar") as report_progress:
        report_progress(0.5, "1/2")
        report_progress(1.0, "2/2")
    written = capsys.readouterr().err
    assert "Cutting: " in written
    assert not written.split("\r")[-1].strip()


@pytest.mark.parametrize("style", ["none", "auto"])
def test_nothing_is_written_where_nobody_reads(style, capsys):
    """Captured standard error is no terminal."""
    with progress.shown("Cutting", style) as report_progress:
        report_progress(0.5, "half")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_it_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress.shown("Cutting") as report_progress:
        report_progress(0.25)
    assert "Cutting" in capsys.readouterr().err
