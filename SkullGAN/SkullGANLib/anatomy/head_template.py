"""The head's axes by the shape of its intracranial space, whatever way it lies.

A template of the intracranial space (``Resources/Templates``, made of one public-domain head and
its mirror image) is laid on the surface of the space that was found in a CT: turned, moved and
stretched along its three axes until the points of the surface lie on the template's. Base and
vault, forehead and occiput differ in shape, so that anatomy decides what is superior and anterior;
the scanner's axes only choose between ways that fit equally well, as on a ball. Where the field of
view ends there are no points, and a dent, a growth or a defect is a minority of them that the loss
lets go.

``lay`` gives the best way, how well it fits and how much better than any other: what
``head_frame.find_frame`` decides on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..utils import resources

NAME = "Resources/Templates/intracranial-space.npz"
OTHER_WAY_DEG = 25.0
"""Ways that differ by less are one."""

_FARTHEST_MM = 15.0  # what lies farther from the template counts as this far
_LOSS_MM = 2.0  # beyond it distances count less than by their square
_SIZE_STD, _SHAPE_STD = 0.10, 0.06  # logarithms of a head's size and of its proportions
_UPRIGHT_MM2 = 0.25  # what a way turned by 60 degrees from the scanner's axes has to be better by
_ROUGH_POINTS, _ROUGH_STEPS = 250, 8
_FINE_POINTS, _FINE_STEPS = 2000, 40
_REFINED = 6  # of the starts
_MOVE_MM = 20.0
_SURELY_MM2 = 2.2  # heads fit to 0.5 to 2, other ways of them to 5 and more, a ball to 4.6 any way


@dataclass(frozen=True, eq=False)
class Template:
    """The intracranial space of a typical head, in its head frame.

    Attributes:
        depth_mm: float32 (x, y, z), distance to the surface, above 0 inside.
        first_mm: float64 (3,), head coordinates of its first element.
        step_mm: between elements.
        half_length_mm, half_height_mm: of its vault's midsagittal ellipse (``HeadFrame``).
        base_mm: height of the skull base (``skull.Cavity``).
    """

    depth_mm: np.ndarray
    first_mm: np.ndarray
    step_mm: float
    half_length_mm: float
    half_height_mm: float
    base_mm: float


@dataclass(frozen=True, eq=False)
class Way:
    """The template laid on a surface.

    Attributes:
        axes: float64 (3, 3), columns right, anterior, superior in RAS.
        origin_ras: float64 (3,), of the head frame, mm.
        scale: float64 (3,), how much larger the head is than the template along each axis.
        misfit_mm2: mean loss of the points, about their squared distance.
        median_mm: median distance of the points from the template's surface.
        next_mm2: misfit of the best way that is turned by more than ``OTHER_WAY_DEG`` from it.
    """

    axes: np.ndarray
    origin_ras: np.ndarray
    scale: np.ndarray
    misfit_mm2: float
    median_mm: float
    next_mm2: float = np.inf


@lru_cache(maxsize=1)
def template() -> Template:
    """Read the template that comes with SkullGAN.

    Raises:
        BadInputError: if this installation lacks it.
    """
    with np.load(resources.find(NAME), allow_pickle=False) as stored:
        return Template(
            depth_mm=stored["depth"].astype(np.float32) * float(stored["unit_mm"]),
            first_mm=stored["first_mm"].astype(float),
            step_mm=float(stored["step_mm"]),
            half_length_mm=float(stored["half_length_mm"]),
            half_height_mm=float(stored["half_height_mm"]),
            base_mm=float(stored["base_mm"]),
        )


def lay(surface_ras: np.ndarray, expected_axes: np.ndarray | None = None) -> Way:
    """Lay the template on the surface of an intracranial space.

    Args:
        surface_ras: float (N, 3), RAS mm, points of the surface, none where the field of view ends.
        expected_axes: float (3, 3), columns right, anterior, superior in RAS, to choose by between
            ways that fit equally well; the scanner's if None.
    """
    expected = np.eye(3) if expected_axes is None else expected_axes
    middle = (surface_ras.min(0) + surface_ras.max(0)) / 2.0
    first, rest = _starts()
    tried = [_fitted(surface_ras, expected @ start, middle, expected) for start in first]
    if min(one.misfit_mm2 for one in tried) > _SURELY_MM2:
        tried += [_fitted(surface_ras, expected @ start, middle, expected) for start in rest]
    tried.sort(key=lambda one: one.misfit_mm2)
    fine = [
        _fitted(surface_ras, one.axes, one.origin_ras, expected, fine=True)
        for one in tried[:_REFINED]
    ]
    best = min(fine, key=lambda one: one.misfit_mm2)
    others = [
        one.misfit_mm2
        for one in [*fine, *tried[_REFINED:]]
        if angle_deg(one.axes, best.axes) > OTHER_WAY_DEG
    ]
    return replace(best, next_mm2=min(others, default=np.inf))


def angle_deg(one: np.ndarray, other: np.ndarray) -> float:
    """The angle of the turn that takes one frame's axes (3, 3) to another's."""
    return float(np.rad2deg(np.arccos(np.clip((np.trace(one.T @ other) - 1.0) / 2.0, -1.0, 1.0))))


@lru_cache(maxsize=1)
def _starts() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Rotations from which the best way is sought: those near the expected one and the ways to lie
    wrongly that are most alike, then all others 45 degrees or so apart."""
    from scipy.spatial.transform import Rotation

    near = [(0, 0, 0)] + [(*a,) for a in 45 * np.vstack([np.eye(3), -np.eye(3)]).astype(int)]
    over = [(180, 0, 0), (0, 180, 0), (0, 0, 180)]
    first = [Rotation.from_euler("xyz", turn, degrees=True).as_matrix() for turn in near + over]
    rest: list[np.ndarray] = []
    half = [(0, 0, 0), (45, 0, 0), (0, 45, 0), (0, 0, 45)]
    for turn in half:
        for cube in Rotation.create_group("O"):
            start = (cube * Rotation.from_euler("xyz", turn, degrees=True)).as_matrix()
            if all(angle_deg(start, known) > 1.0 for known in first + rest):
                rest.append(start)
    return first, rest


