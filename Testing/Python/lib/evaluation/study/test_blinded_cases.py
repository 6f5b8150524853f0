"""Cases are chosen by chance, shuffled, and made alike in what is no bone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from examples import straight_walls
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.study.blinded_cases import choose_cases


def test_as_many_of_each_kind_are_shuffled_and_the_same_seed_gives_the_same_study(set_files):
    real, synthetic = set_files.values()
    one, again, other = (choose_cases([real], [synthetic], 5, seed=seed) for seed in (1, 1, 2))
    assert Counter(case.truth for case in one.cases) == {"real": 5, "synthetic": 5}
    assert [case.name for case in one.cases] == [f"{n:03d}" for n in range(1, 11)]
    assert [case.truth for case in one.cases] != ["real"] * 5 + ["synthetic"] * 5
    assert one.cases == again.cases
    assert one.study == again.study != other.study
    assert len({case.digest for case in one.cases}) == 10


def test_each_case_is_the_segment_of_its_file_cut_to_what_all_can_hold(set_files):
    real, synthetic = set_files.values()
    found = choose_cases([real], [synthetic], 6)
    sets = {path.name: hdf5.read(path) for path in set_files.values()}
    rows = found.hu.shape[1]
    assert rows < 128  # nothing but the rows that are used
    for case, hu in zip(found.cases, found.hu, strict=True):
        whole = sets[case.file].hu[case.place]
        cut = np.clip(whole, 0, 2734)
        first = next(k for k in range(129 - rows) if np.array_equal(cut[k : k + rows], hu))
        assert np.count_nonzero(cut) == np.count_nonzero(cut[first : first + rows])


def test_two_copies_of_a_segment_are_not_both_shown(tmp_path, set_files):
    real, _ = set_files.values()
    once = straight_walls(2, 7)
    hdf5.write(tmp_path / "twice.h5", once[[0, 0, 0, 1]])
    assert len(choose_cases([real], [tmp_path / "twice.h5"], 2).cases) == 4
    with pytest.raises(BadInputError, match=r"twice\.h5: 2 different synthetic .* expected 3"):
        choose_cases([real], [tmp_path / "twice.h5"], 3)


def test_sets_that_would_give_themselves_away_are_refused(tmp_path, set_files):
    real, synthetic = set_files.values()
    with pytest.raises(BadInputError, match="is of kind synthetic, expected real segments"):
        choose_cases([synthetic], [synthetic], 2)
    with pytest.raises(BadInputError, match="holds real segments, expected made ones"):
        choose_cases([real], [real], 2)
    with pytest.raises(BadInputError, match="0 segments of each kind"):
        choose_cases([real], [synthetic], 0)
    from dataclasses import replace

    hdf5.write(tmp_path / "fine.h5", replace(straight_walls(3, 1), pixel_spacing_mm=0.3))
    with pytest.raises(BadInputError, match=r"pixels are 0\.3 mm, those of .*0\.45 mm"):
        choose_cases([real], [tmp_path / "fine.h5"], 2)
