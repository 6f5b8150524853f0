"""Targets of an array."""

from __future__ import annotations

from SkullGANScene.nodes import targets


def test_a_new_target_takes_one_point_and_is_what_the_next_click_places(scene):
    found = targets.place(scene, None, "Target")
    assert found.GetMaximumNumberOfControlPoints() == 1
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    if selection is not None:
        assert selection.GetActivePlaceNodeID() == found.GetID()


def test_a_target_is_placed_again_and_a_list_of_points_is_left_alone(scene):
    target = targets.place(scene, None, "Target")
    target.AddControlPoint([1.0, 2.0, 3.0])
    assert targets.place(scene, target, "Target") is target
    assert target.GetNumberOfControlPoints() == 0
    points = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Landmarks")
    for place in ([0.0, 0, 0], [1.0, 0, 0]):
        points.AddControlPoint(place)
    other = targets.place(scene, points, "Target")
    assert other is not points
    assert points.GetNumberOfControlPoints() == 2
