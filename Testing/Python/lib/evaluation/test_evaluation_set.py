"""Sets of an evaluation: measured whole, compared in part, refused if they do not go together."""

from __future__ import annotations

import numpy as np
import pytest
from examples import bent_walls as walls
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation import evaluation_set
from SkullGANLib.evaluation.limitations import concerns


def test_several_files_make_one_set_of_which_some_are_compared_and_all_measured(tmp_path):
    first, second = walls(5, 0), walls(7, 1)
    hdf5.write(tmp_path / "a.h5", first)
    hdf5.write(tmp_path / "b.h5", second)
    paths = {"test": [tmp_path / "a.h5", tmp_path / "b.h5"]}

    one, again = (evaluation_set.read(paths, most=6, seed=3)["test"] for _ in range(2))

    both = segment_set.concatenate([first, second])
    assert (len(one), len(one.segments), one.files) == (12, 6, ("a.h5", "b.h5"))
    np.testing.assert_array_equal(one.segments.hu, both.hu[one.place])
    np.testing.assert_array_equal(one.place, again.place)
    assert np.isfinite(one.metrics["thickness_mm"]).sum() == 12
    assert len(one.subjects) == 6


def test_sets_of_another_pixel_size_are_refused_and_rounding_is_not():
    with pytest.raises(BadInputError, match=r"test set: its pixels are 0\.5 mm.*0\.45 mm"):
        evaluation_set.prepare_sets(
            {"train": walls(2, 0), "test": walls(2, 1, pixel_spacing_mm=0.5)}
        )
    rounded = walls(2, 1, pixel_spacing_mm=0.45001)
    sets = evaluation_set.prepare_sets({"train": walls(2, 0), "test": rounded})
    assert sets["test"].segments.pixel_spacing_mm == 0.45


def test_sets_of_other_hu_ranges_are_cut_to_what_they_share_with_a_concern():
    sets = evaluation_set.prepare_sets(
        {"train": walls(3, 0), "synthetic": walls(3, 1, "synthetic", hu_range=(0, 1300))}
    )
    assert sets["train"].segments.hu.max() == 1300
    assert sets["train"].segments.hu_range == (0, 1300)
    assert any("HU ranges differ" in one for one in concerns(sets))
    with pytest.raises(BadInputError, match="nothing in common"):
        evaluation_set.prepare_sets(
            {"train": walls(2, 0), "test": walls(2, 1, hu_range=(-1000, -500))}
        )


def test_empty_sets_and_mixed_kinds_are_refused_by_name(tmp_path):
    hdf5.write(tmp_path / "none.h5", walls(2, 0)[:0])
    with pytest.raises(BadInputError, match=r"none\.h5: the test set holds no segment"):
        evaluation_set.read({"test": [tmp_path / "none.h5"]})
    hdf5.write(tmp_path / "a.h5", walls(2, 0))
    hdf5.write(tmp_path / "b.h5", walls(2, 0, "synthetic"))
    with pytest.raises(BadInputError, match="files of kind real and synthetic"):
        evaluation_set.read({"train": [tmp_path / "a.h5", tmp_path / "b.h5"]})
