"""Realness: what a model's discriminator says of segments, from 0 (made) to 1 (real), and why.

``of_segments`` gives the scores. ``explain`` says where in each segment a score comes from, by two
methods that know nothing of each other: where both point, something is to be seen. ``on_surface``
lays the scores of a CT's segments back on its skull.

A score is not calibrated: ``scores.calibration`` says whether it may be read as a
probability, and ``label`` says which it is wherever a score is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from scipy import ndimage
from scipy.spatial import cKDTree
from torch import Tensor, nn
from torch.nn import functional

from ...data.depth import whole_stacks
from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...generation.conditions import measured
from ...networks.architecture import IMAGE_SIZE
from ...networks.dcgan import Discriminator
from ...networks.model_file import Model, from_hu
from ...networks.precision import computes_in_bf16
from ..names import REALNESS_METHODS

if TYPE_CHECKING:
    from .scores import Calibration

METHODS = REALNESS_METHODS
REACH_MM = 3.1
"""A vertex belongs to the segments whose outer table passes within this: the distance of planes."""

_AT_ONCE = 64
_SAME_SPACING = 1e-3
_WINDOW = 16
_WIDE = 64  # a discriminator's width from which bf16 is worth it
_BLUR_PIXELS = 8.0  # wider than a wall is thick


def of_segments(
    model: Model, segments: SegmentSet, on_progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """Let the discriminator judge segments, on the device where the model is.

    That of a model of stacks judges stacks, and each slice has the score of its stack.
    One that judges by conditions is told what the segments are: their bone, and what is measured.
    One of the paper's width computes in bf16 where the processor does, twice as fast; logits differ
    by 0.002.

    Args:
        model: its HU range is what the segments are scaled by.
        segments: N segments.
        on_progress: called with the segments finished and to do.

    Returns:
        float64 (N,) in [0, 1].

    Raises:
        BadInputError: if the model learned from pixels of another size, or from stacks of which
            these segments are none.
    """
    found = np.empty(len(segments))
    discriminator = model.discriminator
    device = next(discriminator.parameters()).device
    bf16 = discriminator.width >= _WIDE and computes_in_bf16(device)
    with torch.inference_mode():
        for part, images, told in _batches(model, segments, on_progress):
            # The last layer adds up thousands of products, which stay float32.
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                features = discriminator.features(images)
            scores = torch.sigmoid(discriminator.judged(features.float(), told))
            found[part] = scores.double().cpu().numpy().repeat(model.slices)
    return found


def explain(
    model: Model,
    segments: SegmentSet,
    method: str = "positions",
    on_progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Say where in each segment the discriminator's decision comes from.

    Above 0 speaks for real, below 0 for made. What the values add up to is a logit, whose sigmoid
    is the realness.

    - ``positions``: the discriminator's last layer sums over 4 x 4 places of the image. What each
      adds (a sixteenth of the bias included) is spread over the pixels around it, bilinearly. The
      values of a segment sum to its logit, exactly.
    - ``occlusion``: the wall within a window of 16 x 16 pixels is smoothed until nothing but its
      mean is left of tables, diploë and grain; what the logit loses by it is the window's value,
      and a pixel's is the mean over the windows that hold it. Pixels outside the wall are 0. The
      values do not add up to the logit: they say what it would be without.

    Args:
        model: its HU range is what the segments are scaled by.
        segments: N segments.
        method: one of ``METHODS``.
        on_progress: called with the segments finished and to do.

    Returns:
        float32 (N, 128, 128).

    Raises:
        BadInputError: if the model learned from pixels of another size or the method is unknown.
    """
    if method not in METHODS:
        raise BadInputError(f"The method is {method!r}: expected one of {', '.join(METHODS)}.")
    if model.depth:
        raise BadInputError(
            f"The model judges stacks of {model.depth} as one: where in a slice its decision comes "
            "from cannot be said, expected a model of single segments."
        )
    found = np.empty((len(segments), IMAGE_SIZE, IMAGE_SIZE), np.float32)
    for part, images, told in _batches(model, segments, on_progress):
        if method == "positions":
            pixels = _to_pixels(position_shares(model.discriminator, images, told)).cpu().numpy()
        else:
            pixels = _occluded(model, segments.hu[part], segments.mask[part], images, told)
        found[part] = pixels
    return found


