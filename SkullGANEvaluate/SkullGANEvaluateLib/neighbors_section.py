"""Nearest real neighbors: synthetic segments beside what they are most like."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import slicer
from slicer import vtkMRMLSliceNode
from slicer.i18n import tr as _

from .section import Section
from .shown_report import nodesOf

if TYPE_CHECKING:
    from SkullGANScene.nodes.evaluation import EvaluationNodes
    from SkullGANScene.nodes.nearest_neighbors import PairNodes

    from .section import EvaluatePanel


class NeighborsSection(Section):
    """Shows one pair after the other in three linked views, and says what is known of it."""

    def __init__(self, panel: EvaluatePanel) -> None:
        Section.__init__(self, panel)
        self.ui.besideButton.connect("clicked()", self.onBeside)
        self.ui.pairSlider.connect("valueChanged(double)", self.onPair)
        self._followed: list[tuple[vtkMRMLSliceNode, int]] = []
        self._turning = False

    def update(self, busy: str) -> None:
        nodes = nodesOf(self.node)
        pairs = "" if nodes else _("There is no report in the scene yet.")
        if nodes and nodes.pairs is None:
            pairs = _("No neighbors are known: a synthetic and a training set are needed.")
        self.panel.allow(
            self.ui.besideButton,
            pairs,
            _(
                "Change the layout to three linked views: synthetic segment, nearest real one,"
                " difference in HU (blue: less dense than real, red: denser)."
            ),
        )
        self.panel.allow(
            self.ui.pairSlider, pairs, _("Which pair; those most like copies come first.")
        )

    def forget(self) -> None:
        self._followSlices([])

    def showReport(self, nodes: EvaluationNodes | None) -> None:
        """Begin with the first pair of another report, or show that there is none."""
        pairs = nodes.pairs if nodes else None
        self.ui.pairSlider.maximum = max(len(pairs), 1) if pairs else 1
        self.ui.pairSlider.minimum = 1
        self.ui.pairSlider.value = 1
        self._showPair(pairs)

    def onBeside(self) -> None:
        from SkullGANScene.nodes import color_tables
        from SkullGANScene.views import slice_views

        pairs = self._pairs()
        if pairs is not None:
            titles = (_("Synthetic"), _("Nearest real"), _("Difference"))
            views = slice_views.arrange(slicer.mrmlScene, titles)
            slicer.app.processEvents()  # the views take their size, which pairs are fitted to
            color_tables.renew_legend(pairs.difference)  # new views know of no older one
            self._showPair(pairs)
            self._followSlices(views)

    def onPair(self, value: float) -> None:
        self._showPair(self._pairs())

    def onSliceTurned(self, view: vtkMRMLSliceNode, event: str) -> None:
        from SkullGANScene.views import slice_views

        index = slice_views.index_in(view)
        known = 0 <= index < self.ui.pairSlider.maximum
        if known and index != self._pair() and not self._turning and view.IsMappedInLayout():
            self.ui.pairSlider.value = index + 1

    def _pairs(self) -> PairNodes | None:
        nodes = nodesOf(self.node)
        return nodes.pairs if nodes else None

    def _pair(self) -> int:
        return round(self.ui.pairSlider.value) - 1

    def _showPair(self, pairs: PairNodes | None) -> None:
        from SkullGANScene.nodes import nearest_neighbors
        from SkullGANScene.views import slice_views

        if pairs is None or not 0 <= self._pair() < len(pairs):
            self.ui.pairLabel.text = ""
            return
        self.ui.pairLabel.text = _aboutPair(nearest_neighbors.described(pairs, self._pair()))
        self._turning = True
        stacks = (pairs.segments, pairs.nearest, pairs.difference)
        for view, stack in zip(slice_views.beside_views(slicer.mrmlScene), stacks, strict=False):
            if view.IsMappedInLayout():
                slice_views.look_at(view, stack, self._pair())
        self._turning = False

    def _followSlices(self, views: Iterable[vtkMRMLSliceNode]) -> None:
        """Let the slider follow who turns the slices in these views, and no others."""
        for view, tag in self._followed:
            view.RemoveObserver(tag)
        self._followed = [
            (view, view.AddObserver("ModifiedEvent", self.onSliceTurned)) for view in views
        ]


def _aboutPair(row: Mapping[str, str]) -> str:
    """Say in words what is known of a pair of nearest segments."""
    moved = [_("left and right swapped")] if int(row["Flipped"]) else []
    for column, back, forth in (
        ("Turned", _("turned by {by}° clockwise"), _("turned by {by}° counterclockwise")),
        ("Rows down", _("{by} px up"), _("{by} px down")),
        ("Columns right", _("{by} px to the left"), _("{by} px to the right")),
    ):
        by = round(float(row.get(column, "0")), 1)  # scenes of before know of no turns
        if by:
            moved.append((forth if by > 0 else back).format(by=f"{abs(by):g}"))
    text = _(
        "Synthetic {synthetic}, nearest training segment {training} by {way}{moved}. Likeness ratio"
        " {ratio:.2f} (1: as like as others are, 0: a copy)."
    ).format(
        synthetic=row["Synthetic"],
        training=row["Training"],
        way=row["Way"],
        moved=f" ({', '.join(moved)})" if moved else "",
        ratio=float(row["Likeness ratio"]),
    )
    verdict = row["Verdict"]
    return f"{text} {_('Verdict: {verdict}.').format(verdict=verdict)}" if verdict else text
