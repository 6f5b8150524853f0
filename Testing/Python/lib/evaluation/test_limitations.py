"""What an evaluation cannot say, and what makes it mean less than it seems to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples import bent_walls as walls
from examples import narrow_model
from SkullGANLib.data import segment_set
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.limitations import concerns, limitations
from SkullGANLib.evaluation.measures.measure import MODEL
from SkullGANLib.evaluation.measures.registry import MEASURES


def test_shared_subjects_identical_segments_and_wrong_kinds_are_concerns():
    train = walls(6, 0)
    test = segment_set.concatenate([train[:2], walls(4, 1)])
    sets = evaluation_set.prepare_sets({"train": train, "test": test, "synthetic": train[3:5]})

    text = " ".join(concerns(sets))

    assert "SHARE 2 SUBJECTS of 5" in text
    assert "2 of 6 SEGMENTS OF TEST ARE IDENTICAL" in text
    assert "2 of 2 SEGMENTS OF SYNTHETIC ARE IDENTICAL" in text
    assert "The synthetic set is of kind real" in text
    assert concerns(evaluation_set.prepare_sets({"train": train})) == []


def test_a_model_that_learned_from_subjects_of_the_test_set_is_a_concern():
    sets = evaluation_set.prepare_sets({"test": walls(6, 1)})
    shared = narrow_model(trained_on={"training_subjects": ["0-0", "1-1", "1-2"]})
    (sentence,) = concerns(sets, shared)
    assert "LEARNED FROM 2 OF THE 3 SUBJECTS OF THE TEST SET (4 of its 6 segments)" in sentence
    for trained_on in ({"training_subjects": ["0-0"]}, {"subjects": 3}):  # of before: a number
        assert concerns(sets, narrow_model(trained_on=trained_on)) == []


def test_real_sets_of_other_kernels_are_a_concern():
    train, test = walls(2, 0, source={"kernel": "BONE"}), walls(2, 1)
    sets = evaluation_set.prepare_sets({"train": train, "test": test})
    (sentence,) = concerns(sets)
    assert "kernels differ (training: BONE; test: not recorded)" in sentence


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["train", "test"], "There is no synthetic set"),
        (["test", "synthetic"], "There is no training set"),
        (["train", "synthetic"], "There is no test set: how near held-out segments"),
        (["train"], "others are compared with the training set"),
        (["synthetic"], "There is no real set"),
        (["synthetic"], "There is no control set"),
        (["test"], "The test set has 2 subjects"),
    ],
)
def test_what_is_missing_is_a_limitation(names, sentence):
    sets = evaluation_set.prepare_sets({name: walls(2, 0) for name in names})
    found = limitations(sets, has_model=True, measures=())
    assert any(sentence in one for one in found)


def test_a_judge_without_what_it_needs_is_named_unless_that_is_explained():
    sets = evaluation_set.prepare_sets({"test": walls(2, 0)})
    needy = replace(MEASURES["tsne"], title="Toy", needs=("train", MODEL))
    found = limitations(sets, has_model=False, measures=(*MEASURES.values(), needy))
    assert found[-1] == "Toy was left out: expected train and model, found test."
    assert sum("left out" in one for one in found) == 1
    assert found[0].startswith("No model was given")
