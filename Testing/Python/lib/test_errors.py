"""The errors that a user can act on: each of a kind of its own, and its sentence."""

from __future__ import annotations

import pickle

import pytest
from SkullGANLib import errors
from SkullGANLib.cli.program import main
from SkullGANLib.errors import BadInputError, CancelledError, OutputError, SkullGANError

KINDS = (BadInputError, OutputError, CancelledError)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_ours_is_caught_as_one_and_is_its_sentence(kind):
    with pytest.raises(SkullGANError) as caught:
        raise kind("a.nrrd: holds 3 slices, expected at least 10.")
    assert str(caught.value) == "a.nrrd: holds 3 slices, expected at least 10."


def test_no_error_of_ours_is_another_kind_or_one_of_pythons():
    for kind in KINDS:
        assert not issubclass(kind, tuple(other for other in KINDS if other is not kind))
        assert not issubclass(kind, ValueError | OSError | RuntimeError)
    own = [one for one in vars(errors).values() if isinstance(one, type)]
    assert set(own) == {SkullGANError, *KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_whole_out_of_another_process(kind):
    again = pickle.loads(pickle.dumps(kind("a.h5: is there already.")))
    assert (type(again), str(again)) == (kind, "a.h5: is there already.")


def test_the_command_line_prints_the_sentence_alone_and_exits_with_1(capsys):
    assert main(["info", "gone.h5"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("skullgan: gone.h5: there is no such file")
    assert len(printed.err.splitlines()) == 1
