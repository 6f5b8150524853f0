"""Where the slices of a series lie: one even stack, straight or sheared by a tilted gantry."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BadInputError
from .dicom_headers import Header, numbers_of

_log = logging.getLogger(__name__)

MOST_TILT_DEG = 1.0
"""Gantry tilt beyond which the stacked slices are no longer a straight volume."""

_EVEN_WITHIN = 0.05  # steps between slices may differ by this share of their median
_STRAIGHT_WITHIN = 0.5  # slices may lie beside each other by this share of a pixel
_TILTS_AGREE_WITHIN_DEG = 0.5  # header and places; headers round to whole or half degrees
_NAMED_GAPS = 5
_STEEPEST_TILT_DEG = 35.0  # no gantry leans further


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in their order along the normal.

    Attributes:
        files: one a slice.
        lps: float64 (4, 4), takes (column, row, slice, 1) of the straight volume to LPS mm.
        first_row: float64 (slices,), row of the straight volume at which each slice begins.
        tilt_deg: gantry tilt, 0 if the slices are a straight volume as they are.
    """

    files: list[Path]
    lps: np.ndarray
    first_row: np.ndarray
    tilt_deg: float


def stack_of(path: Path, headers: Mapping[Path, Header]) -> Stack:
    """Order slices along their normal.

    Args:
        path: what the user gave, for the sentences.
        headers: of all slices, by file.

    Raises:
        BadInputError: if they do not make one stack with even steps, straight or sheared as a
            tilted gantry does it.
    """
    every = list(headers.values())
    orientations = np.array([h["ImageOrientationPatient"] for h in every], float)
    if np.abs(orientations - orientations[0]).max() > 1e-3:
        raise BadInputError(
            f"{path}: its slices lie in different directions, expected parallel ones."
        )
    row, column = orientations[0, :3], orientations[0, 3:]
    if abs(row @ column) > 1e-3 or np.abs([row @ row - 1, column @ column - 1]).max() > 1e-3:
        raise BadInputError(
            f"{path}: ImageOrientationPatient is {orientations[0].tolist()}, expected two "
            "unit vectors at right angles."
        )
    axes = np.stack([row, column, np.cross(row, column)])
    corners = np.array([h["ImagePositionPatient"] for h in every], float)
    places = corners @ axes.T
    order = np.argsort(places[:, 2])
    corners, places = corners[order], places[order]
    steps = np.diff(places[:, 2])
    if steps.min() < 1e-3:
        raise BadInputError(
            f"{path}: has several slices at one place, expected each place once (are there two "
            "acquisitions in the series?)."
        )
    pixel = np.array(every[0]["PixelSpacing"], float)
    tilts = [numbers_of(header, "GantryDetectorTilt", 1) for header in every]
    header_deg = [abs(float(tilt[0])) for tilt in tilts if tilt is not None]
    lean_deg, found = _faults(path, places, max(header_deg, default=None), float(pixel.min()))
    if found:
        raise BadInputError(
            f"{path}: has {' and '.join(found)}, expected even slices, straight or leaning by "
            "the gantry tilt that the headers name."
        )
    tilted = abs(np.tan(np.deg2rad(lean_deg))) * np.ptp(places[:, 2]) > _STRAIGHT_WITHIN * pixel[0]
    down = tilted * (places[:, 1] - places[0, 1])
    first_row = (down - down.min()) / pixel[0]
    lps = np.eye(4)
    lps[:3, :3] = axes.T * [pixel[1], pixel[0], steps.mean()]
    lps[:3, 3] = corners[0] + down.min() * column
    files = list(headers)
    return Stack([files[i] for i in order], lps, first_row, abs(lean_deg) if tilted else 0.0)


def _said_of_steps(steps: np.ndarray, step: float) -> str:
    """How uneven the steps between slices are, where slices are missing and how long the longest
    even run is."""
    even = np.abs(steps - step) <= _EVEN_WITHIN * step
    gaps = np.rint(steps / step)
    said = f"slice steps from {steps.min():.2f} to {steps.max():.2f} mm"
    if np.all(np.abs(steps - gaps * step) <= _EVEN_WITHIN * step):
        after = ", ".join(f"{place + 1}" for place in np.flatnonzero(gaps > 1)[:_NAMED_GAPS])
        more = ", ..." if np.count_nonzero(gaps > 1) > _NAMED_GAPS else ""
        said += f" ({int(gaps.sum()) - len(steps)} missing? after slice {after}{more}"
        ends = np.flatnonzero(np.concatenate([[True], ~even, [True]]))
        longest = int(np.diff(ends).argmax())
        said += f"; slices {ends[longest] + 1} to {ends[longest + 1]} are even)"
    return said


def _faults(
    path: Path, places: np.ndarray, header_tilt_deg: float | None, pixel_mm: float
) -> tuple[float, list[str]]:
    """What keeps slices from being an even stack, straight or tilted.

    Args:
        path: what the user gave, for a warning.
        places: float64 (slices, 3), where each begins along row, column and normal, the last
            rising, mm.
        header_tilt_deg: what the headers say, None if nothing.
        pixel_mm: size of a pixel.

    Returns:
        How far the stack leans down its columns, in degrees, and the faults.
    """
    found = []
    steps = np.diff(places[:, 2])
    step = float(np.median(steps))
    drift = np.median(np.diff(places[:, :2], axis=0), axis=0) / step
    sideways_deg, lean_deg = (float(angle) for angle in np.rad2deg(np.arctan(drift)))
    if abs(sideways_deg) > MOST_TILT_DEG:
        found.append(f"slices that lean by {abs(sideways_deg):.1f} degrees along their rows")
    straight = places[0, :2] + np.outer(places[:, 2] - places[0, 2], drift)
    shift_mm = float(np.linalg.norm(places[:, :2] - straight, axis=1).max())
    if shift_mm > _STRAIGHT_WITHIN * pixel_mm:
        found.append(f"slices that lie up to {shift_mm:.1f} mm beside the others")
    if np.any(np.abs(steps - step) > _EVEN_WITHIN * step):
        found.append(_said_of_steps(steps, step))
    placed, stated = abs(lean_deg), abs(lean_deg) if header_tilt_deg is None else header_tilt_deg
    tilt = f"a gantry tilt of {max(placed, stated):.1f} degrees"
    if max(placed, stated) <= MOST_TILT_DEG:
        return lean_deg, found
    if placed <= MOST_TILT_DEG and not found:
        _log.warning(
            "%s: the headers name a gantry tilt of %.1f degrees, but the slices lie straight above "
            "each other; their places are taken as right.",
            path,
            stated,
        )
        return lean_deg, found
    if max(placed, stated) > _STEEPEST_TILT_DEG or found:
        return lean_deg, [tilt, *found]
    if abs(placed - stated) > _TILTS_AGREE_WITHIN_DEG:
        where = ("the slices' places", "the headers")
        one, other = where if placed > stated else where[::-1]
        return lean_deg, [f"{tilt} by {one} and of {min(placed, stated):.1f} by {other}"]
    return lean_deg, found
