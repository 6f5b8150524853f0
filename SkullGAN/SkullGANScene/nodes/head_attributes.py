"""What was found out about the head in a CT, kept with its volume node.

The head frame and the bone threshold are kept in the node's own voxels, so that they stay right
when the CT is moved by a transform, and are saved with the scene.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import slicer
from SkullGANLib.anatomy.head_frame import HeadFrame

from .volumes import ijk_to_world

_ATTRIBUTE = "SkullGAN.Head"


@dataclass(frozen=True, eq=False)
class Head:
    """The head in a CT.

    Attributes:
        frame: its own directions, in the world's RAS; its certainty is NaN in scenes of earlier
            versions, which do not tell it.
        threshold_hu: HU from which a voxel at the surface of the skull is bone.
    """

    frame: HeadFrame
    threshold_hu: float


def read(path: str | Path) -> Head:
    """Read what ``skullgan skull --frame`` wrote."""
    frame, beside = HeadFrame.read(path)
    return Head(frame, beside["threshold_hu"])


def set_head(node: slicer.vtkMRMLScalarVolumeNode, head: Head) -> None:
    """Keep what was found with the CT's node."""
    to_ijk = np.linalg.inv(ijk_to_world(node))
    frame = replace(head.frame, head_to_ras=(to_ijk @ head.frame.head_to_ras).tolist())
    known = {"frame": asdict(frame), "threshold_hu": head.threshold_hu}
    node.SetAttribute(_ATTRIBUTE, json.dumps(known))


def head_of(node: slicer.vtkMRMLScalarVolumeNode) -> Head | None:
    """Give what is known of the head in a CT, None if nobody looked yet."""
    text = node.GetAttribute(_ATTRIBUTE)
    if not text:
        return None
    known = json.loads(text)
    # Scenes of earlier versions do not say how sure their frame is.
    frame = HeadFrame(**{"certainty": float("nan"), **known["frame"]})
    head_to_ras = ijk_to_world(node) @ np.array(frame.head_to_ras, float)
    # Under a transform that scales, directions stay directions.
    head_to_ras[:3, :3] /= np.linalg.norm(head_to_ras[:3, :3], axis=0)
    return Head(replace(frame, head_to_ras=head_to_ras), known["threshold_hu"])
