"""The state of a training: both networks, the reals and the random numbers, at an iteration.

``TrainingState`` holds everything that the next iteration depends on and goes into checkpoints;
what happens in an iteration is ``step``'s.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data.depth import depth_of
from ..data.segment_set import SegmentSet
from ..data.walls import WALL_THRESHOLD_HU
from ..errors import BadInputError
from ..networks import model_file
from ..networks.conditions import Conditions
from ..networks.dcgan import networks
from ..networks.initial_weights import initialize
from ..networks.model_file import Model
from ..networks.precision import chosen_precision
from .augmentation import AdaptiveAugmentation, augment, with_blurred, without_background
from .checkpoint import RANDOM_STATE, Checkpoint, check_fits, fingerprint
from .compiling import compiled
from .gated_optimizer import GatedOptimizer
from .losses import gradient_penalty
from .pictures import Pictures
from .pretrained import begin_with
from .process_group import ALONE, ProcessGroup, ShardedGenerator, synchronize_statistics
from .reals import Reals
from .recipe import Recipe
from .running_average import RunningAverage
from .schedule import Schedule, StepKind

# Names in checkpoints, which runs of earlier versions have, too.
_GENERATOR_OPTIMIZER, _DISCRIMINATOR_OPTIMIZER = "generator_side", "discriminator_side"


class TrainingState:
    """Both networks, the reals and the random numbers: a training at an iteration.

    Args:
        segments: what to learn from; copied to the device as a whole.
        recipe: the settings.
        device: where everything happens.
        seed: what initial weights and all random numbers follow from.
        pretrained: whose weights the networks begin with, of the recipe's architecture.
        group: the processes that share the batches.
        held_out: reals that are not learned from, for recipes that watch how they are judged.

    Attributes:
        iteration: how many are done.
        iterations: of the whole training.
        slices: of a stack, where stacks are learned; else 1.
        count: images to learn from, segments or stacks.
        batches_per_epoch: iterations in an epoch.
        batch_size: of this process.
        generator_optimizer, discriminator_optimizer: what the networks learn with.
        best: of the best snapshot so far its ``distance`` (see ``quality``) and ``iteration``;
            empty before there is one.
        reals: what is learned from.
        schedule: the numbers of the present iteration.
        augmentation: adaptive, or None where the recipe has none.
    """

    def __init__(
        self,
        segments: SegmentSet | Pictures,
        recipe: Recipe,
        device: torch.device,
        seed: int,
        pretrained: Model | None = None,
        group: ProcessGroup = ALONE,
        held_out: SegmentSet | None = None,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.group = group
        self.seed = seed
        self.noise_generator = ShardedGenerator(torch.Generator(device).manual_seed(seed), group)
        self.iteration = 0
        self.best: dict[str, float] = {}
        self.slices = recipe.architecture.slices
        self.count = len(segments) // self.slices
        self.batches_per_epoch = (recipe.samples_per_epoch or self.count) // recipe.batch_size
        self.iterations = recipe.epochs * self.batches_per_epoch
        self.batch_size = recipe.batch_size // group.size

        self.segments = segments
        shown = self.batches_per_epoch * recipe.batch_size
        self.reals = Reals(segments, recipe, shown, self.noise_generator, held_out)
        self.schedule = Schedule(recipe, self.iterations, self.batches_per_epoch, device, group)
        self._floor = float(
            model_file.from_hu(np.full((1, 1, 1), WALL_THRESHOLD_HU), segments.hu_range).item()
        )
        self._midpoint = torch.zeros((), device=device)
        self._begin(pretrained)
        self.augmentation = (
            AdaptiveAugmentation(recipe, self.iterations, device, group)
            if recipe.ada_target
            else None
        )
        self._in_bf16 = runs_in_bf16(recipe, device)
        self._generate: Callable[..., Tensor] = self.generator
        self._discriminate: Callable[..., Tensor] = self.discriminator
        if recipe.compile:
            self._generate, self._discriminate = (
                compiled(network, device, group.size)
                for network in (self.generator, self.discriminator)
            )

    def _begin(self, pretrained: Model | None) -> None:
        """Make the networks and what they learn with."""
        recipe, device, group = self.recipe, self.device, self.group
        self.generator, self.discriminator = networks(recipe.architecture)
        for network in (self.generator, self.discriminator):
            # Channels last: backward is up to four times faster on a CPU in narrow layers.
            network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            initialize(network, recipe.initial_weight_std, self.noise_generator.generator)
        self._pretrained_on: dict[str, Any] | None = None
        if pretrained is not None:
            begin_with(self.generator, pretrained.generator)
            begin_with(self.discriminator, pretrained.discriminator)
            self._pretrained_on = dict(pretrained.trained_on)
        self._average = RunningAverage(self.generator) if recipe.ema_decay else None
        for network in (self.generator, self.discriminator):
            synchronize_statistics(network, group)
        self.generator_optimizer = GatedOptimizer(
            self.generator,
            recipe,
            recipe.generator_learning_rate,
            recipe.generator_plateau_factor,
            group,
        )
        self.discriminator_optimizer = GatedOptimizer(
            self.discriminator,
            recipe,
            recipe.discriminator_learning_rate,
            recipe.discriminator_plateau_factor,
            group,
        )

    @property
    def conditions(self) -> Conditions | None:
        """What is known of the conditions that networks are told; None where they are not."""
        return self.reals.told.conditions if self.reals.told else None

    @property
    def epoch(self) -> int:
        """The current epoch, counted from 0."""
        return self.iteration // self.batches_per_epoch

    @property
    def progress(self) -> float:
        """Share of the iterations so far, 0 to 1."""
        return self.iteration / self.iterations

    @property
    def precision(self) -> str:
        """Of the networks' layers, fp32 or bf16."""
        return "bf16" if self._in_bf16 else "fp32"

    def begin_iteration(self) -> StepKind:
        """Fill the schedule for the next iteration, shuffle the reals if it begins an epoch, and
        tell what its step does."""
        if self.iteration % self.batches_per_epoch == 0:
            self.reals.shuffle()
        return self.schedule.begin(self.iteration)

    def next_reals(self) -> Tensor:
        """Give the batch of reals of the iteration that was begun, float32 (batch_size, slices,
        128, 128)."""
        return self.reals.batch(self.schedule.first_row)

    def fakes(self, generated: Tensor, reals: Tensor) -> Tensor:
        """Put blurred reals among generated images, if it is time for them."""
        schedule = self.schedule
        if not schedule.kind.blurred:
            return generated
        to_blur = reals[: schedule.kind.blurred]
        return with_blurred(generated, to_blur, schedule.blurred, schedule.blur_sigma_px)

    def update_augmentation(self, logit_real: Tensor, logit_fake: Tensor) -> None:
        """Let the augmentation's strength follow the discriminator's logits, if it adapts."""
        if self.augmentation is None:
            return
        adapts = self.schedule.kind.adapts
        if not self.reals.has_held_out:
            self.augmentation.update(logit_real, adapts=adapts)
            return
        reals, told = self.reals.held_out_batch(self.group.size * self.batch_size)
        with torch.no_grad():
            logit_held_out = self.logits(self.seen(reals), told) - self._midpoint
        self.augmentation.update(logit_real, (logit_held_out, logit_fake), adapts=adapts)

    def generate(self) -> Tensor:
        """Make a batch of images, float32 (batch_size, slices, 128, 128).

        Where there are conditions, they are asked to be what the last batch of reals was.
        """
        # Made out here: a compiled network cannot take numbers from a generator of ours.
        latent = self.noise_generator.rand(self.batch_size, self.recipe.latent_size) * 2 - 1
        if self.reals.told:
            latent = self.reals.told.beside(latent)
        first, second = (
            # In the activations' layout: mixed ones cost a narrow network half of its time.
            self.noise_generator.randn_images(self.batch_size, *shape)
            for shape in self.generator.noise_shapes
        )
        with self._precision():
            return self._generate(latent, (first, second)).float()

    def discriminate(self, images: Tensor) -> Tensor:
        """Give the discriminator's logits of images as it is to see them, float32 (N,)."""
        return self.logits(self.seen(images))

    def seen(self, images: Tensor) -> Tensor:
        """Make of images what the discriminator is to see, float32 (N, slices, 128, 128)."""
        value = None if self.augmentation is None else self.augmentation.strength
        if self.recipe.hide_background:
            images = without_background(images, self._floor)
        noise_std = self.schedule.noise_std if self.schedule.kind.has_noise else None
        return augment(images, self.recipe, self.noise_generator, noise_std, value)

    def logits(self, seen: Tensor, told: Tensor | None = None) -> Tensor:
        """Give the discriminator's logits of images that are as it is to see them, float32 (N,).

        Args:
            seen: the images.
            told: their conditions; None are those of the last batch of reals, where there are some.
        """
        if told is None and self.reals.told:
            told = self.reals.told.batch
        with self._precision():
            return self._discriminate(*((seen,) if told is None else (seen, told))).float()

    def penalty(self, reals: Tensor, fakes: Tensor) -> Tensor:
        """Give the gradient penalty, in float32; that of ``penalty_every`` iterations.

        Args:
            reals, fakes: as the discriminator sees them.
        """
        recipe = self.recipe
        whole = torch.zeros((), device=self.device)
        told = self.reals.told.batch if self.reals.told else None
        for gamma, images in ((recipe.r1_gamma, reals), (recipe.r2_gamma, fakes)):
            if gamma:
                whole = whole + gamma * gradient_penalty(self.discriminator, images, told)
        return recipe.penalty_every * whole

    @torch.no_grad()
    def centered(self, logit_real: Tensor, logit_fake: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits of which 0 is neither real nor fake.

        The relativistic loss knows only differences of logits; their middle is followed as a
        running mean, and is taken off the model that is kept, too.
        """
        if self.recipe.loss != "relativistic":
            return logit_real, logit_fake
        middle = (logit_real.detach().mean() + logit_fake.detach().mean()) / 2
        self.group.mean_([middle])
        self._midpoint.lerp_(middle, self.schedule.midpoint_weight)
        return logit_real - self._midpoint, logit_fake - self._midpoint

    def update_average(self) -> None:
        """Let the generator's running average, if there is one, follow by a step."""
        if self._average is not None:
            self._average.update(self.schedule.average_weight)

    def model(self, license: str = "") -> Model:
        """Give the model as it is now, a copy in evaluation mode."""
        generator = copy.deepcopy(self._average.network if self._average else self.generator)
        discriminator = copy.deepcopy(self.discriminator)
        with torch.no_grad():
            bias = discriminator.main[-1].bias
            assert isinstance(bias, Tensor)
            bias -= self._midpoint
        return Model(
            generator=generator.eval(),
            discriminator=discriminator.eval(),
            hu_range=self.segments.hu_range,
            pixel_spacing_mm=self.segments.pixel_spacing_mm,
            recipe=asdict(self.recipe),
            trained_on={
                "segments": len(self.segments),
                **({"stacks": self.count} if self.slices > 1 else {}),
                "subjects": len(set(map(str, self.segments.subject))),
                # Pseudonyms, by which an evaluation notices that it tests on what was learned.
                "training_subjects": sorted(set(map(str, self.segments.subject))),
                "kind": self.segments.kind,
                # What each CT was like goes with the segments, not into every model.
                "source": {k: v for k, v in self.segments.source.items() if k != "cts"},
                "iterations": self.iteration,
                "seed": self.seed,
            }
            | ({} if self._pretrained_on is None else {"pretrained_on": self._pretrained_on}),
            license=license,
            depth_step_mm=self._depth_step_mm(),
            conditions=self.conditions,
        )

    def _depth_step_mm(self) -> float:
        depth = depth_of(self.segments) if isinstance(self.segments, SegmentSet) else None
        return depth.step_mm if depth and self.slices > 1 else 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Give all tensors that a step changes: those that go on learning, always the same ones
        once Adam has stepped."""
        tensors = {"midpoint": self._midpoint}
        for prefix, network in self._networks().items():
            tensors |= {f"{prefix}.{name}": t for name, t in network.state_dict().items()}
        for prefix, optimizer in self._optimizers().items():
            tensors |= {f"{prefix}.{name}": t for name, t in optimizer.tensors().items()}
        return tensors

    def checkpoint(self) -> Checkpoint:
        """Give all that the next iteration depends on; tensors are those that go on learning (see
        ``checkpoint_writer.fetched``)."""
        tensors = {
            RANDOM_STATE: self.noise_generator.generator.get_state(),
            "order": self.reals.order,
            **self.tensors(),
        }
        state = {
            "iteration": self.iteration,
            "seed": self.seed,
            "segments": fingerprint(self.segments.hu),
            "pretrained_on": self._pretrained_on,
            "best": self.best,
        }
        return Checkpoint(tensors, state)

    def restore(self, checkpoint: Checkpoint, where: str | Path) -> None:
        """Take back what ``checkpoint`` gave.

        Args:
            checkpoint: of a training with the same segments and recipe.
            where: the run directory, for the sentence of an error.

        Raises:
            BadInputError: if it was made with other segments or lacks a part.
        """
        check_fits(checkpoint, self.segments.hu, self.noise_generator.generator, where)
        try:
            self.iteration = int(checkpoint.state["iteration"])
            self.seed = int(checkpoint.state.get("seed", self.seed))
            self._pretrained_on = checkpoint.state.get("pretrained_on")
            self.best = dict(checkpoint.state.get("best", {}))
            self.noise_generator.generator.set_state(checkpoint.tensors[RANDOM_STATE])
            self.reals.restore_order(checkpoint.tensors["order"])
            if "midpoint" in checkpoint.tensors:  # runs of earlier versions know no other loss
                self._midpoint.copy_(checkpoint.tensors["midpoint"])
            for prefix, network in self._networks().items():
                network.load_state_dict(checkpoint.under(prefix))
            for prefix, optimizer in self._optimizers().items():
                optimizer.restore(checkpoint.under(prefix))
        except (KeyError, RuntimeError) as error:
            raise BadInputError(f"{where}: the checkpoint does not fit ({error}).") from error

    def _networks(self) -> dict[str, nn.Module]:
        networks: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        return networks if self._average is None else networks | {"average": self._average.network}

    def _optimizers(self) -> dict[str, GatedOptimizer | AdaptiveAugmentation]:
        optimizers: dict[str, GatedOptimizer | AdaptiveAugmentation] = {
            _GENERATOR_OPTIMIZER: self.generator_optimizer,
            _DISCRIMINATOR_OPTIMIZER: self.discriminator_optimizer,
        }
        return (
            optimizers
            if self.augmentation is None
            else optimizers | {"augmentation": self.augmentation}
        )

    def _precision(self) -> AbstractContextManager[Any]:
        # Batch statistics, losses and all that Adam does stay in float32 by themselves.
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._in_bf16)


def runs_in_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Tell whether the recipe's layers run in bfloat16 on a device."""
    chosen = chosen_precision(recipe.precision, device, recipe.generator_width, training=True)
    return chosen == "bf16"
