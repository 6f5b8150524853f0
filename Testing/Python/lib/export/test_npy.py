"""NumPy reads the arrays."""

import numpy as np
from exported_sets import make_set


def test_numpy_reads_hu_and_masks(folder):
    np.testing.assert_array_equal(np.load(folder / "g.npy"), make_set().hu)
    np.testing.assert_array_equal(np.load(folder / "g-mask.npy"), make_set().mask)
