"""The CMake lists: what is not in them is not packaged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from SkullGANLib import resources

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")


def listed(module: str, name: str) -> list[str]:
    text = (ROOT / module / "CMakeLists.txt").read_text()
    [content] = re.findall(rf"set\({name}\n(.*?)\n\)", text, flags=re.DOTALL)
    return [line.strip().replace("${MODULE_NAME}", module) for line in content.splitlines()]


def files(module: str, pattern: str) -> list[str]:
    root = ROOT / module
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob(pattern)
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
    )


@pytest.mark.parametrize("module", MODULES)
def test_every_python_file_of_a_module_is_packaged(module):
    assert sorted(listed(module, "MODULE_PYTHON_SCRIPTS")) == files(module, "*.py")


@pytest.mark.parametrize("module", MODULES)
def test_every_resource_of_a_module_is_packaged(module):
    assert sorted(listed(module, "MODULE_PYTHON_RESOURCES")) == files(module, "Resources/**/*")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_the_files_that_slicer_looks_for(module):
    for name in (f"{module}.py", f"Resources/UI/{module}.ui", f"Resources/Icons/{module}.png"):
        assert (ROOT / module / name).is_file()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_built_and_tested_as_slicer_does(module):
    text = (ROOT / module / "CMakeLists.txt").read_text()
    assert f"set(MODULE_NAME {module})" in text
    assert "slicerMacroBuildScriptedModule(" in text
    assert "WITH_GENERIC_TESTS" in text
    assert "slicer_add_python_unittest(SCRIPT ${MODULE_NAME}.py)" in text


def test_the_sample_ct_and_the_model_are_packaged():
    packaged = [ROOT / "Resources" / name for name in listed("SkullGAN", "COMES_ALONG")]
    assert all(path.is_file() for path in packaged)
    assert {resources.sample_ct(), resources.box_model()} <= set(packaged)


def test_the_extension_says_what_the_index_asks():
    text = (ROOT / "CMakeLists.txt").read_text()
    assert "project(SkullGAN)" in text
    for field in [
        "HOMEPAGE",
        "CATEGORY",
        "CONTRIBUTORS",
        "DESCRIPTION",
        "ICONURL",
        "SCREENSHOTURLS",
    ]:
        assert re.search(rf"^set\(EXTENSION_{field} ", text, flags=re.MULTILINE), field
    assert 'set(EXTENSION_DEPENDS "PyTorch")' in text
    for module in MODULES:
        assert f"add_subdirectory({module})" in text
    assert text.index("find_package(Slicer REQUIRED)") < text.index("add_subdirectory(")
    assert text.rstrip().endswith("include(${Slicer_EXTENSION_CPACK})")
