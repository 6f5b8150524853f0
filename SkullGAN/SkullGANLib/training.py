"""Training: the adversarial game of the paper, from a segment set to a model.

``train`` plays the whole of it in a run directory (see ``run``); its hooks let any front end watch
and stop it. What a batch of reals is called, when a network waits and how learning rates fall is
the recipe's (see ``recipe``).

Losses, update gates and learning rates stay on the device, so that no iteration waits for the host;
they are fetched once a report.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from . import generation, model, pictures
from .augmentation import half_mirrored, judged, with_blurred
from .errors import BadInputError, CancelledError, OutputError, SkullGANError
from .model import Model
from .networks import Discriminator, Generator, chosen_device, initialise
from .player import Player
from .recipe import Recipe
from .run import Checkpoint, Run, Status
from .segmentset import SegmentSet

Report = dict[str, Any]

_log = logging.getLogger(__name__)


def train(
    segments: SegmentSet,
    run_dir: str | Path,
    recipe: Recipe,
    *,
    device: str = "cpu",
    seed: int = 0,
    on_report: Callable[[Report], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    resume: bool = False,
    allowed_kinds: Sequence[str] = ("real",),
    licence: str = "",
) -> Model:
    """Train a SkullGAN and leave everything about it in a run directory.

    Args:
        segments: what to learn from; it is copied to the device as a whole (64 KiB a segment).
        run_dir: the run directory; a new one, or with ``resume`` the one to go on with.
        recipe: the settings.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        seed: what initial weights and all chance of the training follow from. On a CPU, the same
            segments, recipe, seed and number of threads give the same model, stopped and resumed
            or not.
        on_report: called with every line that goes into ``events.jsonl``: ``time`` (seconds since
            1970), ``elapsed_s``, ``epoch``, ``iteration``, ``iterations``; means since the last
            report: ``generator_loss``, ``discriminator_loss``, ``realness_real``,
            ``realness_fake``, ``generator_updates`` and ``discriminator_updates`` (share of the
            batches in which the gate was open); ``generator_learning_rate``,
            ``discriminator_learning_rate``, ``images_per_s`` (reals), ``memory_bytes``.
        on_progress: called after every iteration with the iterations done and in all.
        should_stop: asked before every iteration; so is the run's ``stop`` file.
        resume: go on from the last checkpoint (from the beginning if there is none).
        allowed_kinds: kinds of segment sets to accept; learning from synthetic segments by mistake
            spoils a model quietly.
        licence: what the model's weights may be used for; recorded in the model.

    Returns:
        The model, as in ``model.safetensors``, on the device.

    Raises:
        BadInputError: if the segments do not suit (kind, fewer than a batch, HU range), the device
            is not there, the run directory holds another run, or the losses are not numbers any
            more. The reason is in ``status.json`` once the directory is a run.
        OutputError: if something cannot be written.
        CancelledError: if it was stopped; checkpoint and model so far are in the run directory.
    """
    _check_segments(segments, recipe, allowed_kinds)
    where = chosen_device(device)
    run = _opened(run_dir, recipe, resume)
    progress = _Progress(run, on_report, on_progress)
    try:
        game = _Game(segments, recipe, where, seed)
        if resume and run.checkpoints():
            game.restore(run.read_checkpoint(), run)
            run.rewind_events(game.iteration)
        trained = _play(game, run, progress, should_stop, licence)
        progress.end("finished", f"Trained for {game.iteration} iterations.")
        return trained
    except (CancelledError, KeyboardInterrupt) as error:
        progress.end("cancelled", str(error) or "Interrupted.")
        raise
    except BaseException as error:
        sentence = str(error) if isinstance(error, SkullGANError) else repr(error)
        progress.end("failed", sentence)
        raise


def _play(
    game: _Game,
    run: Run,
    progress: _Progress,
    should_stop: Callable[[], bool] | None,
    licence: str,
) -> Model:
    recipe, chance = game.recipe, game.chance
    generator, discriminator = game.generator, game.discriminator
    progress.begin(game)
    while game.iteration < game.iterations:
        if run.stop_requested() or (should_stop and should_stop()):
            progress.report(game)
            run.write_checkpoint(game.checkpoint())
            model.write(run.model_path, game.model(licence))
            raise CancelledError(
                f"{run.path}: stopped on request after {game.iteration} of {game.iterations} "
                "iterations; the checkpoint and the model so far are kept."
            )
        epoch = game.iteration // game.batches_per_epoch
        share_done = game.iteration / game.iterations

        # The discriminator learns to call reals real, and generated or blurred images fake.
        reals = game.next_reals(epoch)
        latent = generator.draw_latent(len(reals), game.device, chance)
        generated = generator(latent, chance=chance)
        fakes = with_blurred(generated.detach(), reals, recipe, epoch)
        logit_real = discriminator(judged(reals, recipe, share_done, chance))
        logit_fake = discriminator(judged(fakes, recipe, share_done, chance))
        loss = _cross_entropy(logit_real, recipe.real_label)
        loss = loss + _cross_entropy(logit_fake, recipe.fake_label)
        discriminator_updated = game.discriminator_side.step(loss, epoch, share_done)

        # The generator learns to have its images called real (non-saturating loss).
        discriminator.requires_grad_(False)
        logit_generated = discriminator(judged(generated, recipe, share_done, chance))
        generator_loss = _cross_entropy(logit_generated, 1.0)
        generator_updated = game.generator_side.step(generator_loss, epoch, share_done)
        discriminator.requires_grad_(True)
        game.follow_average()

        game.iteration += 1
        progress.add(
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
            progress.report(game)
        if snapshot:
            _write_samples(run, game.model(licence), game.iteration, recipe.sample_count)
            run.write_checkpoint(game.checkpoint())
        progress.step(game)

    trained = game.model(licence)
    model.write(run.model_path, trained)
    return trained


class _Game:
    """Both players, the reals and the chance: the state of a training, at an iteration."""

    def __init__(
        self, segments: SegmentSet, recipe: Recipe, device: torch.device, seed: int
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.seed = seed
        self.chance = torch.Generator(device).manual_seed(seed)
        self.iteration = 0
        self.batches_per_epoch = (recipe.epoch_segments or len(segments)) // recipe.batch_size
        self.iterations = recipe.epochs * self.batches_per_epoch

        self._segments = segments
        self._reals = model.from_hu(segments.hu, segments.hu_range).to(device)
        self._order = torch.empty(0, dtype=torch.int64, device=device)
        self.generator = Generator(recipe.latent_size, recipe.generator_width)
        self.discriminator = Discriminator(recipe.discriminator_width)
        for network in (self.generator, self.discriminator):
            # Channels last: backward is up to four times faster on a CPU in narrow layers.
            network.to(device, memory_format=torch.channels_last)
            initialise(network, recipe.initial_weight_std, self.chance)
        self._average = copy.deepcopy(self.generator) if recipe.ema_decay else None
        self.generator_side = Player(
            self.generator,
            recipe,
            recipe.generator_learning_rate,
            recipe.generator_plateau_factor,
        )
        self.discriminator_side = Player(
            self.discriminator,
            recipe,
            recipe.discriminator_learning_rate,
            recipe.discriminator_plateau_factor,
        )

    def next_reals(self, epoch: int) -> Tensor:
        """Give the next batch of reals, float32 (batch_size, 1, 128, 128).

        An epoch goes through shuffled copies of the set, one after the other.
        """
        size = self.recipe.batch_size
        batch = self.iteration - epoch * self.batches_per_epoch
        if batch == 0:
            shown = self.batches_per_epoch * size
            passes = -(-shown // len(self._reals))
            shuffled = [
                torch.randperm(len(self._reals), generator=self.chance, device=self.device)
                for _ in range(passes)
            ]
            self._order = torch.cat(shuffled)[:shown]
        reals = self._reals[self._order[batch * size : (batch + 1) * size]]
        if self.recipe.flips:
            reals = half_mirrored(reals, self.chance)
        return reals

    @torch.no_grad()
    def follow_average(self) -> None:
        """Take the generator's running average a step further.

        At the beginning the average forgets faster, or the initial weights would stay in it.
        """
        if self._average is None:
            return
        decay = min(self.recipe.ema_decay, (1 + self.iteration) / (10 + self.iteration))
        now = self.generator.state_dict()
        for name, mean in self._average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], 1 - decay)
            else:
                mean.copy_(now[name])

    def model(self, licence: str = "") -> Model:
        """Give the model as it is now, a copy in evaluation mode."""
        generator = copy.deepcopy(self.generator if self._average is None else self._average)
        return Model(
            generator=generator.eval(),
            discriminator=copy.deepcopy(self.discriminator).eval(),
            hu_range=self._segments.hu_range,
            pixel_spacing_mm=self._segments.pixel_spacing_mm,
            recipe=asdict(self.recipe),
            trained_on={
                "segments": len(self._segments),
                "subjects": len(set(map(str, self._segments.subject))),
                "kind": self._segments.kind,
                "source": dict(self._segments.source),
                "iterations": self.iteration,
                "seed": self.seed,
            },
            licence=licence,
        )

    def checkpoint(self) -> Checkpoint:
        """Give all that the next iteration depends on."""
        tensors = {"chance": self.chance.get_state(), "order": self._order}
        for prefix, network in self._networks().items():
            tensors |= {f"{prefix}.{name}": t for name, t in network.state_dict().items()}
        for prefix, side in self._sides().items():
            tensors |= {f"{prefix}.{name}": t for name, t in side.tensors().items()}
        state = {"iteration": self.iteration, "segments": _fingerprint(self._segments)}
        return Checkpoint({name: t.detach().cpu() for name, t in tensors.items()}, state)

    def restore(self, checkpoint: Checkpoint, run: Run) -> None:
        """Take back what ``checkpoint`` gave.

        Raises:
            BadInputError: if it was made with other segments or lacks a part.
        """
        if checkpoint.state.get("segments") != _fingerprint(self._segments):
            raise BadInputError(
                f"{run.path}: was trained on other segments, the same are needed to go on."
            )
        try:
            self.iteration = int(checkpoint.state["iteration"])
            self.chance.set_state(checkpoint.tensors["chance"])
            self._order = checkpoint.tensors["order"].to(self.device)
            for prefix, network in self._networks().items():
                network.load_state_dict(_under(prefix, checkpoint.tensors))
            for prefix, side in self._sides().items():
                side.restore(_under(prefix, checkpoint.tensors))
        except (KeyError, RuntimeError) as error:
            raise BadInputError(f"{run.path}: the checkpoint does not fit ({error}).") from error

    def _networks(self) -> dict[str, nn.Module]:
        networks: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        return networks if self._average is None else networks | {"average": self._average}

    def _sides(self) -> dict[str, Player]:
        return {
            "generator_side": self.generator_side,
            "discriminator_side": self.discriminator_side,
        }


class _Progress:
    """Sums up what happens between two reports and tells files and hooks."""

    def __init__(
        self,
        run: Run,
        on_report: Callable[[Report], None] | None,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self._run = run
        self._on_report = on_report
        self._on_progress = on_progress
        self._status = Status("running", os.getpid(), message="Starting.")
        self._sums: dict[str, Tensor] = {}
        run.write_status(self._status)

    def begin(self, game: _Game) -> None:
        """Start the clocks."""
        self._first_iteration = self._reported_iteration = game.iteration
        self._began = self._reported = time.monotonic()
        self._write_status(game)

    def add(self, **values: Tensor) -> None:
        """Take in an iteration's numbers; nothing is fetched from the device."""
        for name, value in values.items():
            value = value.detach()
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def step(self, game: _Game) -> None:
        """Tell the hook that an iteration is done."""
        if self._on_progress:
            self._on_progress(game.iteration, game.iterations)

    def report(self, game: _Game) -> None:
        """Write an event and the status; nothing if no iteration was done since the last one.

        Raises:
            BadInputError: if a loss is not a number any more.
        """
        count = game.iteration - self._reported_iteration
        if count == 0:
            return
        means = dict(zip(self._sums, torch.stack(list(self._sums.values())).tolist(), strict=True))
        means = {name: total / count for name, total in means.items()}
        if not np.isfinite(list(means.values())).all():
            raise BadInputError(
                f"{self._run.path}: the losses are no numbers any more after {game.iteration} "
                "iterations; lower generator_learning_rate and discriminator_learning_rate are "
                "needed. The last checkpoint is from before."
            )
        now = time.monotonic()
        event: Report = {
            "time": time.time(),
            "elapsed_s": now - self._began,
            "epoch": (game.iteration - 1) // game.batches_per_epoch,
            "iteration": game.iteration,
            "iterations": game.iterations,
            **means,
            "generator_learning_rate": game.generator_side.learning_rate.item(),
            "discriminator_learning_rate": game.discriminator_side.learning_rate.item(),
            "images_per_s": count * game.recipe.batch_size / max(now - self._reported, 1e-9),
            "memory_bytes": _memory_bytes(game.device),
        }
        self._sums.clear()
        self._reported_iteration, self._reported = game.iteration, now
        self._run.add_event(event)
        self._write_status(game)
        if self._on_report:
            self._on_report(event)

    def end(self, state: str, message: str) -> None:
        """Write the last status; a disk that is full must not hide why the training ended."""
        done = state == "finished"
        self._status = replace(
            self._status,
            state=state,
            message=message,
            eta_s=0.0 if done else None,
            progress=1.0 if done else self._status.progress,
        )
        try:
            self._run.write_status(self._status)
        except OutputError as error:
            _log.error("%s", error)

    def _write_status(self, game: _Game) -> None:
        done = game.iteration - self._first_iteration
        left = game.iterations - game.iteration
        elapsed_s = time.monotonic() - self._began
        self._status = Status(
            state="running",
            pid=os.getpid(),
            progress=game.iteration / game.iterations,
            eta_s=elapsed_s / done * left if done else None,
            message=f"Iteration {game.iteration} of {game.iterations}.",
            epoch=game.iteration // game.batches_per_epoch,
            iteration=game.iteration,
            iterations=game.iterations,
        )
        self._run.write_status(self._status)


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _write_samples(run: Run, made: Model, iteration: int, count: int) -> None:
    samples = generation.generate_set(made, range(count))
    pictures.write_contact_sheet(run.sample_path(iteration), samples.hu, crop=False)


