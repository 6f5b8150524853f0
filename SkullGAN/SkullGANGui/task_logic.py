"""The logic that our modules share: one task at a time, and a folder for what it writes."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

if TYPE_CHECKING:
    from SkullGANLib.utils.task import Task, Work


T = TypeVar("T")
N = TypeVar("N")


class TaskLogic(ScriptedLoadableModuleLogic):
    """Does one ``SkullGANLib.utils.task.Task`` at a time, with or without a panel.

    Example::

        logic.startSomething(...)
        while logic.poll() == "running":
            slicer.app.processEvents()
        result = logic.takeResult()
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.task: Task[Any] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0
        self._wrapper: Any = None

    def wrapped(self, kind: Callable[[Any], N]) -> N:
        """Give the parameters of the scene in their wrapper, the same one for the same node.

        Each wrapper observes the node, and in Slicer 5.10 one that was shown once is never let go.
        """
        node = ScriptedLoadableModuleLogic.getParameterNode(self)
        if self._wrapper is None or self._wrapper.parameterNode is not node:
            self._wrapper = kind(node)
        return self._wrapper

    def start(self, title: str, work: Work[T]) -> Task[T]:
        """Begin a task; raises ``BadInputError`` while another one goes on."""
        from SkullGANLib.errors import BadInputError
        from SkullGANLib.utils.task import Task

        if self.task:
            work.close()
            raise BadInputError(
                _("{title} is not done yet; wait or cancel it.").format(title=self.task.title)
            )
        task = self.task = Task(title, work)
        return task

    def isWorking(self) -> bool:
        return self.task is not None

    def poll(self) -> str:
        """Carry on; give ``idle``, ``running``, ``finished``, ``cancelled`` or ``failed``."""
        return self.task.poll() if self.task else "idle"

    def takeResult(self) -> Any:
        """Give what an ended task made, and be free for the next one.

        Returns:
            The task's result; None if it was cancelled, or there is none.

        Raises:
            SkullGANError: with the task's sentence if it failed.
        """
        from SkullGANLib.errors import SkullGANError

        task, self.task = self.task, None
        if task is None:
            return None
        if task.state == "failed":
            raise SkullGANError(task.sentence)
        return task.result

    def cancel(self) -> None:
        """Begin to end what is being done; ``poll`` says when it has ended."""
        if self.task:
            self.task.cancel()

    def close(self) -> None:
        """End what is being done and remove the temporary files."""
        if self.task:
            self.task.end()
            self.task = None
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def newFolder(self) -> Path:
        """Make an empty folder that lasts until ``close``."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="skullgan-panel-", ignore_cleanup_errors=True
            )
        self._count += 1
        folder = Path(self._folder.name) / str(self._count)
        folder.mkdir()
        return folder
