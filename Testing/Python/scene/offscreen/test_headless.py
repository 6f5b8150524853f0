"""The MRML scene that stands in where Slicer does not run."""

from __future__ import annotations

import subprocess
import sys

import slicer
from checkout import ROOT
from SkullGANScene.offscreen import headless


def test_the_application_scene_is_the_one_that_slicer_scripts_see():
    scene = headless.application_scene()
    assert scene is slicer.mrmlScene
    assert headless.application_scene() is scene


def test_a_new_stage_is_apart_from_the_application_scene():
    application = headless.application_scene()
    nodes_before = application.GetNumberOfNodes()
    stage = headless.new_stage()
    stage.scene.AddNewNodeByClass("vtkMRMLTableNode", "only here")
    assert application.GetNumberOfNodes() == nodes_before


def test_a_scene_that_is_already_there_is_left_as_it_is():
    program = (
        "import slicer; slicer.mrmlScene = slicer.vtkMRMLScene()\n"
        "from SkullGANScene.offscreen import headless\n"
        "before = slicer.mrmlScene.GetNumberOfNodes()\n"
        "assert headless.application_scene() is slicer.mrmlScene\n"
        "assert slicer.mrmlScene.GetNumberOfNodes() == before\n"
    )
    environment = {"PYTHONPATH": _library(), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_temporary_folder_goes_when_the_process_ends(tmp_path):
    program = (
        "from SkullGANScene.nodes import volumes\n"
        "from SkullGANScene.offscreen import headless\n"
        "import numpy as np\n"
        "from SkullGANLib.ct.volume import HeadCT\n"
        "ct = HeadCT(np.zeros((2, 2, 2), np.int16), np.eye(4))\n"
        "volumes.add_ct(headless.application_scene(), ct, 'CT')\n"
    )
    environment = {"PYTHONPATH": _library(), "TMPDIR": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def _library() -> str:
    return str(ROOT / "SkullGAN")