def _check_segments(segments: SegmentSet, recipe: Recipe, allowed_kinds: Sequence[str]) -> None:
    if segments.kind not in allowed_kinds:
        raise BadInputError(
            f"The segment set is {segments.kind}, needed is {' or '.join(allowed_kinds)}; allow "
            f"{segments.kind} segments explicitly to learn from them."
        )
    shown = recipe.epoch_segments or len(segments)
    if len(segments) == 0 or shown < recipe.batch_size:
        raise BadInputError(
            f"There are {shown if len(segments) else 0} segments in an epoch and batch_size is "
            f"{recipe.batch_size}, needed is at least a batch; set a smaller batch_size, or "
            "epoch_segments to show segments more than once."
        )


def _opened(run_dir: str | Path, recipe: Recipe, resume: bool) -> Run:
    if not resume:
        return Run.create(run_dir, recipe)
    run = Run.open(run_dir)
    used = run.recipe()
    for setting in fields(Recipe):
        before, now = getattr(used, setting.name), getattr(recipe, setting.name)
        if before != now:
            raise BadInputError(
                f"{run_dir}: was begun with {setting.name} {before!r}, going on with {now!r} is "
                "not possible; the same recipe is needed."
            )
    run.stop_path.unlink(missing_ok=True)
    return run


def _fingerprint(segments: SegmentSet) -> str:
    return hashlib.sha256(np.ascontiguousarray(segments.hu).tobytes()).hexdigest()


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = prefix + "."
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def _memory_bytes(device: torch.device) -> int | None:
    """Give the most memory used so far: the GPU's, or the process's; None where nobody says."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
