"""The head frame: right, anterior and superior as the skull itself has them.

A tilted or turned head must give the same segments, so planes are laid in this frame and not in
the scanner's. It is found from the inner surface of the skull alone: a template of the intracranial
space is laid on it (``head_template``), which is symmetric to its midsagittal plane. Of the
template's own head, the long axis of the vault's midsagittal ellipse (from the frontal to the
occipital pole) is horizontal; of other heads, what lies on that of the template. A frame that
cannot be trusted is refused.

Landmarks override it (``frame_from_landmarks``): the midsagittal plane is then the one through
nasion and inion whose normal comes nearest to the line between the poria, and the line from inion
to nasion rises by ``NASION_RISES_DEG`` against the horizontal. Where the ellipse lies and how large
it is still comes from the vault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..utils.atomic_files import written_aside
from ..utils.json_text import as_numbers, read_object
from . import head_template
from .landmarks import NAMES, check_plausible

NASION_RISES_DEG = -0.5
"""How much the line from inion to nasion rises against the horizontal of the template's axes: the
mean of 0.0 (``pcir_bone``), 1.6 (``invesalius_cranium``), -1.0 (``nlm_harvard02``) and -2.4
(``nlm_vhf_iowa``, whose inion is flat). Both points were read off midsagittal slices in the head
frame; one of them off by 3 mm turns the line by 1 degree."""

GUESSED = 0.3
"""Certainty up to which a frame is a guess by the scanner's axes, which must be said."""

_FEWEST_POINTS = 300
_WORST_MISFIT_MM2 = 3.0  # of seven heads, whole and cut by the field of view: 0.5 to 2.1
_LEAST_MARGIN_MM2 = 1.0  # other ways of them fit worse by 2.9 to 5.8
_FARTHEST_TURN_DEG = 75.0  # a head that was scanned so has a header that says otherwise
_GUESS_DEG = 25.0  # from the scanner's axes
_SMOOTH_MM = 2.5  # how near a smooth shape must come to its mirror image and its ellipse
_STARTS_DEG = (-15.0, 0.0, 15.0)  # yaw and roll from which the symmetry is sought
_POINTS = 2000
_UPRIGHT = 0.1  # a start turned by 15 degrees has to be better by this share
_SEARCH_STEP = 5  # of the points, those that serve to choose the start
_FARTHEST_MM = 8.0  # asymmetries beyond it (a defect, a vessel) count no more
_MIDDLE_MM = 12.0  # half the width of the slab that shows the midsagittal outline
_LOWEST_DEG = -10.0  # the outline is the vault's down to this elevation
_PASSES = 6
_SETTLED_DEG = 0.05
_SETTLED_MM = 0.1


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """Head coordinates: x to the patient's right, y anterior, z superior, in mm.

    Attributes:
        head_to_ras: float64 (4, 4), takes (x, y, z, 1) in the head to RAS mm. The origin is the
            middle of the vault's midsagittal ellipse.
        half_length_mm: from the origin to the vault's inner surface along y.
        half_height_mm: from the origin to the vault's inner surface along z.
        certainty: how sure the axes are, 0 to 1; 1 from landmarks, at most ``GUESSED`` where the
            scanner's axes chose.
    """

    head_to_ras: np.ndarray
    half_length_mm: float
    half_height_mm: float
    certainty: float = 1.0

    @property
    def right(self) -> np.ndarray:
        """Unit vector to the patient's right, RAS."""
        return self.head_to_ras[:3, 0]

    @property
    def anterior(self) -> np.ndarray:
        """Unit vector to the front, RAS."""
        return self.head_to_ras[:3, 1]

    @property
    def superior(self) -> np.ndarray:
        """Unit vector to the vertex, RAS."""
        return self.head_to_ras[:3, 2]

    def from_ras(self, points_ras: np.ndarray) -> np.ndarray:
        """Take RAS mm (..., 3) to head coordinates."""
        return (points_ras - self.head_to_ras[:3, 3]) @ self.head_to_ras[:3, :3]

    def to_ras(self, points: np.ndarray) -> np.ndarray:
        """Take head coordinates (..., 3) to RAS mm."""
        return points @ self.head_to_ras[:3, :3].T + self.head_to_ras[:3, 3]

    def write(self, path: str | Path, **beside: float) -> None:
        """Write the frame as JSON, with numbers that belong to it; ``read`` gives both back.

        Raises:
            OutputError: if the file cannot be written.
        """
        content = asdict(self) | {"head_to_ras": self.head_to_ras.tolist()} | beside
        with written_aside(path) as temporary:
            temporary.write_text(json.dumps(content))

    @classmethod
    def read(cls, path: str | Path) -> tuple[HeadFrame, dict[str, float]]:
        """Read what ``write`` wrote: the frame, and the numbers beside it; raises BadInputError."""
        known = read_object(path, "a head frame", [field.name for field in fields(cls)])
        own = {field.name: known.pop(field.name) for field in fields(cls)}
        own["head_to_ras"] = as_numbers(own["head_to_ras"], (4, 4), f"{path}: head_to_ras")
        return cls(**own), known


