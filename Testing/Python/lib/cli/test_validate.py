"""The command validate: sound files pass, and what is damaged is named."""

import json
import shutil

from checkout import ROOT
from commands import in_this_process

_OLDER = ROOT / "Testing" / "Python" / "older_files"


def test_sound_files_of_every_kind_are_validated(capsys):
    names = ("training.h5", "run/model.safetensors", "run", "map.vtp", "map.json")
    assert in_this_process("validate", *(_OLDER / name for name in names)) == 0
    assert capsys.readouterr().out.count(": sound, ") == len(names)


def test_a_damaged_file_is_named_and_the_others_are_still_looked_at(tmp_path, capsys):
    shutil.copy(_OLDER / "map.vtp", tmp_path)
    (tmp_path / "half.vtp").write_bytes((_OLDER / "map.vtp").read_bytes()[:50_000])
    assert in_this_process("validate", tmp_path / "half.vtp", tmp_path / "map.vtp") == 1
    said = capsys.readouterr()
    assert "map.vtp: sound" in said.out
    assert "half.vtp: cannot be read as a map" in said.err
    assert "1 of 2 are not sound" in said.err


def test_info_gives_json_lists_folders_and_is_silent_if_asked(tmp_path, capsys):
    assert in_this_process("info", "--json", _OLDER / "training.h5") == 0
    [found] = json.loads(capsys.readouterr().out).values()
    assert "segments, real" in found["segment set"]
    assert in_this_process("info", _OLDER) == 0
    assert "training.h5" in capsys.readouterr().out
    assert in_this_process("info", "--quiet", _OLDER / "training.h5") == 0
    assert capsys.readouterr().out == ""