def _fitted(
    surface: np.ndarray,
    axes: np.ndarray,
    at: np.ndarray,
    expected: np.ndarray,
    fine: bool = False,
) -> Way:
    """Turn, move and stretch the template from a start until it fits.

    Args:
        at: the middle of the surface, or with ``fine`` the origin of an earlier fit, RAS mm.
    """
    from scipy import ndimage, optimize
    from scipy.spatial.transform import Rotation

    known = template()
    most, steps = (_FINE_POINTS, _FINE_STEPS) if fine else (_ROUGH_POINTS, _ROUGH_STEPS)
    points = surface[np.linspace(0, len(surface) - 1, min(most, len(surface))).astype(int)]
    inside_mm = known.step_mm * (np.array(known.depth_mm.shape) - 1)
    start = Rotation.from_matrix(axes)
    origin = at if fine else at - axes @ (known.first_mm + inside_mm / 2.0)

    def placed(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        turned = (Rotation.from_rotvec(x[:3]) * start).as_matrix()
        return turned, origin + _MOVE_MM * x[3:6], np.exp(x[6:])

    def residuals(x: np.ndarray) -> np.ndarray:
        turned, middle, scale = placed(x)
        place = (points - middle) @ turned / scale - known.first_mm
        depth = ndimage.map_coordinates(
            known.depth_mm, (place / known.step_mm).T, order=1, mode="nearest"
        )
        beyond = np.maximum(np.maximum(-place, place - inside_mm), 0.0).max(1)
        off = np.clip(depth - beyond, -_FARTHEST_MM, _FARTHEST_MM)
        size = x[6:].mean()
        odd = [size / _SIZE_STD, *((x[6:] - size) / _SHAPE_STD)]
        tilted = np.sqrt(2.0 * _UPRIGHT_MM2) * np.deg2rad(angle_deg(turned, expected)) / (np.pi / 3)
        return np.append(off, np.sqrt(len(points)) * np.append(odd, tilted))

    found = optimize.least_squares(
        residuals,
        np.zeros(9),
        loss="soft_l1",
        f_scale=_LOSS_MM,
        diff_step=1e-2,
        max_nfev=steps,
        xtol=1e-6,
        ftol=1e-6,
    )
    turned, middle, scale = placed(found.x)
    return Way(
        axes=turned,
        origin_ras=middle,
        scale=scale,
        misfit_mm2=float(found.cost) / len(points),
        median_mm=float(np.median(np.abs(found.fun[: len(points)]))),
    )
