"""A MRML scene where Slicer does not run: what the application sets up, from slicer-core."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import vtk


@dataclass(frozen=True, eq=False)
class Stage:
    """A scene with what must live as long as it does.

    Attributes:
        scene: the MRML scene.
        application_logic: what displayable managers and module logics refer to.
        kept: module logics and file handling that the scene needs and does not own.
    """

    scene: slicer.vtkMRMLScene
    application_logic: slicer.vtkMRMLApplicationLogic
    kept: tuple[Any, ...]


def inside_slicer() -> bool:
    """Tell whether this Python runs in the Slicer application (or a host that stands in for it)."""
    return getattr(slicer, "app", None) is not None


def application_scene() -> slicer.vtkMRMLScene:
    """Give the scene that scripts work on: ``slicer.mrmlScene``.

    In Slicer that is the application's. In plain Python the first call makes one, with slice
    orientations, color tables and segmentation conversions, and sets ``slicer.mrmlScene``, on
    which ``slicer.util`` relies.
    """
    if getattr(slicer, "mrmlScene", None) is None:
        slicer.mrmlScene = _own_application().scene
    return slicer.mrmlScene


def new_stage() -> Stage:
    """Make a scene of its own, apart from the application's."""
    # The temporary folder also stands in for the folder of color files, which the package
    # slicer-core does not bring.
    folder = tempfile.TemporaryDirectory(prefix="skullgan-scene-")
    (Path(folder.name) / "share" / "ColorFiles").mkdir(parents=True)
    # The mark by which MRML knows a folder as a cache that it may clean.
    (Path(folder.name) / ".slicer-cache").touch()

    application_logic = slicer.vtkSlicerApplicationLogic()
    application_logic.SetTemporaryPath(folder.name)
    application_logic.SetHomeDirectory(folder.name)
    application_logic.SetShareDirectory("share")

    # Bundles are packed and unpacked in the cache folder.
    remote_io = slicer.vtkMRMLRemoteIOLogic()
    remote_io.GetCacheManager().SetRemoteCacheDirectory(folder.name)
    data_io = slicer.vtkDataIOManagerLogic()
    data_io.SetMRMLApplicationLogic(application_logic)
    data_io.SetAndObserveDataIOManager(remote_io.GetDataIOManager())

    scene = slicer.vtkMRMLScene()
    scene.SetRootDirectory(folder.name)
    application_logic.SetMRMLScene(scene)
    application_logic.SetMRMLSceneDataIO(scene, remote_io, data_io)
    # Slice and view nodes look the presets up when they are made, so these come first.
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)

    logics = (slicer.vtkSlicerColorLogic(), slicer.vtkSlicerSegmentationsModuleLogic())
    for logic in logics:
        logic.SetMRMLApplicationLogic(application_logic)
        logic.SetMRMLScene(scene)
    return Stage(scene, application_logic, (*logics, remote_io, data_io, folder))


@functools.cache
def _own_application() -> Stage:
    # MRML has one application scene a process, as in Slicer: this is the one global of the package.
    # What VTK says goes to stderr: on Windows it would open a message box.
    vtk.vtkOutputWindow.GetInstance().SetDisplayModeToAlwaysStdErr()
    return new_stage()
