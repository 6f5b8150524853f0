"""Figures of an evaluation: those of each judge, panels that share a figure joined."""

from __future__ import annotations

from pathlib import Path

import pytest
from SkullGANLib.evaluation.measures.measure import Figure, Panel, Result
from SkullGANLib.evaluation.report import figures


def test_panels_of_one_name_are_joined_where_the_first_of_them_stands(tmp_path):
    drawn: list[str] = []

    def panel(word: str, width: float) -> Panel:
        return Panel("both", word, f"{word}.", lambda axes: drawn.append(word), width, 2.0)

    alone = Figure("alone", "Alone", "Alone.", Path.touch)
    joined, other = figures.figures_of(
        [Result(figures=(panel("Left", 1), alone)), Result(figures=(panel("right", 2),))]
    )
    assert (joined.name, other) == ("both", alone)
    assert joined.alternative == "Left, right per set"
    assert joined.caption == "Left. right."
    joined.write(tmp_path / "both.png")
    assert drawn == ["Left", "right"]
    assert (tmp_path / "both.svg").is_file()


@pytest.mark.slow
def test_every_figure_is_written_as_png_and_svg_while_progress_moves(sets, found, tmp_path):
    shares: list[float] = []
    pictures = figures.write(tmp_path, sets, found, on_progress=shares.append)
    assert list(pictures) == [
        "segments", "judges", "metrics", "discriminator", "tsne", "memorization", "neighbors-mse",
        "neighbors-sift", "usefulness", "acoustic",
    ]  # fmt: skip
    for one in pictures.values():
        assert one.path.is_file()
        assert one.path.with_suffix(".svg").is_file()
        assert one.alternative
        assert one.caption
    assert shares == sorted(shares)
    assert shares[0] == 0
