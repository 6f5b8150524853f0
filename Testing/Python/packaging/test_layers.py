"""The layers' arrows, held: who may import whom, and what importing the library costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

HEAVY = ("torch", "SimpleITK", "h5py", "cv2", "sklearn", "matplotlib", "pydicom", "PIL", "tqdm")
PACKAGES = {
    "SkullGANLib": ROOT / "SkullGAN",
    "SkullGANScene": ROOT / "SkullGAN",
    "SkullGANGui": ROOT / "SkullGAN",
    "SkullGANTrainLib": ROOT / "SkullGANTrain",
    "SkullGANEvaluateLib": ROOT / "SkullGANEvaluate",
}
"""Where each package lies whose imports are looked at."""
MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "SkullGAN", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def lint_imports(*folders: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml on the packages in these folders."""
    code = (
        f"import sys; sys.path[:0] = {[str(folder) for folder in folders]!r}\n"
        "from importlinter.cli import lint_imports\n"
        f"sys.exit(lint_imports(config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folders[0], capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def empty_copy(tmp_path_factory) -> Path:
    """Every module of every package, with nothing in it."""
    copy = tmp_path_factory.mktemp("layers")
    for package, folder in PACKAGES.items():
        for path in (folder / package).rglob("*.py"):
            empty = copy / path.relative_to(folder)
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.write_text("")
    return copy


def imported_by(module: str) -> set[str]:
    """Give the names at the top of what a module's file imports, wherever it does."""
    tree = ast.parse((ROOT / module / f"{module}.py").read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return {name.partition(".")[0] for name in names}


def test_every_import_goes_down_the_layers():
    done = lint_imports(*dict.fromkeys(PACKAGES.values()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 7 kept, 0 broken." in done.stdout


@pytest.mark.parametrize("module", MODULES)
def test_the_file_of_a_module_imports_no_other_module_nor_its_lib(module):
    others = {name for other in MODULES if other != module for name in (other, f"{other}Lib")}
    assert not imported_by(module) & (others - {"SkullGANLib"})


def test_the_layers_hold_where_nothing_is_imported(empty_copy):
    """So that what breaks them below is the import that is planted there."""
    assert lint_imports(empty_copy).returncode == 0


@pytest.mark.parametrize(
    ("contract", "importer", "imported"),
    [
        ("Library, scene, gui, modules", "SkullGANLib/utils/task.py", "SkullGANScene.nodes.mrb"),
        ("Library, scene, gui, modules", "SkullGANScene/nodes/mrb.py", "SkullGANGui.packages"),
        ("Library, scene, gui, modules", "SkullGANGui/packages.py", "SkullGANTrainLib.logic"),
        (
            "Library, scene, gui, modules",
            "SkullGANTrainLib/logic.py",
            "SkullGANEvaluateLib.logic",
        ),
        ("The library's packages", "SkullGANLib/errors.py", "SkullGANLib.utils.task"),
        ("The library's packages", "SkullGANLib/ct/volume.py", "SkullGANLib.data.segment_set"),
        ("The library's packages", "SkullGANLib/data/segment_set.py", "SkullGANLib.metrics"),
        ("The library's packages", "SkullGANLib/networks/dcgan.py", "SkullGANLib.training"),
        ("The library's packages", "SkullGANLib/mapping/vtp.py", "SkullGANLib.export"),
        ("The library's packages", "SkullGANLib/training/loop.py", "SkullGANLib.evaluation"),
        ("The library's packages", "SkullGANLib/evaluation/evaluation.py", "SkullGANLib.cli"),
        ("The scene's packages", "SkullGANScene/nodes/mrb.py", "SkullGANScene.jobs"),
        ("The scene's packages", "SkullGANScene/jobs/steps.py", "SkullGANScene.views"),
        ("The scene's packages", "SkullGANScene/offscreen/headless.py", "SkullGANScene.scripting"),
        ("Panels", "SkullGANGui/panel_widget.py", "SkullGANGui.sections.section"),
        ("The library is plain Python", "SkullGANLib/utils/task.py", "vtk"),
        ("The scene knows no widgets", "SkullGANScene/nodes/mrb.py", "PySide6"),
        ("Nothing imports a module's widget", "SkullGANGui/packages.py", "SkullGANTrain"),
    ],
)
def test_an_import_against_the_layers_bites(empty_copy, contract, importer, imported):
    planted = empty_copy / importer
    assert planted.is_file()
    planted.write_text(f"import {imported}\n")
    try:
        done = lint_imports(empty_copy)
    finally:
        planted.write_text("")
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if line.endswith(" BROKEN")]
    assert len(broken) == 1
    assert broken[0].startswith(contract)


def test_a_package_without_a_place_in_the_layers_is_found(empty_copy):
    stray = empty_copy / "SkullGANLib" / "stray"
    stray.mkdir()
    (stray / "__init__.py").write_text("")
    try:
        done = lint_imports(empty_copy)
    finally:
        (stray / "__init__.py").unlink()
        stray.rmdir()
    assert done.returncode == 1
    assert "SkullGANLib.stray" in done.stdout


@pytest.mark.parametrize(
    "module",
    [
        "SkullGANLib",
        "SkullGANLib.data.segment_set",
        "SkullGANLib.training.run_directory",
        "SkullGANLib.cli",
        "SkullGANLib.evaluation.report.reader",
        "SkullGANLib.mapping.calvaria_map",
        "SkullGANLib.mapping.transducer",
        "SkullGANLib.mapping.vtp",
        "SkullGANLib.mapping.head_maps",
    ],
)
def test_importing_the_library_imports_nothing_heavy(module):
    loaded = run_python(f"import sys, {module}; print(*sys.modules)").split()
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize(
    "module",
    [
        "networks.dcgan",
        "networks.model_file",
        "training.loop",
        "generation.from_seeds",
        "generation.artificial",
        "metrics.measurement",
        "data.segment_set",
        "evaluation.report.writer",
    ],
)
def test_training_generation_and_evaluation_need_neither_simpleitk_nor_slicer(module):
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('SimpleITK', 'slicer', 'vtk', 'pydicom'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"import SkullGANLib.{module}; print('imported')"
    )
    assert run_python(code) == "imported"
