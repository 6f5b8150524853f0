"""A generator's pass on fake CUDA tensors, which have device and dtype and no numbers, whole
iterations on the device "meta", and on real tensors, which must not wait for the host.

Without CUDA, PyTorch can pretend neither a backward pass there nor autocast, layouts or what goes
over many tensors at once. On "meta" it can go backward, with no numbers either: nothing that the
host has can be taken in there unseen. What waits for the host on a GPU asks for a number on a CPU,
too, so that it shows in a real iteration here.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace

import pytest
import torch
from examples import TINY, arches, bent_walls
from SkullGANLib.networks.dcgan import networks
from SkullGANLib.training.presets import named
from SkullGANLib.training.reals import Reals
from SkullGANLib.training.state import TrainingState
from SkullGANLib.training.step import iterate, step
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

CUDA = torch.device("cuda:0")
WAITS = ("_local_scalar_dense", "nonzero", "unique", "_unique2", "masked_select")


class Seen(TorchDispatchMode):
    """Notes what is computed, and refuses what would wait for the host."""

    def __init__(self) -> None:
        super().__init__()
        self.on: set[str] = set()
        self.convolutions: list[torch.dtype] = []

    def __torch_dispatch__(self, function, types, given=(), named=None):
        name = function.overloadpacket.__name__
        assert name not in WAITS, f"{name} waits for the host"
        if "batch_norm" in name and given[0].device.type == "cuda":  # cannot be pretended, either
            of_channels = given[0].new_empty(given[0].shape[1], dtype=torch.float32)
            made = torch.empty_like(given[0]), of_channels, of_channels.clone()
        else:
            made = function(*given, **(named or {}))
        for tensor in torch.utils._pytree.tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self.on.add(tensor.device.type)
        if name in ("convolution", "_convolution"):
            self.convolutions.append(made.dtype)
        return made


@contextmanager
def fake_cuda() -> Iterator[Seen]:
    with ExitStack() as stack:
        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        yield stack.enter_context(Seen())


def move(network: torch.nn.Module) -> None:
    """Put a network without numbers on the GPU as ``TrainingState`` does, channels last."""
    for module in network.modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                last = torch.channels_last if weight.dim() == 4 else torch.contiguous_format
                made = torch.empty(weight.shape, device=CUDA, memory_format=last)
                module._parameters[name] = torch.nn.Parameter(made)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = torch.empty_like(buffer, device=CUDA)


def test_fake_cuda_the_generators_pass_stays_on_the_gpu_in_float32():
    with fake_cuda() as seen, torch.no_grad():
        with torch.device("meta"):
            generator, _ = networks(TINY.architecture)
        move(generator)
        seen.on.clear()
        latent = torch.empty(4, TINY.latent_size, device=CUDA)
        noise = [
            torch.empty((4, *shape), device=CUDA, memory_format=torch.channels_last)
            for shape in generator.noise_shapes
        ]
        generator(latent, tuple(noise))
    assert seen.on == {"cuda"}
    assert len(seen.convolutions) > 8
    assert set(seen.convolutions) == {torch.float32}


@pytest.mark.parametrize(
    "recipe",
    [
        replace(TINY, ema_decay=0.99),
        replace(TINY, precision="bf16", update_gate="below"),
        replace(TINY, ada_target=0.6, instance_noise_std=0.1),
        replace(
            named("demo"),
            **{"batch_size": 4, "samples_per_epoch": 40, "generator_width": 16},
            **{"generator_channels": "", "discriminator_channels": "", "discriminator_width": 8},
        ),
    ],
    ids=["plain", "bf16 and gate", "augmented", "relativistic"],
)
def test_no_iteration_waits_for_the_host_once_an_epoch_has_begun(recipe):
    state = TrainingState(arches(), recipe, torch.device("cpu"), seed=0)
    iterate(state)  # the first of an epoch makes its order, and Adam its moments
    with Seen() as seen:
        iterate(state)
    expected = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
    made_by_layers = seen.convolutions
    assert made_by_layers.count(expected) >= 0.9 * len(made_by_layers)  # blurring is no layer


class NoNumbers(TorchFunctionMode):
    """Refuses tensors made of numbers of the host, which are copied to a GPU."""

    def __torch_function__(self, function, types, given=(), named=None):
        assert function not in (torch.tensor, torch.as_tensor, torch.from_numpy), "made of numbers"
        return function(*given, **(named or {}))


class NoHost(TorchDispatchMode):
    """Refuses what takes in a tensor of the host or gives one: a copy, which a graph cannot have
    and an iteration would wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, given=(), named=None):
        # The one operation that has no counterpart there; its tensors are looked at all the same.
        is_adam = "_fused_adam_" in function.overloadpacket.__name__
        made = None if is_adam else function(*given, **(named or {}))
        for tensor in torch.utils._pytree.tree_leaves((given, named, made)):
            if isinstance(tensor, torch.Tensor):
                assert tensor.device.type == "meta", f"{function} has a tensor of the host"
        self.count += 1
        return made


class MetaGenerator(torch.Generator):
    """Draws nothing, on the device "meta"."""

    device = torch.device("meta")

    def __new__(cls, device=None):
        return super().__new__(cls)

    def __init__(self, device=None) -> None:
        pass


@pytest.mark.parametrize(
    "recipe",
    [
        replace(
            TINY,
            **{"blurred_from_epoch": 0, "instance_noise_std": 0.1, "ada_target": 0.6},
            **{"lr_decay_fraction": 1.0, "ema_decay": 0.9, "epochs": 8},
        ),
        replace(
            named("fast"),
            **{"batch_size": 4, "samples_per_epoch": 12, "generator_width": 8, "latent_size": 4},
            **{"discriminator_width": 4, "precision": "fp32", "compile": False, "epochs": 8},
            conditions="thickness",
        ),
        replace(TINY, discriminator_norm="spectral", precision="fp32", epochs=8),
    ],
    ids=["all of the paper", "pairs", "spectral"],
)
def test_an_iteration_takes_nothing_from_the_host_forward_or_backward(recipe, monkeypatch):
    monkeypatch.setattr(torch, "Generator", MetaGenerator)
    adam = importlib.import_module("torch.optim.adam")
    monkeypatch.setattr(adam, "_device_dtype_check_for_fused", lambda *_, **__: None)
    monkeypatch.setattr(TrainingState, "_precision", lambda state: nullcontext())
    monkeypatch.setattr(Reals, "shuffle", lambda reals: None)  # between steps, it may wait
    meta = torch.device("meta")
    state = TrainingState(bent_walls(12, 0), recipe, meta, 0, held_out=bent_walls(4, 1))
    for iteration in (8, 11):
        state.iteration = iteration
        kind = state.begin_iteration()
        with NoNumbers(), NoHost() as seen:
            found = step(state)
        assert seen.count > 500
        assert {value.device for value in found.values()} == {meta}
        assert kind.has_penalty == ("gradient_penalty" in found)
        assert kind.adapts == (iteration == 11 and recipe.ada_target > 0)


def test_a_tensor_of_the_host_is_noticed():
    with pytest.raises(AssertionError, match="made of numbers"), NoNumbers():
        torch.tensor([0.25, 0.5], device="meta")
    with pytest.raises(AssertionError, match="has a tensor of the host"), NoHost():
        torch.ones(2, device="meta") * torch.ones(())


def test_what_waits_for_the_host_is_noticed():
    with pytest.raises(AssertionError, match="waits for the host"), Seen():
        bool(torch.ones(()) > 0)
