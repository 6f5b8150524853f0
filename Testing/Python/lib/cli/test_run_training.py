"""What train and pretrain have in common: of several processes, the first one prints."""

from __future__ import annotations

import sys

import pytest
from SkullGANLib.cli.run_training import print_once


@pytest.mark.parametrize(("rank", "printed"), [(None, "line\n"), ("0", "line\n"), ("1", "")])
def test_of_the_processes_of_torchrun_the_first_prints(rank, printed, monkeypatch, capsys):
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    print_once("line")
    print_once("line", sys.stderr)
    assert capsys.readouterr() == (printed, printed)
