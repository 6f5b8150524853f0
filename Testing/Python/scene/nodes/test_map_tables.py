"""A map in tables."""

from __future__ import annotations

import numpy as np
import slicer.util
from SkullGANLib.mapping.map_summary import summary
from SkullGANScene.nodes import map_tables


def test_the_tables_hold_summary_and_rays_with_units(mapped_ct, mapped_head):
    node = map_tables.add_summary(mapped_ct, summary(mapped_head[1]))
    bones = [node.GetTable().GetColumnByName("bone").GetValue(n) for n in range(6)]
    assert bones == ["all"] * 6
    assert slicer.util.arrayFromTableColumn(node, "count")[0] == (mapped_head[1].code == 0).sum()
    columns = {"element": np.arange(3), "incidence_deg": np.array([1.0, np.nan, 3.0])}
    rays = map_tables.add_rays(mapped_ct, columns)
    assert rays.GetColumnUnitLabel("incidence_deg") == "°"
    assert np.array_equal(
        slicer.util.arrayFromTableColumn(rays, "incidence_deg"), [1, np.nan, 3], equal_nan=True
    )
    assert rays.GetNumberOfRows() == 3
