"""Which models there are: the one that comes along, those of recent use, those of trainings."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from SkullGANGui.table_columns import Column, setColumns

if TYPE_CHECKING:
    from SkullGANLib.networks.model_card import ModelCard

_UI = Path(__file__).resolve().parents[1] / "Resources" / "UI" / "SkullGANModels.ui"
_RECENT = "SkullGAN/recentModels"
_MOST_RECENT, _MOST = 10, 500
_AT_ONCE_S = 0.03
BUNDLED = ""
"""The path that stands for the model that comes along."""


class Known(NamedTuple):
    """A model in the list; ``problem`` says why its card cannot be read."""

    path: str
    card: ModelCard | None
    problem: str


class ModelList:
    """Lists models in a frame of a panel, and shows the card of the chosen one.

    Args:
        frame: widget with a layout, which the list is put into.
        onChosen: called with the path of a model that was clicked on, ``BUNDLED`` for the one that
            comes along.

    Attributes:
        ui: the list's widgets by name.
        card: of the chosen model; None if it cannot be read.
    """

    _NAME, _TRAINED_ON, _LICENSE = range(3)

    def __init__(self, frame: qt.QWidget, onChosen: Callable[[str], None]) -> None:
        widget = slicer.util.loadUI(str(_UI))
        frame.layout().addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        self._onChosen = onChosen
        self._known: dict[str, Known] = {}
        self._path = BUNDLED
        self.card: ModelCard | None = None
        self._looking: Iterator[None] | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._lookOn)
        table = self.ui.modelsTable
        titles = (
            Column(_("Model"), _("Name of the training or the file"), 130),
            Column(_("Trained on"), _("Segments, and of how many people they were"), 130),
            Column(_("License"), _("Under which the weights may be used"), 120),
        )
        setColumns(table, titles)
        table.horizontalHeader().setStretchLastSection(True)
        table.connect("cellClicked(int,int)", lambda row, column: self._onClicked(row))
        table.connect("cellActivated(int,int)", lambda row, column: self._onClicked(row))
        self.ui.modelSearch.connect("textChanged(QString)", lambda text: self._search())

    def show(self, path: str) -> None:
        """Show which model is chosen, with its card; one that can be used is remembered."""
        if path == self._path and self._known:
            return
        self._path = path
        if not self._known:
            self.look()
        known = self._known.get(path) or _read(path)
        if path != BUNDLED and known.card is not None:
            remember(path)
            if path not in self._known:  # not what is half typed
                self._add(path)
        self._pick()
        self.card = known.card
        lines = known.card.lines() if known.card is not None else [known.problem]
        self.ui.modelCard.text = "\n".join(lines)

    def look(self) -> None:
        """Look for models again, a little at a time."""
        self._known = {}
        self.ui.modelsTable.setRowCount(0)
        self._add(BUNDLED)
        for path in recent():
            if Path(path).is_file():
                self._add(path)
        self._looking = self._found()
        self._timer.start()

    def isLooking(self) -> bool:
        return self._looking is not None

    def stop(self) -> None:
        """Look no further."""
        self._timer.stop()
        self._looking = None

    @property
    def paths(self) -> list[str]:
        """The models of the list, in the order of their rows."""
        return list(self._known)

    def _found(self) -> Iterator[None]:
        """Add the models of the folders of trainings; yields after each one that was looked at."""
        for folder in folders():
            for pattern in ("*/model.safetensors", "*.safetensors"):
                try:
                    for path in sorted(folder.glob(pattern)):
                        if str(path) not in self._known:
                            self._add(str(path))
                        if len(self._known) >= _MOST:
                            return
                        yield
                except OSError:
                    yield  # a folder that may not be read has none for us

    def _lookOn(self) -> None:
        deadline = time.monotonic() + _AT_ONCE_S
        while self._looking is not None and time.monotonic() < deadline:
            if next(self._looking, self) is self:
                self.stop()

    def _add(self, path: str) -> None:
        self._known[path] = _read(path)
        _path, card, problem = self._known[path]
        table = self.ui.modelsTable
        row = table.rowCount
        table.setRowCount(row + 1)
        trained_on = license = ""
        if card is not None:
            license = card.license
            if card.segments is not None:
                trained_on = _("{n:,}, subjects: {of}").format(
                    n=card.segments, of=_("unknown") if card.subjects is None else card.subjects
                )
        for column, text in enumerate((name(path), trained_on, license or problem)):
            item = qt.QTableWidgetItem(text)
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
            item.setToolTip("\n".join(card.lines()) if card is not None else problem)
            table.setItem(row, column, item)
        self._search()
        if path == self._path:
            self._pick()

    def _search(self) -> None:
        """Show the rows that hold every word of the search."""
        words = self.ui.modelSearch.text.lower().split()
        for row, known in enumerate(self._known.values()):
            lines = known.card.lines() if known.card is not None else []
            text = " ".join([known.path, name(known.path), *lines]).lower()
            self.ui.modelsTable.setRowHidden(row, not all(word in text for word in words))

    def _pick(self) -> None:
        paths = self.paths
        self.ui.modelsTable.setCurrentCell(
            paths.index(self._path) if self._path in paths else -1, self._NAME
        )

    def _onClicked(self, row: int) -> None:
        path = self.paths[row]
        if path != self._path:
            self._onChosen(path)


def _read(path: str) -> Known:
    from SkullGANLib.errors import SkullGANError
    from SkullGANLib.networks.model_card import read_card
    from SkullGANLib.utils import resources

    try:
        return Known(path, read_card(path or resources.bundled_model()), "")
    except SkullGANError as error:
        return Known(path, None, str(error))


def name(path: str) -> str:
    """Give the name of a model for people: of its training where the file itself has none."""
    if path == BUNDLED:
        return _("Bundled model")
    return Path(path).parent.name if Path(path).name == "model.safetensors" else Path(path).stem


def recent() -> list[str]:
    """Give the paths of the models that were used last, the latest first."""
    return [path for path in str(slicer.app.settings().value(_RECENT) or "").split("\n") if path]


def remember(path: str) -> None:
    """Count a model among those used last."""
    others = [one for one in recent() if one != path]
    slicer.app.settings().setValue(_RECENT, "\n".join([path, *others][:_MOST_RECENT]))


def folders() -> list[Path]:
    """Give the folders where models may lie: of the trainings, and around those used last."""
    found = [Path.home() / "SkullGAN runs"]
    node = slicer.mrmlScene.GetSingletonNode("SkullGANTrain", "vtkMRMLScriptedModuleNode")
    if node is not None and node.GetParameter("runsFolder"):
        found.insert(0, Path(node.GetParameter("runsFolder")))
    for path in map(Path, recent()):
        is_run = (path.parent / "recipe.json").is_file()
        found.append(path.parent.parent if is_run else path.parent)
    return list(dict.fromkeys(found))
