"""The acoustic judge on walls whose answer is known, and on sets that are alike or are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import straight_walls
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.evaluation import _inputs
from SkullGANLib.evaluation.measures import acoustic
from SkullGANLib.evaluation.measures.acoustic import AcousticSettings, wave_through
from walls import layered


def as_set(hu: np.ndarray, kind: str = "synthetic") -> segment_set.SegmentSet:
    return segment_set.without_patient(hu, hu != 0, np.arange(len(hu)), kind=kind)


def described(sets, settings=None, seed=0):
    """What the judge alone says of sets."""
    inputs = _inputs(evaluation_set.prepare_sets(sets), None, seed, settings or {})
    found = {
        part: acoustic.MEASURE.run(inputs, part, lambda share: None)
        for part in acoustic.MEASURE.parts(inputs)
    }
    return acoustic.MEASURE.describe(inputs, found)


def test_a_wall_of_one_density_passes_what_the_textbook_says():
    """1000 HU are 1530 kg/m³ and 2201.9 m/s by k-Plan; 10 rows are 4.5 mm."""
    found = wave_through(as_set(layered((1000, 10))), AcousticSettings(frequency_khz=500))

    omega = 2 * np.pi * 500e3
    number = omega / 2201.9 + 1j * 13.3 * 0.5 * 100 / 8.685889638
    ratio = 1530 * omega / number / 1.5e6
    path = number * 4.5e-3
    passed = 1 / (np.cos(path) - 0.5j * (ratio + 1 / ratio) * np.sin(path))
    ahead = np.angle(passed * np.exp(-1j * omega / 1500 * 4.5e-3))

    assert found["transmission_percent"] == pytest.approx(100 * abs(passed))
    assert found["phase_delay_rad"] == pytest.approx(ahead)
    assert found["phase_spread_rad"] == pytest.approx(0)


def test_the_spread_is_that_of_columns():
    """Half of the columns have 4.5 mm, half 9 mm: the spread is half of their difference."""
    hu = np.concatenate([layered((1000, 10)), layered((1000, 20)), layered((1000, 10))])
    hu[2, :, 64:] = hu[1, :, 64:]
    found = wave_through(as_set(hu), AcousticSettings())
    thin, thick, both = found["phase_delay_rad"]
    assert both == pytest.approx((thin + thick) / 2)
    assert found["phase_spread_rad"][2] == pytest.approx(abs(thick - thin) / 2)


def test_columns_through_air_do_not_count_and_a_segment_without_bone_has_no_number():
    hu = np.concatenate([layered((1000, 10)), layered((1000, 10)), layered((0, 1))])
    hu[1, 24, :64] = -800
    found = wave_through(as_set(hu), AcousticSettings())
    for values in found.values():
        assert values[1] == pytest.approx(values[0], abs=1e-9)
        assert np.isnan(values[2])


def test_the_numbers_do_not_depend_on_what_else_is_in_the_set():
    segments = straight_walls(300, 0)
    whole = wave_through(segments, AcousticSettings(medium="marsac"), 2000.0)
    some = wave_through(segments[250:], AcousticSettings(medium="marsac"), 2000.0)
    for name, values in whole.items():
        np.testing.assert_allclose(values[250:], some[name])


def test_walls_of_one_kind_are_alike_and_thicker_ones_are_not():
    real = replace(straight_walls(120, 0), kind="real")
    like = replace(straight_walls(120, 1), kind="synthetic")
    thick = np.repeat(like.hu, 2, axis=1)[:, 8:136]
    found = described({"test": real, "synthetic": like})
    (statement,) = found.statements
    assert statement.short == "As far as these sets can show, yes"
    assert "500 kHz" in statement.reasons[0]
    assert "in 95 % of cases" in statement.reasons[2]
    other = described({"test": real, "synthetic": replace(like, hu=thick, mask=thick != 0)})
    assert other.statements[0].short.startswith("No: the ")
    compared = other.numbers["acoustic"]["compared"]["synthetic"]
    assert compared["phase_delay_rad"].difference.high < -1  # twice the bone is further ahead


def test_what_differs_no_more_than_two_real_sets_is_said_to():
    real = replace(straight_walls(120, 0), kind="real")
    hard = replace(real, hu=np.where(real.mask, real.hu + 200, 0).astype(np.int16))
    found = described({"test": real, "train": hard, "synthetic": replace(hard, kind="synthetic")})
    assert found.statements[0].short == "Not quite, but they differ no more than two real sets do"
    assert "between the two real sets it is" in found.statements[0].reasons[2]


def test_splits_of_one_set_are_called_different_no_more_often_than_the_level_says():
    values = wave_through(straight_walls(120, 5), AcousticSettings())
    rng, told = np.random.default_rng(0), 0
    for _ in range(40):
        order = rng.permutation(120)
        one = {
            name: acoustic.compare(each[order[:60]], each[order[60:]])
            for name, each in values.items()
        }
        told += acoustic.short_answer(one, None) != "As far as these sets can show, yes"
    assert told <= 5


def test_frequency_and_convention_are_settings_that_the_numbers_name(tmp_path):
    sets = {
        "train": replace(straight_walls(20, 0), kind="real"),
        "synthetic": straight_walls(20, 1),
    }
    settings = {"acoustic": AcousticSettings(medium="marsac", frequency_khz=250.0)}
    found = described(sets, settings)
    numbers = found.numbers["acoustic"]
    assert (numbers["medium"], numbers["frequency_khz"]) == ("marsac", 250.0)
    assert numbers["densest_hu"] == sets["train"].hu.max()
    (figure,) = found.figures
    figure.write(tmp_path / "acoustic.png")
    assert (tmp_path / "acoustic.svg").exists()
    with pytest.raises(BadInputError, match="mcdannold holds for 500 to 800 kHz"):
        AcousticSettings(medium="mcdannold", frequency_khz=250.0)


def test_without_a_synthetic_set_nothing_is_known():
    found = described({"train": replace(straight_walls(20, 0), kind="real")})
    assert found.statements[0].short == "Not known"
    assert not found.numbers["acoustic"]["compared"]
    few = described(
        {"train": replace(straight_walls(3, 0), kind="real"), "synthetic": straight_walls(3, 1)}
    )
    assert few.statements[0].short == "Not known"
