"""The pipeline from networks to segments: in order, held back, ended and explained."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from fake_cuda import CUDA, FakeCuda
from SkullGANLib.data.walls import WALL_THRESHOLD_HU, wall_mask
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import pipeline
from SkullGANLib.generation.from_seeds import generate, generate_set
from SkullGANLib.generation.pipeline import (
    Batch,
    MaskingPool,
    Network,
    made_by,
    masked,
    memory_error,
)
from SkullGANLib.networks import noise_layers
from SkullGANLib.networks.dcgan import Discriminator, Generator
from SkullGANLib.networks.model_file import Model

CPU = torch.device("cpu")


class Instant:
    """A network that is done at once: of seed n all pixels have n HU."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.device, self.together = CPU, None
        self.made: list[int] = []
        self._fails_at = fails_at

    def hu(self, seeds: np.ndarray, codes: np.ndarray | None = None) -> torch.Tensor:
        if self._fails_at in seeds:
            raise BadInputError(f"The seed {self._fails_at} fails.")
        self.made += seeds.tolist()
        pixels = torch.from_numpy(seeds).to(torch.int16)
        return pixels[:, None, None].expand(-1, 128, 128)


def in_threes(count: int) -> Iterator[Batch]:
    return (Batch(np.arange(start, min(start + 3, count))) for start in range(0, count, 3))


@pytest.mark.parametrize("devices", [1, 2, 3])
def test_a_pipeline_gives_batches_in_order_whoever_makes_them(devices):
    networks = [Instant() for _ in range(devices)]
    batches = list(made_by(networks, in_threes(20), 10))
    assert np.concatenate([batch.seeds for batch, _, _ in batches]).tolist() == list(range(20))
    for batch, hu, mask in batches:
        assert (hu.dtype, mask.dtype) == (np.int16, np.uint8)
        assert hu[:, 5, 5].tolist() == [seed if seed > 10 else 0 for seed in batch.seeds]
        assert mask[:, 5, 5].tolist() == [int(seed > 10) for seed in batch.seeds]
    assert len({len(network.made) > 0 for network in networks}) == 1


@pytest.mark.parametrize("devices", [1, 2])
def test_a_pipeline_is_held_back_by_who_takes_slowly(devices):
    networks = [Instant() for _ in range(devices)]
    batches = made_by(networks, in_threes(300), 10)
    for _ in range(3):
        next(batches)
    batches.close()  # and waits for what the threads are at
    assert sum(len(network.made) for network in networks) <= 3 * (3 + 2 * devices)


def test_a_pipeline_on_a_cpu_makes_nothing_that_was_not_asked_for():
    network = Instant()
    next(made_by([network], in_threes(300), 10))
    assert network.made == [0, 1, 2]


@pytest.mark.parametrize("devices", [1, 2])
def test_an_error_in_a_pipeline_comes_after_the_batches_before_it(devices):
    networks = [Instant(fails_at=7) for _ in range(devices)]
    seen = []
    batches = made_by(networks, in_threes(300), 10)

    def take_all() -> None:
        for batch, _, _ in batches:
            seen.extend(batch.seeds.tolist())

    with pytest.raises(BadInputError, match="The seed 7 fails"):
        take_all()
    assert seen == list(range(6))


def test_a_pipeline_that_is_left_leaves_no_thread():
    before = threading.active_count()
    batches = made_by([Instant(), Instant()], in_threes(300), 10)
    next(batches)
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before


def test_masks_that_a_device_left_unsettled_are_found_by_the_host():
    hu = np.random.default_rng(0).integers(-400, 900, (5, 128, 128)).astype(np.int16)
    needed = wall_mask(hu)
    settled = np.array([True, False, True, False, True])
    given = np.where(settled[:, None, None], needed, 7).astype(np.uint8)
    with MaskingPool(2) as threads:
        for found in ((given, settled), (None, None)):
            inside, masks = masked(hu, WALL_THRESHOLD_HU, threads, *found)
            np.testing.assert_array_equal(masks, needed)
            np.testing.assert_array_equal(inside, np.where(needed == 1, hu, 0))


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(Generator(latent_size=4, width=16), Discriminator(2))


