import pytest
from phantoms import Phantom


@pytest.fixture(scope="module")
def ball():
    """A head of 60 mm radius in 2 mm voxels, whose skull is found in a second."""
    phantom = Phantom((60.0,) * 3, (2.5, 4.0, 2.0), (1500.0, 500.0, 1400.0))
    return phantom.ct((1.5,) * 3, (0.6,) * 3, 15.0, below_mm=62.0, margin_mm=12.0, seed=1)
