"""The options of a selection, read and written, and its notes."""

import argparse
from pathlib import Path

import pytest
from SkullGANLib.cli.selection_options import (
    add_selection,
    arguments_of,
    notes,
    print_notes,
    selection_of,
)
from SkullGANLib.generation.diversity import Diversity
from SkullGANLib.generation.selection import Limits, Selection


def parsed(*arguments: str) -> Selection:
    parser = argparse.ArgumentParser()
    add_selection(parser)
    return selection_of(parser.parse_args(arguments))


def test_a_selection_is_read_from_its_options():
    found = parsed(
        *("--sdr", "0.3,0.45", "--thickness-mm", "4,8", "--intensity-hu", "900,1200"),
        *("--like", "real.h5", "--like-ks", "0.2", "--diverse", "--most", "5000"),
        "--whole",
    )

    ranges = {"sdr_peaks": (0.3, 0.45), "thickness_mm": (4, 8), "mean_intensity_hu": (900, 1200)}
    assert found.limits.ranges == ranges
    assert (found.like, found.like_ks) == (Path("real.h5"), 0.2)
    assert (found.diverse, found.most) == (Diversity(), 5000)
    assert found.whole
    assert not parsed()


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(limits=Limits({"sdr_peaks": (-0.1, 0.1 + 0.2)}), diverse=Diversity()),
        Selection(whole=True, like=Path("a folder/real.h5"), like_ks=0.3, most=9),
    ],
)
def test_the_command_line_of_a_selection_asks_for_the_same(selection):
    found = parsed(*arguments_of(selection))

    assert found.limits.ranges == selection.limits.ranges
    assert (found.like, found.like_ks) == (selection.like, selection.like_ks)
    assert (found.diverse, found.most) == (selection.diverse, selection.most)
    assert found.whole == selection.whole


def test_notes_of_a_selection_are_shown_unless_it_is_to_be_quiet(capsys):
    notes(argparse.Namespace(quiet=True))("Hush.")
    notes(argparse.Namespace())("12 of 512 segments fit.")

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Note: 12 of 512 segments fit.\n")


def test_notes_of_a_selection_in_a_child_are_printed_once(capsys):
    lines = ["out.h5: 3 synthetic segments", "Note: one.", "Note: two."]

    assert print_notes(lines[:2], 0) == 2
    assert print_notes(lines, 2) == 3

    assert capsys.readouterr().err == "Note: one.\nNote: two.\n"
