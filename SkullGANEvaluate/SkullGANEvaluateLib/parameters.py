"""What the panel remembers in the scene."""

# ruff: noqa: N802, N815 - camel case is what Slicer calls and how its modules read
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from SkullGANGui.protocols import WrappedParameters
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScriptedModuleNode, vtkMRMLTextNode
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

NAMES = ("train", "test", "synthetic", "control", "artificial")
"""As what a set is compared: ``evaluation.evaluation_set.NAMES``, which is not imported yet."""
PIXELS, SIFT = "Pixel differences", "SIFT features"
PLACES, OCCLUSION = "What each place adds", "What smoothing takes"
ORDERS = ("As in the set", "Least real first", "Most real first", "Like copies first")
"""In which segments are listed, by number: ``segment_list``'s."""

_ROLE = "SkullGANEvaluate.set"
_AS_WHAT = "SkullGANEvaluate.setNames"


@parameterNodeWrapper
class SkullGANEvaluateParameterNode(WrappedParameters):
    """What the panel remembers in the scene; the sets are read and written by ``setsOf``.

    files: segment sets in files, JSON: pairs of as what it is compared and its path.
    useModel: whether a model's discriminator judges.
    modelPath: of the model; empty for the one that comes with SkullGAN.
    reportsFolder: where reports go, each into a folder of its own.
    seed, most: of the evaluation.
    shown, pairs, way: what of a report comes into the scene.
    report: the one that is shown.
    chart, table: titles of what is chosen of its charts and tables; empty for the first.
    listed: name of the set whose segments are listed; empty for the synthetic one.
    order: in which they are.
    overlay: whether realness maps lie over segments.
    method: how they explain it.
    """

    files: str = ""
    useModel: bool = True
    modelPath: str = ""
    reportsFolder: str = ""
    seed: Annotated[int, WithinRange(0, 2000000000)] = 0
    most: Annotated[int, WithinRange(10, 20000)] = 4000
    shown: Annotated[int, WithinRange(10, 5000)] = 500
    pairs: Annotated[int, WithinRange(1, 2000)] = 200
    way: Annotated[str, Choice([PIXELS, SIFT])] = PIXELS
    report: vtkMRMLTextNode
    chart: str = ""
    table: str = ""
    listed: str = ""
    order: Annotated[str, Choice(list(ORDERS))] = ORDERS[0]
    overlay: bool = False
    method: Annotated[str, Choice([PLACES, OCCLUSION])] = PLACES


@dataclass(frozen=True)
class ChosenSet:
    """A segment set to compare: a file or a volume of the scene.

    Attributes:
        name: as what it is compared, one of ``NAMES``.
        path: of the file; empty for a volume.
        volume: the ``vtkMRMLScalarVolumeNode``; None for a file.
    """

    name: str
    path: str = ""
    volume: vtkMRMLScalarVolumeNode | None = None


def setsOf(node: vtkMRMLScriptedModuleNode, files: str) -> list[ChosenSet]:
    """Give the chosen sets of a parameter node, files first; deleted volumes are left out."""
    pairs = json.loads(files) if files else []
    found = [ChosenSet(name, path=path) for name, path in pairs if name in NAMES]
    names = (node.GetAttribute(_AS_WHAT) or "").split()
    for number, name in enumerate(names):
        volume = node.GetNthNodeReference(_ROLE, number)
        if volume is not None and name in NAMES:
            found.append(ChosenSet(name, volume=volume))
    return found


def keepSets(node: vtkMRMLScriptedModuleNode, sets: Iterable[ChosenSet]) -> str:
    """Keep the volumes among the chosen sets in a parameter node; gives the text of the files."""
    sets = list(sets)
    volumes = [(one.name, one.volume) for one in sets if one.volume is not None]
    before = node.StartModify()
    node.RemoveNodeReferenceIDs(_ROLE)
    for _name, volume in volumes:
        node.AddNodeReferenceID(_ROLE, volume.GetID())
    node.SetAttribute(_AS_WHAT, " ".join(name for name, _volume in volumes))
    node.EndModify(before)
    # Not texts between tabulators: saving a scene makes spaces of them.
    return json.dumps([[one.name, one.path] for one in sets if one.volume is None])
