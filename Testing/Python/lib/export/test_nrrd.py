"""NRRD: Slicer and SimpleITK read the stack and its masks."""

import numpy as np
import SimpleITK as sitk
from exported_sets import make_set


def test_an_nrrd_says_that_it_is_synthetic(folder):
    image = sitk.ReadImage(str(folder / "g.nrrd"))

    assert image.GetMetaData("kind") == "synthetic"
    assert "show no patient" in image.GetMetaData("content")


def test_slicer_opens_the_mask_as_a_segmentation_over_the_stack(folder, scene):
    import slicer
    from SkullGANScene.nodes.segmentations import mask_from

    nodes = []
    for kind, storage_kind, name in (
        ("Segmentation", "Segmentation", "g-mask.seg.nrrd"),
        ("ScalarVolume", "VolumeArchetype", "g.nrrd"),
    ):
        node = scene.AddNewNodeByClass(f"vtkMRML{kind}Node")
        storage = getattr(slicer, f"vtkMRML{storage_kind}StorageNode")()
        storage.SetFileName(str(folder / name))
        assert storage.ReadData(node)
        nodes.append(node)

    np.testing.assert_array_equal(mask_from(*nodes, "Skull wall"), make_set().mask)
