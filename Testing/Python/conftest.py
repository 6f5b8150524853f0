"""Phantom heads whose truth is known, and the real CT that comes with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf
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


def make_sphere_head(
    diploe_hu: float = 500.0, noise_hu: float = 20.0, blur_mm: float = 0.6, seed: int = 0
) -> HeadCT:
    """A ball of brain (30 HU) in a bone shell (1500, diploë, 1400 HU) in 6 mm of scalp (50 HU).

    Edges are blurred as by a point-spread function of that standard deviation; a head holder's
    plate of 700 HU stands 15 mm behind the scalp.
    """
    half = 105
    x = np.arange(-half, half + 1, dtype=np.float32)
    distance = np.sqrt(x[:, None, None] ** 2 + x[:, None] ** 2 + x**2)
    edges = OUTER_RADIUS_MM - np.cumsum((0.0, *LAYERS_MM))
    levels = [-1000.0, 50.0, 1500.0, diploe_hu, 1400.0, 30.0]
    hu = np.full(distance.shape, levels[0], np.float32)
    for radius, outside, inside in zip(
        [OUTER_RADIUS_MM + 6.0, *edges], levels[:-1], levels[1:], strict=True
    ):
        step = 0.5 * (1.0 + erf((radius - distance) / (np.sqrt(2.0) * blur_mm)))
        hu += (inside - outside) * step
    hu[60:150, 208:, 60:150] = 700.0
    hu += np.random.default_rng(seed).normal(0.0, noise_hu, hu.shape)
    # Columns and rows run to the patient's left and back, as scanners store them.
    geometry = np.diag([-1.0, -1.0, 1.0, 1.0])
    geometry[:3, 3] = [half, half, -half]
    return HeadCT(np.maximum(np.rint(hu), -1024).astype(np.int16), geometry)
