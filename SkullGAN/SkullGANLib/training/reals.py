"""The reals of a training on its device: in which order they are shown, what is told of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..data.depth import stacks_of
from ..data.segment_set import SegmentSet
from ..networks import model_file
from . import order
from .augmentation import half_mirrored
from .batch_conditions import BatchConditions
from .pictures import Pictures
from .process_group import ShardedGenerator
from .recipe import Recipe


class Reals:
    """What is learned from, batch by batch; an epoch goes through shuffled copies of the set, one
    after the other.

    Args:
        segments: copied to the device as a whole.
        recipe: how they are shown.
        shown: images in an epoch.
        generator: where chance comes from, on the device.
        held_out: reals that are not learned from but judged, for recipes that ask for it.

    Attributes:
        count: images to learn from, segments or stacks.
        order: which of them the epoch shows, int64 (shown,); always the same tensor.
        told: what networks are told of the batch; None where they are told nothing.
    """

    def __init__(
        self,
        segments: SegmentSet | Pictures,
        recipe: Recipe,
        shown: int,
        generator: ShardedGenerator,
        held_out: SegmentSet | None = None,
    ) -> None:
        self._segments, self._recipe, self._generator = segments, recipe, generator
        device = generator.generator.device
        self._slices = recipe.architecture.slices
        # As they are: what networks see is float32 and would take twice the memory.
        self._hu = _samples(segments, self._slices).to(device)
        watched = recipe.ada_target and recipe.ada_reference == "held_out" and held_out is not None
        self._held_out = (
            _samples(held_out, self._slices).to(device)
            if watched and held_out is not None and len(held_out)
            else None
        )
        self.count = len(self._hu)
        self.told = BatchConditions.learned(recipe, segments, device, held_out)
        self.order = torch.zeros(shown, dtype=torch.int64, device=device)
        own = recipe.batch_size // generator.group.size
        self._rows = generator.group.rank * own + torch.arange(own, device=device)

    @property
    def has_held_out(self) -> bool:
        """Whether there are reals that are judged but not learned from."""
        return self._held_out is not None

    def shuffle(self) -> None:
        """Draw the order of an epoch."""
        shown, source = len(self.order), self._generator.generator
        subjects = self._segments.subject
        # Pictures that a training begins with are of no subject.
        if self._recipe.balanced_subjects and len(subjects):
            self.order.copy_(order.balanced(subjects[:: self._slices], shown, source))
        else:
            self.order.copy_(order.shuffled(self.count, shown, source))

    def restore_order(self, saved: Tensor) -> None:
        """Take back what ``order`` was; it was empty where no epoch had begun.

        Raises:
            RuntimeError: if it is of another length.
        """
        if len(saved):
            self.order.copy_(saved)

    def batch(self, first_row: Tensor) -> Tensor:
        """Give this process's share of a batch, float32 (batch_size, slices, 128, 128).

        Args:
            first_row: where the batch begins in the order, int64 without dimensions.
        """
        rows = self.order[first_row + self._rows]
        if self.told:
            self.told.choose(rows)
        reals = model_file.from_hu(self._hu[rows], self._segments.hu_range)
        return half_mirrored(reals, self._generator) if self._recipe.flips else reals

    def held_out_batch(self, count: int) -> tuple[Tensor, Tensor | None]:
        """Draw reals that are not learned from, and give what is told of them.

        Args:
            count: of the whole batch, of which this process has its share.
        """
        assert self._held_out is not None
        rows = torch.randint(
            len(self._held_out),
            (count,),
            generator=self._generator.generator,
            device=self._held_out.device,
        )
        rows = self._generator.group.own(rows)
        reals = model_file.from_hu(self._held_out[rows], self._segments.hu_range)
        return reals, self.told.of_held_out(rows) if self.told else None


def _samples(segments: SegmentSet | Pictures, slices: int) -> Tensor:
    """Give what there is one of for each image, int16 (N, 128, 128); of whole stacks, (S, slices,
    128, 128)."""
    hu = segments.hu
    if slices > 1 and isinstance(segments, SegmentSet):
        assert segments.stack is not None
        assert segments.slice_number is not None
        hu = hu[stacks_of(segments.stack, segments.slice_number, slices)]
    return torch.from_numpy(np.ascontiguousarray(hu))
