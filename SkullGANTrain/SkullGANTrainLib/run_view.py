"""The run that is watched: how far it is, its losses, its samples, one snapshot after the other."""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import qt
from SkullGANGui import warning_colors
from SkullGANGui.fitted_picture import FittedPicture
from slicer.i18n import tr as _

from .run_table import ago, stateText

if TYPE_CHECKING:
    from SkullGANGui.protocols import Widgets
    from SkullGANLib.training.monitor import RunState

    from .logic import SkullGANTrainLogic

SAMPLES_WIDTH_PX = 400
_SILENT_S = 120.0
_SNAPSHOTS_EVERY_S = 1.0


def duration(seconds: float) -> str:
    """Write a duration as people do."""
    seconds = max(1, round(seconds))
    if seconds < 60:
        return _("{s} s").format(s=seconds)
    if seconds < 3600:
        return _("{m} min {s} s").format(m=seconds // 60, s=seconds % 60)
    return _("{h} h {m} min").format(h=seconds // 3600, m=seconds % 3600 // 60)


class RunView:
    """Shows a run in the widgets of the section *Progress*; it reads and never waits.

    Args:
        ui: the panel's widgets by name.
        logic: the ``SkullGANTrainLogic``, which follows the run.
    """

    def __init__(self, ui: Widgets, logic: SkullGANTrainLogic) -> None:
        self.ui, self._logic = ui, logic
        self._snapshots: list[Path] = []
        self._listed = 0.0
        self._shown: Path | None = None
        self._picture = FittedPicture(ui.samplesLabel, SAMPLES_WIDTH_PX)
        ui.samplesSlider.connect("valueChanged(int)", lambda _number: self._showSnapshot())
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self.ui.watchSection.text = _("Progress")
        self.ui.runProgressBar.value = 0
        self.ui.runLabel.text = _("Start a training, or pick one in the list above.")
        self.ui.lossLabel.text = self.ui.warningLabel.text = ""
        self._snapshots, self._listed, self._shown = [], 0.0, None
        self.ui.samplesSlider.setRange(0, 0)
        self._showSnapshot()

    def show(self, run: RunState, note: str = "") -> None:
        """Show where a run stands.

        Args:
            run: of ``SkullGANLib.training.monitor``.
            note: a sentence to be shown instead of the run's own.
        """
        self.ui.watchSection.text = _("Progress of {name}").format(name=run.run.path.name)
        status = run.status
        self.ui.runProgressBar.value = round(100 * status.progress) if status else 0
        self.ui.runLabel.text = note or self._where(run)
        self._showReport()
        warnings = list(status.warnings) if status and run.goes_on else []
        if run.state == "running" and (run.silent_s or 0) > _SILENT_S:
            warnings.append(_("Last report {ago}.").format(ago=ago(run.silent_s)))
        label = self.ui.warningLabel
        label.text = "\n".join(warnings)
        if warnings:
            label.setStyleSheet(f"color: {warning_colors.warning(label.palette)}")
        self.ui.warningLabel.visible = bool(warnings)
        if time.monotonic() - self._listed > _SNAPSHOTS_EVERY_S:
            self._listSnapshots()

    def _where(self, run: RunState) -> str:
        status = run.status
        if run.state == "gone":
            return _("There is no training in {folder}; it was deleted or moved.").format(
                folder=run.run.path
            )
        if run.state == "damaged":
            return run.problem
        if status is None or (run.state == "running" and not status.iterations):
            return _("Starting, which takes some seconds...") if run.goes_on else ""
        recipe = self._logic.recipeOf(run.run.path)
        epochs = recipe.epochs if recipe else "?"
        place = _("Epoch {epoch} of {epochs}, iteration {iteration} of {iterations}").format(
            epoch=min(status.epoch + 1, recipe.epochs) if recipe else status.epoch + 1,
            epochs=epochs,
            iteration=status.iteration,
            iterations=status.iterations,
        )
        if run.state == "running":
            left = _("; {time} left").format(time=duration(status.eta_s)) if status.eta_s else ""
            return f"{place}{left}"
        if run.state == "finished":
            return _("{message} The model is {path}").format(
                message=status.message, path=run.run.model_path
            )
        if run.state == "died":
            again = _(" Resume goes on from the last checkpoint.") if run.can_resume else ""
            return f"{place}. {stateText(run)[1]}{again}"
        return status.message or place

    def _showReport(self) -> None:
        follower = self._logic.follower
        event = follower.last if follower else {}
        if follower and follower.behind > 0.01:
            self.ui.lossLabel.text = _("Reading the reports: {share:.0%}").format(
                share=1 - follower.behind
            )
        elif event:
            self.ui.lossLabel.text = _(
                "{speed:.0f} images per second. Loss: generator {generator:.2f}, discriminator"
                " {discriminator:.2f}. Realness: real {real:.2f}, generated {fake:.2f}."
            ).format(
                speed=event.get("images_per_s", float("nan")),
                generator=event.get("generator_loss", float("nan")),
                discriminator=event.get("discriminator_loss", float("nan")),
                real=event.get("realness_real", float("nan")),
                fake=event.get("realness_fake", float("nan")),
            )
            if "utilization" in event:  # runs of earlier versions do not say
                self.ui.lossLabel.text += " " + _(
                    "{share:.0%} of the device's arithmetic is used."
                ).format(share=event["utilization"])
            assert follower is not None
            found = follower.curves.columns()["quality_distance"]
            known = [distance for distance in found if distance == distance]
            if known:
                self.ui.lossLabel.text += " " + _(
                    "Distance of the last snapshot from reals: {distance:.2f}, of the best"
                    " {best:.2f}."
                ).format(distance=known[-1], best=min(known))
        else:
            self.ui.lossLabel.text = ""

    def _listSnapshots(self) -> None:
        self._listed = time.monotonic()
        found = self._logic.samples()
        if found == self._snapshots:
            return
        slider = self.ui.samplesSlider
        at_newest = slider.value >= len(self._snapshots) - 1
        self._snapshots = found
        slider.setRange(0, max(0, len(found) - 1))
        if at_newest:
            slider.value = max(0, len(found) - 1)
        self._showSnapshot()

    def _showSnapshot(self) -> None:
        slider, count = self.ui.samplesSlider, len(self._snapshots)
        slider.enabled = count > 1
        slider.toolTip = (
            _("Step through the snapshots of the training; the rightmost is the newest.")
            if count > 1
            else _("There is no second snapshot yet.")
        )
        for widget in (slider, self.ui.samplesLabel, self.ui.samplesCaption):
            widget.visible = count > 0
        path = self._snapshots[min(slider.value, count - 1)] if count else None
        if path == self._shown:
            return
        self._shown = path
        picture = qt.QPixmap(str(path)) if path else None
        if path is None or picture is None or picture.isNull():
            self._picture.clear()
            self.ui.samplesCaption.text = ""
            return
        self._picture.show(picture)
        self.ui.samplesCaption.text = _(
            "Synthetic segments after iteration {n}, always of the same seeds"
        ).format(n=int(path.stem.rpartition("-")[2]))
