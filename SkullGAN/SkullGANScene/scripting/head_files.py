"""Head CTs of files, folders and scenes, each as a file that a child process can cut."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import slicer
from SkullGANLib.ct.volume import IMAGES, HeadCT, pseudonym
from SkullGANLib.errors import BadInputError

from ..jobs import steps
from ..nodes import mrb, segmentations, volumes

SCENE = ".mrb"
"""How the name of a scene's file ends."""


@dataclass(frozen=True)
class HeadFile:
    """A head CT on disk.

    Attributes:
        name: what people know it by: a path, or a scene and the name of a node.
        path: as for ``SkullGANLib.ct.volume.read_ct``.
        skull_mask: of its skull, on its grid; None to let it be found.
        problem: why it could not be brought to disk; empty if it could.
    """

    name: str
    path: Path
    skull_mask: Path | None = None
    problem: str = ""


def of_paths(scene: slicer.vtkMRMLScene, paths: Sequence[Path], folder: Path) -> list[HeadFile]:
    """Find the CTs that paths stand for, each once, in the order of the paths.

    Args:
        scene: where scenes are opened, one after the other; what was in it is gone then.
        paths: files, folders (``files_in``) and scenes.
        folder: for the CTs of scenes.

    Raises:
        BadInputError: if a scene cannot be opened or holds no CT.
    """
    found: dict[str, HeadFile] = {}
    for number, path in enumerate(paths):
        if path.suffix.lower() == SCENE:
            mrb.open_bundle(scene, path)
            room = folder / str(number)
            room.mkdir()
            own = of_scene(scene, room, f"{path}: ")
        else:
            own = [HeadFile(str(file), file) for file in files_in(path)]
        found |= {head.name: head for head in own}
    return list(found.values())


def of_scene(
    scene: slicer.vtkMRMLScene, folder: Path, prefix: str = "The scene: "
) -> list[HeadFile]:
    """Write the CTs of a scene as files, where their linear transforms put them.

    A skull that is in the scene comes along (``segmentations.skull_for``), so that cuts follow what
    was edited in it. Nodes of the same name are told apart by a number.

    Args:
        scene: the scene.
        folder: empty.
        prefix: of the names.

    Raises:
        BadInputError: if there is no CT in the scene.
        OutputError: if there is no room for them.
    """
    nodes = volumes.cts_in(scene)
    if not nodes:
        raise BadInputError(f"{prefix}there is no CT in it, expected at least one.")
    found: dict[str, HeadFile] = {}
    for number, node in enumerate(nodes):
        name = f"{prefix}{node.GetName()}"
        if name in found:
            name = f"{name} ({number + 1})"
        found[name] = _written(node, name, folder / f"{number}.nrrd")
    return list(found.values())


def node_name(ct: HeadCT, path: Path, keep: bool) -> str:
    """Name the node of a CT: by its pseudonym, since files are often called after their patients.

    Args:
        ct: the CT.
        path: its file or folder.
        keep: whether the name of the file is to be kept.
    """
    return path.name.split(".")[0] or "CT" if keep else pseudonym(ct)


def add_keep_names(parser: argparse.ArgumentParser) -> None:
    """Add the option that ``node_name`` asks for."""
    parser.add_argument(
        "--keep-names",
        action="store_true",
        help="call CTs in the scene as their files are called, names of patients included (a "
        "pseudonym, a hash of the voxels)",
    )


def files_in(path: Path) -> list[Path]:
    """Give the CTs that a path stands for.

    Of a folder these are its images and zips, in the order of their names; without any, its
    subfolders, if there are several and no DICOM file lies beside them. Anything else, a folder of
    DICOM files for instance, is itself one CT.

    Raises:
        BadInputError: if a folder is empty.
    """
    if not path.is_dir():
        return [path]
    inside = sorted(one for one in path.iterdir() if not one.name.startswith("."))
    images = [one for one in inside if one.name.lower().endswith((*IMAGES, ".zip"))]
    if images:
        return images
    folders = [one for one in inside if one.is_dir()]
    files = [one for one in inside if one.is_file()]
    if len(folders) > 1 and not any(map(_is_dicom, files)):
        return folders
    if not any(one.is_file() for one in path.rglob("*")):
        raise BadInputError(f"{path}: is an empty folder, expected one with head CTs.")
    return [path]


def _is_dicom(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(132).endswith(b"DICM")


def _written(node: slicer.vtkMRMLScalarVolumeNode, name: str, path: Path) -> HeadFile:
    try:
        for _share in volumes.writing(node, path):
            pass
        skull = segmentations.skull_for(node)
        if skull is None:
            return HeadFile(name, path)
        if skull.GetParentTransformNode() is not node.GetParentTransformNode():
            raise BadInputError(
                f"Segmentation {skull.GetName()!r} is under another transform than its CT, "
                "expected the same one."
            )
        mask_path = path.with_name(f"{path.stem}-skull.nrrd")
        for _share in steps.mask_writing(skull, node, mask_path):
            pass
        return HeadFile(name, path, mask_path)
    except BadInputError as error:
        return HeadFile(name, path, problem=f"{name}: {error}")
