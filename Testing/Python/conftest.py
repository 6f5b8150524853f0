"""Phantom heads whose truth is known, and the real CT that comes with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from phantoms import Phantom, painted
from SkullGANLib import skull, volume
from SkullGANLib.volume import HeadCT

ROOT = Path(__file__).resolve().parents[2]
SHARED_CT = ROOT.parent / "shared" / "ct"

OUTER_RADIUS_MM = 80.0
LAYERS_MM = (2.0, 4.0, 1.5)
"""Outer table, diploë, inner table of the spherical phantom: 7.5 mm in all."""


@pytest.fixture(scope="session")
def sphere_head() -> HeadCT:
    """A spherical head, 1 mm voxels, centred on RAS 0: scalp, two tables, diploë, brain."""
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
    from SkullGANScene import headless
    from SkullGANScene.vtkerrors import heard_errors

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


def make_sphere_head(
    diploe_hu: float = 500.0, noise_hu: float = 20.0, blur_mm: float = 0.6, seed: int = 0
) -> HeadCT:
    """A ball of brain in a bone shell (1500, diploë, 1400 HU) in 6 mm of scalp, 1 mm voxels.

    A head holder's plate of 700 HU stands 15 mm behind the scalp.
    """
    ball = Phantom((OUTER_RADIUS_MM,) * 3, LAYERS_MM, (1500.0, diploe_hu, 1400.0))
    ct = ball.ct((1.0,) * 3, (blur_mm,) * 3, noise_hu, below_mm=105.0, margin_mm=25.0, seed=seed)
    return painted(ct, lambda x, y, z: (y < -102.5) & (abs(x) < 45.5) & (abs(z) < 45.5), 700)
