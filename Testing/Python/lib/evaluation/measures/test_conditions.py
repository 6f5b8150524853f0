"""The judge that compares what was asked of a model with what is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import bent_walls, conditioned_model, narrow_model
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.evaluation import _inputs
from SkullGANLib.evaluation.measures import conditions, realness
from SkullGANLib.evaluation.measures.conditions import MEASURE, Pairs, short_answer
from SkullGANLib.generation.conditions import measured
from SkullGANLib.generation.from_seeds import generate_set

NONE = Pairs(np.array([]), np.array([]))


def inputs(synthetic, model):
    return _inputs(evaluation_set.prepare_sets({"synthetic": synthetic}), model, 0, {})


def test_values_that_follow_a_condition_by_half_have_that_slope_and_offset():
    asked = np.linspace(0, 1, 80)
    pairs = Pairs(asked, 0.5 * asked + 0.1)
    assert pairs.correlation == pytest.approx(1)
    assert pairs.slope == pytest.approx(0.5)
    assert pairs.offset == pytest.approx(0.1 - 0.25)
    assert pairs.error == pytest.approx(np.abs(0.1 - 0.5 * asked).mean())
    first, *_, last = pairs.bins()
    assert first["asked"] == pytest.approx(asked[:10].mean())
    assert last["measured"] == pytest.approx(0.5 * asked[-10:].mean() + 0.1)
    assert last["low"] < last["measured"] < last["high"]


def test_one_value_asked_for_has_no_correlation_and_nothing_measured_has_no_error():
    one = Pairs(np.full(20, 0.4), np.linspace(0.3, 0.5, 20))
    assert (one.correlation, one.slope) == (None, None)
    assert one.offset == pytest.approx(0)
    assert (NONE.correlation, NONE.offset, NONE.error, NONE.bins()) == (None, None, None, [])


def test_the_answer_on_conditions_names_what_is_followed_least():
    asked = np.linspace(0, 1, 100)
    noise = np.random.default_rng(0).normal(size=100)
    good, half, bad = (Pairs(asked, asked + much * noise) for much in (0.05, 0.3, 5))
    assert short_answer({"sdr": good, "thickness": good}) == "Yes"
    assert short_answer({"sdr": good, "thickness": half}) == "In part: thickness less than the rest"
    assert short_answer({"sdr": bad, "thickness": half}) == "No: not by SDR"
    assert short_answer({"sdr": NONE}) == "Not known: one value alone was asked for"


def test_what_was_asked_is_known_from_the_set_and_compared_with_what_is_measured(tmp_path):
    model = conditioned_model()
    made = generate_set(model, range(24), asked={"bone": "parietal"})
    walls = bent_walls(24, 0)  # what the random model makes is no wall
    made = replace(made, hu=walls.hu, mask=walls.mask)
    given = inputs(made, model)
    assert MEASURE.parts(given) == ("",)
    found = MEASURE.run(given, "", lambda share: None)
    told = model.conditions.draw(made.seed, {"bone": "parietal"})
    np.testing.assert_array_equal(found["thickness"].asked, told["thickness"])
    real = measured(("thickness",), walls)["thickness"]
    np.testing.assert_allclose(found["thickness"].measured, real)
    result = MEASURE.describe(given, {"": found})
    assert result.numbers["conditions"]["sdr"]["count"] == 24
    assert result.statements[0].question == conditions.FOLLOWED
    assert "asked and measured correlate by" in result.statements[0].reasons[0]
    (table,) = MEASURE.tables(result.numbers)
    assert [table.columns[0].text(row) for row in range(2)] == ["SDR", "thickness, mm"]
    result.figures[0].write(tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 10_000


def test_a_model_without_conditions_has_nothing_to_compare():
    given = inputs(generate_set(narrow_model(), range(2)), narrow_model())
    assert MEASURE.parts(given) == ()
    assert not MEASURE.describe(given, {}).numbers
    assert MEASURE.tables({}) == ()


def test_a_set_that_does_not_say_its_conditions_is_refused_with_what_is_expected():
    given = inputs(bent_walls(3, 0, "synthetic"), conditioned_model())
    with pytest.raises(BadInputError, match="does not say what was asked of this model"):
        MEASURE.run(given, "", lambda share: None)


@pytest.mark.parametrize("method", realness.METHODS)
def test_the_realness_map_of_a_discriminator_with_conditions_explains_its_logit(method):
    model, walls = conditioned_model(), bent_walls(2, 0)
    walls = replace(walls, bone=np.array(["parietal", "unknown"]))
    scores, logits = realness.of_segments(model, walls), realness.logits(model, walls)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-logits)), rtol=1e-5)
    pixels = realness.explain(model, walls, method)
    assert pixels.shape == (2, 128, 128)
    if method == "positions":
        np.testing.assert_allclose(pixels.sum(axis=(1, 2)), logits, rtol=1e-3, atol=1e-4)
    other = realness.logits(model, replace(walls, bone=np.array(["temporal", "unknown"])))
    assert other[0] != logits[0]
    assert other[1] == pytest.approx(logits[1])
