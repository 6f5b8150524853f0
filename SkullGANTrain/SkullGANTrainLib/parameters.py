"""What the panel of SkullGANTrain remembers in the scene, and the command it makes of it."""

# ruff: noqa: N802, N803, N815 - camel case is what Slicer calls and how its modules read
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from SkullGANGui.protocols import WrappedParameters
from SkullGANLib.training.presets import DEFAULT, PRESETS
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

if TYPE_CHECKING:
    from SkullGANLib.training.command import TrainCommand
    from SkullGANLib.training.recipe import Recipe

_SCENE_SETS = "sceneSets"
"""Role of the references to the segment volumes that were chosen."""
_LONGEST_NAME = 80


@parameterNodeWrapper
class SkullGANTrainParameterNode(WrappedParameters):
    """What the panel remembers in the scene.

    segmentSets: paths of segment sets, one a line; those of the scene are node references (see
        ``sceneSets``).
    recipe: name of a recipe of ``SkullGANLib.training.presets``.
    settings: what differs from it, ``name=value``, one a line; scenes of earlier versions may have
        earlier names.
    pretrained: model to begin with, or empty.
    device: where to compute, as ``--device`` takes it.
    runsFolder: where run folders are.
    runName: of the next one; empty gives it a free name.
    split, testShare: how the test part is held out.
    seed: what all random numbers follow from.
    anyKind: whether segments that are not real are learned from, too.
    processes: that a copied command starts, a GPU each.
    watched: folder of the run that is shown.
    chart: key of the curves that are shown.
    """

    segmentSets: str = ""
    recipe: Annotated[str, Choice(list(PRESETS))] = DEFAULT
    settings: str = ""
    pretrained: str = ""
    device: str = "auto"
    runsFolder: str = ""
    runName: str = ""
    split: Annotated[str, Choice(["subjects", "segments", "none"])] = "subjects"
    testShare: Annotated[float, WithinRange(0.0, 0.9)] = 0.2
    seed: Annotated[int, WithinRange(0, 2000000000)] = 0
    anyKind: bool = False
    processes: Annotated[int, WithinRange(1, 64)] = 1
    watched: str = ""
    chart: Annotated[str, Choice(["losses", "realness", "learning rates", "quality"])] = "losses"


def paths(node: SkullGANTrainParameterNode) -> list[str]:
    """Give the files that were chosen."""
    return [line.strip() for line in node.segmentSets.splitlines() if line.strip()]


def sceneSets(node: SkullGANTrainParameterNode) -> list[vtkMRMLScalarVolumeNode]:
    """Give the segment volumes of the scene that were chosen."""
    mrml = node.parameterNode
    found = (
        mrml.GetNthNodeReference(_SCENE_SETS, index)
        for index in range(mrml.GetNumberOfNodeReferences(_SCENE_SETS))
    )
    return [volume for volume in found if volume is not None]


def chooseSceneSets(
    node: SkullGANTrainParameterNode, volumes: list[vtkMRMLScalarVolumeNode]
) -> None:
    """Choose segment volumes of the scene, and no others."""
    mrml = node.parameterNode
    before = mrml.StartModify()
    mrml.RemoveNodeReferenceIDs(_SCENE_SETS)
    for volume in volumes:
        mrml.AddNodeReferenceID(_SCENE_SETS, volume.GetID())
    mrml.Modified()
    mrml.EndModify(before)


def settings(node: SkullGANTrainParameterNode) -> dict[str, str]:
    """Give what differs from the recipe, by the name that settings have today."""
    from SkullGANLib.training.recipe import current_names

    pairs = (setting.partition("=") for setting in node.settings.split())
    return current_names({name: value for name, _equals, value in pairs if name})


def recipe(node: SkullGANTrainParameterNode) -> "Recipe":
    """Give the recipe as set; raises ``BadInputError`` if it cannot be."""
    from SkullGANLib.training.presets import named

    return named(node.recipe).with_settings(settings(node))


def freeName(node: SkullGANTrainParameterNode) -> str:
    """Give a name after the recipe that nothing in the runs folder has."""
    folder, number = Path(node.runsFolder), 1
    while (folder / f"{node.recipe}-{number}").exists():
        number += 1
    return f"{node.recipe}-{number}"


def runFolder(node: SkullGANTrainParameterNode) -> Path:
    """Give the folder of the next run."""
    return Path(node.runsFolder) / (node.runName.strip() or freeName(node))


def rejection_reason(node: SkullGANTrainParameterNode) -> str:
    """Say why a training cannot be started as the form is, or nothing."""
    from SkullGANLib.errors import BadInputError

    if not paths(node) and not sceneSets(node):
        return _("Choose at least one segment set first.")
    if not node.runsFolder.strip():
        return _("Choose a folder for the trainings first.")
    name = node.runName.strip()
    if name and (Path(name).name != name or len(name) > _LONGEST_NAME):
        return _("The name must do for a folder: up to {n} letters, no slashes.").format(
            n=_LONGEST_NAME
        )
    if (runFolder(node) / "recipe.json").is_file():
        return _("There is a training of that name already; choose a new one.")
    try:
        recipe(node)
    except BadInputError as error:
        return str(error)
    return ""


def canBeChecked(node: SkullGANTrainParameterNode) -> bool:
    """Tell whether there is anything to check, and the recipe can be."""
    from SkullGANLib.errors import BadInputError

    try:
        recipe(node)
    except BadInputError:
        return False
    return bool(paths(node) or sceneSets(node))


def trainCommand(
    node: SkullGANTrainParameterNode, segmentSets: list[str], output: Path
) -> "TrainCommand":
    """Give the command of the form for segment sets in files."""
    from SkullGANLib.training.command import TrainCommand

    return TrainCommand(
        tuple(segmentSets),
        str(output),
        recipe=node.recipe,
        settings=settings(node),
        device=node.device,
        pretrained=node.pretrained.strip(),
        split=node.split,
        test_share=node.testShare,
        seed=node.seed,
        any_kind=node.anyKind,
    )


def stamp(node: SkullGANTrainParameterNode) -> tuple[object, ...]:
    """Give what is equal where two checks of the form would find the same."""
    files = [(path, _changed(Path(path))) for path in paths(node)]
    volumes = [
        (volume.GetID(), volume.GetImageData().GetMTime() if volume.GetImageData() else 0)
        for volume in sceneSets(node)
    ]
    chosen = trainCommand(node, [], Path())
    return (tuple(files), tuple(volumes), repr(chosen), _changed(Path(chosen.pretrained)))


def fileNames(volumes: list[vtkMRMLScalarVolumeNode]) -> list[str]:
    """Give a file's name for each volume, readable and each another."""
    names: list[str] = []
    for volume in volumes:
        stem = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", volume.GetName() or "segments").strip(" .")
        name, number = f"{stem[:_LONGEST_NAME]}.h5", 2
        while name in names:
            name, number = f"{stem[:_LONGEST_NAME]} {number}.h5", number + 1
        names.append(name)
    return names


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
