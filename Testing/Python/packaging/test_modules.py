"""What every module has."""

from __future__ import annotations

import pytest
from checkout import ROOT

PLACES = {"SkullGANLib": "lib", "SkullGANScene": "scene"}
"""Where the tests of each package lie, in Testing/Python."""
WITHOUT = ("__init__.py", "__main__.py")
"""Faces and the program's start: they hold nothing that has no test elsewhere."""
CONVENTIONS = ("k_plan", "k_wave", "marsac", "mcdannold", "pichardo", "tusnet")
"""Records of the acoustic conventions, whose values ``test_registry.py`` has."""


@pytest.mark.parametrize("package", PLACES)
def test_every_module_has_a_test_file_of_its_name(package):
    root, tests = ROOT / "SkullGAN" / package, ROOT / "Testing" / "Python" / PLACES[package]
    modules = [path.relative_to(root) for path in sorted(root.rglob("*.py"))]
    expected = [
        path.with_name(f"test_{path.name}")
        for path in modules
        if path.name not in WITHOUT and path.stem not in CONVENTIONS
    ]
    assert expected
    assert [path.as_posix() for path in expected if not (tests / path).is_file()] == []
