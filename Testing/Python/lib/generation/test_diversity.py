"""Diversity: TUSNet's filter, and counting bits with any NumPy."""

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation.diversity import Diversity, Gallery, ones, ones_by_table


def bright(*pixels: int) -> np.ndarray:
    """One segment each with so many bright pixels in row 0 and on, from the left."""
    hu = np.zeros((len(pixels), 128, 128), np.int16)
    for one, count in zip(hu, pixels, strict=True):
        one.reshape(-1)[:count] = 1201
    return hu


def test_a_selection_leaves_out_what_differs_in_fewer_than_200_pixels():
    gallery = Gallery(Diversity())
    first, near, far = gallery.bits_of(bright(1000, 1199, 1200))
    gallery.add(first)

    assert gallery.has_one_like(first)
    assert gallery.has_one_like(near)
    assert not gallery.has_one_like(far)
    assert len(gallery) == 1


def test_as_many_bright_pixels_elsewhere_are_another_segment_for_a_selection():
    hu = bright(300)
    gallery = Gallery(Diversity())
    gallery.add(gallery.bits_of(hu)[0])

    assert not gallery.has_one_like(gallery.bits_of(np.roll(hu, 9, axis=1))[0])
    assert Gallery(Diversity()).has_one_like(gallery.bits_of(hu)[0]) is False


def test_a_selection_compares_the_first_rows_alone_and_what_is_above_the_threshold():
    hu = bright(1000, 1000)
    hu[1, 50:] = 3000
    hu[1, 40] = 1200
    gallery = Gallery(Diversity())
    one, other = gallery.bits_of(hu)

    np.testing.assert_array_equal(one, other)


def test_a_gallery_of_a_selection_grows_and_forgets_none():
    """600 segments of 20, 21, ... bright pixels each; a distance of one is enough."""
    settings = Diversity(rows=7, threshold_hu=0, least_px=1)
    gallery = Gallery(settings)
    all_bits = gallery.bits_of(bright(*range(20, 620)))
    for bits in all_bits:
        assert not gallery.has_one_like(bits)
        gallery.add(bits)

    assert len(gallery) == 600
    assert all(gallery.has_one_like(bits) for bits in all_bits[[0, 255, 256, 599]])
    assert settings.as_source() == {"rows": 7, "threshold_hu": 0, "least_px": 1}


def test_bits_are_counted_alike_with_any_numpy():
    words = np.random.default_rng(0).integers(0, 2**63, (20, 100), dtype=np.uint64)

    np.testing.assert_array_equal(ones(words), ones_by_table(words))
    assert ones(np.array([[7, 2**63]], np.uint64)).tolist() == [4]


@pytest.mark.parametrize("settings", [{"rows": 0}, {"rows": 129}, {"least_px": 0}])
def test_diversity_out_of_range_is_refused_by_a_selection(settings):
    with pytest.raises(BadInputError, match="expected 1 to 128 rows and 1 pixel to all of them"):
        Diversity(**settings)
