"""The start of a training: what it refuses, its run directory, and the segments left there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from ..data import hdf5
from ..data.depth import depth_of, stacks_of
from ..data.segment_set import SegmentSet
from ..errors import BadInputError, SkullGANError
from ..generation.conditions import are_known, measured
from ..networks.architecture import IMAGE_SIZE, Architecture
from .pictures import Pictures
from .process_group import ProcessGroup
from .recipe import Recipe
from .run_directory import Run

ROWS = (64, 96, IMAGE_SIZE)
"""Rows of images that are chosen between."""
MOST_SEGMENTS = 0.99
"""Share of the segments that must fit into the images; the others are left out."""

_log = logging.getLogger(__name__)


def check_segments(kind: str, count: int, recipe: Recipe, allowed_kinds: Sequence[str]) -> None:
    """Raise ``BadInputError`` if so many segments of that kind do not suit a recipe."""
    if kind not in allowed_kinds:
        raise BadInputError(
            f"The segment set is {kind}, expected {' or '.join(allowed_kinds)}; allow "
            f"{kind} segments explicitly to learn from them."
        )
    shown = recipe.samples_per_epoch or count
    if count == 0 or shown < recipe.batch_size:
        raise BadInputError(
            f"There are {shown if count else 0} segments in an epoch and batch_size is "
            f"{recipe.batch_size}, expected at least a batch; set a smaller batch_size, or "
            "samples_per_epoch to show segments more than once."
        )


def fitted(
    segments: SegmentSet | Pictures, recipe: Recipe, pretrained: Architecture | None = None
) -> tuple[SegmentSet | Pictures, Recipe]:
    """Fit slices and rows of the images to the segments.

    Returns:
        The segments whose walls lie within the recipe's ``image_rows``, of stacks those all of
        whose slices' do, and whose conditions, where there are some, can be measured; and the
        recipe with that number, which is chosen if it was 0: that of the model that the training
        begins with, else the least of ``ROWS`` that ``MOST_SEGMENTS`` fit into. Where stacks are
        learned, ``slices`` is theirs.

    Raises:
        BadInputError: if fewer fit into the rows that the recipe asks for, its ``slices`` are not
            those of the segments' stacks, or conditions are asked for that nothing has or of
            stacks.
    """
    if pretrained is not None and not recipe.image_rows:
        recipe = replace(recipe, image_rows=pretrained.image_rows)
    if not isinstance(segments, SegmentSet):
        if recipe.slices > 1:
            raise BadInputError(
                f"slices is {recipe.slices}, expected 0 or 1 with pictures, which are no stacks."
            )
        if recipe.conditions:
            raise BadInputError(
                f"conditions: expected none for pictures, which have no bone to be measured, found "
                f"{recipe.conditions!r}."
            )
        return segments, replace(recipe, image_rows=recipe.image_rows or IMAGE_SIZE)
    segments, recipe = _in_stacks(segments, recipe)
    slices = recipe.architecture.slices
    covered = np.asarray(segments.mask.any(axis=2))
    needed = IMAGE_SIZE - covered[:, ::-1].argmax(axis=1)
    needed[~covered.any(axis=1)] = 0
    needed = needed.reshape(-1, slices).max(axis=1).repeat(slices)
    rows = recipe.image_rows or next(n for n in ROWS if np.mean(needed <= n) >= MOST_SEGMENTS)
    fits = np.asarray(needed <= rows)
    if fits.mean() < MOST_SEGMENTS:
        raise BadInputError(
            f"The walls of {np.sum(~fits)} of {len(fits)} segments reach below row {rows}, "
            f"expected at most {1 - MOST_SEGMENTS:.0%} of them with image_rows {rows}; set "
            "image_rows to 0, which chooses it."
        )
    if not fits.all():
        _log.warning(
            "%d of %d segments reach below row %d and are left out.", np.sum(~fits), len(fits), rows
        )
    recipe = replace(recipe, image_rows=rows)
    return _with_conditions(segments if fits.all() else segments[fits], recipe), recipe


def _with_conditions(segments: SegmentSet, recipe: Recipe) -> SegmentSet:
    """Leave out the segments of which a condition cannot be measured."""
    names = recipe.architecture.conditions
    if not names or not len(segments):
        return segments
    known = are_known(measured(names, segments))
    if not known.any():
        raise BadInputError(
            f"conditions: expected segments of which {', '.join(names)} can be measured, found "
            "none."
        )
    if not known.all():
        _log.warning(
            "%d of %d segments cannot be measured for the conditions and are left out.",
            np.sum(~known),
            len(known),
        )
    return segments if known.all() else segments[known]


def slices_of(segments: SegmentSet, recipe: Recipe) -> int:
    """Give the slices of the stacks that are learned, 1 where single segments are.

    Args:
        segments: of which the source is read alone.
        recipe: what it asks for.

    Raises:
        BadInputError: if the segments have stacks of several depths, or of another than is asked
            for, or stacks are to be learned with conditions.
    """
    if recipe.slices == 1:
        return 1
    depth = depth_of(segments)
    found = depth.slices if depth else 1
    if recipe.slices not in (0, found):
        raise BadInputError(
            f"slices is {recipe.slices}, expected {f'{found}, 1' if depth else '1'} or 0: the "
            f"segments are {f'in stacks of {depth}' if depth else 'single cuts'}."
        )
    if found > 1 and recipe.conditions:
        raise BadInputError(
            f"conditions: expected none for stacks in depth, found {recipe.conditions!r}; set "
            "slices to 1 to learn from single segments."
        )
    return found


def _in_stacks(segments: SegmentSet, recipe: Recipe) -> tuple[SegmentSet, Recipe]:
    """Fit the recipe's slices to the segments, of which whole stacks are kept where it has any."""
    slices = slices_of(segments, recipe)
    if slices == 1:
        return segments, recipe
    assert segments.stack is not None
    assert segments.slice_number is not None
    rows = stacks_of(segments.stack, segments.slice_number, slices)
    if not len(rows):
        raise BadInputError(
            f"No stack of {slices} slices is whole among {len(segments)} segments, expected one at "
            "least; set slices to 1 to learn from single segments."
        )
    if rows.size < len(segments):
        _log.warning(
            "%d of %d segments are of no whole stack and are left out.",
            len(segments) - rows.size,
            len(segments),
        )
    return segments[rows.ravel()], replace(recipe, slices=slices)


