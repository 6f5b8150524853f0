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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations, product

import numpy as np

from ..utils import resources
from .template_fit import DepthMap, Loss, Poses, fit, rotations

NAME = "Resources/Templates/intracranial-space.npz"
OTHER_WAY_DEG = 25.0
"""Ways that differ by less are one."""

_UPRIGHT_MM2 = 0.25  # what a way turned by 60 degrees from the scanner's axes has to be better by
_LOSS = Loss(
    farthest_mm=15.0,
    linear_mm=2.0,
    size_std=0.10,
    shape_std=0.06,
    tilt_weight=float(np.sqrt(2.0 * _UPRIGHT_MM2) / (np.pi / 3.0)),
)
_ROUGH_POINTS, _ROUGH_STEPS = 250, 8
_FINE_POINTS, _FINE_STEPS = 2000, 40
_REFINED = 6  # of the starts
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

    @property
    def depth_map(self) -> DepthMap:
        """What is laid of it."""
        return DepthMap(self.depth_mm, self.first_mm, self.step_mm)


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
    expected = np.eye(3) if expected_axes is None else np.asarray(expected_axes, float)
    first, rest = _starts()
    tried = _roughly(surface_ras, expected @ first, expected)
    if min(one.misfit_mm2 for one in tried) > _SURELY_MM2:
        tried += _roughly(surface_ras, expected @ rest, expected)
    tried.sort(key=lambda one: one.misfit_mm2)
    fine = _finely(surface_ras, tried[:_REFINED], expected)
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
def _starts() -> tuple[np.ndarray, np.ndarray]:
    """Rotations (S, 3, 3) from which the best way is sought: those near the expected one and the
    ways to lie wrongly that are most alike, then all others 45 degrees or so apart."""
    eighth = np.pi / 4.0
    turns = np.vstack([np.zeros((1, 3)), eighth * np.eye(3), -eighth * np.eye(3)])
    first = rotations(np.vstack([turns, np.pi * np.eye(3)]))
    cube = [
        np.eye(3)[list(order)] * np.array(signs)[:, None]
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]
    cube = [one for one in cube if np.linalg.det(one) > 0]
    known = list(first)
    for turn in rotations(turns[:4]):
        for one in cube:
            start = one @ turn
            # The traces tell the angles: all of them above 1 degree.
            cosines = (np.einsum("sij,ij->s", np.array(known), start) - 1.0) / 2.0
            if cosines.max() < np.cos(np.deg2rad(1.0)):
                known.append(start)
    return first, np.array(known[len(first) :])


def _roughly(surface: np.ndarray, axes: np.ndarray, expected: np.ndarray) -> list[Way]:
    """Lay the template from some rotations (S, 3, 3), its middle on that of the surface."""
    known = template().depth_map
    middle = (surface.min(0) + surface.max(0)) / 2.0
    origin = middle - axes @ (known.first_mm + known.size_mm / 2.0)
    starts = Poses(axes, origin, np.zeros((len(axes), 3)))
    return _ways(surface, _ROUGH_POINTS, starts, expected, _ROUGH_STEPS)


def _finely(surface: np.ndarray, ways: Sequence[Way], expected: np.ndarray) -> list[Way]:
    """Lay the template better than it lies, by more points."""
    starts = Poses(
        np.stack([one.axes for one in ways]),
        np.stack([one.origin_ras for one in ways]),
        np.log(np.stack([one.scale for one in ways])),
    )
    return _ways(surface, _FINE_POINTS, starts, expected, _FINE_STEPS)


def _ways(
    surface: np.ndarray, most: int, starts: Poses, expected: np.ndarray, steps: int
) -> list[Way]:
    """The ways that are found from some starts by so many points at most."""
    points = surface[np.linspace(0, len(surface) - 1, min(most, len(surface))).astype(int)]
    found = fit(points, template().depth_map, _LOSS, starts, expected, steps)
    poses = found.poses
    return [
        Way(axes, origin, np.exp(scale), float(cost), float(median))
        for axes, origin, scale, cost, median in zip(
            poses.axes, poses.origin, poses.log_scale, found.cost, found.median_mm, strict=True
        )
    ]
