"""Where a head frame came from, as sets and maps keep it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from SkullGANLib.anatomy.frame_source import GUESS, LANDMARKS, VAULT, frame_source
from SkullGANLib.anatomy.head_frame import GUESSED, HeadFrame
from SkullGANLib.anatomy.landmarks import NAMES


@pytest.mark.parametrize(("certainty", "source"), [(0.9, VAULT), (GUESSED, GUESS), (0.1, GUESS)])
def test_a_frame_says_whether_the_vault_or_the_scanner_gave_it(certainty, source):
    found = frame_source(HeadFrame(np.eye(4), 85.0, 65.0, certainty))
    assert (found["from"], found["certainty"]) == (source, certainty)
    assert json.loads(json.dumps(found)) == found


def test_landmarks_are_kept_beside_the_frame_they_gave():
    points = {name: np.arange(3.0) for name in NAMES}
    found = frame_source(HeadFrame(np.eye(4), 85.0, 65.0), points)
    assert found["from"] == LANDMARKS
    assert found["landmarks_ras"][NAMES[0]] == [0.0, 1.0, 2.0]
