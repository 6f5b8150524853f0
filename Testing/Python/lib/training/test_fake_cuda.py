"""A generator's pass on fake CUDA tensors, which have device and dtype and no numbers, and whole
iterations on real ones, which must not wait for the host.

Without CUDA, PyTorch can pretend neither a backward pass there nor autocast, layouts or what goes
over many tensors at once. What waits for the host on a GPU asks for a number on a CPU, too, so that
it shows in a real iteration here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
import torch
from examples import TINY, arches
from SkullGANLib.networks.dcgan import networks
from SkullGANLib.training.presets import named
from SkullGANLib.training.state import TrainingState
from SkullGANLib.training.step import iterate
from torch._subclasses.fake_tensor import FakeTensorMode
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


def test_what_waits_for_the_host_is_noticed():
    with pytest.raises(AssertionError, match="waits for the host"), Seen():
        bool(torch.ones(()) > 0)
