"""How fast training is, against the straightforward loop and the machine's own matrix products.

    make bench-train                                            (narrow, batch 16, on the CPU)
    .venv/bin/python Testing/Benchmarks/train.py --device cuda  (full width, batch 64)

"plain" is the loop as one would write it, and as the published code does: float32, contiguous
memory, a batch of reals copied to the device, losses read on the host every iteration, where gate
and plateaus are decided. Ours is ``training.train`` with the recipes' settings, whole, reports
included and checkpoints not. On a GPU "launched" is ``paper-fast`` with every kernel launched by
itself and "graph" the same replayed as CUDA graphs, as ``fast`` is. All take turns, and the best
turn of each counts, so that what else runs on the machine falls on all.

Then, phase by phase, the milliseconds of an iteration beside the reckoned roofline: the arithmetic
over that rate, and for what is left (optimizers, running average, drawing and reporting) the bytes
of weights, gradients and moments over the rate at which memory is copied.

Utilization is the images a second times the networks' arithmetic for an image (forward and backward
as far as the game needs them) over the rate of a large matrix product in the same precision,
measured in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from generate import copied_bytes_a_second, peak, timed
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import Discriminator, Generator, trainable_parameters
from SkullGANLib.networks.devices import chosen_device
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.training.loop import train
from SkullGANLib.training.presets import named
from SkullGANLib.training.recipe import Recipe
from SkullGANLib.training.state import TrainingState, runs_in_bf16
from SkullGANLib.training.utilization import flops_per_image
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.flop_counter import FlopCounterMode

WARM_UP = 2
WARM_UP_ON_GPU = 80
"""Iterations after which every kind of step is captured, and compared no more for the next 50."""


class Measured(Exception):  # noqa: N818 - ends a training, and is no error
    """Enough iterations were seen."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, auto")
    options.add_argument("--widths", type=int, nargs=2, metavar=("G", "D"))
    options.add_argument("--batch-size", type=int)
    options.add_argument("--iterations", type=int, help="in a turn; default: 5, on a GPU 50")
    options.add_argument("--turns", type=int, default=2)
    chosen = options.parse_args()
    device = chosen_device(chosen.device)
    on_gpu = device.type == "cuda"
    widths = chosen.widths or ((4096, 64) if on_gpu else (256, 16))
    batch_size = chosen.batch_size or (64 if on_gpu else 16)
    iterations = chosen.iterations or (50 if on_gpu else 5)

    name = torch.cuda.get_device_name(device) if on_gpu else f"{platform.processor()} (CPU)"
    print(f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, ", end="")
    print(f"Python {platform.python_version()}, torch {torch.__version__}")
    sizes = {"generator_width": widths[0], "discriminator_width": widths[1]}
    shown = {"epochs": 1, "batch_size": batch_size, "samples_per_epoch": 1000 * batch_size}
    recipes = {n: replace(named(n), **sizes, **shown) for n in ("paper", "fast")}
    if on_gpu:
        graph = replace(named("paper-fast"), **sizes, **shown)
        recipes |= {"launched": replace(graph, cuda_graph=False), "graph": graph}
    work = flops_per_image(recipes["paper"])
    print(f"widths {widths[0]} and {widths[1]}, batch {batch_size}, ", end="")
    print(f"{work / 1e9:.2f} GFLOP an image and iteration")

    segments = some_segments()
    runs: dict[str, Callable[[], float]] = {
        "plain": lambda: plain(segments, recipes["paper"], device, iterations)
    }
    for name, recipe in recipes.items():
        runs[name] = lambda recipe=recipe: ours(segments, recipe, device, iterations)
    precisions = {"plain": "fp32"} | {
        name: "bf16" if runs_in_bf16(recipe, device) else "fp32" for name, recipe in recipes.items()
    }
    peaks = {precision: peak(device, precision) for precision in set(precisions.values())}
    for precision, flops in sorted(peaks.items()):
        print(f"matrix product, {precision}: {flops / 1e9:.0f} GFLOP/s")

    best = dict.fromkeys(runs, float("inf"))
    for _ in range(chosen.turns):
        for name, run in runs.items():
            best[name] = min(best[name], run())
    print(f"\n{'loop':<8} {'in':<5} {'iterations/s':>12} {'images/s':>9} {'ratio':>6} {'use':>5}")
    for name, seconds in best.items():
        use = batch_size / seconds * work / peaks[precisions[name]]
        print(f"{name:<8} {precisions[name]:<5} {1 / seconds:12.2f} ", end="")
        print(f"{batch_size / seconds:9.1f} {best['plain'] / seconds:6.2f} {use:5.0%}")
    for name in ("paper", "fast"):
        recipe = recipes[name]
        show_phases(name, segments, recipe, device, best[name], peaks[precisions[name]])


def show_phases(
    name: str,
    segments: SegmentSet,
    recipe: Recipe,
    device: torch.device,
    iteration_s: float,
    flops: float,
) -> None:
    """Print where an iteration's time goes, beside what arithmetic and memory allow."""
    state = TrainingState(segments, replace(recipe, compile=False), device, seed=0)
    state.begin_iteration()
    reals, fakes = state.seen(state.next_reals()), state.seen(state.generate().detach())

    def learn_to_judge() -> None:
        (state.logits(reals).sum() - state.logits(fakes).sum()).backward()

    def learn_to_make() -> None:
        state.discriminate(images).sum().backward(retain_graph=True)

    phases = {
        "generator, forward": state.generate,
        "discriminator, both ways": learn_to_judge,
        "generator, backward through both": learn_to_make,
    }
    images = state.generate()
    print(f"\n{name + ', phase':<34} {'ms':>8} {'roofline':>9} {'share':>6}")
    left_s = iteration_s
    for phase, run in phases.items():
        state.discriminator.requires_grad_(run is not learn_to_make)
        with FlopCounterMode(display=False) as counter:
            run()
        floor_s = counter.get_total_flops() / flops
        seconds = min(timed(run, 2, device) for _ in range(3))
        left_s -= seconds
        print(f"{phase:<34} {1e3 * seconds:8.1f} {1e3 * floor_s:9.1f} {floor_s / seconds:6.0%}")
    made, seen = map(trainable_parameters, (state.generator, state.discriminator))
    # Adam reads weight, gradient and two moments and writes all but the gradient; the average is
    # read and written beside the weights.
    moved = 4 * (7 * (made + seen) + 3 * made * bool(recipe.ema_decay))
    floor_s = moved / copied_bytes_a_second() if device.type == "cpu" else float("nan")
    # Alone, phases can take longer than in an iteration, where memory is used again.
    share = f"{floor_s / left_s:.0%}" if left_s > 0 else "-"
    print(f"{'the rest':<34} {1e3 * max(left_s, 0):8.1f} {1e3 * floor_s:9.1f} {share:>6}")


def ours(segments: SegmentSet, recipe: Recipe, device: torch.device, iterations: int) -> float:
    """Seconds an iteration of ``train`` takes."""
    clock = Clock(device, iterations)
    with tempfile.TemporaryDirectory() as folder:
        try:
            train(segments, Path(folder) / "run", recipe, device=str(device), on_progress=clock)
        except Measured:
            return clock.seconds
    raise AssertionError("the training ended before it was measured")


def plain(segments: SegmentSet, recipe: Recipe, device: torch.device, iterations: int) -> float:
    """Seconds an iteration of the straightforward loop takes."""
    generator = Generator(recipe.latent_size, recipe.generator_width).to(device)
    discriminator = Discriminator(recipe.discriminator_width).to(device)
    optimizers, schedules = {}, {}
    for network, rate in ((generator, 3e-4), (discriminator, 3e-4)):
        initialize(network, 0.01, torch.Generator(device).manual_seed(0))
        optimizers[network] = torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.999))
        schedules[network] = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizers[network], patience=1000
        )
    reals = model_file.from_hu(segments.hu, segments.hu_range)

    def learned(network: torch.nn.Module, loss: torch.Tensor, last: float) -> float:
        if last < recipe.update_gate_loss:
            optimizers[network].step()
        schedules[network].step(loss.item())
        return loss.item()

    clock = Clock(device, iterations)
    last_generator = last_discriminator = 0.0
    for done in range(1, 10**9):
        batch = reals[torch.randint(len(reals), (recipe.batch_size,))].to(device)
        images = generator(generator.draw_latent(recipe.batch_size, device))
        discriminator.zero_grad()
        loss = called(discriminator(batch), 0.9) + called(discriminator(images.detach()), 0.0)
        loss.backward()
        last_discriminator = learned(discriminator, loss, last_discriminator)
        generator.zero_grad()
        loss = called(discriminator(images), 1.0)
        loss.backward()
        last_generator = learned(generator, loss, last_generator)
        try:
            clock(done, 0)
        except Measured:
            return clock.seconds
    raise AssertionError("the loop ended before it was measured")


class Clock:
    """Told of every iteration, gives the seconds of one after the warm-up."""

    def __init__(self, device: torch.device, iterations: int) -> None:
        self._wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        self._iterations = iterations
        self._first = WARM_UP_ON_GPU if device.type == "cuda" else WARM_UP
        self.seconds = float("nan")

    def __call__(self, done: int, _: int) -> None:
        if done == self._first:
            self._wait()
            self._began = time.perf_counter()
        elif done == self._first + self._iterations:
            self._wait()
            self.seconds = (time.perf_counter() - self._began) / self._iterations
            raise Measured


def called(logits: torch.Tensor, label: float) -> torch.Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def some_segments(count: int = 256) -> SegmentSet:
    """Noise: what is seen does not change how long it takes."""
    hu = np.random.default_rng(0).integers(0, 2000, (count, 128, 128), dtype=np.int16)
    return segment_set.without_patient(hu, hu > 0, np.full(count, -1), kind="real")


if __name__ == "__main__":
    main()
