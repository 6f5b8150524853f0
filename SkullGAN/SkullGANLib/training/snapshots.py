"""The snapshots of a training: sample grids, their quality, and which model is kept.

A snapshot is made of fixed seeds. Where the recipe asks for it, it is compared with reals (see
``quality``); ``model.safetensors`` is then the best one so far and ``last.safetensors`` the last.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data.segment_set import SegmentSet
from ..generation import from_seeds
from ..generation.conditions import measured
from ..networks import model_file
from ..networks.model_file import Model
from ..plots import contact_sheet
from . import failure_watch
from .checkpoint_writer import fetched
from .model_page import ModelPage
from .pictures import PICTURES
from .quality import DISTANCE, QualityJudge, with_conditions
from .run_directory import Run
from .state import TrainingState


class Snapshots:
    """Takes the snapshots of a training and keeps its models.

    Args:
        run: where they go.
        state: the training.
        held_out: reals to compare with; None compares with those that are learned from.
        license: what the weights may be used for.

    Attributes:
        run, license: as given.
    """

    def __init__(
        self, run: Run, state: TrainingState, held_out: SegmentSet | None, license: str
    ) -> None:
        self.run, self.license = run, license
        self._state = state
        self._page = ModelPage(run, state.segments, held_out)
        self._judge: QualityJudge | None = None
        self._against = "training" if held_out is None or not len(held_out) else "held out"
        reals = state.segments if self._against == "training" else held_out
        self._asked: dict[str, np.ndarray] = {}
        if state.recipe.quality_count and isinstance(reals, SegmentSet):
            self._judge = QualityJudge(reals, state.recipe.quality_count)
            self._asked = _asked_as(self._judge.reals, state)

    def take(self) -> dict[str, float]:
        """Write the grid of fixed seeds, keep the model if it is the best.

        Returns:
            The grid's ``diversity``, as a share of that of the reals, and what ``QualityJudge``
            found.
        """
        state = self._state
        made = state.model(self.license)
        found = self._write_samples(made)
        if self._judge:
            count = -(-state.recipe.quality_count // state.slices)
            segments = from_seeds.generate_set(made, range(count), asked=self._asked)
            quality = with_conditions(self._judge.judge(segments), self._asked, segments)
            found |= quality
            if quality[DISTANCE] < state.best.get("distance", np.inf):
                state.best = {"distance": quality[DISTANCE], "iteration": state.iteration}
                self._write(made, found)
        return found

    def keep_unfinished(self) -> None:
        """Write a checkpoint and the model so far, as far as there is no better one."""
        self.run.write_checkpoint(fetched(self._state.checkpoint()))
        made = self._state.model(self.license)
        if self._judge:
            model_file.write(self.run.last_model_path, made)
        if not self._judge or not self.run.model_path.exists():
            self._write(made)

    def finish(self) -> None:
        """Write the last model, and it alone where no snapshots were compared."""
        made = self._state.model(self.license)
        if self._judge:
            model_file.write(self.run.last_model_path, made)
            made = model_file.read(self.run.model_path)
            self._page.write(made)  # once more: the training has its whole time now
        else:
            self._write(made)

    def _write(self, made: Model, figures: dict[str, float] | None = None) -> None:
        """Write the model and its card."""
        if self._judge and self._state.best.get("iteration") == self._state.iteration:
            chosen = {
                **self._state.best,
                "against": f"{self._judge.count} segments, {self._against}",
            }
            made = replace(made, trained_on={**made.trained_on, "chosen_by_distance": chosen})
        model_file.write(self.run.model_path, made)
        self._page.write(made, figures)

    def _write_samples(self, made: Model) -> dict[str, float]:
        """Write the grid of fixed seeds; give its diversity, as a share of that of the reals."""
        state, slices = self._state, self._state.slices
        count = -(-state.recipe.sample_count // slices)
        path = self.run.sample_path(state.iteration)
        if state.segments.kind == PICTURES:  # they have no wall to be cut out, and no HU
            wall_hu = made.hu_range[0] - 1
            samples = from_seeds.generate_set(made, range(count), wall_threshold_hu=wall_hu)
            contact_sheet.write_contact_sheet(path, samples.hu, crop=False, window_hu=made.hu_range)
        else:
            samples = from_seeds.generate_set(made, range(count))
            columns = slices * max(1, 8 // slices)  # a stack on one line
            contact_sheet.write_contact_sheet(path, samples.hu, columns=columns, crop=False)
        # Slices of one stack are alike: one of each says how stacks differ.
        reals = state.segments.hu[slices // 2 :: slices]
        if count < 2 or len(reals) < 2:
            return {}
        evenly = np.unique(np.linspace(0, len(reals) - 1, count).astype(int))
        found = failure_watch.diversity(samples.hu[slices // 2 :: slices], reals[evenly])
        return {"diversity": found} if np.isfinite(found) else {}


def _asked_as(reals: SegmentSet, state: TrainingState) -> dict[str, np.ndarray]:
    """Give what a snapshot's segments are asked to be: what reals are, in turn, as far as it was
    learned; nothing where there are no conditions."""
    known = state.conditions
    if known is None:
        return {}
    values = measured(known.names, reals)
    rows = np.flatnonzero(known.covers(values))
    turns = np.resize(rows, state.recipe.quality_count if len(rows) else 0)
    return {name: one[turns] for name, one in values.items()} if len(rows) else {}
