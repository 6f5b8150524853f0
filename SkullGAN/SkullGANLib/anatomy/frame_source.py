"""Where a head frame came from and how sure it is, as sets and maps keep it in their source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .head_frame import GUESSED, HeadFrame
from .landmarks import NAMES

VAULT, LANDMARKS, GUESS = "vault", "landmarks", "scanner's axes"
"""What ``from`` says: the shape of the intracranial space, the user's points, or a shape that fits
in many ways and the scanner's axes."""


def frame_source(
    frame: HeadFrame, landmarks: Mapping[str, np.ndarray] | None = None
) -> dict[str, Any]:
    """Give ``from``, ``certainty`` (0 to 1) and ``head_to_ras``, ready for JSON; ``landmarks_ras``
    beside them where there are landmarks."""
    by_itself = GUESS if frame.certainty <= GUESSED else VAULT
    found: dict[str, Any] = {
        "from": by_itself if landmarks is None else LANDMARKS,
        "certainty": round(float(frame.certainty), 3),
        "head_to_ras": frame.head_to_ras.tolist(),
    }
    if landmarks is not None:
        found["landmarks_ras"] = {name: np.asarray(landmarks[name]).tolist() for name in NAMES}
    return found
