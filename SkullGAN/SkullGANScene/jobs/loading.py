"""Files into a scene, as work for a ``SkullGANLib.utils.task.Task``: segment sets and head CTs."""

from __future__ import annotations

from pathlib import Path

import slicer
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils.task import Work, in_thread, subprogress

from ..nodes import segment_sets, volumes
from ..nodes.segment_sets import MOST_IN_SCENE, SegmentSetNodes
from . import steps


def load_set(scene: slicer.vtkMRMLScene, path: str | Path) -> Work[SegmentSetNodes]:
    """Load a segment set, measured, named like its file; returns its nodes.

    Raises:
        BadInputError: if it is none, or holds more segments than a scene takes.
    """
    path = Path(path)
    count = hdf5.count(path)
    if count > MOST_IN_SCENE:
        raise BadInputError(
            f"{path}: has {count} segments, expected at most {MOST_IN_SCENE}, which a scene takes "
            "at once; skullgan export writes a part of it."
        )
    yield 0.02
    segments = yield from subprogress(steps.set_reading(path), 0.02, 0.3)
    metrics = yield from subprogress(steps.measured(segments), 0.3, 0.95)
    return segment_sets.add_segment_set(scene, segments, metrics, path.stem)


def load_ct(scene: slicer.vtkMRMLScene, path: str | Path) -> Work[slicer.vtkMRMLScalarVolumeNode]:
    """Load a head CT, as the commands read it: a folder or zip of DICOM, NRRD, NIfTI or MHA.

    Returns:
        Its volume node, named like the file or the folder.

    Raises:
        BadInputError: if it is no head CT.
    """
    from SkullGANLib.ct import volume

    path = Path(path)
    ct = yield from subprogress(in_thread(lambda: volume.read_ct(path)), 0.0, 0.9)
    return volumes.add_ct(scene, ct, path.name.split(".")[0] or path.name)
