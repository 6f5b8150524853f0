"""What is foreseen of a selection: rates, times, and when it is given up."""

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation.forecast import FIRST_LOOK, Forecast, duration, highest_rate, share
from SkullGANLib.generation.selection import Limits

THICK = Limits({"thickness_mm": (8.0, 9.0)})


def measured(count: int) -> dict[str, np.ndarray]:
    """Walls of 4 to 8 mm."""
    values = np.linspace(4, 8, count)
    return {"thickness_mm": values, "sdr_peaks": values / 10, "mean_intensity_hu": values * 100}


class Clock:
    """A tenth of a second each time it is asked."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 51.2
        return self.now_s


def test_a_selection_says_after_some_hundred_draws_how_many_and_how_long():
    forecast = Forecast(200, 200_000, THICK, clock=Clock())

    assert forecast.look(511, 50, 511, 50, measured(511)) is None
    assert not forecast.promising
    note = forecast.look(1, 1, FIRST_LOOK, 51, measured(1))

    # 512 draws took 51.2 s; of the 149 that are missing each takes 10.04 draws.
    assert note == "51 of 512 segments fit (10 %); 149 more take about 1,500 segments and 2 min."
    assert forecast.promising


def test_a_selection_counts_the_draws_of_its_first_sample_into_the_pace():
    """2,048 draws took 51.2 s, of which it was told of 512 so far."""
    forecast = Forecast(200, 200_000, THICK, began_s=0.0, drawn_before=2048, clock=Clock())

    assert "take about 1,500 segments and 37 s" in (
        forecast.look(512, 51, 512, 51, measured(512)) or ""
    )


def test_a_selection_speaks_again_only_when_the_forecast_has_changed():
    forecast = Forecast(2000, 200_000, THICK, clock=Clock())

    assert forecast.look(512, 51, 512, 51, measured(512))
    assert forecast.look(512, 53, 1024, 104, measured(512)) is None
    assert "1,950 more take" not in (forecast.look(1024, 300, 2048, 404, measured(9)) or "")


def test_a_selection_that_is_too_rare_is_refused_with_the_rate_and_what_the_model_makes():
    forecast = Forecast(200, 20_000, THICK)

    with pytest.raises(BadInputError) as error:
        forecast.look(512, 0, 512, 0, measured(512))

    assert str(error.value) == (
        "None of 512 segments fits (at most 0.59 %, 95 % confidence), so that 200 need more than "
        "35,000, and 20,000 are made at most. Thickness: 0.2 % are within the limits, the model "
        "makes 4.0 mm to 8.0 mm, in nine of ten 4.2 mm to 7.8 mm. Expected wider limits, fewer "
        "segments or more to be made."
    )


def test_a_selection_without_limits_says_what_the_model_makes_of_every_metric():
    forecast = Forecast(200, 20_000, Limits(), lambda: "Thin walls lack.")

    with pytest.raises(BadInputError, match=r"Skull density ratio: .* Thin walls lack\. Expected"):
        forecast.look(512, 0, 512, 0, measured(512))


def test_a_selection_goes_on_while_it_may_still_succeed():
    """None of 512 leaves up to 0.59 %, of which 34,000 draws give 200."""
    forecast = Forecast(200, 40_000, THICK, clock=Clock())

    note = forecast.look(512, 0, 512, 0, measured(512))

    assert note == (
        "None of 512 segments fits (at most 0.59 %, 95 % confidence); 200 take more than 34,000 "
        "segments and 57 min."
    )
    assert not forecast.promising


def test_of_a_selection_whose_rate_falls_only_the_latest_draws_count():
    steady = Forecast(1000, 3000, THICK)
    falling = Forecast(1000, 3000, THICK, steady=False)
    for one in (steady, falling):
        one.look(512, 500, 512, 500, measured(512))

    steady.look(512, 20, 1024, 520, measured(512))
    with pytest.raises(BadInputError, match="20 of 512 segments fit"):
        falling.look(512, 20, 1024, 520, measured(512))


def test_a_selection_that_used_up_its_draws_says_how_many_fit():
    forecast = Forecast(9, 100, THICK)
    forecast.look(100, 2, 100, 2, measured(100))

    assert "2 of 100 segments fit, 9 were to be kept" in str(forecast.used_up(100, 2))
    nothing = Forecast(9, 100, Limits({"sdr_peaks": (0, 1)}))
    nothing.look(1, 0, 1, 0, {"sdr_peaks": np.array([np.nan])})
    assert "Skull density ratio: no segment has it." in str(nothing.used_up(1, 0))


def test_the_highest_rate_of_a_selection_is_the_rule_of_three_where_none_fits():
    assert highest_rate(0, 1000) == pytest.approx(0.002996, abs=1e-6)
    assert highest_rate(3, 4) == 1


def test_times_and_shares_of_a_selection_are_said_in_two_digits():
    assert [duration(one) for one in (0.1, 89, 95, 7200, 3e5)] == [
        "1 s", "89 s", "2 min", "2.0 h", "3.5 days"
    ]  # fmt: skip
    assert share(0.00345) == "0.34 %"
