"""The segment set as one of the formats."""

from exported_sets import make_set
from SkullGANLib.data import hdf5
from SkullGANLib.export import write


def test_a_segment_set_is_written_as_such(tmp_path):
    write(tmp_path / "g.h5", [make_set()[:5], make_set()[5:]])
    hdf5.write(tmp_path / "whole.h5", make_set())

    assert (tmp_path / "g.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
