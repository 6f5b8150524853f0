"""What knows nothing of skulls: files written whole or not at all, child processes, tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .atomic_files import written_aside as written_aside
    from .child_process import ChildProcess as ChildProcess
    from .resources import bundled_model as bundled_model
    from .resources import sample_ct as sample_ct
    from .task import Running as Running
    from .task import Task as Task
    from .task import Work as Work
    from .task import in_thread as in_thread
    from .task import subprogress as subprogress

__all__ = [
    "ChildProcess",
    "Running",
    "Task",
    "Work",
    "bundled_model",
    "in_thread",
    "sample_ct",
    "subprogress",
    "written_aside",
]

_HOMES = {
    "written_aside": "atomic_files",
    "ChildProcess": "child_process",
    "bundled_model": "resources",
    "sample_ct": "resources",
    "Running": "task",
    "Task": "task",
    "Work": "task",
    "in_thread": "task",
    "subprogress": "task",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
