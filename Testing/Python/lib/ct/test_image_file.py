"""Image files are read whole, in a child, or refused with a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.ct.image_file import read_image
from SkullGANLib.ct.volume import write_volume
from SkullGANLib.errors import BadInputError


@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz", ".mha"])
def test_an_image_comes_as_its_file_has_it(tmp_path, ending):
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    write_volume(tmp_path / f"a{ending}", voxels, np.diag([0.5, 0.6, 2.0, 1.0]))
    found = read_image(tmp_path / f"a{ending}", "expected a CT")
    assert np.array_equal(found.voxels, voxels)
    assert np.abs(np.diag(found.lps)[:3]) == pytest.approx([0.5, 0.6, 2.0])


def test_a_file_that_ends_early_is_refused_by_its_name(tmp_path):
    path = tmp_path / "a.nrrd"
    write_volume(path, np.zeros((20, 20, 20), np.int16), np.eye(4))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInputError, match=r"a\.nrrd"):
        read_image(path, "expected a CT")
    with pytest.raises(BadInputError, match="there is no such file, expected a CT"):
        read_image(tmp_path / "none.nrrd", "expected a CT")
