"""Sets of known answers, made of real cuts: what each judge must notice, and what none may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import bent_walls
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.measures.known_answers import MEASURE, KnownAnswers, known_answers
from SkullGANLib.evaluation.measures.known_answers_table import is_right
from SkullGANLib.extraction import single_ct

CHANGED = ("collapse", "brighter", "blurred_half", "blurred_one")
COPIED = ("moved", "turned", "changed")


@pytest.fixture(scope="module")
def found(shared_ct) -> KnownAnswers:
    """Of the shared bone-kernel CT's 114 cuts, 3.1 mm apart."""
    real = single_ct.extract(read_ct(shared_ct / "pcir_bone.dicom.zip")).segments
    return known_answers([real], seed=0, report_progress=lambda share: None)


@pytest.mark.slow
def test_the_known_answers_of_the_shared_ct_are_these(found):
    cases = found.cases
    assert found.segments == 38
    assert all(is_right(name, vars(one)) for name, one in cases.items())
    assert cases["genuine"].noticed == ()
    assert cases["genuine"].copies == 0
    for name in CHANGED:
        assert "classifier" in cases[name].noticed, name
        assert cases[name].copies == 0, name
    for name in COPIED:
        assert cases[name].planted == cases[name].copies_right == cases[name].copies == 6, name
    assert {"coverage", "metrics"} <= set(cases["collapse"].noticed)
    # 38 segments are too few for the metrics to be sure of 50 HU; the classifier is.
    assert cases["brighter"].worst_metric == "Mean intensity"
    assert 0.3 < cases["brighter"].ks < 0.45
    assert {"coverage", "kernel distance"} <= set(cases["blurred_half"].noticed)
    assert cases["blurred_one"].precision["value"] < 0.4


def test_too_few_real_segments_are_refused():
    with pytest.raises(BadInputError, match=r"35 real segments are too few .* expected 36 or more"):
        known_answers([bent_walls(35, 0)], report_progress=lambda share: None)


def test_known_answers_come_from_all_real_sets_and_say_how_far_they_are():
    sets, shares = [bent_walls(20, 0), bent_walls(22, 1)], []
    one = known_answers(sets, seed=3, report_progress=shares.append)
    assert shares == sorted(shares)
    assert one.segments == 14
    assert one.cases["moved"].planted == 6
    assert np.isfinite([case.ks for case in one.cases.values()]).all()
    check_sentences(one)


def check_sentences(one: KnownAnswers) -> None:
    """What was missed, and a false alarm, mean different things to a reader."""
    right = {name: replace(case, copies_right=case.planted) for name, case in one.cases.items()}
    right |= {name: replace(right[name], noticed=("classifier",)) for name in CHANGED}
    right["genuine"] = replace(right["genuine"], noticed=(), copies=0)
    alarm = {"genuine": replace(right["genuine"], noticed=("copies",), copies=2)}
    missed = {"brighter": replace(right["brighter"], noticed=())}
    said = {}
    for name, changed in (("right", {}), ("alarm", alarm), ("missed", missed)):
        found = KnownAnswers(one.segments, right | changed)
        said[name] = " ".join(MEASURE.describe(None, {"": found}).statements[0].reasons)
    assert "Not judged rightly" not in said["right"]
    assert "Where nothing was changed there was something to notice for copies" in said["alarm"]
    assert "goes unseen" not in said["alarm"]
    assert "What is like a set whose change was missed goes unseen" in said["missed"]
