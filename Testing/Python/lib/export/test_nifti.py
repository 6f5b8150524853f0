"""NIfTI, packed or not, is read with its voxels and its place."""

import SimpleITK as sitk
from exported_sets import assert_same_stack, make_set
from SkullGANLib.export import write


def test_nifti_may_be_unpacked(tmp_path):
    write(tmp_path / "g.nii", [make_set(2)])

    assert_same_stack(sitk.ReadImage(str(tmp_path / "g.nii")), make_set(2).hu)
    assert_same_stack(sitk.ReadImage(str(tmp_path / "g-mask.nii")), make_set(2).mask)
