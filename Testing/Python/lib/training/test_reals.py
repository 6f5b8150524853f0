"""The reals of a training: their order, which stays in one place, and those that are held out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from examples import TINY, arches
from SkullGANLib.training.process_group import ProcessGroup, ShardedGenerator
from SkullGANLib.training.reals import Reals

PLAIN = replace(TINY, flips=False, shift_px=0, samples_per_epoch=0, batch_size=4)


def reals_of(recipe=PLAIN, group=ProcessGroup(), held_out=None, shown: int = 8) -> Reals:  # noqa: B008
    generator = ShardedGenerator(torch.Generator().manual_seed(0), group)
    return Reals(arches(8), recipe, shown, generator, held_out)


def tops(images: torch.Tensor) -> list[int]:
    return [int((image > -1).any(dim=1).nonzero()[0]) - 20 for image in images[:, 0]]


def test_batches_are_the_segments_of_the_order_from_their_first_row_on():
    reals = reals_of()
    order = reals.order
    reals.shuffle()
    assert reals.order is order
    assert sorted(order.tolist()) == list(range(8))
    shown = [tops(reals.batch(torch.tensor(first))) for first in (0, 4)]
    assert [*shown[0], *shown[1]] == order.tolist()
    reals.shuffle()
    assert tops(reals.batch(torch.tensor(0))) == order.tolist()[:4] != shown[0]


def test_processes_share_the_rows_of_a_batch():
    whole = reals_of()
    whole.shuffle()
    parts = []
    for rank in range(2):
        reals = reals_of(group=ProcessGroup(rank, 2))
        reals.shuffle()
        parts += tops(reals.batch(torch.tensor(4)))
    assert parts == tops(whole.batch(torch.tensor(4)))


def test_an_order_is_restored_in_its_place_and_one_of_another_length_is_refused():
    reals = reals_of()
    order = reals.order
    reals.restore_order(torch.arange(8))
    assert reals.order is order
    assert order.tolist() == list(range(8))
    reals.restore_order(torch.empty(0, dtype=torch.int64))  # of a run that was stopped at once
    assert order.tolist() == list(range(8))
    with pytest.raises(RuntimeError):
        reals.restore_order(torch.arange(7))


def test_held_out_reals_are_drawn_only_where_the_recipe_asks_for_them():
    held_out = arches(3)
    assert not reals_of(held_out=held_out).has_held_out
    asked = replace(PLAIN, ada_target=0.5, ada_reference="held_out")
    assert not reals_of(asked).has_held_out
    reals = reals_of(asked, held_out=held_out)
    images, told = reals.held_out_batch(50)
    assert set(tops(images)) == {0, 1, 2}
    assert told is None