def test_several_devices_make_the_same_segments(model):
    one = generate_set(copy.deepcopy(model), range(20), batch_size=4)
    two = generate_set(model, range(20), batch_size=4, device="cpu,cpu")
    np.testing.assert_array_equal(one.hu, two.hu)
    assert one.seed.tolist() == two.seed.tolist()


def test_devices_of_two_types_are_refused(model):
    with pytest.raises(BadInputError, match=r"devices are cpu,cuda:0, expected devices of one"):
        generate(model, [1], device="cpu,cuda:0")


def test_seeds_of_a_range_take_no_memory(model):
    batches = generate(model, range(5, 5 + 10**11), batch_size=2)
    assert next(batches).seed.tolist() == [5, 6]
    batches.close()
    with pytest.raises(BadInputError, match="expected 0 to"):
        generate(model, range(2**63 - 1, 2**63 + 10**11))


def test_memory_that_is_short_is_explained_with_a_batch_that_fits():
    assert str(memory_error("cuda:0", 64, 2**25, 2**30)) == (
        "cuda:0 has 1.0 GiB of free memory, about 2.0 GiB is expected for 64 images at once; "
        "--batch-size 24 fits."
    )
    assert "--batch-size 5 fits" in str(memory_error("cuda:0", 64, 2**25, 7 * 2**25))
    assert "one does not fit either" in str(memory_error("cuda:0", 64, 2**25, 2**24))


def fake_draws(
    device: torch.device, generator: Generator, seeds: np.ndarray
) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    first, second = (
        torch.empty(len(seeds), rows, columns, channels, device=device).permute(0, 3, 1, 2)
        for channels, rows, columns in generator.noise_shapes
    )
    return torch.empty(len(seeds), generator.latent_size, device=device), (first, second)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_generation_walks_over_fake_cuda_at_full_width_without_waiting(precision, monkeypatch):
    injected = []

    def inject(x: torch.Tensor, noise: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        # Of x this torch cannot tell: cuDNN, which keeps the layout, is not in it.
        injected.append((x.dtype, noise.is_contiguous(memory_format=torch.channels_last)))
        return noise_layers._inject_on_gpu(x, noise, dtype)

    monkeypatch.setattr(noise_layers, "_injection_on_gpu", lambda width, device: inject)
    with FakeCuda() as cuda:
        generator = cuda.holds(Generator())
        network = Network(generator, CUDA, precision, (0.0, 2000.0), draws=fake_draws)
        hu = network.hu(np.arange(50))
        assert (hu.shape, hu.dtype, hu.device.type) == ((50, 128, 128), torch.int16, "cuda")

        room = torch.empty(50, 128, 128, dtype=torch.int16)
        batch = pipeline._Started(Batch(np.arange(50)), room, 50)
        pipeline.copy_to_host(hu, batch, 0, WALL_THRESHOLD_HU)
        batch.masks = torch.empty(50, 128, 128, dtype=torch.uint8)
        batch.settled = torch.empty(50, dtype=torch.bool)
        pipeline.copy_to_host(hu, batch, 0, WALL_THRESHOLD_HU)

    computed = torch.bfloat16 if precision == "bf16" else torch.float32
    assert injected == [(computed, True), (computed, True)]


def test_a_batch_below_64_is_made_at_once_on_fake_cuda(monkeypatch):
    monkeypatch.setattr(
        noise_layers, "_injection_on_gpu", lambda width, device: noise_layers._inject_on_gpu
    )
    with FakeCuda() as cuda:
        generator = cuda.holds(Generator(width=16))
        for asked, together in ((None, 64), (256, 64), (24, 24)):
            network = Network(generator, CUDA, "fp32", (0.0, 1.0), together=asked)
            assert network.together == together
