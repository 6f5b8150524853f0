"""Segments of a report: each set in a list, and where the discriminator's decision comes from."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from SkullGANGui import packages
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from . import segment_list, sets_table
from .parameters import OCCLUSION, ORDERS, PLACES
from .section import Section
from .shown_report import nodesOf

if TYPE_CHECKING:
    from SkullGANScene.nodes.evaluation import EvaluationNodes

    from .section import EvaluatePanel


class SegmentsSection(Section):
    """Lists the segments of one set of the report; the views show the picked one.

    Attributes:
        list: the ``SegmentList``.
    """

    def __init__(self, panel: EvaluatePanel) -> None:
        Section.__init__(self, panel)
        ui = self.ui
        self.list = segment_list.SegmentList(ui.segmentsTable, self.onSegmentPicked)
        panel.keepChoice(ui.orderBox, "order", {order: _(order) for order in ORDERS})
        ui.setBox.connect("currentIndexChanged(int)", self.onSetChanged)
        ui.orderBox.connect("currentIndexChanged(int)", self.onListChanged)
        ui.overlayCheckBox.connect("clicked(bool)", self.onOverlay)
        methods = {PLACES: _("What each place adds"), OCCLUSION: _("What smoothing takes")}
        panel.keepChoice(ui.methodBox, "method", methods)
        ui.methodBox.connect("activated(int)", self.onOverlay)

    def update(self, busy: str) -> None:
        ui, allow = self.ui, self.panel.allow
        none = "" if nodesOf(self.node) else _("There is no report in the scene yet.")
        allow(
            ui.overlayCheckBox,
            none or busy,
            _(
                "Lay over the picked segment where the discriminator's decision comes from: orange"
                " speaks for real, blue for made. It is worked out once for the whole set."
            ),
        )
        allow(
            ui.methodBox,
            none or busy,
            _(
                "What each place of the image adds to the score, or what the score loses where the"
                " wall is smoothed: a second opinion, and slower."
            ),
        )
        for box in (ui.setBox, ui.orderBox):
            allow(box, none, _("Which segments are listed, and in which order."))

    def showReport(self, nodes: EvaluationNodes | None) -> None:
        """List the segments of another report, or of none."""
        box = self.ui.setBox
        box.blockSignals(True)
        try:
            box.clear()
            box.addItems([sets_table.title(name) for name in nodes.tables] if nodes else [])
            names = list(nodes.tables) if nodes else []
            wanted = [one for one in (self.node.listed, "synthetic") if one in names]
            box.setCurrentIndex(names.index(wanted[0]) if wanted else 0)
        finally:
            box.blockSignals(False)
        self._showSegments(nodes)

    def onSetChanged(self, index: int) -> None:
        if self.node:
            self.node.listed = self._listedSet(nodesOf(self.node))
        self.onListChanged(index)

    def onListChanged(self, index: int) -> None:
        self._showSegments(nodesOf(self.node))

    def onSegmentPicked(self, index: int) -> None:
        self._showPicked(nodesOf(self.node))

    def onOverlay(self, value: bool | int) -> None:
        """Show the realness map over the picked segment; it is made first where there is none."""
        from SkullGANScene.nodes import evaluation

        nodes = nodesOf(self.node)
        volume = nodes.volumes.get(self._listedSet(nodes)) if nodes else None
        if nodes is None or volume is None or not self.node.overlay:
            self._showPicked(nodes)
            return
        if self.list.picked() < 0 and self.list.rows:
            self.list.pick(self.list.rows[0])
        method = self.logic.methodOf(self.node)
        if evaluation.overlay_of(volume, method) is not None:
            self._showPicked(nodes)
            return
        with self.panel.shownErrors(_("There is no realness map.")):
            packages.ensure(packages.MODELS, _("A realness map"))
            task = self.logic.startOverlay(
                volume, self._judge(nodes), method, nodes.content.get("realness", "")
            )
            self.panel.run(task, on_done=self._overlayMade)

    def _overlayMade(self, overlay: vtkMRMLScalarVolumeNode) -> str:
        self._showPicked(nodesOf(self.node))
        return _("Done: orange speaks for real, blue for made.")

    def _showSegments(self, nodes: EvaluationNodes | None) -> None:
        name = self._listedSet(nodes)
        volume = nodes.volumes.get(name) if nodes and name else None
        table = nodes.tables[name] if nodes and name else None
        self.list.show(volume, table, self.ui.orderBox.currentIndex)

    def _listedSet(self, nodes: EvaluationNodes | None) -> str:
        names = list(nodes.tables) if nodes else []
        index = self.ui.setBox.currentIndex
        return names[index] if 0 <= index < len(names) else ""

    def _showPicked(self, nodes: EvaluationNodes | None) -> None:
        """Show the picked segment, with its realness map if that is wanted and known."""
        from SkullGANScene.nodes import evaluation
        from SkullGANScene.views import slice_views

        volume = nodes.volumes.get(self._listedSet(nodes)) if nodes else None
        index = self.list.picked()
        if index < 0 or volume is None:
            return
        wanted = self.node.overlay
        over = evaluation.overlay_of(volume, self.logic.methodOf(self.node)) if wanted else None
        slice_views.look_at(slice_views.free_view(slicer.mrmlScene), volume, index, over)

    def _judge(self, nodes: EvaluationNodes) -> Path:
        """Give the model that judged for a report, else the one that is chosen or came along."""
        from SkullGANLib.utils import resources

        judged = nodes.content["model"]
        if judged and Path(judged).is_file():
            return Path(judged)
        return self.logic.modelOf(self.node) or resources.bundled_model()
