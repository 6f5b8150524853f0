"""Segments: cutting them out of CTs, looking through them, keeping and saving them."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from typing import TYPE_CHECKING

import slicer
from SkullGANLib.anatomy import cut_plan
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from SkullGANGui import packages
from SkullGANGui.check_boxes import CheckBoxes
from SkullGANGui.sections import segment_files
from SkullGANGui.sections.section import Section
from SkullGANGui.sections.segment_table import SegmentTable, summary
from SkullGANGui.sections.segment_views import SegmentViews

if TYPE_CHECKING:
    from SkullGANLib.extraction.batch_table import Row
    from SkullGANScene.nodes.segment_sets import SegmentSetNodes

    from SkullGANGui.sections.section import SectionsPanel


class SegmentsSection(Section):
    """Extracts segments and shows those of one set in the table and the views.

    Attributes:
        table: the ``SegmentTable``.
        views: the ``SegmentViews``.
        bones, planes: the check boxes that say what is cut.
    """

    def __init__(self, panel: SectionsPanel) -> None:
        Section.__init__(self, panel)
        ui = self.ui
        ui.setSelector.addAttribute("vtkMRMLScalarVolumeNode", "SkullGAN.Kind")
        self.table = SegmentTable(ui.segmentTable, self.onPicked, self.onKept)
        self.views = SegmentViews()
        self.bones = CheckBoxes(ui.bonesFrame, cut_plan.BONE_CHOICES, self.onBones)
        self.planes = CheckBoxes(ui.planesFrame, cut_plan.PLANE_CHOICES, self.onPlanes)
        for button, slot in (
            (ui.extractButton, self.onExtract),
            (ui.batchButton, self.onBatch),
            (ui.saveButton, self.onSave),
            (ui.removeButton, self.onRemove),
        ):
            button.connect("clicked(bool)", slot)

    def show(self) -> None:
        from SkullGANScene.nodes import segment_sets

        node = self.node
        self.bones.show(node.bones)
        self.planes.show(node.planes)
        volume = node.segments if node.segments in segment_sets.in_scene(slicer.mrmlScene) else None
        if self.table.volume is not volume:
            self.showSet(volume)
        if not node.follow:
            self.views.restore()

    def update(self, busy: str) -> None:
        ui, allow = self.ui, self.panel.allow
        bones = _("Choose at least one bone.") if not self.node.bones else ""
        planes = _("Choose at least one plane.") if not self.node.planes else ""
        ask = packages.sentence(packages.SEGMENTS)
        allow(
            ui.extractButton,
            busy or self.logic.objectionTo(self.node.ct) or bones or planes,
            _("Cut the segments, about 20 s; they appear in the table and the scene.") + ask,
        )
        few = _("There is no head CT in the scene.") if not self.logic.headCTs() else ""
        allow(
            ui.batchButton,
            busy or few or bones or planes,
            _("Cut the segments of every CT in the scene, one after the other.") + ask,
        )
        nothing = _("Extract, generate or choose segments first.")
        chosen = self.table.volume is not None
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

    def forget(self) -> None:
        self.views.forget()
        self.table.show(None)

    def showSet(self, volume: vtkMRMLScalarVolumeNode | None) -> None:
        """Show a set in the table, anew if it is the one that is shown; None shows nothing."""
        self.table.show(volume)
        self.count()

    def count(self) -> None:
        """Say how many segments are kept, and what they measure."""
        self.ui.countLabel.text = summary(self.table.volume)
        self.panel.updateButtons()

    def onBones(self, names: list[str]) -> None:
        if self.node:
            self.node.bones = names

    def onPlanes(self, names: list[str]) -> None:
        if self.node:
            self.node.planes = names

    def onExtract(self) -> None:
        node = self.node
        with self.panel.shownErrors(_("No segments were extracted.")):
            packages.ensure(packages.SEGMENTS, _("Extraction"))
            task = self.logic.startExtraction(
                node.ct,
                list(node.bones),
                node.intervalMm,
                list(node.planes),
                node.skull,
            )
            self.panel.run(task, on_done=self.segmentsMade)

    def onBatch(self) -> None:
        node = self.node
        with self.panel.shownErrors(_("No segments were extracted.")):
            packages.ensure(packages.SEGMENTS, _("Extraction"))
            task = self.logic.startBatch(
                self.logic.headCTs(),
                list(node.bones),
                planes=list(node.planes),
                interval_mm=node.intervalMm,
            )
            self.panel.run(task, on_done=self._batchCame)

    def segmentsMade(self, nodes: SegmentSetNodes | None) -> str:
        """Show a set that came into the scene; None if that was closed meanwhile."""
        if nodes is None:
            return _("The scene was closed meanwhile. The segments can still be saved.")
        if self.node:
            self.node.segments = nodes.volume
        from SkullGANScene.nodes import segment_sets

        count = nodes.volume.GetImageData().GetDimensions()[2]
        came = _(
            "{n} segments are in the scene as the volume {name}, one a slice, with masks and a"
            " table of metrics."
        ).format(n=count, name=nodes.volume.GetName())
        return "\n".join([came, *segment_sets.cautions_of(nodes.volume)])

    def onPicked(self, segment: int) -> None:
        """Let the views follow the row that was picked."""
        node = self.node
        if node and node.follow and segment >= 0:
            overlay = None
            if node.showRealness:
                from SkullGANScene.nodes import realness

                overlay = realness.realness_of(self.table.volume, node.realnessMethod)
            with self.panel.shownErrors(_("The views could not follow.")):
                self.views.go(self.table.volume, segment, overlay)

    def onKept(self, segment: int, keep: bool) -> None:
        from SkullGANScene.nodes import segment_sets

        segment_sets.set_kept(self.table.volume, segment, keep)
        self.count()

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
        name = volume.GetName()
        self.views.restore()
        self.node.segments = None
        self.table.show(None)
        segment_sets.remove(volume)
        self.ui.statusLabel.text = _("{name} was removed from the scene.").format(name=name)
        self.count()

    def _batchCame(self, results: list[tuple[Row, SegmentSetNodes | None]]) -> str:
        good = [nodes for _row, nodes in results if nodes is not None]
        if good and self.node:
            self.node.segments = good[-1].volume
        sentences = [_("{n} of {of} CTs gave segments.").format(n=len(good), of=len(results))]
        sentences += [row.sentence for row, _nodes in results if row.state == "failed"]
        return "\n".join(sentences)
