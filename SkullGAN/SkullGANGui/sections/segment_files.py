"""Which file segments go into."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import qt
import slicer.util
from slicer.i18n import tr as _

from SkullGANGui import last_places

if TYPE_CHECKING:
    from SkullGANLib.export.format import Format


def askForSegments(title: str, name: str) -> str:
    """Ask where segments are to be saved; empty if the user thought better of it.

    A name of no known ending gets that of the format that was chosen in the dialog; nothing is
    replaced that the user was not asked about.

    Args:
        title: of the dialog.
        name: that is proposed, without an ending.
    """
    formats = {_filter(one): one for one in _formats()}
    # A dialog object, since getSaveFileName of Slicer's Python does not tell the chosen filter.
    dialog = qt.QFileDialog(slicer.util.mainWindow(), title, last_places.folder(), fileFilters())
    dialog.acceptMode = qt.QFileDialog.AcceptSave
    dialog.fileMode = qt.QFileDialog.AnyFile

    def takeEnding(chosen: str) -> None:
        dialog.defaultSuffix = formats[chosen].endings[0].lstrip(".")

    dialog.connect("filterSelected(QString)", takeEnding)
    takeEnding(next(iter(formats)))
    dialog.selectFile(name)
    accepted = dialog.exec_()
    files, chosen = dialog.selectedFiles(), dialog.selectedNameFilter()
    dialog.deleteLater()
    if not accepted or not files:
        return ""
    path, asked = files[0], {Path(files[0])}
    format = next((one for one in formats.values() if one.fits(path)), formats[chosen])
    if not format.fits(path):
        # The dialog lets names with a dot be, such as "head 1.5 mm", and asked about those.
        path += format.endings[0]
    there = [one for one in format.files(path).values() if one.exists() and one not in asked]
    if there and not _mayReplace(there):
        return ""
    last_places.keep(Path(path).parent)
    return path


def fileFilters() -> str:
    """Give what a save dialog offers: the export formats; some are folders of files."""
    return ";;".join(map(_filter, _formats()))


def _formats() -> tuple[Format, ...]:
    from SkullGANLib.export.registry import FORMATS

    return tuple(FORMATS.values())


def _filter(format: Format) -> str:
    return f"{_(format.title)} (*{format.endings[0]})"


def _mayReplace(files: list[Path]) -> bool:
    """Ask about what the dialog did not ask about, masks and metrics beside the segments too."""
    question = _("These exist already:\n\n{names}\n\nDo you want to replace them?")
    return slicer.util.confirmYesNoDisplay(
        question.format(names="\n".join(one.name for one in files))
    )
