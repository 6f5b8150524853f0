"""Realness: what a model's discriminator says of segments, from 0 (made) to 1 (real).

It is not calibrated: ``separability.calibration`` says whether it may be read as a probability.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from .errors import BadInputError
from .model import Model, from_hu
from .segmentset import SegmentSet

_AT_ONCE = 64
_SAME_SPACING = 1e-3


def of_segments(
    model: Model, segments: SegmentSet, on_progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """Let the discriminator judge segments, on the device where the model is.

    Args:
        model: its HU range is what the segments are scaled by.
        segments: N segments.
        on_progress: called with the segments done and to do.

    Returns:
        float64 (N,) in [0, 1].

    Raises:
        BadInputError: if the model learned from pixels of another size.
    """
    if abs(segments.pixel_spacing_mm / model.pixel_spacing_mm - 1) > _SAME_SPACING:
        raise BadInputError(
            f"The model judges pixels of {model.pixel_spacing_mm:g} mm and the segments' are "
            f"{segments.pixel_spacing_mm:g} mm, one size is needed."
        )
    judge = model.discriminator.eval()
    device = next(judge.parameters()).device
    found = np.empty(len(segments))
    with torch.inference_mode():
        for start in range(0, len(segments), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            images = from_hu(segments.hu[part], model.hu_range).to(device)
            found[part] = judge.realness(images).double().cpu().numpy()
            if on_progress:
                on_progress(min(start + _AT_ONCE, len(segments)), len(segments))
    return found
