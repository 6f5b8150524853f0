"""Real segments of the sample CT, which tests of judges only read."""

from __future__ import annotations

import pytest
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.extraction import single_ct


@pytest.fixture(scope="session")
def sample_segments(sample_ct, sample_mask) -> SegmentSet:
    """Cuts of one head, 5 mm apart."""
    return single_ct.extract(sample_ct, sample_mask, interval_mm=5).segments
