"""What a training needs, against its measured peak, and the sentence where it is not enough."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkout import ROOT
from SkullGANLib.errors import BadInputError
from SkullGANLib.training import memory_estimate
from SkullGANLib.training.memory_estimate import GIB, MemoryCheck, Need
from SkullGANLib.training.presets import named

PATHS = [ROOT / "SkullGAN", ROOT / "Testing", ROOT / "Testing" / "Python"]
CPU = torch.device("cpu")


def test_the_need_of_full_width_has_weights_gradients_moments_average_and_reals():
    parameters, generator = 192_002_304 + 11_164_353, 192_002_304
    paper = memory_estimate.needed(named("paper"), segments=100)
    # And running statistics, which are some KiB.
    assert paper.fixed == pytest.approx(4 * 4 * parameters + 2 * 100 * 128 * 128, rel=1e-4)
    averaged = replace(named("paper"), ema_decay=0.999)
    other = memory_estimate.needed(averaged, segments=100, bf16=True)
    # Autocast keeps a copy of the weights in bf16; batch norm's and biases stay in float32.
    copies = other.fixed - paper.fixed - 4 * generator
    assert copies == pytest.approx(2 * parameters, rel=0.01)
    assert other.per_image < 0.9 * paper.per_image


def test_replayed_iterations_keep_a_pass_and_gradients_of_their_own_and_two_copies(monkeypatch):
    monkeypatch.setattr(memory_estimate, "free_bytes", lambda device: None)
    recipe = replace(named("paper"), ema_decay=0.9)
    plain, replayed = (memory_estimate.needed(recipe, 0, graphed=g) for g in (False, True))
    assert replayed.per_image == 2 * plain.per_image
    generator, both = 192_002_304, 192_002_304 + 11_164_353
    assert replayed.fixed - plain.fixed == 4 * (both + 2 * (3 * both + generator))
    on_gpu, on_cpu = (
        MemoryCheck.of(replace(recipe, cuda_graph=True), 0, torch.device(d)).need
        for d in ("cuda", "cpu")
    )
    assert on_cpu == plain
    assert on_gpu == replayed


@pytest.mark.parametrize(("bf16", "mib"), [(False, 63.1), (True, 42.8)])
def test_what_the_generator_keeps_of_an_image_is_what_was_measured_at_full_width(bf16, mib):
    kept = [memory_estimate._kept_of(named("paper"), n, bf16)[0][0] for n in (2, 4)]
    assert memory_estimate._growing(*kept, 2)[0] / 2**20 == pytest.approx(mib, abs=0.1)


def test_images_of_half_the_rows_need_half_as_much_of_the_networks():
    whole = memory_estimate.needed(named("paper"), segments=0).per_image
    half = memory_estimate.needed(replace(named("paper"), image_rows=64), segments=0).per_image
    assert half < 0.55 * whole


def test_the_batch_that_fits_leaves_a_tenth_free():
    need = Need(fixed=4 * GIB, per_image=GIB // 10)
    assert need.largest_batch(10 * GIB) == 50
    assert need.of(50) <= 0.9 * 10 * GIB
    assert need.largest_batch(2 * GIB) == 0


@pytest.mark.parametrize(
    ("error", "needs", "batch", "advice"),
    [
        (MemoryError(), 14.0, 100, "A batch_size of 50 would fit."),
        (RuntimeError("CUDA out of memory. Tried to allocate"), 14.0, 100, "A batch_size of 50"),
        (RuntimeError("DefaultCPUAllocator: not enough memory"), 6.0, 20, "A batch_size of 19"),
        (RuntimeError("std::bad_alloc"), 4.2, 2, "Not even a batch_size of 2 fits"),
    ],
)
def test_running_out_of_memory_ends_with_need_have_and_advice(error, needs, batch, advice):
    need = Need(fixed=4 * GIB, per_image=GIB // 10)
    sentence = (
        f"needs about {needs} GiB with a batch_size of {batch}, free on cpu is 10.0 GiB. {advice}"
    )
    with (
        pytest.raises(BadInputError, match=re.escape(sentence)),
        MemoryCheck(need, batch, CPU, 10 * GIB).lack_explained(),
    ):
        raise error


def test_other_errors_are_left_as_they_are():
    with (
        pytest.raises(RuntimeError, match="shapes do not match"),
        MemoryCheck(Need(1, 1), 2, CPU, None).lack_explained(),
    ):
        raise RuntimeError("shapes do not match")


def test_a_need_beyond_what_is_free_is_known_before():
    need = Need(fixed=4 * GIB, per_image=GIB // 10)
    assert not MemoryCheck(need, 100, CPU, 10 * GIB).suffices
    assert MemoryCheck(need, 50, CPU, 10 * GIB).suffices
    assert MemoryCheck(need, 100, CPU, None).suffices


def in_a_process_of_its_own(code: str, folder: Path) -> subprocess.CompletedProcess:
    path = os.pathsep.join(map(str, PATHS))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], env=environment, capture_output=True, text=True
    )


PEAK = """
import sys
from dataclasses import replace
from pathlib import Path
from SkullGANLib.training import loop as training, memory_estimate as memory
from examples import TINY, arches
def trained(**settings):
    batch_size = settings["batch_size"]
    recipe = replace(TINY, epochs=1, samples_per_epoch=batch_size, sample_count=2, **settings)
    training.train(arches(), Path(sys.argv[1]) / str(batch_size), recipe)
    return memory.needed(recipe, 10).of(batch_size)
trained(batch_size=4)  # libraries are loaded and threads are there
def kib(name):  # ru_maxrss would begin with what the process that started this one had
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
before = kib("VmRSS")
need = trained(generator_width=64, discriminator_width=8, batch_size=32)
print(need / (1024 * (kib("VmHWM") - before)))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what is used")
def test_the_need_is_near_the_measured_peak(tmp_path):
    done = in_a_process_of_its_own(PEAK, tmp_path)
    assert done.returncode == 0, done.stderr
    assert 0.6 < float(done.stdout) < 1.6


LACK = """
import resource, sys
from dataclasses import replace
from pathlib import Path
from SkullGANLib import cli
from SkullGANLib.data import hdf5
from examples import arches
hdf5.write(Path(sys.argv[1]) / "s.h5", arches())
resource.setrlimit(resource.RLIMIT_AS, (5 * 2**30, 5 * 2**30))
sys.exit(cli.main(["train", f"{sys.argv[1]}/s.h5", "-o", f"{sys.argv[1]}/run", "--recipe", "demo",
    "--batch-size", "65536", "--set", "samples_per_epoch=65536", "--device", "cpu"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to such a limit")
def test_a_real_lack_of_memory_ends_with_one_sentence(tmp_path):
    done = in_a_process_of_its_own(LACK, tmp_path)
    assert done.returncode == 1, done.stderr
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert status["state"] == "failed"
    assert status["message"] in done.stderr
    assert "Traceback" not in done.stderr
    found = re.search(
        r"not enough memory. The training needs about ([\d.]+) GiB with a batch_size of 65536, "
        r"free on cpu is ([\d.]+) GiB. A batch_size of (\d+) would fit",
        status["message"],
    )
    need, free, fits = float(found[1]), float(found[2]), int(found[3])
    assert need > 100 > 5 > free > 1
    recipe = replace(named("demo"), batch_size=fits, image_rows=64)
    assert memory_estimate.needed(recipe, 10).of(fits) < free * GIB
    # It was sentence before the attempt, too.
    assert "It may not be enough" in done.stderr
