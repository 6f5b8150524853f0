"""Training in several processes at once, one a GPU, on one machine or many, as ``torchrun`` starts
them.

A batch is split over the processes; everything else is as if one process had the whole of it.
Random numbers are generated for the whole batch everywhere and each process takes its rows, batch
norm normalizes by the whole batch, and gradients and losses are averaged. So the number of
processes changes nothing but rounding.

Gradients are averaged by plain all-reduce and not by DistributedDataParallel: an iteration calls
the discriminator three times for two backward passes, once with frozen weights, and whether a
gradient is used at all is decided afterwards on the device. DDP's hooks expect one forward a
backward, and would have to know every exception.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import BadInputError
from ..networks.dcgan import MinibatchDeviation
from ..networks.devices import chosen_device


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a training as one of them sees them; alone by default.

    Attributes:
        rank: which one this process is; the one of rank 0 writes files.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def own(self, rows: Tensor) -> Tensor:
        """Take this process's share out of the rows of a whole batch."""
        count = len(rows) // self.size
        return rows[self.rank * count : (self.rank + 1) * count]

    def mean_(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over all processes."""
        if self.size == 1:
            return
        tensors = list(tensors)
        for work in [dist.all_reduce(tensor, async_op=True) for tensor in tensors]:
            work.wait()
        for tensor in tensors:
            tensor.div_(self.size)

    def any(self, condition: bool) -> bool:
        """Tell whether the condition holds in any process; each one has to ask."""
        if self.size == 1:
            return condition
        flag = torch.tensor(int(condition))  # on the CPU, so that no GPU is waited for
        dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        return bool(flag)


ALONE = ProcessGroup()


@contextmanager
def joined(device: str) -> Iterator[tuple[ProcessGroup, torch.device]]:
    """Join the processes that ``torchrun`` started, for as long as the block lasts.

    Within such a block, another one joins the same group.

    Args:
        device: as for ``networks.chosen_device``; without a number, each process takes the GPU of
            its own number on its machine.

    Yields:
        The group, ``ALONE`` where no other was started, and this process's device.

    Raises:
        BadInputError: if the device is not there.
    """
    size = int(os.environ.get("WORLD_SIZE", 1)) if "RANK" in os.environ else 1
    if size == 1:
        yield ALONE, chosen_device(device)
        return
    where = chosen_device(_own_gpu(device))
    on_gpu = where.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(where)
    outermost = not dist.is_initialized()
    if outermost:
        # Told the GPU, NCCL needs not guess it from the rank, and is set up before the first batch.
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if on_gpu else "gloo", device_id=where if on_gpu else None
        )
    try:
        yield ProcessGroup(dist.get_rank(), dist.get_world_size()), where
    finally:
        if outermost:
            dist.destroy_process_group()


def _own_gpu(device: str) -> str:
    """Name the GPU of this process among those that it sees, for "auto" and "cuda".

    Raises:
        BadInputError: if one GPU was named for several processes of this machine.
    """
    here, beside = int(os.environ["LOCAL_RANK"]), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    seen = torch.cuda.device_count()
    if device == "auto" and seen:
        device = "cuda"
    if device == "cuda":
        # A scheduler may show each process its own GPU alone, which is number 0 then.
        return f"cuda:{0 if seen == 1 else here}"
    if device.startswith("cuda:") and beside > 1 and seen > 1:
        raise BadInputError(
            f"The device is {device!r} for {beside} processes of this machine, expected cuda, "
            "which gives each its own."
        )
    return device


class ShardedGenerator:
    """Random numbers for this process's rows of a batch.

    All processes hold the same generator and generate the whole batch's numbers, so their
    generators stay the same, and a batch is the same however many share it.

    Args:
        generator: where the numbers come from; results are on its device.
        group: the processes.

    Example:
        >>> ShardedGenerator(torch.Generator().manual_seed(0)).rand(2, 3).shape
        torch.Size([2, 3])
    """

    def __init__(self, generator: torch.Generator, group: ProcessGroup = ALONE) -> None:
        self.generator = generator
        self.group = group

    def rand(self, count: int, *shape: int) -> Tensor:
        """Generate uniform numbers in [0, 1), float32 (count, *shape)."""
        return self.group.own(torch.rand(count * self.group.size, *shape, **self._from()))

    def randn(self, count: int, *shape: int) -> Tensor:
        """Generate standard normal numbers, float32 (count, *shape)."""
        return self.group.own(torch.randn(count * self.group.size, *shape, **self._from()))

    def randn_images(self, count: int, *shape: int) -> Tensor:
        """Generate standard normal numbers, float32 (count, channels, rows, columns), that lie in
        memory as activations do (channels last).

        On a GPU they are made there in that order, without a copy; on a CPU they are those of
        ``randn``.
        """
        if self.generator.device.type == "cpu":
            return self.randn(count, *shape).contiguous(memory_format=torch.channels_last)
        whole = torch.empty(
            (count * self.group.size, *shape),
            device=self.generator.device,
            memory_format=torch.channels_last,
        )
        return self.group.own(whole.normal_(generator=self.generator))

    def randint(self, below: int, count: int, *shape: int) -> Tensor:
        """Generate whole numbers from 0 to below ``below``, int64 (count, *shape)."""
        shape = (count * self.group.size, *shape)
        return self.group.own(torch.randint(0, below, shape, **self._from()))

    def _from(self) -> dict[str, Any]:
        return {"generator": self.generator, "device": self.generator.device}


def synchronize_statistics(network: nn.Module, group: ProcessGroup) -> None:
    """Let batch norm normalize by the whole batch, and other running statistics be of all of it,
    in place; names in the state dict stay."""
    if group.size == 1:
        return
    for layer in network.modules():
        if type(layer) is nn.BatchNorm2d:
            # Only the arithmetic is another one; parameters and buffers are not touched. PyTorch's
            # own SyncBatchNorm does not work on a CPU.
            layer.__class__ = _SyncedBatchNorm2d
        elif type(layer) is MinibatchDeviation:
            layer.__class__ = _SyncedMinibatchDeviation


class _SyncedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the batches of all processes, which must be of the same size."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        # Means and variances of equal parts make up those of the whole.
        var, mean = torch.var_mean(x.float(), dim=(0, 2, 3), correction=0)
        size = dist.get_world_size()
        mean, square = _SumOverGroup.apply(torch.stack([mean, var + mean.square()])) / size
        var = square - mean.square()
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        with torch.no_grad():
            count = size * x.numel() / x.shape[1]
            batches, running = self.num_batches_tracked, (self.running_mean, self.running_var)
            for kept, of_batch in zip(running, (mean, var * (count / (count - 1))), strict=True):
                if kept is not None and self.momentum is not None:
                    kept.lerp_(of_batch, self.momentum)
            if batches is not None:
                batches.add_(1)
        scale = self.weight * torch.rsqrt(var + self.eps)
        shift = self.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(x.dtype)

    # In evaluation mode and on its own it is what it was: a model must not depend on a group.
    def __deepcopy__(self, memo: dict[int, Any]) -> nn.BatchNorm2d:
        copied = nn.BatchNorm2d(self.num_features, self.eps, self.momentum).to(self.weight)
        copied.load_state_dict(self.state_dict())
        return copied.train(self.training)


class _SyncedMinibatchDeviation(MinibatchDeviation):
    """Minibatch deviation whose running mean is over all processes; groups stay within one."""

    def over_processes(self, mean: Tensor) -> Tensor:
        dist.all_reduce(mean)
        return mean / dist.get_world_size()

    def __deepcopy__(self, memo: dict[int, Any]) -> MinibatchDeviation:
        copied = MinibatchDeviation(self.group)
        assert isinstance(self.running, Tensor)
        copied.running = self.running.clone()
        return copied.train(self.training)


class _SumOverGroup(torch.autograd.Function):
    """The sum over all processes; every process's gradient reaches every process."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient
