"""The evaluation: every judge put to the sets that there are, and its limitations."""

from __future__ import annotations

import json

import numpy as np
import pytest
from examples import COUNT, four_sets, narrow_model
from examples import bent_walls as walls
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation, evaluation_set
from SkullGANLib.evaluation.answers import Answer
from SkullGANLib.evaluation.measures import (
    c2st,
    discriminator,
    distances,
    frechet,
    mmd,
    nearest_neighbors,
    prdc,
    realness,
    tsne,
    tstr,
)
from SkullGANLib.evaluation.measures.measure import LEARNED
from SkullGANLib.evaluation.measures.registry import MEASURES
from SkullGANLib.evaluation.report import writer


def answer(question: str, found: evaluation.Evaluation) -> Answer:
    (one,) = [each for each in found.answers if each.question == question]
    return one


def test_planted_copies_are_found(found):
    memorized = found.findings_of(nearest_neighbors.MEASURE)
    for way in ("mse", "sift"):
        assert set(memorized[way].verdict.copies) == {4, 9}
    assert memorized["mse"].synthetic.nearest[[4, 9]].tolist() == [7, 11]
    copying = answer("Are they copies?", found)
    assert copying.short == "Yes, at least 2"
    assert "1 of 30 synthetic segments equal a training segment" in copying.reasons[0]
    assert "2 COPIES among 30" in copying.reasons[1]


def test_every_judge_has_judged_and_what_has_no_set_is_a_limitation(found):
    assert found.reference == "test"
    assert list(found.findings) == list(found.results) == list(MEASURES)
    pairs = ["train", "synthetic", "artificial"]
    assert list(found.findings_of(distances.MEASURE)) == pairs
    for measure in (c2st.MEASURE, prdc.MEASURE, mmd.MEASURE, frechet.MEASURE):
        assert list(found.findings_of(measure)) == [*pairs, LEARNED]
    assert list(found.findings_of(tsne.MEASURE)) == ["metrics", "pixels"]
    assert list(found.findings_of(tstr.MEASURE)[""]) == ["thickness_mm", "sdr_peaks"]
    assert found.findings_of(c2st.MEASURE)["synthetic"].by_subject
    judgment = found.findings_of(discriminator.MEASURE)[""]
    assert list(judgment.share) == ["train", "test", "synthetic", "artificial"]
    assert list(judgment.roc) == ["synthetic", "artificial"]
    assert any("no control set" in one for one in found.limitations)
    assert any("test set has 3 subjects" in one for one in found.limitations)
    learned = found.findings_of(prdc.MEASURE)[LEARNED]
    assert learned.compared == (COUNT, COUNT)
    assert learned.recall.value > 0  # the two copies lie in the training set


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers(sets, found, evaluated_folder):
    """Once in memory and once by the command."""
    numbers = json.loads((evaluated_folder / "report.json").read_text("utf-8"))
    again = writer.numbers_of(sets, found, {})
    assert list(again["sets"]) == list(numbers["sets"])
    for part in ("distances", "tsne", "discriminator", "judges", "learned", "memorization",
                 "usefulness", "answers"):  # fmt: skip
        assert json.loads(json.dumps(again[part])) == numbers[part]


def test_a_model_of_other_pixels_is_refused():
    with pytest.raises(BadInputError, match=r"model judges pixels of 0\.6 mm"):
        realness.of_segments(narrow_model(pixel_spacing_mm=0.6), walls(2, 0))


@pytest.mark.parametrize("names", [["synthetic"], ["test"], ["train", "synthetic"]])
def test_of_single_segments_and_missing_sets_the_limitations_are_named(names):
    sets = evaluation_set.prepare_sets({name: four_sets()[name][:1] for name in names})

    found = evaluation.evaluate(sets)

    assert len(found.limitations) >= 4
    assert not found.findings_of(tsne.MEASURE)
    assert answer("Are they of use?", found).short == "Not known"
    assert answer("Are they like real ones?", found).short == "Not known"


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("names", [["synthetic"], ["train", "test", "synthetic"]])
def test_a_generator_that_collapsed_to_nothing_is_evaluated_too(names):
    nothing = np.zeros((COUNT, 128, 128))
    given = four_sets() | {"synthetic": segment_set.without_patient(nothing, nothing, range(COUNT))}
    sets = evaluation_set.prepare_sets({name: given[name] for name in names})

    found = evaluation.evaluate(sets)

    assert writer.numbers_of(sets, found, {})["answers"]
    assert any("Only 1 of the 30 segments of synthetic differ" in one
               for one in found.concerns)  # fmt: skip
    if "test" in names:
        assert found.findings_of(c2st.MEASURE)["synthetic"].accuracy.value > 0.95
        assert found.findings_of(prdc.MEASURE)["synthetic"].precision.value == 0
        assert any("0 synthetic segments" in one for one in found.limitations)
    else:
        assert any("segments that are all alike" in one for one in found.limitations)
