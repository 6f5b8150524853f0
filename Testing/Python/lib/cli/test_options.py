"""What the commands have in common."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

import pytest
from SkullGANLib.cli import options
from SkullGANLib.errors import BadInputError, CancelledError


@pytest.fixture
def parser():
    """A program with one command that writes a file."""

    def count_up(given: argparse.Namespace) -> None:
        """Count up to a number.

        Not shown in the help.
        """

    program = options.Parser(prog="skullgan")
    commands = program.add_subparsers(required=True, parser_class=options.Parser)
    one = options.command(commands, count_up, "skullgan count-up -o numbers.h5")
    options.add_output(one, "where the numbers go")
    options.add_seed(one, "of the first")
    return program


def test_a_command_is_called_as_its_function_and_knows_it(parser):
    given = parser.parse_args(["count-up", "-o", "numbers.h5", "--seed", "7"])
    assert given.command.__name__ == "count_up"
    assert (given.output, given.seed, given.progress) == (Path("numbers.h5"), 7, "auto")
    assert not given.overwrite


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "the following arguments are required"),
        (("count-up", "-o", "a.h5", "--seed", "x"), "count-up: argument --seed: invalid int value"),
        (("count-up", "-o", "-5,2"), "as in --target=-5,2,3"),
    ],
)
def test_a_wrong_command_line_is_bad_input_with_one_sentence(parser, arguments, sentence):
    with pytest.raises(BadInputError) as caught:
        parser.parse_args(arguments)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("(--help shows an example).")
    assert not str(caught.value).startswith("skullgan")


def test_the_first_signal_is_noted_and_the_next_has_its_own_handler_again():
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with options.signals_noted() as event:
        assert not event.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert event.is_set()
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_who_counts_is_stopped_between_two_and_not_at_the_last(capsys):
    given = argparse.Namespace(n=4, output=Path("made.h5"), progress="lines")
    interrupted = threading.Event()
    with options.counted("Generating", given, interrupted) as show:
        show(1)
        interrupted.set()
        with pytest.raises(CancelledError, match=r"made.h5: stopped \(Generating: 3 of 4\)"):
            show(3)
        show(4)
    assert "progress 0.2500 Generating 1/4" in capsys.readouterr().err


def test_a_file_that_is_there_or_ends_otherwise_is_refused(tmp_path):
    given = argparse.Namespace(output=tmp_path / "made.h5", overwrite=False)
    options.refuse_to_overwrite(given)
    given.output.touch()
    with pytest.raises(BadInputError, match=r"made\.h5: is there already"):
        options.refuse_to_overwrite(given)
    options.refuse_to_overwrite(given, going_on=True)
    given.overwrite = True
    options.refuse_to_overwrite(given)
    given.output = tmp_path / "made.png"
    with pytest.raises(BadInputError, match=r"expected a name that ends in \.h5"):
        options.refuse_to_overwrite(given)


def test_a_setting_is_a_key_with_a_value_that_may_hold_an_equals_sign():
    assert options.setting("epochs=5") == ("epochs", "5")
    assert options.setting("note=a=b") == ("note", "a=b")
    for wrong in ("epochs", "=5"):
        with pytest.raises(BadInputError, match="expected KEY=VALUE"):
            options.setting(wrong)
