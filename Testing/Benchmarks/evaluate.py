"""Where the time of an evaluation goes: 4,000 segments, 1,000 each of four sets.

    make bench-evaluate                 (BENCH="-n 250" for smaller sets, --model for a model)
    make bench-evaluate BENCH="--synthetic 100000"      whether memory stays flat
    make bench-evaluate BENCH="--splits 40"     how often verdicts claim what is not there

The real sets are drawn from the sample CT's own segments, each varied by chance, for time depends
on how segments look; the numbers of such an evaluation mean nothing. The discriminator is of the
paper's width, with random weights, unless a model is given. Prints a table with the seconds of each
part, of which all but the discriminator run two at a time, and of the whole.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import null_splits
import numpy as np
import scipy
import sklearn
import torch
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.evaluation import evaluation, evaluation_set, schedule
from SkullGANLib.evaluation.report import writer
from SkullGANLib.extraction import single_ct
from SkullGANLib.generation import artificial
from SkullGANLib.networks import dcgan, initial_weights, model_file
from SkullGANLib.utils import resources

BUDGET_S = 30.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-n", type=int, default=1000, help="segments of each set (1000)")
    options.add_argument("--synthetic", type=int, help="segments of that set (as many as of each)")
    options.add_argument("--model", type=Path, help="whose discriminator judges them")
    options.add_argument("--splits", type=int, help="see null_splits.py; times nothing")
    options.add_argument("--segments", type=Path, help="real cuts to split (the sample CT's)")
    options.add_argument("--most", type=int, default=200, help="of them in each third (200)")
    given = options.parse_args()
    if given.splits:
        real = hdf5.read(given.segments) if given.segments else sample_segments()
        null_splits.run(real, given.splits, given.most)
        return
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, "
        f"scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    )
    trained = model_file.read(given.model) if given.model else of_the_papers_width()
    with tempfile.TemporaryDirectory() as folder:
        files = written_sets(Path(folder), given.n, given.synthetic or given.n)
        warm_up(files)
        began, processor = time.perf_counter(), time.process_time()
        sets = evaluation_set.read(files)
        read = time.perf_counter()
        found = evaluation.evaluate(sets, model=trained)
        evaluated = time.perf_counter()
        writer.write(Path(folder) / "report", sets, found, settings={"seed": 0})
        ended, processor = time.perf_counter(), time.process_time() - processor
    print(f"{'step':<44} {'seconds':>8}")
    print(f"{'read and measure':<44} {read - began:8.2f}")
    for part, seconds in sorted(found.seconds.items(), key=lambda one: -one[1]):
        print(f"{'  ' + part:<44} {seconds:8.2f}")
    print(f"{f'evaluate, {schedule.WORKERS} parts at a time':<44} {evaluated - read:8.2f}")
    print(f"{'write the report':<44} {ended - evaluated:8.2f}")
    print(f"{f'together, {sum(map(len, sets.values())):,} segments':<44} {ended - began:8.2f}")
    print(f"{'  processor seconds of these':<44} {processor:8.2f}")
    print(f"{'budget (4,000 segments)':<44} {BUDGET_S:8.2f}")
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'GiB peak':<44} {peak_gib:8.2f}")


def of_the_papers_width() -> model_file.Model:
    discriminator = dcgan.Discriminator()
    initial_weights.initialize(discriminator, 0.0, torch.Generator().manual_seed(0))
    return model_file.Model(dcgan.Generator(8, 16), discriminator.eval())


def sample_segments() -> SegmentSet:
    return single_ct.extract(read_ct(resources.sample_ct()), subject="A").segments


def written_sets(folder: Path, count: int, synthetic: int) -> dict[str, list[Path]]:
    found = sample_segments()
    files = {name: folder / f"{name}.h5" for name in ("train", "test", "synthetic", "artificial")}
    hdf5.write(files["train"], varied(found, count, seed=0))
    hdf5.write(files["test"], varied(found, count, seed=1))
    hdf5.write(files["artificial"], artificial.make(found, count))
    for seed, start in enumerate(range(0, synthetic, count), start=2):
        some = varied(found, min(count, synthetic - start), seed)
        (hdf5.append if start else hdf5.write)(files["synthetic"], replace(some, kind="synthetic"))
    return {name: [path] for name, path in files.items()}


def varied(found: SegmentSet, count: int, seed: int) -> SegmentSet:
    """Draw segments, turn half of them, move each by some rows and columns, and add noise."""
    rng = np.random.default_rng(seed)
    taken = found[rng.integers(len(found), size=count)]
    hu, mask = taken.hu.copy(), taken.mask.copy()
    for place in range(count):
        turn = slice(None, None, rng.choice([-1, 1]))
        shift = rng.integers((0, -20), (9, 21))
        hu[place], mask[place] = (
            np.roll(one[place][:, turn], shift, axis=(0, 1)) for one in (taken.hu, taken.mask)
        )
    noise = np.rint(rng.normal(0, 30, hu.shape)).astype(np.int16)
    people = np.array([f"{seed}-{number}" for number in rng.integers(20, size=count)])
    return replace(taken, hu=np.where(mask > 0, hu + noise, 0), mask=mask, subject=people)


def warm_up(files: dict[str, list[Path]]) -> None:
    """Import what the parts need: the budget begins after imports."""
    few = {name: hdf5.read(path, slice(0, 60)) for name, (path,) in files.items()}
    evaluation.evaluate(evaluation_set.prepare_sets(few))


if __name__ == "__main__":
    main()
