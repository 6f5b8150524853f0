"""A map on the slices."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes import map_display, map_overlay, volumes


def test_the_overlay_lies_on_the_ct_and_hides_what_is_no_wall(
    mapped_ct, surface, numbers, mapped_head
):
    overlay = map_overlay.add_overlay(mapped_ct, surface, numbers)
    voxels = slicer.util.arrayFromVolume(overlay)
    wall = mapped_head[0].hu > 0
    assert (voxels[~wall] == 0).all()
    assert (voxels[wall] != 0).all()
    assert set(np.unique(voxels[voxels < 0])) == {-2.0}
    display = overlay.GetDisplayNode()
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() > 0
    assert np.array_equal(volumes.ijk_to_world(overlay), volumes.ijk_to_world(mapped_ct))
    # Columns run to the left: the first ones are at the patient's right, where x is large.
    assert voxels[8, 10, 1] > voxels[8, 10, 18] > 0
    map_overlay.show_scalar(overlay, "sdr_peaks", numbers)
    assert slicer.util.arrayFromVolume(overlay).max() <= 1
    assert "SDR (peaks)" in overlay.GetDescription()


def test_the_overlay_is_put_into_all_slices_and_taken_out_again(scene, mapped_ct, surface, numbers):
    overlay = map_overlay.add_overlay(mapped_ct, surface, numbers)
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetBackgroundVolumeID(mapped_ct.GetID())
    map_display.show_in_slices(overlay, scene, 0.5)
    assert composite.GetForegroundVolumeID() == overlay.GetID()
    assert composite.GetForegroundOpacity() == 0.5
    map_display.show_in_slices(None, scene)
    assert composite.GetForegroundVolumeID() is None
    assert composite.GetBackgroundVolumeID() == mapped_ct.GetID()


def test_volumes_that_show_maps_are_no_cts(scene, mapped_ct, surface, numbers):
    map_overlay.add_overlay(mapped_ct, surface, numbers)
    assert volumes.cts_in(scene) == [mapped_ct]


def test_an_overlay_on_another_grid_is_refused(mapped_ct, surface):
    with pytest.raises(BadInputError, match="Expected an overlay on the CT's grid"):
        map_overlay.add_overlay(mapped_ct, surface, np.zeros((2, 2, 2), np.int32))
