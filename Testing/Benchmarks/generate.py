"""How fast generation is, against the plain network and the machine's own matrix products.

    make bench-generate                          (both widths, on the CPU)
    .venv/bin/python Testing/Benchmarks/generate.py --device cuda --width 4096

"plain" is Table 1 as one would write it: float32, evaluation mode, no gradients, noise from torch;
it ends with images in [-1, 1]. Ours is ``generate``, whole: draws, network, HU and wall masks. Both
take turns, and the best turn of each counts, so that what else runs on the machine falls on both.
A share is the images a second times the plain network's arithmetic over the rate of a large matrix
product in the same precision, measured in the same run; products that ours saves count as done.

    .venv/bin/python Testing/Benchmarks/generate.py --model demo/model.safetensors

With an instant network all that follows it is left: HU, wall masks, packing and writing. Its rates
are segments a second of processor time, which other work on the machine changes least; the roofline
beside them is how often a core could copy the bytes that go in and out.

    .venv/bin/python Testing/Benchmarks/generate.py --instant
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import repeat
from pathlib import Path

import numpy as np
import torch
from SkullGANLib.data import hdf5, packing, segment_set
from SkullGANLib.data.walls import WALL_THRESHOLD_HU
from SkullGANLib.generation.draws import draw
from SkullGANLib.generation.from_seeds import generate, generate_set
from SkullGANLib.generation.pipeline import Batch, MaskingPool, made_by, masked
from SkullGANLib.metrics import measure
from SkullGANLib.networks import model_file
from SkullGANLib.networks.dcgan import GENERATOR_WIDTH, Discriminator, Generator
from SkullGANLib.networks.devices import chosen_device
from SkullGANLib.networks.fast_generator import images_together, prepared
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.networks.model_file import Model, in_hu
from SkullGANLib.networks.precision import chosen_precision, has_bf16
from SkullGANLib.training.presets import named
from SkullGANLib.utils import resources
from torch import nn

ENDLESS = 10**6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, auto")
    widths = (GENERATOR_WIDTH, named("demo").generator_width)
    options.add_argument("--width", type=int, nargs="+", default=widths)
    options.add_argument("--batch-size", type=int, nargs="+", help="default: 8 32, on a GPU 64 256")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--model", help="instead: what bf16 changes in segments of this model")
    options.add_argument("-n", type=int, default=1000, help="segments of that model")
    options.add_argument("--instant", action="store_true", help="what follows the network alone")
    chosen = options.parse_args()
    device = chosen_device(chosen.device)
    on_gpu = device.type == "cuda"
    capability = f"CPU with {torch.backends.cpu.get_cpu_capability()}, "
    capability += "AMX" if torch.cpu._is_amx_tile_supported() else "no AMX"
    name = torch.cuda.get_device_name(device) if on_gpu else capability
    print(f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, ", end="")
    print(f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}")
    if chosen.model:
        return compare_precisions(chosen.model, device, chosen.n)
    after_the_network()
    if chosen.instant:
        return None

    precisions = ["fp32", "bf16"] if has_bf16(device) else ["fp32"]
    peaks = {precision: peak(device, precision) for precision in precisions}
    for precision, flops in peaks.items():
        print(f"matrix product, {precision}: {flops / 1e9:.0f} GFLOP/s")
    if len(precisions) == 1:
        print("bf16 is left out: this processor only emulates it")
    for width in chosen.width:
        generator = plausible_generator(width).to(device)
        work = arithmetic(generator)
        print(f"\nwidth {width}: {work / 1e9:.2f} GFLOP an image, ", end="")
        print(f"auto is {chosen_precision('auto', device, width)}")
        for precision in precisions:
            print(difference(generator, precision))
        print(f"{'batch':>6} {'what':<6} {'images/s':>9} {'ratio':>6} {'share':>6}")
        for batch_size in chosen.batch_size or ((64, 256) if on_gpu else (8, 32)):
            table(generator, batch_size, precisions, peaks, work, chosen.turns)


def table(
    generator: Generator,
    batch_size: int,
    precisions: list[str],
    peaks: dict[str, float],
    work: float,
    turns: int,
) -> None:
    device = next(generator.parameters()).device
    made_of = Model(generator, Discriminator(2))

    @torch.no_grad()
    def plain() -> None:
        generator(generator.draw_latent(batch_size, device))

    runs: dict[str, Callable[[], object]] = {"plain": plain}
    for precision in precisions:
        batches = generate(made_of, range(ENDLESS), batch_size=batch_size, precision=precision)
        runs[precision] = batches.__next__
    # A GPU works ahead by a batch, which several batches in a turn make even.
    rounds = 1 if device.type == "cpu" else 8
    best = dict.fromkeys(runs, float("inf"))
    for turn in range(turns + 1):
        for name, run in runs.items():
            seconds = timed(run, rounds, device)
            if turn:  # the first warms up
                best[name] = min(best[name], seconds)
    for name, seconds in best.items():
        rate = batch_size / seconds
        share = rate * work / peaks["fp32" if name == "plain" else name]
        print(f"{batch_size:>6} {name:<6} {rate:9.2f} {best['plain'] / seconds:6.2f} {share:6.0%}")


class InstantNetwork:
    """Gives the same images again and again, as they come out of the bundled model."""

    def __init__(self, count: int) -> None:
        self.device, self.together = torch.device("cpu"), None
        model = model_file.read(resources.bundled_model())
        made = generate_set(model, range(count), wall_threshold_hu=-1)
        lowest, highest = self.hu_range = model.hu_range
        hu = torch.from_numpy(made.hu)[:, None].float()
        self.images = (hu - lowest) / (highest - lowest) * 2 - 1

    def hu(self, seeds: np.ndarray, codes: np.ndarray | None = None) -> torch.Tensor:
        return in_hu(self.images[: len(seeds)], self.hu_range)


def after_the_network(count: int = 6400, batch_size: int = 64) -> None:
    """Print the rates of what follows the network, each phase alone and all of it into a file."""
    network = InstantNetwork(batch_size)
    seeds, packer = np.arange(batch_size), packing.chosen_packer()
    hu = network.hu(seeds).numpy()
    threads = MaskingPool(1)
    inside, masks = masked(hu, WALL_THRESHOLD_HU, threads)

    def pack_all(packer: packing.Packer = packer) -> int:
        parts = (slice(start, start + packing.CHUNK) for start in range(0, batch_size, 16))
        return sum(
            len(one) for part in parts for one in packing.pack(inside[part], masks[part], packer)
        )

    def into_a_file() -> None:
        batches = repeat(Batch(seeds), count // batch_size)
        with (
            tempfile.TemporaryDirectory() as folder,
            hdf5.Writer(Path(folder) / "set.h5", kind="synthetic") as writer,
        ):
            for _, hu, mask in made_by([network], batches, WALL_THRESHOLD_HU):
                writer.append(segment_set.without_patient(hu, mask, seeds))

    packed = pack_all() / batch_size
    pixels = hu[0].size
    rate = copied_bytes_a_second()
    phases = (
        ("HU", lambda: network.hu(seeds), batch_size, 6 * pixels),
        ("wall masks", lambda: masked(hu, WALL_THRESHOLD_HU, threads), batch_size, 5 * pixels),
        *(
            (f"packing, {one.name}", partial(pack_all, one), batch_size, 3 * pixels + packed)
            for one in packing.packers().values()
        ),
        ("all, into a file", into_a_file, count, 14 * pixels + 3 * packed),
    )
    print(
        f"\ninstant network, batch {batch_size}, {packed / 1024:.2f} KiB a segment packed; ", end=""
    )
    print(f"a core copies {rate / 1e9:.1f} GB/s")
    print(f"{'phase':<18} {'segments/s a core':>18} {'roofline':>9} {'share':>6}")
    for name, run, made, moved in phases:
        run()  # warms up
        began, rounds = time.process_time(), 1 if made == count else 30
        for _ in range(rounds):
            run()
        found = made * rounds / (time.process_time() - began)
        print(f"{name:<18} {found:18,.0f} {rate / moved:9,.0f} {found * moved / rate:6.0%}")


def copied_bytes_a_second() -> float:
    """Bytes read and written a second of processor time, of arrays that caches do not hold."""
    source = np.ones(2**27, np.uint8)
    target = source.copy()
    began = time.process_time()
    for _ in range(4):
        np.copyto(target, source)
    return 4 * 2 * source.size / (time.process_time() - began)


def compare_precisions(path: str, device: torch.device, count: int) -> None:
    """Mean difference in HU of whole images, and the metrics of the segments, bf16 to fp32."""
    made = model_file.read(path)
    settings = {"batch_size": 64, "device": device}
    apart, metrics = [], {"fp32": [], "bf16": []}
    for start in range(0, count, 64):
        seeds = range(start, min(start + 64, count))
        whole = {}
        for precision in metrics:
            settings["precision"] = precision
            one = generate_set(made, seeds, **settings)
            metrics[precision].append(measure(one))
            # With a threshold below all HU, nothing is set to 0.
            whole[precision] = generate_set(made, seeds, wall_threshold_hu=-(2**15) - 1, **settings)
        apart.append(np.abs(whole["fp32"].hu.astype(int) - whole["bf16"].hu).mean(axis=(1, 2)))
    apart = np.concatenate(apart)
    print(
        f"{count} images: mean difference {apart.mean():.2f} HU, of one at most {apart.max():.2f}"
    )
    for name in ("sdr_peaks", "thickness_mm"):
        exact, rounded = (
            np.nanmean(np.concatenate([each[name] for each in metrics[precision]]))
            for precision in ("fp32", "bf16")
        )
        print(f"mean {name}: {exact:.4f} and {rounded:.4f}, {rounded / exact - 1:+.3%}")


def timed(run: Callable[[], object], rounds: int, device: torch.device) -> float:
    """Seconds that one of several rounds takes, the device at rest before and after."""
    synchronize = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    synchronize()
    began = time.perf_counter()
    for _ in repeat(None, rounds):
        run()
    synchronize()
    return (time.perf_counter() - began) / rounds


def peak(device: torch.device, precision: str) -> float:
    """Floating-point operations a second of a large matrix product."""
    size = 8192 if device.type == "cuda" else 2048
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return max(2 * size**3 / timed(lambda: left @ right, 2, device) for _ in range(6))


def plausible_generator(width: int) -> Generator:
    """Random weights that keep the signal alive, and batch norm as after a training."""
    source = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        generator = Generator(width=width)
    generator.to_empty(device="cpu")
    initialize(generator, 0.0, source)
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=source)
            nn.init.normal_(layer.bias, 0, 0.3, generator=source)
            nn.init.normal_(layer.running_mean, 0, 0.3, generator=source)
            nn.init.uniform_(layer.running_var, 0.5, 2, generator=source)
    return generator.eval()


def arithmetic(generator: Generator) -> float:
    """Floating-point operations of an image: two for each weight of each output it reaches."""
    total, size = 0, 1
    for layer in generator.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            total += 2 * layer.weight.numel() * size**2
            size = 4 if size == 1 else 2 * size
        elif isinstance(layer, nn.Conv2d):
            total += 2 * layer.weight.numel() * size**2
    return total


@torch.inference_mode()
def difference(generator: Generator, precision: str) -> str:
    """How far ours is from the plain network on the same latent vectors and noise."""
    device = next(generator.parameters()).device
    latent, noise = draw(generator, np.arange(images_together(device)))
    latent, noise = latent.to(device), tuple(part.to(device) for part in noise)
    needed = generator(latent, noise).flatten(1)
    apart = prepared(generator, precision)(latent, noise).flatten(1) - needed
    relative = apart.norm(dim=1) / needed.norm(dim=1)
    return (
        f"{precision} against plain, relative L2 of an image: median {relative.median():.1e}, "
        f"largest {relative.max():.1e}; mean difference {apart.abs().mean():.1e} of 2"
    )


if __name__ == "__main__":
    main()
