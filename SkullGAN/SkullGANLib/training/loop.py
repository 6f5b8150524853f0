"""Training: the adversarial game of the paper, from a segment set to a model.

``train`` plays the whole of it in a run directory (see ``run``); its hooks let any front end watch
and stop it. What a batch of reals is called, when a network waits and how learning rates fall is
the recipe's (see ``recipe``).

Losses, update gates and learning rates stay on the device, so that no iteration waits for the host;
they are fetched once a report.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from ..data.segment_set import SegmentSet
from ..errors import BadInputError, CancelledError, SkullGANError
from ..generation import from_seeds
from ..networks import model_file
from ..networks.model_file import Model
from ..plots import contact_sheet
from . import failure_watch, memory_estimate
from .augmentation import with_blurred
from .datasets import PICTURES, Pictures
from .event_log import Report, Reporter
from .process_group import ProcessGroup, joined
from .recipe import Recipe
from .run_directory import Run
from .state import TrainingState, runs_in_bf16

_log = logging.getLogger(__name__)


def train(
    segments: SegmentSet | Pictures,
    run_dir: str | Path,
    recipe: Recipe,
    *,
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
        segments: what to learn from, or pictures to pre-train on; copied to the device as a whole
            (32 KiB a segment, 16 KiB a picture).
        run_dir: the run directory; a new one, or with ``resume`` the one to go on with.
        recipe: the settings.
        device: "auto", "cpu", "cuda", "cuda:1", "mps". Started by ``torchrun``, each process takes
            a GPU of its own, and the run directory must be the same for all (see ``distributed``).
        seed: what initial weights and all chance of the training follow from. On a CPU, the same
            segments, recipe, seed and number of threads give the same model, stopped and resumed
            or not.
        on_report: called with every line that goes into ``events.jsonl``: ``time`` (seconds since
            1970), ``elapsed_s``, ``epoch``, ``iteration``, ``iterations``; means since the last
            report: ``generator_loss``, ``discriminator_loss``, ``realness_real``,
            ``realness_fake``, ``generator_updates`` and ``discriminator_updates`` (share of the
            batches in which the gate was open); ``generator_learning_rate``,
            ``discriminator_learning_rate``, ``images_per_s`` (reals), ``memory_bytes`` (the most
            so far), ``memory_needed_bytes`` (as reckoned before); ``warnings``, a list of sentences
            (see ``divergence``); where the recipe augments, ``augmentation_strength``; with a
            sample grid its ``diversity``, as a share of that of the reals.
        on_progress: called after every iteration with the iterations done and in all.
        should_stop: asked before every iteration; so is the run's ``stop`` file.
        resume: go on from the last checkpoint (from the beginning if there is none).
        pretrained: whose weights both networks begin with, instead of drawn ones. It must be of
            the recipe's latent size and widths; its HU range does not matter.
        allowed_kinds: kinds of segment sets to accept; learning from synthetic segments by mistake
            spoils a model quietly.
        licence: what the model's weights may be used for; recorded in the model.

    Returns:
        The model, as in ``model.safetensors``, on the device.

    Raises:
        BadInputError: if the segments do not suit (kind, fewer than a batch, HU range), the device
            is not there, the pre-trained model is of another architecture, the run directory holds
            another run, the memory does not suffice, the losses are not numbers any more, or
            the training goes wrong and ``on_divergence`` is "stop". The reason is in
            ``status.json`` once the directory is a run.
        OutputError: if something cannot be written.
        CancelledError: if it was stopped; checkpoint and model so far are in the run directory.
    """
    check_segments(segments.kind, len(segments), recipe, allowed_kinds)
    if pretrained is not None:
        check_pretrained(pretrained.architecture, recipe)
    with joined(device) as (team, where), ExitStack() as held:
        _check_split(recipe, team)
        run = _opened_together(run_dir, recipe, resume, team, held)
        reporter = Reporter(run, team.is_first, on_report, on_progress)
        batch_size = recipe.batch_size // team.size
        need = memory_estimate.needed(recipe, len(segments), bf16=runs_in_bf16(recipe, where))
        free = memory_estimate.free_bytes(where)
        try:
            if team.is_first:
                _tell_memory(reporter, need, batch_size, where, free)
            with memory_estimate.lack_explained(need, batch_size, where, free), _tuned(where):
                game = TrainingState(segments, recipe, where, seed, pretrained, team)
                if resume and run.checkpoints():
                    game.restore(run.read_checkpoint(), run)
                    if team.is_first:
                        run.rewind_events(game.iteration)
                trained = _play(game, run, reporter, should_stop, license)
            reporter.end("finished", f"Trained for {game.iteration} iterations.")
            return trained
        except (CancelledError, KeyboardInterrupt) as error:
            reporter.end("cancelled", str(error) or "Interrupted.")
            raise
        except BaseException as error:
            sentence = str(error) if isinstance(error, SkullGANError) else repr(error)
            reporter.end("failed", sentence)
            raise