def find_frame(
    mask: np.ndarray, ijk_to_ras: np.ndarray, beside_bone: np.ndarray | None = None
) -> HeadFrame:
    """Find the head frame from the intracranial space, or refuse to.

    The template of ``head_template`` decides how the head lies, whatever way it was scanned. A
    shape that is no head's, such as a phantom's ball, fits in many ways: then the scanner's axes
    choose, if symmetry and outline agree with them, and ``HeadFrame.certainty`` is at most
    ``GUESSED``.

    Args:
        mask: bool (slices, rows, columns), the intracranial space on a grid of about 2 mm.
        ijk_to_ras: float64 (4, 4) of that grid.
        beside_bone: bool (slices, rows, columns), where bone is near: only there is the mask's
            surface the skull's and not the end of the field of view. Everywhere if None.

    Raises:
        BadInputError: if the frame cannot be trusted; the sentence says why and names landmarks.
    """
    surface = _surface_ras(mask, ijk_to_ras, beside_bone)
    if len(surface) < _FEWEST_POINTS:
        raise _untrusted(f"only {len(surface)} places of the inner table are in view")
    way = head_template.lay(surface)
    if way.misfit_mm2 > _WORST_MISFIT_MM2 or way.next_mm2 - way.misfit_mm2 < _LEAST_MARGIN_MM2:
        return _frame_of_a_smooth_shape(surface, _depth_mm(mask, ijk_to_ras), ijk_to_ras, way)
    known = head_template.template()
    frame = HeadFrame(
        _axes(way.axes[:, 0], way.axes[:, 2], way.origin_ras),
        known.half_length_mm * float(way.scale[1]),
        known.half_height_mm * float(way.scale[2]),
        _certainty(way),
    )
    tilted = _between_deg(frame.superior, np.array([0.0, 0.0, 1.0]))
    turned = _between_deg(frame.anterior, np.array([0.0, 1.0, 0.0]))
    if max(tilted, turned) > _FARTHEST_TURN_DEG:
        raise _untrusted(
            f"by its shape the head lies {tilted:.0f} degrees off superior and {turned:.0f} off "
            "anterior as the file has them; the file's orientation may be wrong"
        )
    return frame


def frame_from_landmarks(
    mask: np.ndarray, ijk_to_ras: np.ndarray, landmarks: Mapping[str, np.ndarray]
) -> HeadFrame:
    """Make the head frame of four landmarks; only its place and size come from the vault.

    Args:
        mask, ijk_to_ras: as for ``find_frame``.
        landmarks: float (3,), RAS mm, by each of ``landmarks.NAMES``.

    Returns:
        The frame: x = 0 is the plane through nasion and inion, left and right are the poria's.

    Raises:
        BadInputError: if they cannot be landmarks of a head (``landmarks.check_plausible``).
    """
    check_plausible(landmarks)
    nasion, inion, left, right = (np.asarray(landmarks[name], float) for name in NAMES)
    forward = (nasion - inion) / np.linalg.norm(nasion - inion)
    across = right - left
    across = across - (across @ forward) * forward
    upward = np.cross(across, forward)
    pitch = np.deg2rad(NASION_RISES_DEG)
    superior = np.cos(pitch) * upward / np.linalg.norm(upward) + np.sin(pitch) * forward
    surface = _surface_ras(mask, ijk_to_ras)
    unit = across / np.linalg.norm(across)
    middle = surface.mean(0)
    origin = middle - ((middle - nasion) @ unit) * unit
    return _level(HeadFrame(_axes(unit, superior, origin), 0.0, 0.0), surface, may_pitch=False)


def _untrusted(why: str) -> BadInputError:
    return BadInputError(
        f"The head's axes cannot be trusted: {why}. Give four landmarks instead (--landmarks; in "
        "Slicer a point list with nasion, inion, left porion and right porion)."
    )


def _certainty(way: head_template.Way) -> float:
    """1 for what fits as well as the template's own head, less the worse it fits and the better
    another way does."""
    fit = 1.0 - 0.5 * np.clip(way.misfit_mm2 / _WORST_MISFIT_MM2, 0.0, 1.0) ** 2
    margin = np.clip((way.next_mm2 - way.misfit_mm2) / (3.0 * _LEAST_MARGIN_MM2), 0.0, 1.0)
    return float(GUESSED + (1.0 - GUESSED) * fit * margin)


