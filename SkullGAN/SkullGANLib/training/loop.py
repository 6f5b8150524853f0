"""Training: the adversarial game of the paper, from a segment set to a model.

``train`` plays the whole of it in a run directory (see ``run_directory``); its hooks let any front
end watch and stop it. What a batch of reals is called, when a network waits and how learning rates
fall is the recipe's (see ``recipe``).

Losses, update gates and learning rates stay on the device, so that no iteration waits for the host;
they are fetched once a report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

import torch

from ..data.segment_set import SegmentSet
from ..errors import BadInputError, CancelledError
from ..networks import model_file
from ..networks.model_file import Model
from . import start
from .checkpoint_writer import CheckpointWriter
from .event_log import Report, Reporter
from .memory_estimate import MemoryCheck
from .pictures import Pictures
from .pretrained import check_pretrained
from .process_group import joined
from .recipe import Recipe
from .run_directory import Run
from .snapshots import Snapshots
from .state import TrainingState
from .step_graph import iterations


def train(
    segments: SegmentSet | Pictures,
    run_dir: str | Path,
    recipe: Recipe,
    *,
    held_out: SegmentSet | None = None,
    device: str = "cpu",
    seed: int = 0,
    on_report: Callable[[Report], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    resume: bool = False,
    pretrained: Model | None = None,
    allowed_kinds: Sequence[str] = ("real",),
    license: str = "",
) -> Model:
    """Train a SkullGAN and leave everything about it in a run directory.

    Args:
        segments: what to learn from, whole stacks if they have depth, left as ``training.h5``; or
            pictures to pre-train on. Copied to the device as a whole (32 KiB a segment, 16 KiB a
            picture).
        run_dir: the run directory; a new one, or with ``resume`` one that holds a run.
        recipe: the settings.
        held_out: segments that are not learned from, left as ``test.h5``; snapshots are compared
            with them, where the recipe asks for it, and the best one is the model.
        device: "auto", "cpu", "cuda", "cuda:1", "mps"; under ``torchrun`` a GPU for each process.
        seed: what all random numbers follow from. On a CPU, the same segments, recipe, seed and
            number of threads give the same model, stopped and resumed or not.
        on_report: called with every line of ``events.jsonl`` (see ``event_log``).
        on_progress: called after every iteration with the iterations so far and in all.
        should_stop: asked before every iteration; so is the run's ``stop`` file.
        resume: from the last checkpoint, or from the beginning if there is none.
        pretrained: whose weights both networks begin with, of the recipe's latent size and widths.
        allowed_kinds: kinds of sets to accept; synthetic ones by mistake spoil a model quietly.
        license: what the model's weights may be used for; recorded in the model.

    Returns:
        The model, as in ``model.safetensors``, on the device.

    Raises:
        BadInputError: if something does not suit, or the training fails and ``on_training_failure``
            is "stop". Once there is a run, ``status.json`` has the reason.
        OutputError: if something cannot be written.
        CancelledError: if it was stopped; checkpoint and model so far are in the run directory.
    """
    start.check_segments(segments.kind, len(segments), recipe, allowed_kinds)
    begun_with = None if pretrained is None else pretrained.architecture
    segments, recipe = start.fitted(segments, recipe, begun_with)
    count = len(segments) // recipe.architecture.slices
    start.check_segments(segments.kind, count, recipe, allowed_kinds)
    if begun_with is not None:
        check_pretrained(begun_with, recipe)
    with joined(device) as (group, where), ExitStack() as stack:
        start.check_batch(recipe, group)
        run = start.open_run(run_dir, recipe, resume, group, stack)
        reporter = Reporter(run, group.is_first, on_report, on_progress)
        stack.enter_context(reporter.end_reported())
        memory = MemoryCheck.of(recipe, len(segments), where, group.size)
        reporter.report_memory(memory)
        with memory.lack_explained(), _tuned(where):
            state = TrainingState(segments, recipe, where, seed, pretrained, group, held_out)
            resumed = resume and _restore(state, run)
            if group.is_first:
                start.write_parts(run, segments, held_out, anew=not resumed)
            snapshots = Snapshots(run, state, held_out, license)
            writer = stack.enter_context(CheckpointWriter(run, where))
            return _play(state, snapshots, reporter, should_stop, writer)


def _restore(state: TrainingState, run: Run) -> bool:
    """Take the state back from the last checkpoint; tell whether there is one."""
    if not run.checkpoints():
        return False
    state.restore(run.read_checkpoint(), run.path)
    if state.group.is_first:
        run.rewind_events(state.iteration)
    return True


def _play(
    state: TrainingState,
    snapshots: Snapshots,
    reporter: Reporter,
    should_stop: Callable[[], bool] | None,
    writer: CheckpointWriter,
) -> Model:
    """Play the game to its end, with a report, a snapshot and a checkpoint now and then."""
    recipe, group, run = state.recipe, state.group, snapshots.run
    reporter.begin(state)
    iterate = iterations(state, reporter.note)
    while state.iteration < state.iterations:
        if group.any(run.stop_requested() or bool(should_stop and should_stop())):
            reporter.report(state, reporter.means(state))
            if group.is_first:
                writer.wait()
                snapshots.keep_unfinished()
            raise CancelledError(
                f"{run.path}: stopped on request after {state.iteration} of {state.iterations} "
                "iterations; the checkpoint and the model so far are kept."
            )
        reporter.add(**iterate())
        last = state.iteration == state.iterations
        snapshot = last or state.iteration % (recipe.snapshot_every * state.batches_per_epoch) == 0
        if snapshot or state.iteration % recipe.report_every == 0:
            means = reporter.means(state)
            if snapshot and group.is_first:
                means |= snapshots.take()
            failures = reporter.report(state, means)
            if recipe.on_training_failure == "stop" and group.any(bool(failures)):
                raise BadInputError(
                    f"{run.path}: stopped, as on_training_failure asks. {' '.join(failures)}"
                )
            if group.is_first and (last or writer.is_due(at_snapshot=snapshot)):
                writer.write(state.checkpoint())
        reporter.report_progress(state)
    if group.is_first:
        writer.wait()
        snapshots.finish()
        return model_file.read(run.model_path, state.device)
    return state.model(snapshots.license)


def _tuned(where: torch.device) -> AbstractContextManager[None]:
    """Let cuDNN try out its algorithms: shapes are the same in every iteration."""
    if where.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=True)
