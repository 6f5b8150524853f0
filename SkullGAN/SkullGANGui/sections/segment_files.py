"""Which file segments go into."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
import qt
from slicer.i18n import tr as _

FORMATS = (
    ("Segment set", "*.h5"),
    ("NRRD", "*.nrrd"),
    ("NIfTI", "*.nii.gz"),
    ("NumPy", "*.npy"),
    ("MATLAB", "*.mat"),
)


def askForSegments(title: str, name: str) -> str:
    """Ask where segments are to be saved; empty if the user thought better of it."""
    filters = ";;".join(f"{_(kind)} ({pattern})" for kind, pattern in FORMATS)
    path = qt.QFileDialog.getSaveFileName(None, title, name, filters)
    known = tuple(pattern.lstrip("*") for _kind, pattern in FORMATS)
    return path if not path or path.endswith(known) else f"{path}.h5"