def _play(
    game: TrainingState,
    run: Run,
    reporter: Reporter,
    should_stop: Callable[[], bool] | None,
    license: str,
) -> Model:
    recipe, team, discriminator = game.recipe, game.team, game.discriminator
    reporter.begin(game)
    while game.iteration < game.iterations:
        if team.any(run.stop_requested() or bool(should_stop and should_stop())):
            reporter.report(game, reporter.means(game))
            _save(game, run, license)
            raise CancelledError(
                f"{run.path}: stopped on request after {game.iteration} of {game.iterations} "
                "iterations; the checkpoint and the model so far are kept."
            )
        epoch, share_done = game.epoch, game.share_done

        # The discriminator learns to call reals real, and generated or blurred images fake.
        reals = game.next_reals(epoch)
        generated = game.generated()
        fakes = with_blurred(generated.detach(), reals, recipe, epoch, team)
        logit_real = game.judgment(reals)
        logit_fake = game.judgment(fakes)
        loss = _cross_entropy(logit_real, recipe.real_label)
        loss = loss + _cross_entropy(logit_fake, recipe.fake_label)
        discriminator_updated = game.discriminator_side.step(loss, epoch, share_done)

        # The generator learns to have its images called real (non-saturating loss).
        discriminator.requires_grad_(False)
        logit_generated = game.judgment(generated)
        generator_loss = _cross_entropy(logit_generated, 1.0)
        generator_updated = game.generator_side.step(generator_loss, epoch, share_done)
        discriminator.requires_grad_(True)
        game.follow_average()
        if game.strength is not None:
            game.strength.follow(logit_real, game.iteration)

        game.iteration += 1
        reporter.add(
            generator_loss=generator_loss,
            discriminator_loss=loss,
            realness_real=logit_real.sigmoid().mean(),
            realness_fake=logit_fake.sigmoid().mean(),
            generator_updates=generator_updated,
            discriminator_updates=discriminator_updated,
        )
        last = game.iteration == game.iterations
        snapshot = game.iteration % (recipe.snapshot_every * game.batches_per_epoch) == 0 or last
        if game.iteration % recipe.report_every == 0 or snapshot:
            means = reporter.means(game)
            if snapshot and team.is_first:
                means |= _write_samples(run, game)
            wrong = reporter.report(game, means)
            if recipe.on_divergence == "stop" and team.any(bool(wrong)):
                raise BadInputError(
                    f"{run.path}: stopped, as on_divergence asks. {' '.join(wrong)}"
                )
            if snapshot and team.is_first:
                run.write_checkpoint(game.checkpoint())
        reporter.step(game)

    trained = game.model(license)
    if team.is_first:
        model_file.write(run.model_path, trained)
    return trained


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _save(game: TrainingState, run: Run, license: str) -> None:
    if game.team.is_first:
        run.write_checkpoint(game.checkpoint())
        model_file.write(run.model_path, game.model(license))


