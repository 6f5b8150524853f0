"""Versions and devices for a report of a problem."""

from __future__ import annotations

import sys

import numpy as np
from SkullGANLib.cli import system


def test_versions_are_those_that_are_installed():
    found = system.versions()
    assert found["numpy"] == np.__version__
    assert set(system.PACKAGES) <= set(found)


def test_a_package_that_is_not_there_has_no_version():
    assert system.version_of("skullgan-lacks-this") == ""


def test_without_torch_the_devices_are_not_known_and_the_rest_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "SkullGANLib.training.memory_estimate", None)
    found = system.describe_system()
    assert found["Devices"].startswith("not known (")
    assert "Python" in found


def test_lines_are_names_and_values():
    assert system.format_lines({"Python": "3.12", "torch": "2.6"}) == "Python: 3.12\ntorch: 2.6"
