"""MATLAB: a segment is a page, with its provenance."""

import json

import numpy as np
from exported_sets import COUNT, make_set
from scipy.io import loadmat
from SkullGANLib.export import (
    write,
)


def test_matlab_finds_a_segment_as_a_page_and_its_provenance(tmp_path, folder):
    found = loadmat(folder / "g.mat")
    assert found["hu"].dtype == np.int16
    np.testing.assert_array_equal(found["hu"][:, :, 3], make_set().hu[3])
    np.testing.assert_array_equal(found["mask"][:, :, 3], make_set().mask[3])
    assert found["seeds"].ravel().tolist() == make_set().seed.tolist()
    assert found["pixel_spacing_mm"].item() == 0.45
    assert found["kind"].item() == "synthetic"
    assert json.loads(found["source"].item())["scanner"] == "größer"

    write(tmp_path / "real.mat", [make_set(kind="real", side=np.array(["left"] * COUNT))])
    assert loadmat(tmp_path / "real.mat")["side"][3, 0].item() == "left"
