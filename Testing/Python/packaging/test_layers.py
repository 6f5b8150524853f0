"""The layers' arrows, held: who may import whom, and what importing the library costs."""

import subprocess
import sys

import pytest
from checkout import ROOT

HEAVY = ("torch", "SimpleITK", "h5py", "cv2", "sklearn", "matplotlib", "pydicom", "PIL", "tqdm")


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "SkullGAN", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_import_goes_down_the_layers():
    code = (
        "import sys\n"
        "from importlinter.cli import lint_imports\n"
        f"sys.exit(lint_imports(config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "SkullGAN", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 2 kept, 0 broken." in done.stdout


def test_an_import_against_the_arrows_would_be_found(tmp_path):
    """The contracts bite: a library that imports vtk breaks one."""
    package = tmp_path / "SkullGANLib"
    package.mkdir()
    (package / "__init__.py").write_text("import vtk\n")
    (tmp_path / "SkullGANScene").mkdir()
    (tmp_path / "SkullGANScene" / "__init__.py").write_text("")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from importlinter.cli import lint_imports\n"
        f"sys.exit(lint_imports(config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "The library is plain Python BROKEN" in done.stdout


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
        "networks.inception",
        "networks.model_file",
        "training.loop",
        "generation.from_seeds",
        "generation.artificial",
        "metrics.radiology",
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
