"""Pieces by their runs are those that ``ndimage.label`` finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from SkullGANLib.data.pieces import find_pieces


def labeled(inside: np.ndarray, *, diagonally: bool) -> np.ndarray:
    """The labels of all pixels, from 1 on, 0 outside."""
    pieces = find_pieces(inside, diagonally=diagonally)
    labels = np.zeros(inside.size, int)
    labels[pieces.pixels(np.ones(len(pieces.labels), bool))] = 1 + np.repeat(
        pieces.labels, pieces.lengths
    )
    return labels.reshape(inside.shape)


@pytest.mark.parametrize("diagonally", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 0.6, 0.95, 1.0])
def test_pieces_are_those_of_a_labeling_of_pixels(share, diagonally):
    inside = np.random.default_rng(0).random((7, 40, 31)) < share
    structure = np.zeros((3, 3, 3), bool)
    structure[1] = ndimage.generate_binary_structure(2, 1 + diagonally)
    needed, count = ndimage.label(inside, structure=structure)

    found = labeled(inside, diagonally=diagonally)

    assert found.max() == count
    pairs = np.unique(np.stack([needed.ravel(), found.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(needed))  # one label for each


def test_pictures_and_the_ends_of_rows_are_apart():
    inside = np.zeros((2, 2, 3), bool)
    inside[0, 0, 2] = inside[0, 1, 0] = True  # neighbors in memory alone
    inside[0, 1, 2] = inside[1, 0, 2] = True  # the second begins the next picture
    pieces = find_pieces(inside, diagonally=True)
    assert pieces.pictures.tolist() == [0, 0, 0, 1]
    assert pieces.labels[0] == pieces.labels[2]
    assert len(set(pieces.labels.tolist())) == 3
    assert pieces.areas().tolist() == [2, 1, 2, 1]
    assert pieces.pixels(pieces.pictures == 1).tolist() == [8]
