"""NRRD: HU as a stack of slices, masks as a segmentation that Slicer opens as such."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data.segment_set import SIZE
from .format import Format
from .segment_stack import SegmentStack
from .staging import gzipped, staged_pair

SEGMENTATION_ENDING = "-mask.seg.nrrd"
"""In place of the ending, for the masks: by ``.seg.nrrd`` Slicer knows a segmentation."""


def write_nrrd(stack: SegmentStack, path: Path) -> None:
    """Write HU, and beside them the masks."""
    about = {"content": stack.about, "kind": stack.header.kind}
    about["created_by"] = stack.header.created_by
    if stack.depth:
        about["depth_slices"] = str(stack.depth.slices)
        about["depth_step_mm"] = f"{stack.depth.step_mm:g}"
    with staged_pair(FORMAT.files(path)) as (hu, mask):
        write_mask_nrrd(stack, mask)
        _write_one(stack, hu, "hu", about)


def write_mask_nrrd(stack: SegmentStack, path: Path) -> None:
    """Write the masks as a segmentation of one segment, the skull wall."""
    # The fields by which Slicer takes a label map for a segmentation; SNOMED CT's code for bone.
    _write_one(
        stack,
        path,
        "mask",
        {
            "Segment0_Color": "0.945098 0.839216 0.568627",
            "Segment0_Extent": f"0 {SIZE - 1} 0 {SIZE - 1} 0 {stack.count - 1}",
            "Segment0_ID": "SkullWall",
            "Segment0_LabelValue": "1",
            "Segment0_Layer": "0",
            "Segment0_Name": "Skull wall",
            "Segment0_Tags": "TerminologyEntry:Segmentation category and type - 3D Slicer General "
            "Anatomy list~SCT^123037004^Anatomical Structure~SCT^272673000^Bone~^^~Anatomic codes "
            "- DICOM master list~^^~^^|",
            "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
            "Segmentation_MasterRepresentation": "Binary labelmap",
            "Segmentation_ReferenceImageExtentOffset": "0 0 0",
        },
    )


def _write_one(stack: SegmentStack, path: Path, name: str, fields: dict[str, str]) -> None:
    """An NRRD file (version 4) by hand, for no writer takes its voxels bit by bit."""
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ stack.ijk_to_ras
    vectors = [f"({','.join(f'{v:.17g}' for v in lps[:3, column] + 0.0)})" for column in range(4)]
    header = [
        "NRRD0004",
        f"type: {'int16' if name == 'hu' else 'uint8'}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {SIZE} {SIZE} {stack.count}",
        f"space directions: {' '.join(vectors[:3])}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {vectors[3]}",
        *(f"{key}:={value}" for key, value in fields.items()),
    ]
    with open(path, "wb") as file:
        file.write(("\n".join(header) + "\n\n").encode())
        with gzipped(file) as packed:
            stack.write_pixels(packed, name)


FORMAT = Format(
    name="nrrd",
    title="NRRD",
    endings=(".nrrd",),
    description="stack of slices; its masks open in Slicer as a segmentation",
    write=write_nrrd,
    mask_ending=SEGMENTATION_ENDING,
)
