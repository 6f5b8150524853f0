"""Places in the subject hierarchy, also where Slicer is not there to make them."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import hierarchy, mrb, volumes


@pytest.fixture
def tree(scene):
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


@pytest.fixture
def ct_node(scene):
    return volumes.add_ct(scene, HeadCT(np.zeros((2, 3, 4), np.int16), np.eye(4)), "Head")


def test_a_node_has_one_item_which_its_plugin_owns(scene, tree):
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", "Table")
    item = hierarchy.item_of(node)
    assert hierarchy.item_of(node) == item == tree.GetItemByDataNode(node)
    assert tree.GetItemParent(item) == tree.GetSceneItemID()
    assert tree.GetItemOwnerPluginName(item) == "Tables"


def test_nodes_and_folders_stand_beside_a_ct_in_its_study(scene, tree, ct_node):
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "Study")
    tree.SetItemParent(hierarchy.item_of(ct_node), study)
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", "Table")
    hierarchy.put_beside(table, ct_node)
    folder = hierarchy.add_folder(scene, "Folder")
    assert tree.GetItemParent(folder) == tree.GetSceneItemID()
    hierarchy.put_folder_beside(folder, ct_node)
    assert hierarchy.folder_of(table) == tree.GetItemParent(folder) == study
    inner = hierarchy.add_folder(scene, "Inner", folder)
    hierarchy.put_into(table, inner)
    assert hierarchy.folder_of(table) == inner
    assert tree.GetItemParent(inner) == folder


def test_asking_where_a_node_stands_makes_no_item(scene, tree):
    node = slicer.vtkMRMLTableNode()
    scene.AddNode(node)
    tree.RemoveItem(tree.GetItemByDataNode(node), False, False)
    items = tree.GetNumberOfItems()
    assert hierarchy.folder_of(node) == tree.GetSceneItemID()
    assert tree.GetNumberOfItems() == items


def test_a_node_goes_with_its_item_and_what_shows_and_stores_it(scene, tree, tmp_path):
    before = scene.GetNumberOfNodes(), tree.GetNumberOfItems()
    node = volumes.add_ct(scene, HeadCT(np.zeros((2, 3, 4), np.int16), np.eye(4)), "Head")
    mrb.save(scene, tmp_path / "scene.mrb")
    node.AddDefaultStorageNode()
    assert node.GetNumberOfStorageNodes() == node.GetNumberOfDisplayNodes() == 1
    hierarchy.remove(node)
    assert (scene.GetNumberOfNodes(), tree.GetNumberOfItems()) == before


def test_only_an_empty_folder_is_taken_away(scene, tree, ct_node):
    folder = hierarchy.add_folder(scene, "Folder")
    hierarchy.put_into(ct_node, folder)
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "Study")
    items = tree.GetNumberOfItems()
    hierarchy.remove_empty_folder(scene, folder)
    hierarchy.remove_empty_folder(scene, study)
    assert tree.GetNumberOfItems() == items
    hierarchy.remove(ct_node)
    hierarchy.remove_empty_folder(scene, folder)
    assert tree.GetNumberOfItems() == items - 2
