"""Orders in which segments are shown."""

import numpy as np
import torch
from SkullGANLib.training import order


def test_all_are_shown_before_one_is_shown_again():
    shown = order.shuffled(5, 12, torch.Generator().manual_seed(0)).tolist()
    assert sorted(shown[:5]) == sorted(shown[5:10]) == list(range(5))
    assert len(shown) == 12


def test_a_subject_with_one_segment_is_shown_as_often_as_one_with_nine():
    subjects = np.array(["a"] + ["b"] * 9)
    shown = order.balanced(subjects, 40, torch.Generator().manual_seed(0))
    assert (shown == 0).sum() == 20
    assert set(shown.tolist()) == set(range(10))
