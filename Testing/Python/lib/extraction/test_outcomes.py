"""What became of CTs: cut, refused, or stumbled over."""

from dataclasses import replace

import numpy as np
import pytest
from numbered_sets import make_set
from SkullGANLib.errors import BadInputError, CancelledError
from SkullGANLib.extraction import outcomes
from SkullGANLib.extraction.batch_table import DONE, FAILED, Row
from SkullGANLib.utils.task import Task

NO_VAULT = "The CT shows no cranial vault."


def of_one_ct(name="subject-1"):
    """Three segments of one CT, from which two cuts were dropped."""
    found = replace(make_set(3), ct=np.full(3, name), subject=np.full(3, "A"))
    return replace(found, source={"cts": {name: {"dropped": {"metal": 2}}}})


def test_what_was_cut_is_counted_with_what_was_dropped():
    with outcomes.noted(Row("head.nrrd")) as outcome:
        outcome.segments = of_one_ct()
    assert (outcome.row.state, outcome.row.segments, outcome.row.subject) == (DONE, 3, "A")
    assert outcome.row.sentence == "head.nrrd: 3 segments (dropped: 2 metal)"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BadInputError(NO_VAULT), f"head.nrrd: {NO_VAULT}"),
        (BadInputError("head.nrrd: cannot be read."), "head.nrrd: cannot be read."),
        (MemoryError("of 9 GB"), "head.nrrd: MemoryError: of 9 GB"),
    ],
)
def test_an_error_is_a_sentence_that_names_the_ct(error, sentence):
    with outcomes.noted(Row("head.nrrd")) as outcome:
        raise error
    assert (outcome.row.state, outcome.row.sentence) == (FAILED, sentence)
    assert outcome.segments is None


def test_a_cancellation_is_no_failure_of_the_ct():
    with pytest.raises(CancelledError), outcomes.noted(Row("head.nrrd")):
        raise CancelledError("It was stopped.")


def test_one_ct_that_fails_does_not_stop_the_others():
    def cut(error=None):
        yield 0.5
        if error:
            raise error
        return of_one_ct()

    named = [("one", None), ("two", BadInputError(NO_VAULT)), ("three", None)]
    heard = []
    work = outcomes.cut_each([(Row(name), cut(error)) for name, error in named], heard.append)
    task = Task("Cutting", work)
    assert task.wait(10) == "finished"
    assert [row.state for row in task.result] == [DONE, FAILED, DONE]
    assert [outcome.row for outcome in heard] == task.result
    assert [len(outcome.segments or ()) for outcome in heard] == [3, 0, 3]


def test_shares_run_through_all_cts():
    def cut():
        yield 0.5
        return of_one_ct()

    work = outcomes.cut_each([(Row("one"), cut()), (Row("two"), cut())])
    assert list(work) == [0.25, 0.75]


def test_those_that_failed_are_counted_and_a_single_one_says_why():
    good, bad = Row("one", state=DONE), Row("two").failed(f"two: {NO_VAULT}")
    outcomes.raise_for_failed([good, good], "set.h5")
    with pytest.raises(BadInputError, match=r"^1 of 2 CTs failed, set\.csv says why\.$"):
        outcomes.raise_for_failed([good, bad], "set.h5")
    with pytest.raises(BadInputError, match=f"^two: {NO_VAULT}$"):
        outcomes.raise_for_failed([bad], "set.h5")
