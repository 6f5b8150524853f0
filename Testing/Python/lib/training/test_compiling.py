"""Where networks are compiled, and that those of a training compile in one piece."""

import logging

import pytest
import torch
from examples import TINY
from SkullGANLib.networks.dcgan import networks
from SkullGANLib.training import compiling, losses


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def test_on_a_cpu_a_network_runs_as_it_is_and_the_log_says_why(caplog):
    network = torch.nn.Linear(1, 1)
    with caplog.at_level(logging.INFO):
        assert compiling.compiled(network, torch.device("cpu"), 1) is network
    assert "uncompiled: compiling gains nothing on cpu" in caplog.text


def test_several_processes_and_old_gpus_run_uncompiled(monkeypatch):
    gpu = torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (6, 1))
    assert "capability 7.0" in compiling.why_not(gpu, 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(compiling.importlib.util, "find_spec", lambda name: object())
    assert compiling.why_not(gpu, 1) == ""
    assert "several processes" in compiling.why_not(gpu, 2)


def test_generator_and_discriminator_steps_compile_without_graph_breaks():
    generator, discriminator = networks(TINY.architecture)
    latent = torch.rand(4, TINY.latent_size) * 2 - 1
    noise = [torch.randn(4, *shape) for shape in generator.noise_shapes]
    reals = torch.rand(4, 1, 128, 128)

    def discriminator_step(images: torch.Tensor) -> torch.Tensor:
        real, fake = discriminator(reals), discriminator(images)
        return losses.discriminator_loss(real, fake, TINY)

    def generator_step(latent: torch.Tensor) -> torch.Tensor:
        return losses.generator_loss(discriminator(generator(latent, noise)), None)

    images = generator(latent, noise).detach()
    for step, given in ((discriminator_step, images), (generator_step, latent)):
        compiled = torch.compile(step, backend="aot_eager", fullgraph=True, dynamic=False)
        for network in (generator, discriminator):
            network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = compiled(given)
        loss.backward()
        assert torch.isfinite(loss)
        assert all(p.grad is not None for p in discriminator.parameters())
    assert all(p.grad is not None for p in generator.parameters())
