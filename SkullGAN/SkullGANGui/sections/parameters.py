"""What the SkullGAN panel remembers in the scene."""

# ruff: noqa: N802, N815 - camel case is what Slicer calls and how its modules read
from typing import Annotated

import slicer
import slicer.util
from SkullGANLib.anatomy import cut_plan
from SkullGANLib.data.depth import LEAST_STEP_MM, MOST_SLICES, STEP_MM
from slicer import (
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLMarkupsPlaneNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
)
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

from SkullGANGui.protocols import WrappedParameters
from SkullGANGui.sections.mapping import ARRAY_SCALARS, ARRAYS, SCALARS


@parameterNodeWrapper
class SkullGANParameterNode(WrappedParameters):
    """What the panel remembers in the scene.

    ct: the head CT.
    skull: its skull; found when segments are extracted if there is none.
    bones: to cut, out of ``cut_plan.BONES``.
    planes: to cut in, out of ``cut_plan.PLANES``.
    intervalMm: distance of neighboring planes.
    depthSlices: of a stack around each segment; 1 cuts single segments.
    depthStepMm: from a slice of a stack to the next.
    segments: the volume of the segment set that the table shows.
    follow: whether the views go to the cut whose row is picked.
    plane: for cuts by hand.
    modelPath: of the generator (.safetensors); empty for the one that comes along.
    number: of synthetic segments.
    firstSeed: of the first of them; the others count up.
    asked: what a model that was trained with conditions is asked for, JSON
        (``condition_fields``); empty for nothing.
    limited: whether only synthetic segments within the limits below are kept.
    sdrFrom, sdrTo, thicknessFromMm, thicknessToMm, intensityFromHu, intensityToHu: those limits.
    likePath: real set (.h5) whose distributions they follow; empty for none.
    whole: whether those that are no whole wall are left out.
    diverse: whether those that look like one that is kept already are left out.
    mapTarget: point that the array's rays go to; the middle of the head if there is none.
    mapArray: which ultrasound array; ``mapping.FROM_FILE`` for that of ``mapArrayPath``.
    mapShowArray, mapArrayScalar: whether its elements are shown, and what they are colored by.
    mapScalar: what the map shows.
    mapOnSkull, mapOnSlices: where it is shown.
    mapSkullOpacity, mapSlicesOpacity: how opaque it is there, 0 to 1.
    mapFrom, mapTo: range of its colors, in the unit of the scalar.
    realnessMethod: how it is found where the discriminator's decision comes from.
    showRealness: whether that lies over the segment that is clicked on.
    """

    ct: vtkMRMLScalarVolumeNode
    skull: vtkMRMLSegmentationNode
    bones: list[str] = list(cut_plan.DEFAULT_BONES)  # noqa: RUF012 - Slicer's way to give defaults
    planes: list[str] = list(cut_plan.DEFAULT_PLANES)  # noqa: RUF012
    intervalMm: Annotated[float, WithinRange(0.5, 20.0)] = 3.1
    depthSlices: Annotated[int, WithinRange(1, MOST_SLICES)] = 1
    depthStepMm: Annotated[float, WithinRange(LEAST_STEP_MM, 20.0)] = STEP_MM
    segments: vtkMRMLScalarVolumeNode
    follow: bool = True
    plane: vtkMRMLMarkupsPlaneNode
    modelPath: str = ""
    number: Annotated[int, WithinRange(1, 1000000)] = 100
    firstSeed: Annotated[int, WithinRange(0, 2000000000)] = 0
    asked: str = ""
    limited: bool = False
    sdrFrom: Annotated[float, WithinRange(0.0, 1.0)] = 0.4
    sdrTo: Annotated[float, WithinRange(0.0, 1.0)] = 1.0
    thicknessFromMm: Annotated[float, WithinRange(0.0, 30.0)] = 2.0
    thicknessToMm: Annotated[float, WithinRange(0.0, 30.0)] = 15.0
    intensityFromHu: Annotated[float, WithinRange(0.0, 3000.0)] = 300.0
    intensityToHu: Annotated[float, WithinRange(0.0, 3000.0)] = 2500.0
    likePath: str = ""
    whole: bool = False
    diverse: bool = False
    mapTarget: vtkMRMLMarkupsFiducialNode
    mapScalar: Annotated[str, Choice(list(SCALARS))] = next(iter(SCALARS))
    mapArray: Annotated[str, Choice(list(ARRAYS))] = next(iter(ARRAYS))
    mapArrayPath: str = ""
    mapShowArray: bool = False
    mapArrayScalar: Annotated[str, Choice(list(ARRAY_SCALARS))] = next(iter(ARRAY_SCALARS))
    mapOnSkull: bool = True
    mapOnSlices: bool = True
    mapSkullOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 1.0
    mapSlicesOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.6
    mapFrom: Annotated[float, WithinRange(-1024.0, 4000.0)] = 0.0
    mapTo: Annotated[float, WithinRange(-1024.0, 4000.0)] = 12.0
    realnessMethod: Annotated[str, Choice(["positions", "occlusion"])] = "positions"
    showRealness: bool = False


def ofToday(parameters: SkullGANParameterNode) -> SkullGANParameterNode:
    """Take over what scenes of earlier versions hold: a yes or no for each bone and plane."""
    node = parameters.parameterNode
    earlier = {
        name: node.GetParameter(name).lower() == "true"
        for name in (*cut_plan.BONES, *cut_plan.PLANES)
        if node.HasParameter(name)
    }
    if earlier:
        with slicer.util.NodeModify(node):
            parameters.bones = [name for name in cut_plan.BONES if earlier.get(name)]
            parameters.planes = [name for name in cut_plan.PLANES if earlier.get(name)]
            for name in earlier:
                node.UnsetParameter(name)
    return parameters
