"""Where the user was last: folders that dialogs begin in, and that forms propose.

Kept in the user's settings of Slicer, for all our panels, and found again after a restart.
"""

from __future__ import annotations

from pathlib import Path

import slicer

FILES, RUNS, REPORTS = "Files", "Runs", "Reports"
"""Where files were opened and saved, where trainings are kept, and where reports go."""


def folder(place: str = FILES) -> str:
    """Give the folder that was kept last; empty if there was none, or it is gone."""
    kept = slicer.app.userSettings().value(_key(place)) or ""
    return str(kept) if kept and Path(kept).is_dir() else ""


def keep(folder: str | Path, place: str = FILES) -> None:
    """Keep a folder for the next time."""
    slicer.app.userSettings().setValue(_key(place), str(folder))


def _key(place: str) -> str:
    return f"SkullGAN/Last{place}Folder"
