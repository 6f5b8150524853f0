"""A realness map over the segments of a scene, on and off."""

from __future__ import annotations

import numpy as np
import pytest
import slicer.util
from SkullGANLib.data import segment_set
from SkullGANLib.errors import BadInputError
from SkullGANScene.nodes import color_tables, hierarchy, realness, volumes


@pytest.fixture
def segments(scene):
    mask = np.zeros((3, 128, 128), np.uint8)
    mask[:, 40:50] = 1
    found = segment_set.without_patient(np.where(mask, 1000, 0), mask, np.arange(3))
    return volumes.add_segments(scene, found, "Synthetic")


def values(scale: float = 1.0) -> np.ndarray:
    return (scale * np.linspace(-1, 1, 3 * 128 * 128)).reshape(3, 128, 128).astype(np.float32)


def test_each_segment_has_its_map_in_its_own_slice(segments):
    node = realness.add_realness(segments, values(), "positions")
    assert np.array_equal(slicer.util.arrayFromVolume(node), values())
    assert np.array_equal(volumes.ijk_to_world(node), volumes.ijk_to_world(segments))
    assert node.GetDisplayNode().GetColorNode().GetName() == color_tables.DIVERGING
    low = node.GetDisplayNode().GetWindowLevelMin()
    assert low == pytest.approx(-node.GetDisplayNode().GetWindowLevelMax())
    assert "not calibrated" in node.GetDescription()
    assert color_tables.legend_of(node).GetTitleText() == "Logit (not calibrated)"
    assert hierarchy.folder_of(node) == hierarchy.folder_of(segments)
    assert volumes.cts_in(segments.GetScene()) == []


def test_it_is_switched_on_and_off_without_being_made_again(scene, segments):
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetBackgroundVolumeID(segments.GetID())
    node = realness.add_realness(segments, values(), "positions")
    nodes = scene.GetNumberOfNodes()
    realness.show(node)
    assert composite.GetForegroundVolumeID() == node.GetID()
    realness.hide(scene)
    assert composite.GetForegroundVolumeID() is None
    realness.show(realness.realness_of(segments, "positions"))
    assert composite.GetForegroundVolumeID() == node.GetID()
    assert scene.GetNumberOfNodes() == nodes


def test_a_second_opinion_stands_beside_the_first_and_a_repeated_one_replaces_it(segments):
    first = realness.add_realness(segments, values(), "positions")
    second = realness.add_realness(segments, values(), "occlusion")
    assert first is not second
    again = realness.add_realness(segments, values(0.5), "positions")
    assert again is first
    assert np.array_equal(slicer.util.arrayFromVolume(first), values(0.5))


def test_maps_of_other_segments_are_refused(segments):
    with pytest.raises(BadInputError, match=r"is \(2, 128, 128\), the segments of 'Synthetic'"):
        realness.add_realness(segments, values()[:2], "positions")
