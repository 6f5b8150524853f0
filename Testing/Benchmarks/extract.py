"""Where the time of extraction goes: reading, cavity, mask, cuts, and a cut by hand.

    make bench-extract CT=head.dicom.zip        (the sample CT if none is given)

Prints a table with seconds, those of all cores together, and the process's peak memory after each
step.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy
from scipy import ndimage
from SkullGANLib.anatomy import cut_plan, skull
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.extraction import cutting, single_ct
from SkullGANLib.utils import resources

BUDGET_S = 5.0
"""With AVX-512; 10 without."""
BUDGET_GIB = 1.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("ct", nargs="?", type=Path, default=resources.sample_ct())
    path = options.parse_args().ct
    print(f"{path.name}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"numpy {np.__version__}, scipy {scipy.__version__}")
    print(f"{'step':<44} {'seconds':>8} {'of cores':>9} {'GiB peak':>9}")

    total, began = 0.0, time.process_time()
    with timed("read") as seconds:
        ct = read_ct(path)
    total += seconds()
    with timed("extract: space, frame, mask, segments") as seconds:
        found = single_ct.extract(ct, subject="A").segments
    total += seconds()
    print_row(f"together, {len(found)} segments", total, time.process_time() - began, peak_gib())
    print_row("budget (512 x 512 x 226)", BUDGET_S, None, BUDGET_GIB)
    with timed("of it: intracranial space and head frame"):
        cavity = find_cavity(ct)
    with timed("of it: skull mask"):
        threshold_hu = skull.bone_threshold_hu(ct, cavity)
        mask = skull.skull_mask(ct, cavity=cavity, threshold_hu=threshold_hu)

    point = (found.pixel_to_ras[len(found) // 2] @ [63.5, cutting.TOP_MARGIN_ROWS, 0, 1])[:3]
    site = cut_plan.by_hand(
        cavity.frame, point, cavity.frame.superior + 0.3 * cavity.frame.anterior
    )
    repeats = 20
    with timed(f"{repeats} oblique cuts by hand") as seconds:
        for _ in range(repeats):
            cutting.cut(ct, mask, cutting.place(ct, mask, site), threshold_hu)
    print(f"{'cuts by hand a second (20 needed for a preview)':<44} {repeats / seconds():6.0f}")
    straightforward(ct, seconds() / repeats)


def straightforward(ct: object, ours_s: float) -> None:
    """One cut the obvious way: a spline of the whole CT, evaluated on the plane."""
    with timed("one cut by a spline of the whole CT") as seconds:
        whole = ndimage.spline_filter(ct.hu.astype(np.float32), order=3, output=np.float32)
        at = np.random.default_rng(0).uniform(0, np.array(ct.hu.shape) - 1, (128 * 128, 3))
        ndimage.map_coordinates(whole, at.T, order=3, prefilter=False)
    print(f"{'ratio to ours':<44} {seconds() / ours_s:6.0f} x")


@contextmanager
def timed(step: str) -> Iterator[Callable[[], float]]:
    began, of_cores = time.perf_counter(), time.process_time()
    ended: list[float] = []
    yield lambda: ended[0] - began
    ended.append(time.perf_counter())
    print_row(step, ended[0] - began, time.process_time() - of_cores, peak_gib())


def print_row(step: str, seconds: float, of_cores: float | None, gib: float) -> None:
    cores = "" if of_cores is None else f"{of_cores:.2f}"
    print(f"{step:<44} {seconds:8.2f} {cores:>9} {gib:9.2f}")


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
