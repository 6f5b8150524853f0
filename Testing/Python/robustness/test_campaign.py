"""A part of the robustness campaign in every run: hostile files, kills and planted identities.

The whole of it: ``make fuzz N=10000``, ``make kill N=100``, ``Testing/Robustness/identities.py``.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest
from checkout import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="made for Linux")

_CAMPAIGN = ROOT / "Testing" / "Robustness"


@pytest.fixture
def robustness(monkeypatch):
    """The modules of the campaign, which lie beside the tests."""
    monkeypatch.syspath_prepend(str(_CAMPAIGN))
    return importlib.import_module


def _run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "SkullGAN")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(_CAMPAIGN / script), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_150_hostile_files_are_read_or_refused_with_a_sentence():
    done = _run("fuzz.py", "-n", 150, "--seed", 7)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "150 cases, 0 failed" in done.stdout


def test_eight_kills_lose_nothing_change_nothing_and_leave_nothing_behind():
    quick = ("generate", "generate as NRRD", "export .nrrd", "export .png-folder")
    chosen = [part for name in quick for part in ("--command", name)]
    done = _run("kill.py", "-n", 8, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 rounds, 0 failed" in done.stdout


def test_privacy_no_planted_identity_is_in_any_output(robustness, tmp_path):
    identities = robustness("identities")
    commands, found = identities.run(tmp_path, scene=False)
    assert found == []
    assert {"extract", "skull", "map", "export"} <= set(commands)


def test_privacy_a_planted_identity_would_be_found(robustness, tmp_path):
    import gzip
    import zipfile

    identities = robustness("identities")
    mark = identities.MARK
    with zipfile.ZipFile(tmp_path / "scene.mrb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.nrrd", b"NRRD0004\n\n" + gzip.compress(mark.encode() * 9))
    (tmp_path / f"{mark}.nii").write_bytes(b"")
    found = identities.found_in(tmp_path)
    assert len(found) == 2


def test_hostile_cases_of_the_campaign_follow_from_the_seed_alone(robustness):
    import random

    mutations = robustness("mutations")
    data = bytes(range(256)) * 20 + b'{"a": 1}'
    for number in range(200):
        twice = {mutations.mutated(data, random.Random(f"x {number}")) for _ in range(2)}
        assert len(twice) == 1


def test_every_robust_reader_of_the_campaign_reads_its_sound_file(robustness, tmp_path):
    readers = robustness("readers")
    for one in readers.READERS:
        if not one.name.startswith(("scene", "PyTorch")):  # read by the campaign itself
            folder = tmp_path / one.name.replace("/", "-")
            folder.mkdir()
            one.read(one.make(folder))
