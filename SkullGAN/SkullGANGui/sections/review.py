"""Review: looking through the segments of one set, keeping and rejecting, saving and removing."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

import qt
import slicer
import slicer.util
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.sections import segment_files
from SkullGANGui.sections.decisions import Decisions
from SkullGANGui.sections.review_keys import ReviewKeys
from SkullGANGui.sections.section import Section
from SkullGANGui.sections.segment_filter import SegmentFilter
from SkullGANGui.sections.segment_strip import SegmentStrip, described
from SkullGANGui.sections.segment_table import SegmentTable, summary
from SkullGANGui.sections.segment_views import SegmentViews

if TYPE_CHECKING:
    from collections.abc import Iterable

    from SkullGANScene.nodes.segment_sets import SegmentSetNodes

    from SkullGANGui.sections.section import SectionsPanel


class ReviewSection(Section):
    """Shows the segments of one set in the table, the strip and the views, and decides on them.

    Attributes:
        table: the ``SegmentTable``.
        strip: the ``SegmentStrip``.
        filter: the ``SegmentFilter``.
        views: the ``SegmentViews``.
    """

    def __init__(self, panel: SectionsPanel) -> None:
        Section.__init__(self, panel)
        ui = self.ui
        ui.setSelector.addAttribute("vtkMRMLScalarVolumeNode", "SkullGAN.Kind")
        self.views = SegmentViews()
        self._decisions = Decisions()
        self.table = SegmentTable(ui.segmentTable, self.onPicked, self.onTicked, self._arranged)
        self.strip = SegmentStrip(
            ui.segmentStrip, self.table.pick, self._described, self.table.kept
        )
        self.filter = SegmentFilter(ui, self.onFilter)
        ReviewKeys(
            (ui.segmentTable, ui.segmentStrip),
            keep=lambda: self.decide(True),
            reject=lambda: self.decide(False),
            move=self.move,
            undo=self.undo,
            redo=self.redo,
        )
        ui.segmentTable.connect("itemSelectionChanged()", self._allowDeciding)
        for button, slot in (
            (ui.keepButton, lambda: self.decide(True)),
            (ui.rejectButton, lambda: self.decide(False)),
            (ui.undoButton, self.undo),
            (ui.openButton, self.onOpen),
            (ui.saveButton, self.onSave),
            (ui.removeButton, self.onRemove),
        ):
            button.connect("clicked()", slot)

    def show(self) -> None:
        from SkullGANScene.nodes import segment_sets

        node = self.node
        volume = node.segments if node.segments in segment_sets.in_scene(slicer.mrmlScene) else None
        if self.table.volume is not volume:
            self.showSet(volume)
        if not node.follow:
            self.views.restore()

    def update(self, busy: str) -> None:
        ui, allow = self.ui, self.panel.allow
        nothing = _("Extract, generate or choose segments first.")
        chosen = self.table.volume is not None
        self._allowDeciding()
        allow(
            ui.openButton, busy, _("Open a segment set (.h5) that was saved, to look through it.")
        )
        allow(
            ui.saveButton,
            busy or ("" if chosen or self.logic.leftover else nothing),
            _("Save the kept segments as a file, for training, evaluation and other programs."),
        )
        allow(
            ui.removeButton,
            busy or ("" if chosen else nothing),
            _("Remove these segments, their masks and metrics from the scene."),
        )

    def _allowDeciding(self) -> None:
        ui, allow = self.ui, self.panel.allow
        some = "" if self.table.selected() else _("Pick segments in the table or the strip first.")
        stacked = ""
        if self._decisions.stacks is not None:
            stacked = " " + _("All slices of a stack are decided on together.")
        allow(
            ui.keepButton,
            some,
            _("Keep the selected segments and go to the next one. Key: K") + stacked,
        )
        allow(
            ui.rejectButton,
            some,
            _(
                "Reject the selected segments and go to the next one: they stay in the scene, but"
                " are neither saved nor trained on. Key: R"
            )
            + stacked,
        )
        allow(
            ui.undoButton,
            "" if self._decisions.canUndo else _("Nothing was decided yet."),
            _("Take the last decision back. Key: U; with Shift it is decided again."),
        )

    def forget(self) -> None:
        self.views.forget()
        self.filter.stop()
        self.strip.stop()
        self._decisions.begin(None)
        self.table.show(None)

    # What is shown.

    def showSet(self, volume: vtkMRMLScalarVolumeNode | None) -> None:
        """Show a set, anew if it is the one that is shown; None shows nothing."""
        self._decisions.begin(volume)
        self.table.show(volume)
        self.filter.offer(self.table.columns)
        self.count()

    def look(self) -> None:
        """Show what is known of the set by now, as after its segments were judged."""
        if self.table.volume is not None:
            self.table.look()
            self.filter.offer(self.table.columns)
            self.onFilter()

    def count(self) -> None:
        """Say how many segments are kept and what they measure, and enable what can be done."""
        self._tellCount()
        self.panel.updateButtons()

    def _tellCount(self) -> None:
        self.ui.countLabel.text = summary(
            self.table.columns, len(self.table.rows), self._decisions.stacks
        )

    def onFilter(self) -> None:
        """Show the segments that the filter lets through."""
        if self.table.volume is not None:
            self.table.arrange(self.filter.rows(self.table.columns, self.table.warnings))
            self.count()

    def segmentsMade(self, nodes: SegmentSetNodes | None) -> str:
        """Show a set that came into the scene; None if that was closed meanwhile."""
        is_real = nodes is not None and nodes.volume.GetAttribute("SkullGAN.Kind") == "real"
        self.panel.guidance.done("extractSection" if is_real else "generateSection")
        if nodes is None:
            return self._leftOver()
        if self.node:
            self.node.segments = nodes.volume
        from SkullGANScene.nodes import segment_sets

        count = nodes.volume.GetImageData().GetDimensions()[2]
        depth = segment_sets.depth_in(nodes.volume)
        if depth is None:
            came = _(
                "{n} segments are in the scene as the volume {name}, one a slice, with masks and a"
                " table of metrics."
            ).format(n=count, name=nodes.volume.GetName())
        else:
            came = _(
                "{n} stacks of {depth} are in the scene as the volume {name}, one after the other,"
                " with masks and a table of metrics."
            ).format(n=count // depth.slices, depth=depth, name=nodes.volume.GetName())
        return "\n".join([came, *segment_sets.cautions_of(nodes.volume)])

    def _leftOver(self) -> str:
        """Say why segments that were made did not come into the scene."""
        if self.logic.keptOut:
            return _("The scene was closed meanwhile. The segments can still be saved.")
        from SkullGANScene.nodes.segment_sets import MOST_IN_SCENE

        if self.node:
            self.node.segments = None  # what is shown is what is saved
        return _(
            "These are more than the {n} segments that a scene takes at once. They can be saved;"
            " with a wider interval or fewer slices they would come into the scene."
        ).format(n=MOST_IN_SCENE)

    def onPicked(self, segment: int) -> None:
        """Let the strip and, if wanted, the views follow the row that was picked."""
        node = self.node
        self.strip.follow(segment)
        if node and node.follow and segment >= 0:
            overlay = None
            if node.showRealness:
                from SkullGANScene.nodes import realness

                overlay = realness.realness_of(self.table.volume, node.realnessMethod)
            with self.panel.shownErrors(_("The views could not follow.")):
                self.views.go(self.table.volume, segment, overlay)

    def _arranged(self) -> None:
        if self.table.volume is None:
            self.strip.clear()
            return
        self.strip.show(slicer.util.arrayFromVolume(self.table.volume), self.table.rows)
        self.strip.follow(self.table.picked())

    def _described(self, segment: int) -> str:
        columns = self.table.columns
        return described(
            segment,
            columns["SDR (peaks)"][segment],
            columns["Thickness (mm)"][segment],
            self.table.stacks[segment] if self.table.stacks else "",
        )

    # What is decided.

    def decide(self, keep: bool) -> None:
        """Keep or reject what is selected; of a single one, go on to the next."""
        selected = self.table.selected()
        if not selected:
            self.move(0)  # whoever begins with a key sees the segment before it is decided on
            return
        self._changed(self._decisions.decide(selected, keep))
        self.panel.guidance.done("reviewSection")
        if len(selected) == 1:
            self._moveBeyond(selected[0])

    def move(self, step: int) -> None:
        """Pick the next row, or the one before; none beyond the ends.

        Where none is picked it is the first one, or the one that the focus went to.
        """
        rows = self.table.rows
        if rows:
            row = self.ui.segmentTable.currentRow() + (step if self.table.selected() else 0)
            self.table.pick(rows[min(max(row, 0), len(rows) - 1)])

    def _moveBeyond(self, segment: int) -> None:
        """Pick the next row that was not decided on together with this one."""
        rows, decided = self.table.rows, set(self._decisions.together([segment]))
        row = self.ui.segmentTable.currentRow()
        beyond = (one for one in rows[row + 1 :] if one not in decided)
        self.table.pick(next(beyond, rows[-1]))

    def undo(self) -> None:
        self._return(self._decisions.undo())

    def redo(self) -> None:
        self._return(self._decisions.redo())

    def onTicked(self, segment: int, keep: bool) -> None:
        """A box was ticked: of several selected rows it is meant for all."""
        selected = self.table.selected()
        self._changed(
            self._decisions.decide({segment, *selected} if segment in selected else [segment], keep)
        )

    def _return(self, segments: list[int]) -> None:
        """Show what was decided anew, and go back to where that was."""
        self._changed(segments)
        there = [segment for segment in segments if segment in self.table.rows]
        if there:
            self.table.pick(there[0])

    def _changed(self, segments: Iterable[int]) -> None:
        segments = list(segments)
        self.table.showKept(segments)
        self.strip.renew(segments)
        self._tellCount()
        self._allowDeciding()

    # Where it comes from, and what becomes of it.

    def onOpen(self) -> None:
        path = qt.QFileDialog.getOpenFileName(
            None, _("Open a segment set"), "", _("Segment sets (*.h5 *.hdf5)")
        )
        if path:
            self.load(path)

    def load(self, path: str) -> None:
        """Load a segment set of a file and show it."""
        with self.panel.shownErrors(_("The segments were not loaded.")):
            packages.ensure(packages.SEGMENTS, _("Opening a segment set"))
            self.panel.run(self.logic.startLoading(path), on_done=self._loaded)

    def _loaded(self, nodes: SegmentSetNodes) -> str:
        if self.node:
            self.node.segments = nodes.volume
        return _("{name} is in the scene.").format(name=nodes.volume.GetName())

    def onSave(self) -> None:
        path = segment_files.askForSegments(_("Save segments"), "segments")
        if not path:
            return
        with self.panel.shownErrors(_("The segments were not saved.")):
            packages.ensure(packages.SEGMENTS, _("Saving"))
            if self.table.volume is None:
                self.logic.saveLeftover(path)
                self.ui.statusLabel.text = _("Saved as {path}").format(path=path)
            else:
                task = self.logic.startSaving(self.table.volume, path)
                saved = _("{n} segments were saved as {path}")
                self.panel.run(task, on_done=lambda count: saved.format(n=count, path=path))

    def onRemove(self) -> None:
        from SkullGANScene.nodes import segment_sets

        volume = self.table.volume
        if volume is None:
            return  # the button is off by then
        name, kept = volume.GetName(), self.table.kept()
        agreed = slicer.util.confirmOkCancelDisplay(
            _(
                "Remove {n} segments of {name} from the scene, with what was decided of them"
                " ({rejected} rejected)? This cannot be undone; a saved file stays."
            ).format(n=len(kept), name=name, rejected=int((~kept).sum())),
            windowTitle=_("Remove segments"),
        )
        if not agreed:
            return
        self.views.restore()
        self.node.segments = None
        self.showSet(None)
        segment_sets.remove(volume)
        self.ui.statusLabel.text = _("{name} was removed from the scene.").format(name=name)
        self.count()