def _between_deg(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(one @ other, -1.0, 1.0))))


def _frame_of_a_smooth_shape(
    surface: np.ndarray, depth: np.ndarray, ijk_to_ras: np.ndarray, way: head_template.Way
) -> HeadFrame:
    """The frame of what fits the template in many ways: near the scanner's axes, by its mirror
    symmetry and by the ellipse of its outline.

    Raises:
        BadInputError: if these do not agree with each other and with the scanner.
    """
    why = (
        f"the inner table lies {way.median_mm:.1f} mm off the shape of a head"
        if way.misfit_mm2 > _WORST_MISFIT_MM2
        else "the inner table that is in view fits more than one way for the head to lie"
    )
    upright = HeadFrame(_axes(np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), surface.mean(0)), 0, 0)
    height = upright.from_ras(surface)[:, 2]
    upper = surface[height > np.quantile(height, 0.4)]
    frame = _symmetric(upright, upper, depth, ijk_to_ras, starts_deg=_STARTS_DEG)
    frame = _level(frame, surface)
    vault = surface[frame.from_ras(surface)[:, 2] > 0]
    if len(vault) < _FEWEST_POINTS:
        raise _untrusted(why)
    frame = _symmetric(frame, vault, depth, ijk_to_ras, starts_deg=(0.0,))
    # A ball is symmetric and round whatever way it is turned: there, the scanner's axes do.
    for guess in (_level(frame, surface), _level(upright, surface, may_pitch=False)):
        off_mm = max(
            _asymmetry_mm(guess, vault, depth, ijk_to_ras), _off_its_outline_mm(guess, surface)
        )
        turned = head_template.angle_deg(guess.head_to_ras[:3, :3], np.eye(3))
        if off_mm <= _SMOOTH_MM and turned <= _GUESS_DEG:
            return replace(guess, certainty=GUESSED * (1.0 - off_mm / (2.0 * _SMOOTH_MM)))
    raise _untrusted(why)


def _asymmetry_mm(
    frame: HeadFrame, points: np.ndarray, depth: np.ndarray, ijk_to_ras: np.ndarray
) -> float:
    """Median distance of mirrored points from the surface."""
    from scipy import ndimage

    mirrored = frame.to_ras(frame.from_ras(points) * [-1.0, 1.0, 1.0])
    to_index = np.linalg.inv(ijk_to_ras)
    index = (mirrored @ to_index[:3, :3].T + to_index[:3, 3])[:, ::-1].T
    off = ndimage.map_coordinates(depth, index, order=1, mode="nearest")
    return float(np.median(np.abs(off)))


def _off_its_outline_mm(frame: HeadFrame, surface: np.ndarray) -> float:
    """Median distance of the midsagittal outline from the frame's ellipse."""
    points = frame.from_ras(surface)
    y, z = points[(np.abs(points[:, 0]) < _MIDDLE_MM) & (points[:, 2] > 0)][:, 1:].T
    if len(y) == 0:
        return np.inf
    ellipse = np.array([0.0, 0.0, frame.half_length_mm, frame.half_height_mm])
    return float(np.median(np.abs(_off_the_ellipse(ellipse, y, z))))


