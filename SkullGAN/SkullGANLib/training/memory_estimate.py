"""How much memory a training needs, how much there is, and what would fit where it is not enough.

The need is estimated before anything large is allocated: weights, gradients, Adam's two moments,
the running average and the set of reals are counted; what an image costs is what PyTorch's autograd
keeps of it in the precision that the layers run in, found by running both networks on fake tensors,
with which nothing is computed. Two sizes of batch tell what grows with it (the generator's pass at
full width keeps 63.1 MiB an image in float32, 42.8 under autocast) from what does not: autocast
keeps copies of the weights in bf16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import BadInputError
from ..networks.architecture import IMAGE_SIZE
from ..networks.dcgan import networks, trainable_parameters
from ..utils import memory
from .recipe import Recipe
from .state import runs_in_bf16

GIB = 2**30

_FLOAT32, _INT16 = 4, 2
_COPIES = 4
"""Of every weight: itself, its gradient and Adam's two moments."""
_PASSING = 8
"""Tensors of the largest layer's size that a pass holds for a moment; by the peak on a CPU."""
_FILLED = 0.9
"""How much of the free memory a batch that is said to fit may fill."""


@dataclass(frozen=True)
class Need:
    """What a training takes, in bytes.

    Attributes:
        fixed: whatever the batch is.
        per_image: for each image of a batch.
    """

    fixed: int
    per_image: int

    def of(self, batch_size: int) -> int:
        """Give the need with so many images in a process's batch."""
        return self.fixed + batch_size * self.per_image

    def largest_batch(self, free: int) -> int:
        """Give the batch that fits into so much memory with some to spare, 0 if none does."""
        return max(int((_FILLED * free - self.fixed) // self.per_image), 0)


def needed(recipe: Recipe, segments: int, *, bf16: bool = False, graphed: bool = False) -> Need:
    """Estimate what a training needs.

    Args:
        recipe: widths and whether there is a running average.
        segments: size of the set, which lies on the device as int16.
        bf16: whether layers run in bfloat16.
        graphed: whether iterations are replayed as CUDA graphs, which keep a pass and gradients of
            their own, and are compared by two copies of all that learns.

    Example:
        >>> from SkullGANLib.training.presets import named
        >>> need = needed(named("paper"), segments=2414)
        >>> round(need.fixed / GIB, 1), round(need.of(64) / GIB)
        (3.1, 11)
    """
    count = max(2, recipe.minibatch_std)
    (few_made, few_seen), weights = _kept_of(recipe, count, bf16)
    (more_made, more_seen), _ = _kept_of(recipe, 2 * count, bf16)
    made, most_made, copied = _growing(few_made, more_made, count)
    seen, most_seen, copied_too = _growing(few_seen, more_seen, count)
    # The discriminator's step keeps the generator's pass for later, and two of its own.
    per_image = made + max(2 * seen + _PASSING * most_seen, seen + _PASSING * most_made)
    averaged = bool(recipe.ema_decay) * weights[0]
    copies = _COPIES * sum(weights) + averaged
    if graphed:
        per_image *= 2
        copies += sum(weights) + 2 * ((_COPIES - 1) * sum(weights) + averaged)
    fixed = _FLOAT32 * copies + _INT16 * segments * IMAGE_SIZE**2 + copied + copied_too
    return Need(fixed=fixed, per_image=per_image)


@dataclass(frozen=True)
class Device:
    """A device that this machine has.

    Attributes:
        name: as ``--device`` takes it.
        title: what people call it.
        total_bytes, free_bytes: its memory; None if not known.
    """

    name: str
    title: str
    total_bytes: int | None
    free_bytes: int | None


def devices() -> list[Device]:
    """List the devices of this machine, GPUs first."""
    found = []
    for index in range(torch.cuda.device_count()):
        free, all_of_it = torch.cuda.mem_get_info(index)
        found.append(Device(f"cuda:{index}", torch.cuda.get_device_name(index), all_of_it, free))
    names = [("cpu", f"CPU, {torch.get_num_threads()} threads")]
    if torch.backends.mps.is_available():
        names.insert(0, ("mps", "Apple GPU"))
    total = memory.total_bytes()
    return found + [Device(n, title, total, free_bytes(torch.device(n))) for n, title in names]


def free_bytes(device: torch.device) -> int | None:
    """Tell how much memory this process may still take on a device; None if not known."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return memory.available_bytes()


@dataclass(frozen=True)
class MemoryCheck:
    """What a training needs beside what is free on its device.

    Attributes:
        need: of the training.
        batch_size: of a process.
        device: where it trains.
        free: bytes; None if not known.
        unit: what a batch must be a multiple of.
    """

    need: Need
    batch_size: int
    device: torch.device
    free: int | None
    unit: int = 1

    @classmethod
    def of(
        cls, recipe: Recipe, segments: int, device: torch.device, processes: int = 1
    ) -> MemoryCheck:
        """Estimate the need of a training on so many segments and ask the device what is free."""
        graphed = recipe.cuda_graph and device.type == "cuda" and processes == 1
        need = needed(recipe, segments, bf16=runs_in_bf16(recipe, device), graphed=graphed)
        unit = max(recipe.minibatch_std, 1)
        return cls(need, recipe.batch_size // processes, device, free_bytes(device), unit)

    @property
    def needed_bytes(self) -> int:
        return self.need.of(self.batch_size)

    @property
    def suffices(self) -> bool:
        """Whether the memory is enough, as far as that is known."""
        return self.free is None or self.needed_bytes <= self.free

    def __str__(self) -> str:
        sentence = self._need_and_free()
        if self.suffices:
            return sentence
        return f"{sentence} It may not be enough. {self._advice()}"

    @contextmanager
    def lack_explained(self) -> Iterator[None]:
        """Turn running out of memory in the block into a sentence with need, have and advice.

        Raises:
            BadInputError: that sentence.
        """
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            message = str(error).lower()
            if not isinstance(error, MemoryError) and not any(
                s in message for s in memory.SIGNS_OF_LACK
            ):
                raise
            raise BadInputError(
                f"There was not enough memory. {self._need_and_free()} {self._advice()}"
            ) from error

    def _need_and_free(self) -> str:
        there = "is not known" if self.free is None else f"{self.free / GIB:.1f} GiB"
        return (
            f"The training needs about {self.needed_bytes / GIB:.1f} GiB with a batch_size of "
            f"{self.batch_size}, free on {self.device} is {there}."
        )

    def _advice(self) -> str:
        """Write which batch would fit."""
        # Where less than the whole was thought to be needed, the estimate was too low.
        fits = min(self.need.largest_batch(self.free or 0), self.batch_size - 1)
        fits -= fits % self.unit
        if fits < 2:
            least = max(2, self.unit)
            return (
                f"Not even a batch_size of {least} fits; take narrower networks or another device."
            )
        return f"A batch_size of {fits} would fit."


def _kept_of(
    recipe: Recipe, count: int, bf16: bool
) -> tuple[tuple[list[int], list[int]], tuple[int, int]]:
    """Bytes of what autograd keeps of so many images in both networks, and their weights."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    # With fake tensors nothing is allocated, whatever the widths; "meta" would know no autocast.
    with FakeTensorMode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        generator, discriminator = networks(recipe.architecture)
        latent = torch.empty(count, generator.input_size)
        noise = [torch.empty(count, *shape) for shape in generator.noise_shapes]
        slices = recipe.architecture.slices
        images = torch.empty(count, slices, IMAGE_SIZE, IMAGE_SIZE, requires_grad=True)
        told = torch.empty(count, recipe.architecture.condition_size)
        made = _kept(lambda: generator(latent, (noise[0], noise[1])), generator)
        seen = _kept(lambda: discriminator(images, told), discriminator)
        weights = trainable_parameters(generator), trainable_parameters(discriminator)
    return (made, seen), weights


def _growing(few: list[int], more: list[int], count: int) -> tuple[int, int, int]:
    """Bytes of an image, those of its largest tensor, and what any batch has, of what is kept of so
    many images and of twice as many."""
    grown = [b - a for a, b in zip(few, more, strict=True)]
    return sum(grown) // count, max(grown) // count, max(sum(few) - sum(grown), 0)


def _kept(run: Callable[[], Tensor], network: torch.nn.Module) -> list[int]:
    """Bytes of each tensor that autograd keeps of a pass for its backward, weights not counted."""
    weights = {p.untyped_storage()._cdata for p in network.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage()._cdata, tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        _output = run()  # held, or what autograd keeps would be let go
    return [t.untyped_storage().nbytes() for key, t in kept.items() if key not in weights]
