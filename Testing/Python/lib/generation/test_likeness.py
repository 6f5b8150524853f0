"""Following a real set: weights that were fitted to a sample, chances, quotas, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from examples import bent_walls
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import likeness
from SkullGANLib.generation.likeness import Quotas, RealSet, Tilt
from SkullGANLib.generation.selection import Limits
from SkullGANLib.metrics import measure

CENTERS = np.array([0.6, 6.0, 1000.0])
SPREADS = np.array([0.1, 1.5, 80.0])


def drawn(count: int, shift: float = 0.0, seed: int = 0, correlation: float = 0.0) -> np.ndarray:
    """Metrics of a made-up model: normal, thickness and intensity correlated, all shifted."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, 3))
    values[:, 2] = correlation * values[:, 1] + np.sqrt(1 - correlation**2) * values[:, 2]
    return CENTERS + SPREADS * (values + shift)


def real_of(values: np.ndarray) -> RealSet:
    return RealSet("real.h5", values, len(values), "ab")


def kept_of(tilt: Tilt, values: np.ndarray) -> np.ndarray:
    return values[np.random.default_rng(9).random(len(values)) < tilt.chances(values)]


def test_a_selection_turns_one_distribution_into_another_with_its_correlation():
    real = real_of(drawn(400, shift=0.4, seed=1, correlation=0.4))

    tilt = Tilt.fitted(drawn(2048), real, 0.1)

    kept = kept_of(tilt, drawn(20_000, seed=2))
    assert len(kept) > 1000
    assert max(likeness.ks_of(real, kept).values()) < 0.08
    assert max(likeness.ks_of(real, drawn(2048)).values()) > 0.12
    assert np.corrcoef(kept.T)[1, 2] == pytest.approx(0.4, abs=0.12)


def test_a_selection_like_what_the_model_makes_keeps_most_of_it():
    tilt = Tilt.fitted(drawn(2048), real_of(drawn(400, seed=1)), 0.1)

    assert tilt.chances(drawn(5000, seed=2)).mean() > 0.6


def test_a_selection_keeps_no_segment_that_lacks_a_metric():
    tilt = Tilt.fitted(drawn(2048), real_of(drawn(400, seed=1)), 0.1)
    values = drawn(3, seed=2)
    values[1, 0] = np.nan

    chances = tilt.chances(values)

    assert chances[1] == 0
    assert (chances[[0, 2]] > 0).all()


def test_a_selection_says_which_part_of_a_real_set_the_model_cannot_reach():
    values = drawn(400, seed=1)
    values[:, 2] += 500

    with pytest.raises(BadInputError) as error:
        Tilt.fitted(drawn(2048), real_of(values), 0.1)

    sentence = str(error.value)
    assert sentence.startswith("The model cannot follow real.h5 to a Kolmogorov-Smirnov statistic")
    assert "Mean intensity: up to 12" in sentence
    assert "lie 0% of the real segments, 100% of what can be selected (KS 1.00)" in sentence
    assert "Thickness" not in sentence


def test_a_selection_follows_a_real_set_of_one_value():
    values = np.tile(CENTERS, (40, 1))

    with pytest.raises(BadInputError, match=r"cannot follow real\.h5"):
        Tilt.fitted(drawn(500), real_of(values), 0.1)


def test_quotas_of_a_selection_even_out_what_chance_leaves():
    real = real_of(drawn(500, seed=1))
    candidates = drawn(4000, shift=0.3, seed=2)
    quotas = Quotas(real, 100, 0.1)

    kept = [one for one in candidates if quotas.take(one)][:100]

    assert len(kept) == 100
    assert max(likeness.ks_of(real, np.array(kept)).values()) < 0.1
    assert max(likeness.ks_of(real, candidates[:100]).values()) > 0.1


def test_quotas_of_a_selection_say_what_lacks_most():
    """Of ten thin walls and none else nine are too many; what is thick lacks."""
    values = np.column_stack([np.full(100, 0.5), np.arange(100.0), np.full(100, 900.0)])
    quotas = Quotas(real_of(values), 100, 0.1)

    taken = [quotas.take(np.array([0.5, 3.0, 900.0])) for _ in range(20)]

    assert sum(taken) == 11
    assert quotas.lacking() == (
        "Thickness from 9.9 mm up to 19.8 mm lacks most: 10 were to be kept, 0 are."
    )


def test_the_real_set_of_a_selection_is_known_by_counts_and_a_digest(tmp_path):
    path = tmp_path / "Jane Doe.h5"
    walls = bent_walls(40, 0)
    hdf5.write(path, walls)

    real = likeness.read_real(path, Limits())

    np.testing.assert_array_equal(real.values, likeness.values_of(measure(walls)))
    source = real.as_source(0.1)
    assert (source["segments"], source["followed"], source["ks"]) == (40, 40, 0.1)
    assert "Jane" not in str(source)


def test_a_selection_follows_the_part_of_a_real_set_within_its_limits(tmp_path):
    path = tmp_path / "real.h5"
    walls = bent_walls(80, 0)
    hdf5.write(path, walls)
    thickness = measure(walls)["thickness_mm"]
    middle = float(np.median(thickness))

    real = likeness.read_real(path, Limits({"thickness_mm": (middle, 99)}))

    assert len(real.values) == np.count_nonzero(thickness >= middle)
    with pytest.raises(BadInputError, match=r"0 of its 80 segments .* are within the limits"):
        likeness.read_real(path, Limits({"thickness_mm": (90, 99)}))


@pytest.mark.parametrize("kind", ["synthetic", "artificial", "control"])
def test_a_selection_like_a_set_that_is_not_real_is_refused(tmp_path, kind):
    hdf5.write(tmp_path / "other.h5", bent_walls(40, 0, kind))

    with pytest.raises(BadInputError, match=rf"other\.h5: holds {kind} segments, expected real"):
        likeness.read_real(tmp_path / "other.h5", Limits())