def _write_samples(run: Run, game: TrainingState) -> dict[str, float]:
    """Write the grid of fixed seeds; give its diversity, as a share of that of the reals."""
    count = game.recipe.sample_count
    made, how, window = game.model(), {}, {}
    if game.segments.kind == PICTURES:  # they have no wall to be cut out, and no HU
        how, window = {"wall_threshold_hu": made.hu_range[0] - 1}, {"window_hu": made.hu_range}
    samples = from_seeds.generate_set(made, range(count), **how)
    path = run.sample_path(game.iteration)
    contact_sheet.write_contact_sheet(path, samples.hu, crop=False, **window)
    reals = game.segments.hu
    if count < 2 or len(reals) < 2:
        return {}
    evenly = np.unique(np.linspace(0, len(reals) - 1, count).astype(int))
    found = failure_watch.diversity(samples.hu, reals[evenly])
    return {"diversity": found} if np.isfinite(found) else {}


def _tuned(where: torch.device) -> AbstractContextManager[None]:
    """Let cuDNN try out its algorithms: shapes are the same in every iteration."""
    if where.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=True)


def _tell_memory(
    reporter: Reporter,
    need: memory_estimate.Need,
    batch_size: int,
    where: torch.device,
    free: int | None,
) -> None:
    sentence = memory_estimate.told(need, batch_size, where, free)
    if memory_estimate.lacks(need, batch_size, free):
        sentence += f" It may not be enough. {memory_estimate.advice(need, batch_size, free)}"
        _log.warning("%s", sentence)
    else:
        _log.info("%s", sentence)
    reporter.tell_memory(need.of(batch_size), free, sentence)


def check_segments(kind: str, count: int, recipe: Recipe, allowed_kinds: Sequence[str]) -> None:
    """Raise ``BadInputError`` if so many segments of that kind do not suit a recipe."""
    if kind not in allowed_kinds:
        raise BadInputError(
            f"The segment set is {kind}, needed is {' or '.join(allowed_kinds)}; allow "
            f"{kind} segments explicitly to learn from them."
        )
    shown = recipe.epoch_segments or count
    if count == 0 or shown < recipe.batch_size:
        raise BadInputError(
            f"There are {shown if count else 0} segments in an epoch and batch_size is "
            f"{recipe.batch_size}, needed is at least a batch; set a smaller batch_size, or "
            "epoch_segments to show segments more than once."
        )


def check_pretrained(architecture: Mapping[str, int], recipe: Recipe) -> None:
    """Raise ``BadInputError`` if a model of that architecture does not suit a recipe."""
    for name in ("latent_size", "generator_width", "discriminator_width"):
        found, needed = architecture[name], getattr(recipe, name)
        if found != needed:
            raise BadInputError(
                f"The pre-trained model has {name} {found} and the recipe {needed}, the same is "
                f"needed; set {name} to {found}, or take another model."
            )


def _check_split(recipe: Recipe, team: ProcessGroup) -> None:
    if recipe.batch_size % team.size:
        raise BadInputError(
            f"batch_size is {recipe.batch_size} for {team.size} processes, a multiple of "
            f"{team.size} is needed."
        )


def _opened_together(
    run_dir: str | Path, recipe: Recipe, resume: bool, team: ProcessGroup, held: ExitStack
) -> Run:
    """Let the first process make and hold the directory; the others end if it could not."""
    refused: SkullGANError | None = None
    if team.is_first:
        try:
            _opened(run_dir, recipe, resume, held)
        except SkullGANError as error:
            refused = error
    if team.any(refused is not None):
        raise refused or BadInputError(f"{run_dir}: the first process could not begin.")
    return Run.open(run_dir)


def _opened(run_dir: str | Path, recipe: Recipe, resume: bool, held: ExitStack) -> None:
    run = Run.open(run_dir) if resume else Run.create(run_dir, recipe)
    held.enter_context(run.held())
    if not resume:
        return
    used = run.recipe()
    for setting in fields(Recipe):
        before, now = getattr(used, setting.name), getattr(recipe, setting.name)
        if before != now:
            raise BadInputError(
                f"{run_dir}: was begun with {setting.name} {before!r}, going on with {now!r} is "
                "not possible; the same recipe is needed."
            )
    run.stop_path.unlink(missing_ok=True)
