"""The state of a training: both networks, the reals and the random numbers, at an iteration.

``TrainingState`` holds everything that the next iteration depends on and goes into checkpoints;
what happens in an iteration is ``loop``'s.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data.segment_set import SegmentSet
from ..data.walls import WALL_THRESHOLD_HU
from ..errors import BadInputError
from ..networks import model_file
from ..networks.conditions import Conditions
from ..networks.dcgan import initialize, networks
from ..networks.model_file import Model
from ..networks.precision import chosen_precision
from .augmentation import AdaptiveAugmentation, augment, half_mirrored, without_background
from .batch_conditions import BatchConditions, take_over
from .checkpoint import Checkpoint
from .gated_optimizer import GatedOptimizer
from .losses import gradient_penalty
from .pictures import Pictures
from .process_group import ALONE, ProcessGroup, ShardedGenerator, synchronize_statistics
from .recipe import Recipe

_log = logging.getLogger(__name__)

# Names in checkpoints, which runs of earlier versions have, too.
_RANDOM_STATE = "chance"
_MIDPOINT_SHARE = 0.01
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
        batches_per_epoch: iterations in an epoch.
        batch_size: of this process.
        generator_optimizer, discriminator_optimizer: what the networks learn with.
        best: of the best snapshot so far its ``distance`` (see ``quality``) and ``iteration``;
            empty before there is one.
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
        self.batches_per_epoch = (recipe.samples_per_epoch or len(segments)) // recipe.batch_size
        self.iterations = recipe.epochs * self.batches_per_epoch
        self.batch_size = recipe.batch_size // group.size

        self.segments = segments
        # As they are: what networks see is float32 and would take twice the memory.
        self._reals = torch.from_numpy(np.ascontiguousarray(segments.hu)).to(device)
        watched = recipe.ada_target and recipe.ada_reference == "held_out" and held_out is not None
        self._held_out = (
            torch.from_numpy(np.ascontiguousarray(held_out.hu)).to(device)
            if watched and held_out is not None and len(held_out)
            else None
        )
        self._told = BatchConditions.learned(recipe, segments, device, held_out)
        self._order = torch.empty(0, dtype=torch.int64, device=device)
        self._floor = float(
            model_file.from_hu(np.full((1, 1, 1), WALL_THRESHOLD_HU), segments.hu_range).item()
        )
        self._midpoint = torch.zeros((), device=device)
        self.generator, self.discriminator = networks(recipe.architecture)
        for network in (self.generator, self.discriminator):
            # Channels last: backward is up to four times faster on a CPU in narrow layers.
            network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            initialize(network, recipe.initial_weight_std, self.noise_generator.generator)
        self._pretrained_on: dict[str, Any] | None = None
        if pretrained is not None:
            take_over(self.generator, pretrained.generator.state_dict())
            take_over(self.discriminator, pretrained.discriminator.state_dict())
            self._pretrained_on = dict(pretrained.trained_on)
        self._average = copy.deepcopy(self.generator) if recipe.ema_decay else None
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
        self.augmentation = (
            AdaptiveAugmentation(recipe, self.iterations, device, group)
            if recipe.ada_target
            else None
        )
        self._in_bf16 = runs_in_bf16(recipe, device)
        self._generate, self._discriminate = map(
            self._compiled, (self.generator, self.discriminator)
        )

    @property
    def conditions(self) -> Conditions | None:
        """What is known of the conditions that networks are told; None where they are not."""
        return self._told.conditions if self._told else None

    @property
    def epoch(self) -> int:
        """The current epoch, counted from 0."""
        return self.iteration // self.batches_per_epoch

    @property
    def progress(self) -> float:
        """Share of the iterations so far, 0 to 1."""
        return self.iteration / self.iterations

    def next_reals(self, epoch: int) -> Tensor:
        """Give the next batch of reals, float32 (batch_size, 1, 128, 128).

        An epoch goes through shuffled copies of the set, one after the other.
        """
        size = self.recipe.batch_size
        batch = self.iteration - epoch * self.batches_per_epoch
        if batch == 0:
            shown = self.batches_per_epoch * size
            # Pictures that a training begins with are of no subject.
            if self.recipe.balanced_subjects and len(self.segments.subject):
                self._order = self._balanced_order(shown)
            else:
                self._order = self._shuffled(len(self._reals), shown)
        rows = self.group.own(self._order[batch * size : (batch + 1) * size])
        if self._told:
            self._told.choose(rows)
        reals = model_file.from_hu(self._reals[rows], self.segments.hu_range)
        if self.recipe.flips:
            reals = half_mirrored(reals, self.noise_generator)
        return reals

    def update_augmentation(self, logit_real: Tensor, logit_fake: Tensor) -> None:
        """Let the augmentation's strength follow the discriminator's logits, if it adapts."""
        if self.augmentation is None:
            return
        if self._held_out is None:
            self.augmentation.update(logit_real, self.iteration)
            return
        count = self.group.size * self.batch_size
        rows = torch.randint(
            len(self._held_out),
            (count,),
            generator=self.noise_generator.generator,
            device=self.device,
        )
        rows = self.group.own(rows)
        reals = model_file.from_hu(self._held_out[rows], self.segments.hu_range)
        told = self._told.of_held_out(rows) if self._told else None
        with torch.no_grad():
            logit_held_out = self.logits(self.seen(reals), told) - self._midpoint
        self.augmentation.update(logit_real, self.iteration, (logit_held_out, logit_fake))

    def _shuffled(self, among: int, shown: int) -> Tensor:
        """Give so many of the numbers below ``among``: shuffled copies, one after the other."""
        generator = self.noise_generator.generator
        copies = [
            torch.randperm(among, generator=generator, device=self.device)
            for _ in range(-(-shown // among))
        ]
        return torch.cat(copies)[:shown]

    def _balanced_order(self, shown: int) -> Tensor:
        """Give segments in which every subject is equally often, each subject's shuffled."""
        whose = np.unique(self.segments.subject, return_inverse=True)[1]
        turns = self._shuffled(int(whose.max()) + 1, shown)
        order = torch.empty_like(turns)
        for subject in range(int(whose.max()) + 1):
            own = torch.from_numpy(np.flatnonzero(whose == subject)).to(self.device)
            slots = (turns == subject).nonzero()[:, 0]
            order[slots] = own[self._shuffled(len(own), max(len(slots), 1))[: len(slots)]]
        return order

    def generate(self) -> Tensor:
        """Make a batch of images, float32 (batch_size, 1, 128, 128).

        Where there are conditions, they are asked to be what the last batch of reals was.
        """
        # Made out here: a compiled network cannot take numbers from a generator of ours.
        latent = self.noise_generator.rand(self.batch_size, self.recipe.latent_size) * 2 - 1
        if self._told:
            latent = self._told.beside(latent)
        first, second = (
            # In the activations' layout: mixed ones cost a narrow network half of its time.
            self.noise_generator.randn(self.batch_size, *shape).contiguous(
                memory_format=torch.channels_last
            )
            for shape in self.generator.noise_shapes
        )
        with self._precision():
            return self._generate(latent, (first, second)).float()

    def discriminate(self, images: Tensor) -> Tensor:
        """Give the discriminator's logits of images as it is to see them, float32 (N,)."""
        return self.logits(self.seen(images))

    def seen(self, images: Tensor) -> Tensor:
        """Make of images what the discriminator is to see, float32 (N, 1, 128, 128)."""
        value = None if self.augmentation is None else self.augmentation.strength
        if self.recipe.hide_background:
            images = without_background(images, self._floor)
        return augment(images, self.recipe, self.progress, self.noise_generator, value)

    def logits(self, seen: Tensor, told: Tensor | None = None) -> Tensor:
        """Give the discriminator's logits of images that are as it is to see them, float32 (N,).

        Args:
            seen: the images.
            told: their conditions; None are those of the last batch of reals, where there are some.
        """
        if self._told is None:
            with self._precision():
                return self._discriminate(seen).float()
        with self._precision():
            return self._discriminate(seen, self._told.batch if told is None else told).float()

    def penalty(self, reals: Tensor, fakes: Tensor) -> Tensor | None:
        """Give the gradient penalty of this iteration, in float32, or None where there is none.

        Args:
            reals, fakes: as the discriminator sees them.
        """
        recipe = self.recipe
        if self.iteration % recipe.penalty_every or not (recipe.r1_gamma or recipe.r2_gamma):
            return None
        whole = torch.zeros((), device=self.device)
        told = self._told.batch if self._told else None
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
        self._midpoint.lerp_(middle, max(_MIDPOINT_SHARE, 1 / (1 + self.iteration)))
        return logit_real - self._midpoint, logit_fake - self._midpoint

    @torch.no_grad()
    def update_average(self) -> None:
        """Let the generator's running average follow the generator by a step.

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

    def model(self, license: str = "") -> Model:
        """Give the model as it is now, a copy in evaluation mode."""
        generator = copy.deepcopy(self.generator if self._average is None else self._average)
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
            conditions=self.conditions,
        )

    def checkpoint(self) -> Checkpoint:
        """Give all that the next iteration depends on."""
        tensors = {
            _RANDOM_STATE: self.noise_generator.generator.get_state(),
            "order": self._order,
            "midpoint": self._midpoint,
        }
        for prefix, network in self._networks().items():
            tensors |= {f"{prefix}.{name}": t for name, t in network.state_dict().items()}
        for prefix, optimizer in self._optimizers().items():
            tensors |= {f"{prefix}.{name}": t for name, t in optimizer.tensors().items()}
        state = {
            "iteration": self.iteration,
            "seed": self.seed,
            "segments": _fingerprint(self.segments),
            "pretrained_on": self._pretrained_on,
            "best": self.best,
        }
        return Checkpoint({name: t.detach().cpu() for name, t in tensors.items()}, state)

    def restore(self, checkpoint: Checkpoint, where: str | Path) -> None:
        """Take back what ``checkpoint`` gave.

        Args:
            checkpoint: of a training with the same segments and recipe.
            where: the run directory, for the sentence of an error.

        Raises:
            BadInputError: if it was made with other segments or lacks a part.
        """
        if checkpoint.state.get("segments") != _fingerprint(self.segments):
            raise BadInputError(
                f"{where}: expected the segments that the run was begun with, found other ones."
            )
        try:
            self.iteration = int(checkpoint.state["iteration"])
            self.seed = int(checkpoint.state.get("seed", self.seed))
            self._pretrained_on = checkpoint.state.get("pretrained_on")
            self.best = dict(checkpoint.state.get("best", {}))
            self.noise_generator.generator.set_state(checkpoint.tensors[_RANDOM_STATE])
            self._order = checkpoint.tensors["order"].to(self.device)
            if "midpoint" in checkpoint.tensors:  # runs of earlier versions know no other loss
                self._midpoint.copy_(checkpoint.tensors["midpoint"])
            for prefix, network in self._networks().items():
                network.load_state_dict(_under(prefix, checkpoint.tensors))
            for prefix, optimizer in self._optimizers().items():
                optimizer.restore(_under(prefix, checkpoint.tensors))
        except (KeyError, RuntimeError) as error:
            raise BadInputError(f"{where}: the checkpoint does not fit ({error}).") from error

    def _networks(self) -> dict[str, nn.Module]:
        networks: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        return networks if self._average is None else networks | {"average": self._average}

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

    def _compiled(self, network: nn.Module) -> Callable[..., Tensor]:
        """Give the network compiled, or as it is where the recipe or the device says so."""
        if not self.recipe.compile:
            return network
        lack = None
        if self.device.type != "cuda":
            lack = f"compiling gains nothing on {self.device.type}"
        elif not importlib.util.find_spec("triton"):
            lack = "Triton is not installed"
        elif self.group.size > 1:
            lack = "batch norm over several processes does not compile"
        if lack:
            _log.info("The networks run uncompiled: %s.", lack)
            return network
        # The discriminator is first called with weights that learn. That order matters: whether
        # they do is not among the conditions on which a compiled network is made again.
        return torch.compile(network, dynamic=False)


def runs_in_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Tell whether the recipe's layers run in bfloat16 on a device."""
    chosen = chosen_precision(recipe.precision, device, recipe.generator_width, training=True)
    return chosen == "bf16"


def _fingerprint(segments: SegmentSet | Pictures) -> str:
    return hashlib.sha256(np.ascontiguousarray(segments.hu).tobytes()).hexdigest()


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = prefix + "."
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}
