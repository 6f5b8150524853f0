"""The command merge: sets in order, and nothing that does not fit."""

import numpy as np
from commands import in_this_process
from examples import arches
from SkullGANLib.data import concatenate, hdf5, without_patient


def test_merged_sets_are_what_joining_them_in_memory_gives(tmp_path):
    parts = [arches(3), arches(2)]
    paths = [tmp_path / f"{number}.h5" for number in range(2)]
    for path, part in zip(paths, parts, strict=True):
        hdf5.write(path, part)
    assert in_this_process("merge", *paths, "-o", tmp_path / "both.h5") == 0
    found, expected = hdf5.read(tmp_path / "both.h5"), concatenate(parts)
    assert np.array_equal(found.hu, expected.hu)
    assert found.source == expected.source


def test_a_set_that_is_named_twice_or_does_not_fit_is_refused(tmp_path, capsys):
    pixels = np.ones((1, 128, 128))
    hdf5.write(tmp_path / "a.h5", arches(2))
    hdf5.write(tmp_path / "b.h5", without_patient(pixels, pixels, [0], pixel_spacing_mm=0.7))
    for second, said in (("a.h5", "named twice"), ("b.h5", "b.h5: Segment sets differ in")):
        paths = (tmp_path / "a.h5", tmp_path / second)
        assert in_this_process("merge", *paths, "-o", tmp_path / "out.h5") == 1
        assert said in capsys.readouterr().err
        assert not (tmp_path / "out.h5").exists()
