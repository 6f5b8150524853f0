"""Which file segments go into."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
import qt
from slicer.i18n import tr as _


def askForSegments(title: str, name: str) -> str:
    """Ask where segments are to be saved; empty if the user thought better of it.

    A name of no known ending gets that of a segment set.
    """
    from SkullGANLib.export.registry import file_formats

    path = qt.QFileDialog.getSaveFileName(None, title, name, fileFilters())
    known = not path or any(format.fits(path) for format in file_formats())
    return path if known else f"{path}.h5"


def fileFilters() -> str:
    """Give what a save dialog offers: the export formats that are files."""
    from SkullGANLib.export.registry import file_formats

    return ";;".join(f"{_(format.title)} (*{format.endings[0]})" for format in file_formats())
