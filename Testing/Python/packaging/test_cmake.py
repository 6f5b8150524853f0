"""The CMake lists: what is not in them is not packaged."""

from __future__ import annotations

import re

import pytest
from checkout import ROOT
from PIL import Image
from SkullGANLib.anatomy import head_template
from SkullGANLib.utils import resources
from SkullGANLib.utils.atomic_files import sha256

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
    patterns = ("Resources/**/*", "templates/*", "py.typed")
    expected = [file for pattern in patterns for file in files(module, pattern)]
    assert sorted(listed(module, "MODULE_PYTHON_RESOURCES")) == sorted(expected)


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


def test_the_sample_ct_the_model_and_the_template_are_packaged():
    packaged = [ROOT / "Resources" / name for name in listed("SkullGAN", "COMES_ALONG")]
    assert all(path.is_file() for path in packaged)
    needed = {resources.sample_ct(), resources.bundled_model(), resources.find(head_template.NAME)}
    assert needed <= set(packaged)


def test_the_sample_ct_is_registered_with_the_sum_of_its_bytes():
    text = (ROOT / "SkullGAN" / "SkullGAN.py").read_text()
    [registered] = re.findall(r'checksums="SHA256:(\w+)"', text)
    assert registered == sha256(resources.sample_ct())


@pytest.mark.parametrize(
    "icon",
    [
        "Resources/SkullGAN.png",
        *(f"{module}/Resources/Icons/{module}.png" for module in MODULES),
    ],
)
def test_icons_are_of_the_size_that_slicer_shows(icon):
    with Image.open(ROOT / icon) as image:
        assert (image.format, image.size, image.mode) == ("PNG", (128, 128), "RGBA")


def test_every_headless_script_is_installed_by_pip():
    text = (ROOT / "pyproject.toml").read_text()
    [content] = re.findall(r'"share/skullgan/Scripts" = \[\n(.*?)\]', text, flags=re.DOTALL)
    installed = re.findall(r'"SkullGAN/(.*)"', content)
    assert sorted(installed) == files("SkullGAN", "Scripts/*.py")


def test_what_is_tested_inside_slicer_is_listed_and_there():
    folder = ROOT / "Testing" / "Slicer"
    text = (folder / "CMakeLists.txt").read_text()
    [content] = re.findall(r"set\(UNIT_TESTS\n(.*?)\n\)", text, flags=re.DOTALL)
    assert content.split() == sorted(path.name for path in folder.glob("test_*.py"))
    run = set(re.findall(r"(?:\}|Scripts)/(\w+\.py)", text))
    assert run == {path.name for path in ROOT.glob("SkullGAN*/Scripts/*.py")}


def test_every_walk_is_walked_and_there():
    folder = ROOT / "Testing" / "Slicer"
    text = (folder / "self_test.py").read_text()
    [content] = re.findall(r"^WALKS = \{\n(.*?)^\}", text, flags=re.DOTALL | re.MULTILINE)
    walks = dict(re.findall(r'"(\w+)": "(\w+)"', content))
    assert set(walks) <= set(MODULES)
    assert sorted(walks.values()) == sorted(path.stem for path in folder.glob("walk_*.py"))


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
