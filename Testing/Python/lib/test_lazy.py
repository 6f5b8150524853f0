"""Light faces, of packages that are made for the test."""

from __future__ import annotations

import importlib
import sys

import pytest

FACE = """
from SkullGANLib.lazy import lazy_face

VERSION = 3
__getattr__, __dir__ = lazy_face(__name__, {"Heavy": "heavy", "weigh": "inner.scales"})
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with two modules, none of which is imported yet."""
    folder = tmp_path / "weights"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text(FACE)
    (folder / "heavy.py").write_text("class Heavy:\n    kilograms = 7\n")
    (folder / "inner" / "__init__.py").write_text("")
    (folder / "inner" / "scales.py").write_text("def weigh(one):\n    return one.kilograms\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("weights")
    for name in [name for name in sys.modules if name.partition(".")[0] == "weights"]:
        del sys.modules[name]


def test_a_module_is_imported_when_a_name_of_it_is_first_asked_for(package):
    assert not any(name.startswith("weights.") for name in sys.modules)
    assert package.Heavy.kilograms == 7
    assert "weights.heavy" in sys.modules
    assert "weights.inner.scales" not in sys.modules


def test_names_are_imported_from_a_face_as_from_any_package(package):
    from weights import Heavy, weigh

    assert weigh(Heavy) == 7
    assert Heavy.__module__ == "weights.heavy"


def test_a_name_that_was_asked_for_once_is_there(package):
    assert "Heavy" not in vars(package)
    assert package.Heavy is vars(package)["Heavy"]


def test_a_face_lists_what_it_has_and_what_it_offers(package):
    assert {"Heavy", "VERSION", "weigh"} <= set(dir(package))
    assert dir(package) == sorted(set(dir(package)))


def test_a_name_that_no_module_has_is_an_attribute_error_with_the_packages_name(package):
    assert not hasattr(package, "Light")
    with pytest.raises(AttributeError, match="module 'weights' has no attribute 'Light'"):
        package.Light  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Light'"):
        from weights import Light  # noqa: F401
