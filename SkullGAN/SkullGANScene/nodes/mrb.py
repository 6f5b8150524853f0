"""Scenes as MRB files."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

import slicer
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.utils.atomic_files import written_aside

from .vtk_errors import heard_errors


def save(scene: slicer.vtkMRMLScene, path: str | Path) -> None:
    """Save a scene as an MRB file, aside and renamed.

    Raises:
        OutputError: if the file cannot be written; what it held before is untouched.
    """
    path = Path(path)
    # MRML names the folder in the bundle after the file, and a name beginning with a dot hides it:
    # the bundle is written under a plain name of its own.
    with (
        written_aside(path) as temporary,
        tempfile.TemporaryDirectory(dir=temporary.parent, prefix=".partial-") as folder,
        heard_errors() as errors,
    ):
        bundle = Path(folder) / "SkullGAN.mrb"
        saved = scene.WriteToMRB(str(bundle), None)
        if errors or not saved or not bundle.is_file():
            reason = f" ({errors[0]})" if errors else ""
            raise OutputError(f"{path}: the scene cannot be saved as MRB{reason}.")
        os.replace(bundle, temporary)


def open_bundle(scene: slicer.vtkMRMLScene, path: str | Path) -> None:
    """Replace what is in a scene by an MRB file.

    Raises:
        BadInputError: if the file does not exist or holds no scene (the scene is untouched then),
            or if a part of it cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, a scene (.mrb) is needed.")
    _check_bundle(path)
    with heard_errors() as errors:
        # MRML would look for a relative path beside the scene that is open.
        opened = scene.ReadFromMRB(str(path.absolute()), True)
    if errors or not opened:
        reason = f" ({errors[0]})" if errors else ""
        raise BadInputError(f"{path}: the scene cannot be read whole{reason}.")


def _check_bundle(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            damaged = bundle.testzip()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError) as error:
        raise BadInputError(
            f"{path}: cannot be read as a scene (.mrb); the file is damaged or something else."
        ) from error
    if damaged:
        raise BadInputError(f"{path}: the scene is damaged at {damaged}, a whole one is needed.")
    if not any(name.endswith(".mrml") for name in names):
        raise BadInputError(f"{path}: is a zip file without a scene (.mrml), a .mrb is needed.")
