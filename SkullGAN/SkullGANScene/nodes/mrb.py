"""Scenes as MRB files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import slicer
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.utils.atomic_files import partial_beginning, written_aside

from . import bundle
from .vtk_errors import heard_errors

_LONGEST_STEM = 60


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
        tempfile.TemporaryDirectory(dir=temporary.parent, prefix=partial_beginning(path)) as folder,
        heard_errors() as errors,
    ):
        written = Path(folder) / "SkullGAN.mrb"
        saved = scene.WriteToMRB(str(written), None)
        if errors or not saved or not written.is_file():
            reason = f" ({errors[0]})" if errors else ""
            raise OutputError(f"{path}: the scene cannot be saved as MRB{reason}.")
        os.replace(written, temporary)


def open_bundle(scene: slicer.vtkMRMLScene, path: str | Path) -> None:
    """Replace what is in a scene by an MRB file.

    Raises:
        BadInputError: if the file does not exist, holds no scene or anything that leads out of it
            (see ``bundle.clean_copy``; the scene is untouched then), or if a part of it cannot be
            read.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, a scene (.mrb) is needed.")
    with tempfile.TemporaryDirectory(prefix="skullgan-scene-") as folder, heard_errors() as errors:
        copy = Path(folder) / f"{path.stem[:_LONGEST_STEM]}.mrb"
        bundle.clean_copy(path, copy)
        opened = scene.ReadFromMRB(str(copy), True)
        # The copy is gone in a moment: what is saved beside the scene belongs beside the bundle.
        scene.SetURL(str(path.absolute().with_suffix(".mrml")))
        scene.SetRootDirectory(str(path.absolute().parent))
    if errors or not opened:
        reason = f" ({errors[0]})" if errors else ""
        raise BadInputError(f"{path}: the scene cannot be read whole{reason}.")
