"""The example for k-Wave's Python, where that is there with its programs: nothing is fetched."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT
from SkullGANLib.acoustics import MediumSettings
from SkullGANLib.data import segment_set
from SkullGANLib.export import write
from SkullGANLib.export.acoustic import format_with
from walls import layered


def test_a_plane_wave_runs_through_exported_media_and_gives_a_finite_field(tmp_path):
    """A wall of 3.6 mm at 250 kHz on a coarse grid: about what the layered model lets pass."""
    spec = importlib.util.find_spec("kwave")
    if spec is None or spec.origin is None:
        pytest.skip("k-wave-python is not installed")
    if not list((Path(spec.origin).parent / "bin").rglob("kspaceFirstOrder*")):
        pytest.skip("k-wave-python would fetch its programs when it is imported")
    hu = layered((1000, 8))
    segments = segment_set.without_patient(hu, hu != 0, np.arange(1))
    settings = MediumSettings(medium="k-plan", frequency_khz=250.0)
    write(tmp_path / "media.h5", [segments], format_with(settings))
    command = [sys.executable, ROOT / "Docs" / "plane_wave_kwave.py", tmp_path / "media.h5"]
    ran = subprocess.run(
        [*command, "--cycles", "20", "--lossless"], capture_output=True, text=True, check=True
    )
    assert "finite: True" in ran.stdout
    passes = float(ran.stdout.split("pressure that passes: ")[1].split(" %")[0])
    assert passes == pytest.approx(90, abs=8)
