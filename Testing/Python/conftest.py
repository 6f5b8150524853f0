"""Phantom heads whose truth is known, and the real CT that comes with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT, SHARED_CT
from phantoms import make_sphere_head
from SkullGANLib.anatomy import skull
from SkullGANLib.ct import volume
from SkullGANLib.ct.volume import HeadCT

collect_ignore_glob = ["packaging/hide_packages/*"]
"""Doctests are looked for in every module, and importing that one hides packages."""


@pytest.fixture(scope="session")
def sphere_head() -> HeadCT:
    """A spherical head, 1 mm voxels, centerd on RAS 0: scalp, two tables, diploë, brain."""
    return make_sphere_head()


@pytest.fixture(scope="session")
def coarse_head(sphere_head) -> HeadCT:
    """The upper part of the spherical head in voxels of 2 mm: cut in about a second."""
    below, beside = 60, 14
    geometry = sphere_head.ijk_to_ras.copy()
    geometry[:3, 3] = (geometry @ [beside, beside, below, 1])[:3]
    geometry[:3, :3] *= 2
    around = slice(beside, -beside, 2)
    return HeadCT(np.ascontiguousarray(sphere_head.hu[below::2, around, around]), geometry)


@pytest.fixture(scope="session")
def sphere_mask(sphere_head: HeadCT) -> np.ndarray:
    return skull.skull_mask(sphere_head)


@pytest.fixture(scope="session")
def sample_ct() -> HeadCT:
    """The real head CT of Resources/SampleData."""
    return volume.read_ct(ROOT / "Resources" / "SampleData" / "SampleHeadCT.nrrd")


@pytest.fixture(scope="session")
def sample_mask(sample_ct: HeadCT) -> np.ndarray:
    return skull.skull_mask(sample_ct)


@pytest.fixture(scope="session")
def shared_ct() -> Path:
    """The folder of larger CTs; tests that need it skip where it is not."""
    if not SHARED_CT.is_dir():
        pytest.skip(f"the larger CTs are not at {SHARED_CT}")
    return SHARED_CT


@pytest.fixture
def scene():
    """An empty MRML scene of its own; an error that VTK reports meanwhile fails the test."""
    from SkullGANScene.nodes.vtk_errors import heard_errors
    from SkullGANScene.offscreen import headless

    with heard_errors() as errors:
        stage = headless.new_stage()
        yield stage.scene
    assert errors == []


@pytest.fixture
def host():
    """Slicer's place taken; what slots, VTK or Qt complain of fails the test."""
    from SlicerHost.host import Host

    with Host() as host:
        yield host
