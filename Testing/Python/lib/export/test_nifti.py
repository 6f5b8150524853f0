"""NIfTI, packed or not, is read with its voxels and its place."""

import numpy as np
import pytest
import SimpleITK as sitk
from examples import in_stacks
from exported_sets import assert_same_stack, make_set
from SkullGANLib.export import write


def test_nifti_may_be_unpacked(tmp_path):
    write(tmp_path / "g.nii", [make_set(2)])

    assert_same_stack(sitk.ReadImage(str(tmp_path / "g.nii")), make_set(2).hu)
    assert_same_stack(sitk.ReadImage(str(tmp_path / "g-mask.nii")), make_set(2).mask)


def test_stacks_in_depth_are_a_volume_each_with_their_slices_as_far_apart_as_they_are(tmp_path):
    write(tmp_path / "g.nii", [in_stacks(make_set(6), 3, 1.2)])
    found = sitk.ReadImage(str(tmp_path / "g.nii"))
    assert found.GetSize() == (128, 128, 3, 2)
    assert found.GetSpacing()[:3] == pytest.approx((0.45, 0.45, 1.2), abs=1e-6)
    hu = sitk.GetArrayFromImage(found)
    np.testing.assert_array_equal(hu.reshape(6, 128, 128), make_set(6).hu)

    write(tmp_path / "one.nii", [in_stacks(make_set(3), 3, 1.2)])
    one = sitk.ReadImage(str(tmp_path / "one.nii"))
    assert (one.GetDimension(), one.GetSize()) == (3, (128, 128, 3))
