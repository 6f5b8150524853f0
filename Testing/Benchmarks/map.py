"""Where the time of mapping goes: surface, rays, array, overlay.

    make bench-map CT=head.dicom.zip        (the sample CT if none is given)

Prints a table with seconds by the clock and of the processors (those of all threads together), the
budget, and the process's peak memory after each step. The budget counts what comes after reading
the CT and finding its skull.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy
from SkullGANLib.anatomy import skull
from SkullGANLib.anatomy.cavity import find_cavity
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.mapping import (
    array_geometry,
    calvaria_map,
    rays,
    surface,
    transducer,
    vtp,
    wall_overlay,
)
from SkullGANLib.mapping.field import Field, sample
from SkullGANLib.metrics import Profiles, measure_profiles
from SkullGANLib.utils import resources

BUDGET_S = 3.0
ARRAY_BUDGET_S = 0.2


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("ct", nargs="?", type=Path, default=resources.sample_ct())
    path = options.parse_args().ct
    print(f"{path.name}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"numpy {np.__version__}, scipy {scipy.__version__}")
    print(f"{'step':<52} {'seconds':>8} {'processor':>10} {'GiB peak':>9}")

    with timed("read"):
        ct = read_ct(path)
    with timed("intracranial space, head frame, threshold"):
        cavity = find_cavity(ct)
        threshold_hu = skull.bone_threshold_hu(ct, cavity)
    with timed("skull mask"):
        mask = skull.skull_mask(ct, cavity=cavity, threshold_hu=threshold_hu)

    with timed("prepare the CT for interpolation") as prepared:
        field = Field.of(ct, mask, threshold_hu)
    head = calvaria_map.Head(field, cavity, {**ct.source, "threshold_hu": threshold_hu})
    with timed("map the calvaria: surface, thickness and SDR") as mapped:
        found = calvaria_map.calvaria(head)
    together = prepared() + mapped()
    print(f"{f'together, {len(found)} rays':<52} {together:8.2f}")
    print(f"{'budget (512 x 512 x 226)':<52} {BUDGET_S:8.2f}")
    with timed("of it: surface"):
        surface.outer_surface(field, cavity)

    target = array_geometry.default_target(cavity)
    with timed(f"array of {array_geometry.ELEMENTS} elements, seven lines each") as cast:
        transducer.cast(head, found, target)
    print(f"{'budget':<52} {ARRAY_BUDGET_S:8.2f}  (took {cast():.2f})")
    with timed("overlay: the vertex of every voxel of the wall"):
        numbers = wall_overlay.vertex_numbers(found, mask, ct.ijk_to_ras)
    with timed("overlay: another scalar"):
        wall_overlay.overlay(found, numbers, "sdr_peaks")
    with tempfile.TemporaryDirectory() as folder, timed("write the surface (.vtp)"):
        vtp.write(Path(folder) / "map.vtp", found)
    straightforward(head, found, mapped() / len(found))


def straightforward(
    head: calvaria_map.Head, found: calvaria_map.CalvariaMap, ours_s: float, count: int = 300
) -> None:
    """Rays the obvious way: one at a time, in Python."""
    with timed(f"{count} rays, one at a time") as seconds:
        for point, normal in zip(found.points_ras[:count], found.normals[:count], strict=True):
            steps = np.arange(0.0, 30.0, rays.STEP_MM)
            hu = sample(head.field, point + 4 * normal - steps[:, None] * normal)
            bone = (hu > head.field.threshold_hu)[None]
            measure_profiles(Profiles.of(hu[None], bone, rays.STEP_MM))
    print(f"{'ratio to ours, a ray':<52} {seconds() / count / ours_s:8.0f} x")


@contextmanager
def timed(step: str) -> Iterator[Callable[[], float]]:
    began, worked = time.perf_counter(), time.process_time()
    ended: list[float] = []
    yield lambda: ended[0] - began
    ended.append(time.perf_counter())
    worked = time.process_time() - worked
    print(f"{step:<52} {ended[0] - began:8.2f} {worked:10.2f} {peak_gib():9.2f}")


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
