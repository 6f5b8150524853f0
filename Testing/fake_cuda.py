"""A CUDA device that is not there: shapes, types, places and layouts of tensors, and no numbers.

    with FakeCuda() as cuda:
        network = cuda.holds(Generator())
        ...

Whatever mixes devices or types raises as it would on a GPU, and so does whatever waits for the GPU
(``item``, ``bool``, a copy to the host that is not ``non_blocking``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

CUDA = torch.device("cuda")


class WaitsForTheGpu(AssertionError):  # noqa: N818
    """A step that stops the host until the GPU has computed all that it was given."""


class FakeCuda:
    """The device, while its block lasts."""

    def __enter__(self) -> FakeCuda:
        self._modes = ExitStack()
        self._modes.enter_context(FakeTensorMode())
        self._modes.enter_context(_WithoutDriver())
        return self

    def __exit__(self, *_: object) -> None:
        self._modes.close()

    def holds(self, network: nn.Module) -> nn.Module:
        """Lay a network, made within the block, on the device."""
        for layer in network.modules():
            for tensors in (layer._parameters, layer._buffers):
                for name, tensor in tensors.items():
                    if tensor is not None:
                        fake = torch.empty(tensor.shape, dtype=tensor.dtype, device=CUDA)
                        tensors[name] = (
                            nn.Parameter(fake) if isinstance(tensor, nn.Parameter) else fake
                        )
        network.to = lambda *_: network  # it asks the driver, that is not there
        return network


class _WithoutDriver(TorchFunctionMode):
    """Does without the driver what torch's Python bindings ask it for, and notes what waits."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if function is Tensor.contiguous:
            layout = kwargs.get("memory_format", torch.contiguous_format)
            return args[0].clone(memory_format=layout)
        if function in _BY_NAME:
            return _BY_NAME[function](*args)
        if function is Tensor.__getitem__:
            return _indexed(*args)
        if function is Tensor.__setitem__:
            target, index, value = args
            part = _indexed(target, index)
            return part.copy_(value) if isinstance(value, Tensor) else part.fill_(value)
        waits = function is Tensor.copy_ and not kwargs.get("non_blocking")
        if waits and args[0].device != args[1].device:
            raise WaitsForTheGpu("copy_ without non_blocking")
        if function in _WAITING and args[0].device.type == "cuda":
            raise WaitsForTheGpu(function.__name__)
        return function(*args, **kwargs)


_BY_NAME: Mapping[Callable[..., Any], Callable[..., Any]] = {
    Tensor.__invert__: torch.bitwise_not,
    Tensor.float: lambda tensor: tensor.to(torch.float32),
    Tensor.long: lambda tensor: tensor.to(torch.int64),
    Tensor.bool: lambda tensor: tensor.to(torch.bool),
}
_WAITING = (Tensor.item, Tensor.tolist, Tensor.cpu, Tensor.numpy, Tensor.__bool__, Tensor.nonzero)


def _indexed(tensor: Tensor, index: Any) -> Tensor:
    """Index by slices, whole numbers, None and an ellipsis, as views."""
    steps = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in steps:
        place = steps.index(Ellipsis)
        used = sum(step is not None for step in steps) - 1
        steps[place : place + 1] = [slice(None)] * (tensor.dim() - used)
    dim = 0
    for step in steps:
        if step is None:
            tensor = tensor.unsqueeze(dim)
            dim += 1
        elif isinstance(step, slice):
            tensor = torch.ops.aten.slice(tensor, dim, step.start, step.stop, step.step or 1)
            dim += 1
        else:
            tensor = tensor.select(dim, step)
    return tensor
