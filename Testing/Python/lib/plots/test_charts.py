"""Figures of numbers: shapes with known answers, the same bytes every time."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image
from SkullGANLib.errors import OutputError
from SkullGANLib.plots import charts


def test_a_violin_is_widest_where_most_values_are():
    values = np.concatenate([np.full(60, 2.0), np.linspace(0, 10, 21)])

    grid, width = charts.violin(values)

    assert grid.shape == width.shape == (200,)
    assert (grid[0], grid[-1]) == (0, 10)
    assert width.max() == 1
    assert grid[width.argmax()] == pytest.approx(2, abs=0.1)


def test_a_violin_of_a_normal_distribution_falls_to_exp_of_minus_a_half_at_one_sd():
    values = np.random.default_rng(0).normal(0, 1, 50_000)

    grid, width = charts.violin(values)

    at_one = np.interp([-1, 1], grid, width)
    assert at_one == pytest.approx(np.exp(-0.5), abs=0.03)


@pytest.mark.parametrize("values", [np.arange(7.0), np.full(100, 3.0), np.full(100, 1e9)])
def test_too_few_values_or_equal_ones_have_no_shape(values):
    assert charts.violin(values) is None


def test_a_large_set_draws_the_same_shape_from_values_evenly_taken():
    values = np.random.default_rng(0).normal(0, 1, 50_000)

    grid, width = charts.violin(values)
    fine_grid, fine_width = charts.violin(np.random.default_rng(1).permutation(values))

    np.testing.assert_array_equal(grid, fine_grid)
    np.testing.assert_array_equal(width, fine_width)


def violins(path, **options):
    rng = np.random.default_rng(0)
    sets = {
        "Few $x_1$": {"sdr": np.array([0.4, 0.5, np.nan])},
        "None": {"sdr": np.array([np.nan])},
        "Many": {"sdr": rng.normal(0.5, 0.1, 100)},
    }
    charts.write_violins(path, sets, {"sdr": ("SDR", ".2f")}, {"sdr": 0.4}, **options)


def test_the_same_violins_are_the_same_bytes_as_png_and_svg(tmp_path):
    for name in ("one", "two"):
        violins(tmp_path / name / "violins.png", svg=True)

    for name in ("violins.png", "violins.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_violins_say_how_many_were_measured_and_the_median(tmp_path):
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):  # text as text
        violins(tmp_path / "violins.png", svg=True)

    text = (tmp_path / "violins.svg").read_text("utf-8")
    for word in ("n = 2", "n = 0", "n = 100", "0.45", "measured", "Few $x_1$"):
        assert word in text


def test_a_figure_is_as_large_as_asked(tmp_path):
    charts.write_figure(tmp_path / "empty.png", (2, 1), lambda figure: None)

    with Image.open(tmp_path / "empty.png") as picture:
        assert picture.size == (260, 130)  # 130 pixels an inch
    assert [path.name for path in tmp_path.iterdir()] == ["empty.png"]


def test_curves_are_drawn_to_scale_with_their_names(tmp_path):
    from matplotlib import rc_context

    x = np.arange(0, 100.0)
    panels = {
        "Loss": {"generator": (x, 1 / (1 + x)), "discriminator": (x, x / 100)},
        "Realness": {"real": (x, np.full(100, 0.7))},
    }

    with rc_context({"svg.fonttype": "none"}):
        charts.write_curves(
            tmp_path / "curves.png", panels, log_scale={"Loss"}, unit={"Realness"}, svg=True
        )

    text = (tmp_path / "curves.svg").read_text("utf-8")
    for word in ("Loss", "Realness", "generator", "discriminator", "real", "iteration"):
        assert f">{word}<" in text


def test_a_long_training_is_drawn_as_means_of_neighboring_reports():
    x = np.arange(1000.0)

    thin_x, thin_y = charts._averaged(x, 2 * x)

    assert len(thin_x) == 334  # threes: at most 400 points
    assert thin_x[:2].tolist() == [1, 4]
    assert thin_x[-1] == 999  # the last one alone
    np.testing.assert_array_equal(thin_y, 2 * thin_x)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(OutputError, match=f"file{os.sep}empty.png".replace("\\", "\\\\")):
        charts.write_figure(tmp_path / "file" / "empty.png", (1, 1), lambda figure: None)