def logits(
    model: Model, segments: SegmentSet, on_progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """Give what ``explain`` explains, float64 (N,): realness before the sigmoid."""
    found = np.empty(len(segments))
    with torch.inference_mode():
        for part, images, told in _batches(model, segments, on_progress):
            scores = _logits(model, images, told).double().cpu().numpy()
            found[part] = scores.repeat(model.slices)
    return found


def position_shares(
    discriminator: Discriminator, images: Tensor, told: Tensor | None = None
) -> Tensor:
    """What each of the last layer's places adds to the logit.

    Args:
        discriminator: in evaluation mode.
        images: float (N, 1, 128, 128) in [-1, 1].
        told: their conditions, of one that judges by some.

    Returns:
        float (N, 4, 4); sums to the logit.
    """
    last = cast(nn.Conv2d, discriminator.main[-1])
    with torch.inference_mode():
        features = discriminator.features(images)
        shares = torch.einsum("nchw,chw->nhw", features, last.weight[0])
        shares = shares + cast(Tensor, last.bias) / shares[0].numel()
        if discriminator.projection is not None:
            shares = shares + discriminator.projection(features, told)
        # Rows that it does not see add nothing.
        return functional.pad(shares, (0, 0, 0, shares.shape[2] - shares.shape[1]))


def on_surface(
    points_ras: np.ndarray, segments: SegmentSet, scores: np.ndarray, reach_mm: float = REACH_MM
) -> np.ndarray:
    """Lay the scores of a CT's segments back on its skull.

    Args:
        points_ras: float (V, 3), RAS mm, of the skull's outer surface (``CalvariaMap.points_ras``).
        segments: N segments that know their place in the CT.
        scores: float (N,), for instance of ``of_segments``.
        reach_mm: see ``REACH_MM``.

    Returns:
        float64 (V,), the mean over the segments whose outer table passes within reach; NaN where
        none does.

    Raises:
        BadInputError: if a segment has no place, the scores are of other segments, or no segment
            lies on the surface.
    """
    if len(scores) != len(segments):
        raise BadInputError(
            f"There are {len(scores)} scores for {len(segments)} segments: expected one each."
        )
    if not np.isfinite(segments.pixel_to_ras).all():
        raise BadInputError(
            "A segment has no place in a patient (it was made, or its place was left out): "
            "expected segments cut from this CT."
        )
    tree = cKDTree(points_ras)
    total, count = np.zeros((2, len(points_ras)))
    for mask, matrix, score in zip(segments.mask, segments.pixel_to_ras, scores, strict=True):
        columns = np.flatnonzero(mask.any(axis=0))
        rows = mask[:, columns].argmax(axis=0)
        edge = columns[:, None] * matrix[:3, 0] + rows[:, None] * matrix[:3, 1] + matrix[:3, 3]
        near = tree.query_ball_point(edge, reach_mm)
        found = [np.asarray(each, int) for each in near]
        vertices = np.unique(np.concatenate([*found, np.empty(0, int)]))
        total[vertices] += score
        count[vertices] += 1
    if not count.any():
        raise BadInputError(
            "No segment lies on the skull of this CT: expected segments cut from it."
        )
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def label(calibration: Calibration | None = None) -> str:
    """Say of a score what it may be read as.

    Example:
        >>> label()
        'not calibrated: not a probability'
    """
    if calibration is None:
        return "not calibrated: not a probability"
    if calibration.is_probability:
        return f"calibrated: read as a probability it is off by {calibration.ece:.2f}"
    return f"not a probability: it is off by {calibration.ece:.2f}"


def _batches(
    model: Model, segments: SegmentSet, on_progress: Callable[[int, int], None] | None
) -> Iterator[tuple[slice, Tensor, Tensor | None]]:
    """The segments as the discriminator sees them, and their conditions where it judges by some;
    some at a time, on its device."""
    if abs(segments.pixel_spacing_mm / model.pixel_spacing_mm - 1) > _SAME_SPACING:
        raise BadInputError(
            f"The model judges pixels of {model.pixel_spacing_mm:g} mm and the segments' are "
            f"{segments.pixel_spacing_mm:g} mm: expected one size."
        )
    _check_depth(model, segments)
    device = next(model.discriminator.eval().parameters()).device
    step = max(1, _AT_ONCE // model.slices) * model.slices
    for start in range(0, len(segments), step):
        part = slice(start, start + step)
        told = _conditions(model, segments[part])
        hu = segments.hu[part]
        if model.slices > 1:
            hu = hu.reshape(-1, model.slices, *hu.shape[1:])
        images = from_hu(hu, model.hu_range).to(device)
        yield part, images, None if told is None else told.to(device)
        if on_progress:
            on_progress(min(start + step, len(segments)), len(segments))


def _check_depth(model: Model, segments: SegmentSet) -> None:
    """Raise unless a model of stacks is given whole ones of its depth."""
    if model.depth is None:
        return
    depth, _rows = whole_stacks(segments)
    if depth != model.depth:
        raise BadInputError(
            f"The model judges stacks of {model.depth} and the segments are in stacks of {depth}: "
            "expected the same depth."
        )


def _conditions(model: Model, segments: SegmentSet) -> Tensor | None:
    """What segments are, as the model's networks are told it; None where they are not."""
    if model.conditions is None:
        return None
    values = measured(model.conditions.names, segments)
    return torch.from_numpy(model.conditions.encode(values))


def _logits(model: Model, images: Tensor, told: Tensor | None) -> Tensor:
    logits = model.discriminator(images) if told is None else model.discriminator(images, told)
    return cast(Tensor, logits)


def _to_pixels(shares: Tensor) -> Tensor:
    """Spread shares (N, n, n) over pixels (N, 128, 128), bilinearly; the sum stays the same."""
    size = shares.shape[-1]
    step = IMAGE_SIZE / size
    centers = (torch.arange(size, device=shares.device) + 0.5) * step - 0.5
    pixels = torch.arange(IMAGE_SIZE, device=shares.device)
    # Beyond the outermost places, pixels are theirs alone; each place's pixels sum to 1.
    at = pixels.clamp(centers[0], centers[-1])
    weights = (1 - (at[None] - centers[:, None]).abs() / step).clamp(min=0)
    weights = weights / weights.sum(dim=1, keepdim=True)
    return torch.einsum("nhw,hy,wx->nyx", shares, weights, weights)


def _occluded(
    model: Model, hu: np.ndarray, mask: np.ndarray, images: Tensor, told: Tensor | None
) -> np.ndarray:
    """What the logit of each segment loses by a window of its wall, (N, 128, 128)."""
    found = np.zeros(hu.shape, np.float32)
    with torch.inference_mode():
        whole = _logits(model, images, told)
        for number, (one, wall) in enumerate(zip(hu, mask.astype(bool), strict=True)):
            windows = _windows(wall)
            smoothed = np.where(wall, _mean_around(one, wall), one).astype(np.int16)
            smooth = from_hu(smoothed[None], model.hu_range).to(images.device)
            lost = np.empty(len(windows), np.float32)
            for start in range(0, len(windows), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                in_window = torch.from_numpy(windows[part]).to(images.device)[:, None]
                without = torch.where(in_window, smooth, images[number : number + 1])
                own = None if told is None else told[number].expand(len(without), -1)
                lost[part] = (whole[number] - _logits(model, without, own)).cpu().numpy()
            held = windows.sum(axis=0)
            total = np.tensordot(lost, windows.astype(np.float32), axes=(0, 0))
            np.divide(total, held, out=found[number], where=wall & (held > 0))
    return found


def _windows(wall: np.ndarray) -> np.ndarray:
    """Overlapping windows that hold bone, bool (windows, 128, 128)."""
    windows = []
    for row in range(0, IMAGE_SIZE - _WINDOW + 1, _WINDOW // 2):
        for column in range(0, IMAGE_SIZE - _WINDOW + 1, _WINDOW // 2):
            window = np.zeros(wall.shape, bool)
            window[row : row + _WINDOW, column : column + _WINDOW] = True
            if (wall & window).any():
                windows.append(window)
    return np.array(windows, bool).reshape(-1, *wall.shape)


def _mean_around(hu: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """The mean of the wall around each pixel, by a Gaussian that nothing but the wall enters."""
    weight = ndimage.gaussian_filter(wall.astype(np.float32), _BLUR_PIXELS)
    total = ndimage.gaussian_filter(np.where(wall, hu, 0).astype(np.float32), _BLUR_PIXELS)
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 1e-6)
