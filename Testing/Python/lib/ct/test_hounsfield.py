"""Scales that are not Hounsfield units are told by what air and tissue read."""

import numpy as np
import pytest
from SkullGANLib.ct.hounsfield import check_hounsfield
from SkullGANLib.errors import BadInputError


def head(air: float = -1000.0, soft: float = 40.0) -> np.ndarray:
    """A ball of soft tissue and a shell of bone in air, with noise."""
    place = np.linalg.norm(np.indices((60, 60, 60)) - 29.5, axis=0)
    hu = np.where(place < 22, soft, air)
    hu[(place > 19) & (place < 22)] = 1200
    return np.rint(hu + np.random.default_rng(0).normal(0, 8, hu.shape)).astype(np.int32)


def test_a_head_in_hu_passes_also_with_padding_of_any_value():
    check_hounsfield("head", head())
    for padding in (-3024, -1024, 0, 500):
        hu = head()
        hu[:, :, :12] = padding
        check_hounsfield("head", hu)


def test_air_that_was_cut_at_its_lowest_value_passes():
    check_hounsfield("head", np.maximum(head(-1020.0), -1024))
    check_hounsfield("head", np.where(head() < -500, -1024, head()))


@pytest.mark.parametrize(
    ("values", "reads"),
    [(head() // 2, -500), (head() * 2, -2000), (head() + 500, -500), (head() - 400, -1400)],
)
def test_a_scale_that_is_halved_doubled_or_shifted_is_refused_with_what_air_reads(values, reads):
    with pytest.raises(BadInputError, match=r"head: air reads -\d+, expected about -1000") as error:
        check_hounsfield("head", values)
    found = float(str(error.value).split("air reads ")[1].split(",")[0])
    assert found == pytest.approx(reads, abs=20)


def test_without_air_the_commonest_tissue_is_looked_at():
    inside = head()[20:40, 20:40, 20:40]
    check_hounsfield("brain", inside)
    with pytest.raises(BadInputError, match="commonest tissue reads 10"):
        check_hounsfield("brain", inside + 1024)


def test_a_dry_skull_has_no_soft_tissue_and_passes():
    check_hounsfield("dry", head(soft=-1000.0))
