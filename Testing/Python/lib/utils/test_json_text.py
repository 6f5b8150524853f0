"""JSON from anywhere: what can be used, or a sentence."""

from __future__ import annotations

import os

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils.json_text import parse_json, read_bytes, read_json


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 500 + "1" + "}" * 500, "nested too deeply"),
        ("9" * 5000, "beyond 64 bits"),
        ("18446744073709551616", "beyond 64 bits"),
        ("1e999", "beyond 64 bits"),
        ("{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_hostile_json_is_a_sentence(text, said):
    with pytest.raises(BadInputError, match=said):
        parse_json(text, "here")


def test_numbers_that_are_none_are_refused_where_they_are_not_wanted():
    assert parse_json("[NaN]", "here")[0] != 0
    with pytest.raises(BadInputError, match="NaN is no number"):
        parse_json("[NaN]", "here", finite=True)


def test_a_file_of_more_bytes_than_expected_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1, 2, 3]")
    assert read_json(path, most_bytes=9) == [1, 2, 3]
    with pytest.raises(BadInputError, match="is larger than"):
        read_json(path, most_bytes=8)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system knows no pipes")
def test_hostile_pipes_devices_and_links_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("pipe", "round", "zeros", "gone", "."):
        with pytest.raises(BadInputError, match=r"no regular file|cannot be read"):
            read_bytes(tmp_path / name, "a status")
