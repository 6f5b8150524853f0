"""A small CT and its map in a scene."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.ct.volume import HeadCT
from SkullGANLib.mapping.calvaria_map import CalvariaMap
from SkullGANLib.mapping.wall_overlay import vertex_numbers
from SkullGANLib.metrics import METRICS
from SkullGANScene.nodes import map_surface, volumes

_MEASURED_UP_TO = 400  # of the vertices; the rest met air


@pytest.fixture(scope="module")
def mapped_head():
    """A small CT with its wall and a map: a disk of vertices over it, thickness rising with x."""
    hu = np.full((20, 20, 20), -1000, np.int16)
    hu[5:12] = 1200
    geometry = np.diag([-1.0, -1.0, 1.0, 1.0])
    geometry[:3, 3] = [10.0, 10.0, -5.0]
    x, y = np.meshgrid(np.arange(-10.0, 11.0), np.arange(-10.0, 11.0))
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, 6.0)], axis=1)
    corner = np.arange(21 * 20).reshape(20, 21)[:, :20].ravel()
    triangles = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + 22], 1),
            np.stack([corner, corner + 22, corner + 21], 1),
        ]
    )
    values = {name: np.linspace(0, 1, len(points)) for name in METRICS}
    values["thickness_mm"] = points[:, 0] / 2 + 6
    code = np.where(np.arange(len(points)) < _MEASURED_UP_TO, 0, 2).astype(np.uint8)
    values = {name: np.where(code == 0, one, np.nan) for name, one in values.items()}
    found = CalvariaMap(
        points_ras=points,
        triangles=triangles.astype(np.int32),
        normals=np.tile([0.0, 0.0, 1.0], (len(points), 1)),
        values=values,
        code=code,
        bone=np.where(points[:, 1] > 0, "frontal", "parietal"),
        side=np.where(points[:, 0] < 0, "left", "right"),
        source={"kernel": "STANDARD", "threshold_hu": 300.0, "head_to_ras": np.eye(4).tolist()},
    )
    return HeadCT(hu, geometry), found


@pytest.fixture
def mapped_ct(scene, mapped_head):
    return volumes.add_ct(scene, mapped_head[0], "Kopf")


@pytest.fixture
def surface(mapped_ct, mapped_head):
    return map_surface.add_surface(mapped_ct, mapped_head[1])


@pytest.fixture
def numbers(mapped_head):
    ct, found = mapped_head
    return vertex_numbers(found, ct.hu > 0, ct.ijk_to_ras)
