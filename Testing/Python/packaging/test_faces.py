"""The faces of packages: what they offer is there, and looking at one brings nothing heavy."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

HEAVY = ("torch", "SimpleITK", "h5py", "cv2", "sklearn", "matplotlib", "pydicom", "PIL")
FOLDER = ROOT / "SkullGAN"


def packages_of(*roots: str) -> list[str]:
    """Give the dotted names of packages and those below, found by their ``__init__.py``."""
    found = [path.parent for root in roots for path in (FOLDER / root).rglob("__init__.py")]
    return sorted(".".join(folder.relative_to(FOLDER).parts) for folder in found)


LIBRARY = packages_of("SkullGANLib")


def face_of(package: str) -> Path:
    return FOLDER.joinpath(*package.split("."), "__init__.py")


def homes_for_type_checkers(package: str) -> dict[str, str]:
    """Give what a face imports where ``TYPE_CHECKING`` holds: the module of each name."""
    tree = ast.parse(face_of(package).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [one for block in blocks for one in block.body if isinstance(one, ast.ImportFrom)]
    return {
        alias.asname or alias.name: f"{package}.{node.module}"
        for node in imports
        for alias in node.names
    }


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "Docs").glob("*.md"))]


def imports_in(document: Path) -> list[tuple[str, str]]:
    """Give what the Python examples of a document import from our packages."""
    blocks = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    nodes = [node for block in blocks for node in ast.walk(ast.parse(block))]
    return [
        (node.module, alias.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("SkullGANLib")
        for alias in node.names
    ]


def test_the_faces_of_all_packages_import_nothing_heavy():
    code = (
        "import importlib, sys\n"
        f"for package in {packages_of('SkullGANLib')!r}:\n"
        "    importlib.import_module(package)\n"
        f"    heavy = set({HEAVY!r}) & set(sys.modules)\n"
        "    assert not heavy, f'{package} brings {sorted(heavy)}'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", LIBRARY)
def test_what_faces_offer_is_what_their_homes_hold(package):
    face = importlib.import_module(package)
    for name in getattr(face, "__all__", ()):
        home = homes_for_type_checkers(package)[name]
        assert getattr(face, name) is getattr(importlib.import_module(home), name)


@pytest.mark.parametrize("package", LIBRARY)
def test_faces_name_to_type_checkers_what_they_offer(package):
    face = importlib.import_module(package)
    assert sorted(homes_for_type_checkers(package)) == sorted(getattr(face, "__all__", ()))


@pytest.mark.parametrize("package", packages_of("SkullGANLib", "SkullGANScene"))
def test_faces_offer_no_name_that_a_module_of_theirs_would_replace(package):
    face = importlib.import_module(package)
    entries = face_of(package).parent.iterdir()
    modules = {path.stem for path in entries if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(getattr(face, "__all__", ()))


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_faces_have_what_examples_in_documents_import(document):
    for module, name in imports_in(document):
        assert hasattr(importlib.import_module(module), name), f"from {module} import {name}"


def test_faces_have_what_the_readme_imports_and_it_does():
    assert imports_in(ROOT / "README.md")
