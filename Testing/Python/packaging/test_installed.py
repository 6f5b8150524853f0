"""The extension as Slicer installs it: configured, installed, and run from there in the host."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import qt_needed  # noqa: F401
from checkout import ROOT
from SkullGANLib.utils import resources
from SkullGANLib.utils.atomic_files import sha256

pytestmark = pytest.mark.skipif(
    not (shutil.which("cmake") and shutil.which("cc")), reason="cmake and a compiler are needed"
)

HERE = Path(__file__).resolve().parent
MODULES = ("SkullGAN", "SkullGANTrain", "SkullGANEvaluate")
SCRIPTS = (
    "build_scene",
    "evaluate_to_scene",
    "extract_from_scene",
    "generate_to_scene",
    "map_scene",
)


def done(*command: object, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which must be a good one."""
    ended = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **settings
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The build folder, by macros that stand for Slicer's."""
    folder = tmp_path_factory.mktemp("build")
    forced = [f"-DCMAKE_{language}_COMPILER_FORCED=1" for language in ("C", "CXX")]
    said = done("cmake", "-S", ROOT, "-B", folder, f"-DSlicer_DIR={HERE / 'stub_slicer'}", *forced)
    built = re.findall(r"Configuring Scripted module: (\w+)", said.stdout)
    assert built == list(MODULES)
    return folder


@pytest.fixture(scope="module")
def modules(built, tmp_path_factory) -> Path:
    """The folder of modules of the installed extension, somewhere with a blank in its name."""
    folder = tmp_path_factory.mktemp("Slicer 5.12")
    done("cmake", "--install", built, "--prefix", folder)
    return folder / "lib" / "Slicer-5.12" / "qt-scripted-modules"


def environment(modules: Path, *more: Path) -> dict[str, str]:
    """Python with the installed modules, and nothing of the checkout but its host."""
    path = os.pathsep.join(map(str, (*more, modules, ROOT / "Testing")))
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def in_host(modules: Path, program: str, *more: Path) -> str:
    """Run a program in the host, on the installed modules; gives what it printed."""
    begun = f"from pathlib import Path\nfrom SlicerHost.host import Host\nMODULES = {MODULES!r}\n"
    return done(
        sys.executable,
        "-c",
        f"{begun}ROOM = Path({str(modules)!r})\n{program}",
        env=environment(modules, *more),
        cwd=modules.anchor,
    ).stdout


def test_ctest_runs_every_script_and_skips_what_lacks_packages(built):
    listed = json.loads(done("ctest", "--show-only=json-v1", cwd=built).stdout)["tests"]
    properties = {
        test["name"]: {one["name"]: one["value"] for one in test["properties"]} for test in listed
    }
    unit_tests = {f"py_{name}" for name in (*MODULES, "test_skullgan_installation",
                                            "test_skullgan_panels")}  # fmt: skip
    scripts = {f"py_SkullGAN_{name}_run_script" for name in ("generate", *SCRIPTS)}
    assert set(properties) == unit_tests | scripts
    assert all(properties[name]["SKIP_RETURN_CODE"] == 77 for name in scripts)
    commands = [test["command"] for test in listed if test["name"] in scripts]
    assert all("--overwrite" in command for command in commands)  # so that there is a second run


def test_what_comes_along_is_installed_as_it_is(modules):
    brought = modules / "Resources" / "SampleData" / "SampleHeadCT.nrrd"
    assert sha256(brought) == sha256(resources.sample_ct())
    assert not list(modules.rglob("__pycache__"))
    assert {path.name for path in modules.glob("*.py")} == {f"{name}.py" for name in MODULES}


def test_the_panels_open_from_the_installed_extension(modules):
    program = """
import slicer
with Host() as host:
    for name in MODULES:
        panel = host.open_module(ROOM / f"{name}.py")
        description = getattr(slicer.modules, name.lower())
        page = description.helpText.partition('<a href="file://')[2].partition('"')[0]
        assert page.replace("%20", " ").startswith(str(ROOM / "Docs")), description.helpText
        assert Path(page.replace("%20", " ")).is_file()
    import SkullGAN, SkullGANLib, SkullGANGui, SkullGANTrainLib, SkullGANEvaluateLib
    for module in (SkullGAN, SkullGANLib, SkullGANGui, SkullGANTrainLib, SkullGANEvaluateLib):
        assert ROOM in Path(module.__file__).parents, module
    from SkullGANLib.utils import resources
    assert ROOM in resources.bundled_model().parents
    slicer.app.startupCompleted.emit()
    [ct] = SkullGAN.loadSampleData()
    print(ct.GetName())
"""
    assert in_host(modules, program).strip() == "SkullGANHeadCT"


def test_the_command_line_runs_from_the_installed_extension(modules, tmp_path):
    """As the command that *Copy command* gives: by the module, whatever the folder."""
    said = done(
        sys.executable,
        "-c",
        "import runpy, sys, SkullGANLib\n"
        "print(SkullGANLib.__file__)\n"
        "sys.argv[1:] = ['--version']\n"
        "runpy.run_module('SkullGANLib', run_name='__main__', alter_sys=True)",
        env=environment(modules),
        cwd=tmp_path,
    )
    place, version = said.stdout.splitlines()
    assert modules in Path(place).parents
    assert version.startswith("skullgan ")


def test_every_script_starts_from_the_installed_extension(modules):
    """They find the libraries beside their folder by themselves."""
    begun = f"from pathlib import Path\nROOM = Path({str(modules)!r})\nSCRIPTS = {SCRIPTS!r}\n"
    program = """
import runpy, sys
for name in SCRIPTS:
    sys.argv = [name, "--help"]
    try:
        runpy.run_path(str(ROOM / "Scripts" / f"{name}.py"), run_name="__main__")
    except SystemExit as ended:
        assert not ended.code
    assert ROOM in Path(sys.modules["SkullGANLib"].__file__).parents
"""
    said = done(
        sys.executable,
        "-c",
        begun + program,
        env={**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=modules.anchor,
    )
    assert said.stdout.count("usage: ") == len(SCRIPTS)


def test_a_slicer_without_packages_passes_or_skips_its_tests(modules):
    """As on the machines that build extensions: no torch, no h5py, and nobody to agree."""
    program = """
import sys, unittest
sys.path.insert(0, TESTS)
with Host(launcher=True) as host:
    for name in MODULES:
        host.load_module(ROOM / f"{name}.py")
    import slicer, run_script
    for name in MODULES:
        slicer.selfTests[name](msec=1)
    for name in (*MODULES, "test_skullgan_installation", "test_skullgan_panels"):
        result = unittest.TestResult()
        unittest.TestLoader().loadTestsFromName(name).run(result)
        assert result.testsRun, name
        assert result.wasSuccessful(), result.errors + result.failures
        print(name, len(result.skipped))
    print(run_script.main(["--", "generate"]), run_script.main(["--", "evaluate_to_scene.py"]))
    host.take_messages()
"""
    tests = f"TESTS = {str(ROOT / 'Testing' / 'Slicer')!r}\n"
    said = in_host(modules, tests + program, HERE / "hide_packages").splitlines()
    assert [line for line in said if not line.startswith("skipped: ")] == [
        "SkullGAN 1",
        "SkullGANTrain 0",
        "SkullGANEvaluate 1",
        "test_skullgan_installation 0",
        "test_skullgan_panels 1",
        "77 77",
    ]
