"""The panel that our modules share: what is in it is for each module to say."""

# ruff: noqa: N802, N815 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import qt
import slicer
import slicer.util
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from SkullGANGui.guidance import Guidance
from SkullGANGui.protocols import WrappedParameters
from SkullGANGui.section import Section
from SkullGANGui.support import Support
from SkullGANGui.task_logic import TaskLogic

if TYPE_CHECKING:
    from SkullGANLib.utils.task import Task

    from SkullGANGui.protocols import Widgets

T = TypeVar("T")
POLL_MSEC = 100


class PanelWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """A panel around a ``TaskLogic`` and its parameter node.

    The ``.ui`` file is named like the module and has ``progressBar``, ``statusLabel`` and
    ``cancelButton``. A subclass sets ``logicClass`` and fills in ``connectWidgets`` (once),
    ``showParameters`` (whenever a parameter changed) and ``updateButtons``. What is to be run goes
    to ``run`` with the function that takes its result. A panel of several parts has a ``Section``
    for each, which are shown, updated and let go of with it.

    Attributes:
        ui: the widgets of the ``.ui`` file by name.
        logic: the module's logic.
        node: the parameter node; None while the panel is not open or the scene closes.
        guidance: the lines that say what to do next.
        support: its log, versions and packages.
        sections: its parts, in the order in which they are shown and updated.
    """

    logicClass: type[TaskLogic]
    logic: TaskLogic
    node: WrappedParameters | None
    ui: Widgets
    sections: tuple[Section[Any, Any], ...] = ()

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.node = None
        self._connected: tuple[WrappedParameters, int] | None = None
        self._entered = False
        self._texts: list[tuple[Callable[[], str], Callable[[str], None], str]] = []
        self._onDone: Callable[[Any], str] = str
        self._cancelledSentence = ""

    # What a subclass fills in.

    def connectWidgets(self) -> None:
        """Connect the widgets, when the panel is opened for the first time."""

    def hints(self) -> dict[str, str]:
        """Give, by the name of a section's widget, what to do there and what comes of it."""
        return {}

    def showParameters(self) -> None:
        """Show what is not kept equal anyway; called when a parameter changed."""
        for section in self.sections:
            section.show()

    def updateButtons(self) -> None:
        """Enable what can be done with ``allow``; called with and without ``self.node``."""

    def parametersChosen(self) -> None:
        """Fill in what a fresh parameter node lacks, such as the only CT of the scene."""

    def sceneStartsClosing(self) -> None:
        """Let go of the scene's nodes."""
        self._forgetNodes()

    # What Slicer calls.

    def setup(self) -> None:
        """Build the panel, when it is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        self._uiWidget = slicer.util.loadUI(self.resourcePath(f"UI/{self.moduleName}.ui"))
        self.layout.addWidget(self._uiWidget)
        self.ui = slicer.util.childWidgetVariables(self._uiWidget)
        self.support = Support(self.shownErrors)
        # Above the spring that keeps everything at the top.
        layout = self._uiWidget.layout()
        layout.insertWidget(layout.count() - 1, self.support.widget)
        self._uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = self.logicClass()
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MSEC)
        self.timer.connect("timeout()", self.onTimer)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndClose)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        self.guidance = Guidance(self.ui, self.moduleName, self.hints())
        self.support.ui.hintsButton.connect("clicked()", self.guidance.showAgain)
        self.connectWidgets()
        # After a reload Slicer does not call enter, though the panel may be the one that is open.
        self._entered = bool(self.parent.isEntered)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module goes: with it go its child process and temporary files."""
        self._forgetNodes()
        self.timer.stop()
        self.support.stop()
        self.setParameterNode(None)
        self._disconnect()
        self.removeObservers()
        self.logic.close()

    def enter(self) -> None:
        """Called whenever the user comes to the panel."""
        self._entered = True
        self.initializeParameterNode()

    def exit(self) -> None:
        """Called whenever the user leaves the panel; work goes on."""
        self._entered = False
        self.setParameterNode(None)

    def onSceneStartClose(self, caller: vtk.vtkObject, event: str) -> None:
        self.setParameterNode(None)
        self._disconnect()  # selectors that lose their node would write so into the next scene's
        self.sceneStartsClosing()

    def onSceneEndClose(self, caller: vtk.vtkObject, event: str) -> None:
        """Called when a scene was closed or loaded; only a panel that is open looks at it."""
        if self._entered:
            self.initializeParameterNode()

    def _forgetNodes(self) -> None:
        for section in self.sections:
            section.forget()

    # The parameter node.

    def initializeParameterNode(self) -> None:
        """Take the parameters from the scene."""
        self.setParameterNode(self.logic.getParameterNode())
        self.parametersChosen()

    def setParameterNode(self, node: WrappedParameters | None) -> None:
        """Show the parameters of a node, and no longer those of the one before."""
        if self.node:
            self.removeObserver(
                self.node.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameters
            )
        self.node = node
        if node:
            self._connect(node)
            self.addObserver(node.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameters)
            self.onParameters()
        else:
            self.updateButtons()

    def _connect(self, node: WrappedParameters) -> None:
        """Connect the widgets that name a parameter, once for all visits while a scene is open.

        Slicer 5.10's ``disconnectGui`` leaves an observer behind, each time it is called.
        """
        if self._connected and self._connected[0] is node:
            # What they show may be from before the nodes of an opened scene were there.
            node.parameterNode.InvokeEvent(vtk.vtkCommand.ModifiedEvent)
            return
        self._disconnect()
        # Not connectGui, which gives no tag to disconnect by (Slicer/Slicer#7547).
        self._connected = node, node.connectParametersToGui(self._namedWidgets())

    def _disconnect(self) -> None:
        if self._connected:
            node, tag = self._connected
            node.disconnectGui(tag)
            self._connected = None

    def _namedWidgets(self) -> dict[str, qt.QWidget]:
        """The widgets that name a parameter, by its name."""
        named = "SlicerParameterName"
        widgets = slicer.util.findChildren(self._uiWidget)
        return {w.property(named): w for w in widgets if w.property(named)}

    def onParameters(self, caller: vtk.vtkObject | None = None, event: str = "") -> None:
        for read, write, field in self._texts:
            if read() != getattr(self.node, field):
                write(getattr(self.node, field))
        self.showParameters()
        self.updateButtons()

    def keepPath(self, widget: qt.QWidget, field: str) -> None:
        """Keep a ``ctkPathLineEdit`` and a text of the parameter node equal.

        Its own signals tell nothing of an emptied field, nor of a name that its filters refuse.
        """

        def take() -> None:
            if self.node:
                setattr(self.node, field, widget.currentPath)

        widget.comboBox().connect("editTextChanged(QString)", take)
        self._texts.append((lambda: widget.currentPath, widget.setCurrentPath, field))

    def keepChoice(self, box: qt.QComboBox, field: str, choices: Mapping[str, str]) -> None:
        """Keep a ``QComboBox`` and a text of the parameter node equal.

        Not left to the parameter node, which would show its values as they are, untranslated.

        Args:
            box: to be filled.
            field: of the parameter node.
            choices: what it can be, and how that reads.
        """
        values = list(choices)
        box.addItems(list(choices.values()))

        def take(index: int) -> None:
            if self.node and 0 <= index < len(values):
                setattr(self.node, field, values[index])

        def read() -> str:
            return values[box.currentIndex] if box.currentIndex >= 0 else ""

        box.connect("currentIndexChanged(int)", take)
        self._texts.append((read, lambda value: box.setCurrentIndex(values.index(value)), field))

    def keepText(self, widget: qt.QLineEdit, field: str) -> None:
        """Keep a ``QLineEdit`` and a text of the parameter node equal, as ``keepLines``."""

        def take(text: str) -> None:
            if self.node:
                setattr(self.node, field, text)

        widget.connect("textChanged(QString)", take)
        self._texts.append((lambda: widget.text, widget.setText, field))

    def keepLines(self, widget: qt.QPlainTextEdit, field: str) -> None:
        """Keep a ``QPlainTextEdit`` and a text of the parameter node equal.

        Not left to the parameter node, which would move the cursor of who is typing.
        """

        def take() -> None:
            if self.node:
                setattr(self.node, field, widget.toPlainText())

        widget.connect("textChanged()", take)
        self._texts.append((widget.toPlainText, widget.setPlainText, field))

    # Tasks and errors.

    def run(self, task: Task[T], on_done: Callable[[T], str], *, cancelled: str = "") -> None:
        """Follow a task that the logic has begun, and hand its result to who asked for it.

        Args:
            task: what a ``start...`` of the logic gave.
            on_done: takes the result of a task that finished, and gives the sentence for the
                status line. ``self.node`` may be None by then: the user left the panel.
            cancelled: sentence for a task that was cancelled, if the usual one is not right.

        Example::

            self.panel.run(self.logic.startSkull(ct), on_done=self.skullFound)
        """
        self._onDone = on_done
        self._cancelledSentence = cancelled or _("Cancelled; the scene is as it was.")
        self.ui.progressBar.value = 0
        self.ui.statusLabel.text = f"{task.title}..."
        self.support.log.say(f"{task.title}...")
        self.timer.start()
        self.updateButtons()

    def onTimer(self) -> None:
        """Show how far the task is, and take its result when it has ended."""
        with self.shownErrors(_("That did not work.")):
            state = self._polled()
            if state == "running":
                self._showProgress()
                return
            self.timer.stop()
            if state == "idle":
                return
            on_done, result = self._onDone, self.logic.takeResult()
            cancelled = state == "cancelled"
            self.ui.progressBar.value = 0 if cancelled else 100
            sentence = self._cancelledSentence if cancelled else on_done(result)
            self.ui.statusLabel.text = sentence
            self.support.log.say(sentence)
            self.updateButtons()

    def _polled(self) -> str:
        """Let the task carry on, and write down what its child process says."""
        log, task = self.support.log, self.logic.task
        log.follow("task", task.child if task else None)
        state = self.logic.poll()
        log.follow("task", task.child if task and state == "running" else None)
        return state

    def _showProgress(self) -> None:
        task = self.logic.task
        if task is None:
            return
        self.ui.progressBar.value = round(100 * task.share)
        if not task.cancelling and task.eta_s is not None:
            left = _("{s} s left").format(s=max(1, round(task.eta_s)))
            self.ui.statusLabel.text = f"{task.title}: {left}"

    def onCancel(self) -> None:
        self.ui.statusLabel.text = _("Cancelling...")
        self.logic.cancel()

    @staticmethod
    def allow(widget: qt.QWidget, rejection_reason: str, use: str) -> None:
        """Enable a widget if nothing speaks against it; its tooltip says what or what it is for."""
        widget.enabled = not rejection_reason
        widget.toolTip = rejection_reason or use

    @contextmanager
    def shownErrors(self, message: str) -> Iterator[None]:
        """Show what a user can mend as a sentence; the rest is a bug and keeps its traceback."""
        from SkullGANLib.errors import SkullGANError

        problem = None
        with slicer.util.tryWithErrorDisplay(message, waitCursor=False):
            try:
                yield
            except SkullGANError as error:
                problem = error
        if problem:
            self.ui.progressBar.value = 0
            self.ui.statusLabel.text = str(problem)
            self.support.log.say(f"{message} {problem}")
            self.updateButtons()
            slicer.util.errorDisplay(f"{message}\n\n{problem}")