def voxels_ras(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Centers of the voxels in a mask (slices, rows, columns), float64 (N, 3), RAS mm."""
    return np.argwhere(mask)[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]


def _symmetric(
    frame: HeadFrame,
    surface: np.ndarray,
    depth: np.ndarray,
    ijk_to_ras: np.ndarray,
    starts_deg: tuple[float, ...],
) -> HeadFrame:
    """Turn and move the frame so that x = 0 is the plane of the vault's best mirror symmetry."""
    from scipy import ndimage, optimize

    points = frame.from_ras(surface)
    # Evenly through the surface, whatever the order of its voxels: no chance, no seed.
    points = points[np.linspace(0, len(points) - 1, min(_POINTS, len(points))).astype(int)]
    to_index = np.linalg.inv(ijk_to_ras)

    def off_the_surface(plane: np.ndarray, points: np.ndarray) -> np.ndarray:

        normal = _normal(plane)
        distance = points @ normal - plane[2]
        mirrored = frame.to_ras(points - 2.0 * distance[:, None] * normal)
        index = (mirrored @ to_index[:3, :3].T + to_index[:3, 3])[:, ::-1].T
        found = ndimage.map_coordinates(depth, index, order=1, mode="nearest")
        return np.clip(found, -_FARTHEST_MM, _FARTHEST_MM)

    def fit(start: Sequence[float], points: np.ndarray, precision: float = 1e-8) -> Any:

        return optimize.least_squares(
            off_the_surface,
            start,
            x_scale=[0.1, 0.1, 5.0],
            loss="soft_l1",
            diff_step=1e-2,
            xtol=precision,
            ftol=precision,
            args=(points,),
        )

    # A few points tell which start leads to the deepest valley, all of them where it is deepest.
    starts = [(yaw, roll, 0.0) for yaw in np.deg2rad(starts_deg) for roll in np.deg2rad(starts_deg)]
    rough = [fit(start, points[::_SEARCH_STEP], 1e-3) for start in starts]
    turned = [np.hypot(*start[:2]) / np.deg2rad(15.0) for start in starts]
    costs = [one.cost * (1.0 + _UPRIGHT * by) for one, by in zip(rough, turned, strict=True)]
    best = fit(rough[int(np.argmin(costs))].x, points).x
    normal = _normal(best)
    origin = frame.to_ras(best[2] * normal)
    right = frame.head_to_ras[:3, :3] @ normal
    return HeadFrame(_axes(right, frame.superior, origin), 0.0, 0.0)


def _level(frame: HeadFrame, surface: np.ndarray, may_pitch: bool = True) -> HeadFrame:
    """Pitch and move the frame so that y is the long axis of the vault's midsagittal ellipse; or
    move it only, to the middle of the ellipse that fits best as the frame stands."""
    from scipy import optimize

    ellipse = np.array([0.0, 0.0, 85.0, 65.0, 0.0])
    free = slice(5 if may_pitch else 4)
    for _ in range(_PASSES):
        points = frame.from_ras(surface)
        y, z = points[np.abs(points[:, 0]) < _MIDDLE_MM][:, 1:].T
        elevation = np.rad2deg(np.arctan2(z, np.abs(y)))
        y, z = y[elevation > _LOWEST_DEG], z[elevation > _LOWEST_DEG]
        ellipse[[0, 1, 4]] = 0.0
        ellipse[free] = optimize.least_squares(
            _off_the_ellipse,
            ellipse[free],
            x_scale=[10, 10, 10, 10, 0.1][free],
            bounds=([-60, -60, 50, 30, -1.0][free], [60, 60, 130, 120, 1.0][free]),
            loss="soft_l1",
            args=(y, z),
        ).x
        center_y, center_z, half_length, half_height, tilt = ellipse
        superior = np.cos(tilt) * frame.superior - np.sin(tilt) * frame.anterior
        origin = frame.to_ras(np.array([0.0, center_y, center_z]))
        frame = HeadFrame(
            _axes(frame.right, superior, origin), float(half_length), float(half_height)
        )
        moved_mm = 0.0 if may_pitch else np.hypot(center_y, center_z)
        if abs(np.rad2deg(tilt)) < _SETTLED_DEG and moved_mm < _SETTLED_MM:
            break
    return frame


def _off_the_ellipse(ellipse: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Roughly the distance of points from an ellipse (center y, z, half axes, tilt if any),
    mm."""
    center_y, center_z, half_length, half_height, tilt = (*ellipse, 0.0)[:5]
    u = np.cos(tilt) * (y - center_y) + np.sin(tilt) * (z - center_z)
    v = np.cos(tilt) * (z - center_z) - np.sin(tilt) * (y - center_y)
    radius = np.hypot(u / half_length, v / half_height)
    return (radius - 1.0) * np.sqrt(half_length * half_height)


def _normal(plane: np.ndarray) -> np.ndarray:
    """Unit normal near x from (yaw, roll, offset)."""
    yaw, roll = plane[:2]
    return np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)])


def _axes(right: np.ndarray, superior: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """``head_to_ras`` from an exact right and an approximate superior."""
    right = right / np.linalg.norm(right)
    superior = superior - (superior @ right) * right
    superior = superior / np.linalg.norm(superior)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 2] = right, superior
    matrix[:3, 1] = np.cross(superior, right)
    matrix[:3, 3] = origin
    return matrix


def _surface_ras(
    mask: np.ndarray, ijk_to_ras: np.ndarray, beside_bone: np.ndarray | None = None
) -> np.ndarray:
    """Centers of the mask's outermost voxels, float64 (N, 3), RAS mm; not those at the border of
    the grid, where the field of view ends and not the head, nor those far from bone."""
    from scipy import ndimage

    rim = mask & ~ndimage.binary_erosion(mask, border_value=1)
    return voxels_ras(rim if beside_bone is None else rim & beside_bone, ijk_to_ras)


def _depth_mm(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """Distance to the mask's surface, above 0 inside, float32."""
    from .voxel_blocks import distances_mm

    mm = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)[::-1]
    return (distances_mm(mask, mm) - distances_mm(~mask, mm)).astype(np.float32)
