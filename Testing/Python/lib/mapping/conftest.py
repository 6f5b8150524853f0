"""Phantom heads that are mapped once for all tests of maps."""

from __future__ import annotations

import pytest
from mapped_heads import Mapped, mapped
from phantoms import Phantom
from SkullGANLib.mapping import calvaria_map


@pytest.fixture(scope="session")
def plain() -> Mapped:
    """An upright ellipsoid in voxels of 1.2 mm."""
    return mapped(Phantom().ct(below_mm=60.0))


@pytest.fixture(scope="session")
def head(sphere_head, sphere_mask) -> calvaria_map.Head:
    """The spherical head, ready for rays."""
    return calvaria_map.prepare(sphere_head, sphere_mask)[0]


@pytest.fixture(scope="session")
def calvaria(head) -> calvaria_map.CalvariaMap:
    """Its map."""
    return calvaria_map.calvaria(head, 1.5)