def check_batch(recipe: Recipe, group: ProcessGroup) -> None:
    """Raise ``BadInputError`` if a batch cannot be split evenly over the processes."""
    unit = group.size * max(recipe.minibatch_std, 1)
    if recipe.batch_size % unit:
        groups = f" and minibatch_std {recipe.minibatch_std}" if recipe.minibatch_std else ""
        raise BadInputError(
            f"batch_size is {recipe.batch_size} for {group.size} processes{groups}, expected a "
            f"multiple of {unit}."
        )


def open_run(
    run_dir: str | Path, recipe: Recipe, resume: bool, group: ProcessGroup, stack: ExitStack
) -> Run:
    """Let the first process make and lock the directory; the others end if it could not.

    Args:
        run_dir: a new directory, or with ``resume`` one that holds a run.
        recipe: to train with; a run that is resumed must have the same.
        resume: whether to open a run instead of making one.
        group: the processes.
        stack: keeps the lock until it is closed.

    Raises:
        BadInputError: if the directory holds another run, or one with another recipe, or another
            process trains there.
        OutputError: if the directory cannot be made or written.
    """
    refused: SkullGANError | None = None
    if group.is_first:
        try:
            _open_and_lock(run_dir, recipe, resume, stack)
        except SkullGANError as error:
            refused = error
    if group.any(refused is not None):
        raise refused or BadInputError(f"{run_dir}: the first process could not begin.")
    return Run.open(run_dir)


def write_parts(
    run: Run, segments: SegmentSet | Pictures, held_out: SegmentSet | None, *, anew: bool
) -> None:
    """Leave the segments in the run directory, for evaluation and for resuming.

    Args:
        run: whose lock is held.
        segments: what is learned from; pictures are not written.
        held_out: the test part, if there is one.
        anew: whether files that are there are replaced.

    Raises:
        OutputError: if they cannot be written.
    """
    for path, part in ((run.training_path, segments), (run.test_path, held_out)):
        if isinstance(part, SegmentSet) and (anew or not path.exists()):
            hdf5.write(path, part)


def _open_and_lock(run_dir: str | Path, recipe: Recipe, resume: bool, stack: ExitStack) -> None:
    run = Run.open(run_dir) if resume else Run.create(run_dir, recipe)
    stack.enter_context(run.held())
    if not resume:
        return
    used = run.recipe()
    for setting in fields(Recipe):
        before, now = getattr(used, setting.name), getattr(recipe, setting.name)
        if before != now:
            raise BadInputError(
                f"{run_dir}: was begun with {setting.name} {before!r}, found {now!r}; expected "
                "the same recipe."
            )
    run.stop_path.unlink(missing_ok=True)
