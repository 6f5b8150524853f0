"""Which file segments go into."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
import qt
from slicer.i18n import tr as _


def askForSegments(title: str, name: str) -> str:
    """Ask where segments are to be saved; empty if the user thought better of it.

    A name of no known ending gets that of a segment set.
    """
    from SkullGANLib.export.registry import FORMATS

    path = qt.QFileDialog.getSaveFileName(None, title, name, fileFilters())
    known = not path or any(format.fits(path) for format in FORMATS.values())
    return path if known else f"{path}.h5"


def fileFilters() -> str:
    """Give what a save dialog offers: the export formats; some are folders of files."""
    from SkullGANLib.export.registry import FORMATS

    return ";;".join(f"{_(one.title)} (*{one.endings[0]})" for one in FORMATS.values())
