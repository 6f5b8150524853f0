"""The cut plan: where on the skull segments belong, and which bone and side they then show.

Bones and planes are listed here once: the command's options, the panel's check boxes and the tables
of files follow ``BONES`` and ``PLANES``. A new bone is listed with its geometry in ``plan`` and
``bones_of``; files carry their own tables, so its place in the list is free.

All planes lie in the head frame (see ``head_frame``), at fixed steps, and bone and side follow from
where they lie (``Docs/maps.md`` has a picture of it, ``Resources/Screenshots/sites.png``):

- **axial** planes from the floor of the vault up. Rays to the left and to the right meet the
  squama of the temporal bone up to the lower of ``SQUAMOUS_OVERLAP``, squama and parietal bone in
  one cut up to the higher (``temporal-parietal``), and parietal bone above it. Rays to the front,
  and by ``FRONTAL_DEG`` to either side of it, meet frontal bone, rays to the back occipital bone up
  to ``OCCIPITAL_TOP_MM``;
- **coronal** planes over ``PARIETAL_CORONAL``: rays to the left and to the right, 45 degrees up,
  meet parietal bone;
- **sagittal** planes over ``PARIETAL_SAGITTAL_MM`` on both sides of the midline: rays straight up
  meet parietal bone near the vertex.

The side is the patient's: where the ray goes or, for rays straight up, where it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInputError
from .head_frame import HeadFrame

if TYPE_CHECKING:
    from .cavity import Cavity  # SciPy comes with it, and panels ask here for bones and planes

INTERVAL_MM = 3.1
"""Distance of neighboring planes (paper: every 5th slice of 0.625 mm)."""
SQUAMOUS_OVERLAP = (-0.10, 0.15)
"""Where squama and parietal bone lie in one level cut: heights above the middle of the vault's
ellipse, in its half heights. The squama's border is an arch and overlaps the parietal bone like a
scale. On the one head where it was traced (``pcir_bone``, half height 73 mm) both bones lie in a
cut from 19 to 37 mm above the floor of the vault on the left, 22 to 33 mm on the right: -7 to 11 mm
and -4 to 7 mm about the ellipse's middle. This is the wider of the two. It is a height, not a
suture that was seen: a border may lie 4 mm off, as the two sides of that head do, and nothing is
known here of how far heads differ. The floor itself is no measure of it, for it is where a field of
view or a saw ended."""
SQUAMOUS_UNCERTAINTY_MM = 4.0
"""How far the borders of ``SQUAMOUS_OVERLAP`` differ between the two sides of one head."""
OCCIPITAL_TOP_MM = 45.0
"""Height of the lambda above the floor of the vault, roughly."""
PARIETAL_CORONAL = (-0.6, 0.2)
"""Coronal planes go from behind to before the middle, in half lengths of the vault: between the
lambdoid and the coronal suture."""
PARIETAL_SAGITTAL_MM = (6.2, 37.2)
"""Sagittal planes lie this far from the midline: beside the sagittal sinus, above the temporal
line."""
SAGITTAL_START = -0.25
"""Rays of sagittal planes start here, in half lengths of the vault: midway between bregma and
lambda."""
FRONTAL_DEG = 28.0
"""Frontal bone beside the midline, from straight ahead. Such cuts reach 20 degrees to either side:
the frontal crest is out of them, and so is the coronal suture, which was seen 50 degrees aside at
half the height of ``pcir_bone``, 40 near its top. At 40 degrees the suture is in most. Beside the
midline of the occipital bone the lambdoid suture runs through nearly every cut."""
CORONAL_SUTURE = (0.4, 0.3)
"""The coronal suture in half lengths of the vault before the middle: at the floor of the vault
(pterion) and at its top (bregma)."""
ASTERION_DEG = 60.0
"""The lambdoid suture falls from the lambda, straight behind, to the floor of the vault so far to
either side."""


@dataclass(frozen=True)
class Choice:
    """A bone or a plane that segments may be cut from.

    Attributes:
        name: as in ``SegmentSet``.
        meaning: a sentence for people who choose.
        by_default: whether it is cut where nobody chooses.
    """

    name: str
    meaning: str
    by_default: bool = True


BONE_CHOICES = (
    Choice("temporal", "Cut the thin bone at the temples: the lowest 20 mm of the vault."),
    Choice(
        "temporal-parietal",
        "Cut the next 20 mm, too, where temporal and parietal bone overlap in one cut.",
    ),
    Choice("parietal", "Cut the bone above the temporal bone, up to the vertex."),
    Choice(
        "frontal",
        "Cut the forehead, too: its middle and both sides. Sinuses and sutures spoil a small "
        "training set.",
        by_default=False,
    ),
    Choice(
        "occipital",
        "Cut the back of the head, too; sutures spoil a small training set.",
        by_default=False,
    ),
)
PLANE_CHOICES = (
    Choice(
        "axial",
        "Cut in axial planes of the head: both temples, the sides above them, front and back.",
    ),
    Choice("coronal", "Cut in coronal planes of the head: parietal bone, 45 degrees up."),
    Choice("sagittal", "Cut in sagittal planes of the head: parietal bone beside the midline."),
)
BONES = tuple(choice.name for choice in BONE_CHOICES)
PLANES = tuple(choice.name for choice in PLANE_CHOICES)
SIDES = ("left", "right")
DEFAULT_BONES = tuple(choice.name for choice in BONE_CHOICES if choice.by_default)
DEFAULT_PLANES = tuple(choice.name for choice in PLANE_CHOICES if choice.by_default)

_HAND_RAY_MM = 60.0  # a ray by hand starts this far inside the point, short of the other side
_SAME_PLANE = 0.9  # cosine up to which a plane by hand still has the name of the nearest


@dataclass(frozen=True, eq=False)
class Site:
    """Where a segment belongs: a plane, and in it a ray from inside the head to the wall.

    Attributes:
        bone, side, plane: as in ``SegmentSet``.
        start_ras: float64 (3,), where the ray starts, RAS mm.
        outward: float64 (3,), unit vector of the ray, in the plane.
        normal: float64 (3,), unit normal of the plane; seen against it, columns run to the right.
    """

    bone: str
    side: str
    plane: str
    start_ras: np.ndarray
    outward: np.ndarray
    normal: np.ndarray


def plan(cavity: Cavity, interval_mm: float = INTERVAL_MM) -> Iterator[Site]:
    """Yield the sites of the vault: axial ones bottom up, coronal ones from the back, sagittal ones
    from the midline; left before right."""
    yield from _axial(cavity, interval_mm)
    yield from _coronal(cavity.frame, interval_mm)
    yield from _sagittal(cavity.frame, interval_mm)


def by_hand(frame: HeadFrame, point_ras: np.ndarray, normal: np.ndarray) -> Site:
    """Make the site of a point on the skull and any plane through it.

    Args:
        frame: the head frame.
        point_ras: (3,), on or near the skull, RAS mm.
        normal: (3,), of the plane, of any length and of either sign.

    Returns:
        A site whose ray passes through the point from inside. Its bone is unknown, its side that of
        the point, its plane the nearest of ``PLANES`` or oblique.

    Raises:
        BadInputError: if the normal has no length or leads from the middle of the head to the
            point, so that the plane does not cut the wall there.
    """
    length = np.linalg.norm(normal)
    outward = point_ras - frame.head_to_ras[:3, 3]
    unit = normal / length if length > 0 else np.zeros(3)
    outward = outward - (outward @ unit) * unit
    if length == 0 or np.linalg.norm(outward) < 1.0:
        raise BadInputError(
            f"The plane's normal is {np.round(normal, 3).tolist()}, expected one that lies along "
            "the skull at the point."
        )
    outward = outward / np.linalg.norm(outward)
    normals = {"axial": frame.superior, "coronal": -frame.anterior, "sagittal": frame.right}
    plane = max(normals, key=lambda name: abs(unit @ normals[name]))
    if unit @ normals[plane] < 0:
        unit = -unit
    named = plane if unit @ normals[plane] > _SAME_PLANE else "oblique"
    side = "left" if frame.from_ras(point_ras)[0] < 0 else "right"
    return Site("unknown", side, named, point_ras - _HAND_RAY_MM * outward, outward, unit)


def _axial(cavity: Cavity, interval_mm: float) -> Iterator[Site]:
    frame = cavity.frame
    ahead, aside = np.cos(np.deg2rad(FRONTAL_DEG)), np.sin(np.deg2rad(FRONTAL_DEG))
    for z in np.arange(cavity.base_mm + interval_mm, cavity.top_mm, interval_mm):
        height = z - cavity.base_mm
        start = frame.to_ras(np.array([0.0, cavity.middle_mm, z]))
        lateral = str(_lateral_bone(frame, np.array(z)))
        rays = [
            (lateral, "left", -frame.right),
            (lateral, "right", frame.right),
            ("frontal", "midline", frame.anterior),
            ("frontal", "left", ahead * frame.anterior - aside * frame.right),
            ("frontal", "right", ahead * frame.anterior + aside * frame.right),
        ]
        if height <= OCCIPITAL_TOP_MM:
            rays.append(("occipital", "midline", -frame.anterior))
        # Seen from the feet, as radiologists do; the others from the front and from the left.
        for bone, side, outward in rays:
            yield Site(bone, side, "axial", start, outward, frame.superior)


def _lateral_bone(frame: HeadFrame, z: np.ndarray) -> np.ndarray:
    """The bone at the side of the head at heights z of the head frame, mm, texts of their shape."""
    low, high = (share * frame.half_height_mm for share in SQUAMOUS_OVERLAP)
    return np.select([z <= low, z <= high], ["temporal", "temporal-parietal"], "parietal")


def _coronal(frame: HeadFrame, interval_mm: float) -> Iterator[Site]:
    back, front = (share * frame.half_length_mm for share in PARIETAL_CORONAL)
    for y in np.arange(back, front, interval_mm):
        start = frame.to_ras(np.array([0.0, y, 0.0]))
        for side, sideways in (("left", -frame.right), ("right", frame.right)):
            outward = (sideways + frame.superior) / np.sqrt(2.0)
            yield Site("parietal", side, "coronal", start, outward, -frame.anterior)


def _sagittal(frame: HeadFrame, interval_mm: float) -> Iterator[Site]:
    nearest, farthest = PARIETAL_SAGITTAL_MM
    y = SAGITTAL_START * frame.half_length_mm
    for x in np.arange(nearest, farthest + 1e-6, interval_mm):
        for side, sign in (("left", -1.0), ("right", 1.0)):
            start = frame.to_ras(np.array([sign * x, y, 0.0]))
            yield Site("parietal", side, "sagittal", start, frame.superior, frame.right)


def bones_of(cavity: Cavity, points_ras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find which bone and side any points of the vault belong to.

    Every site of ``plan`` has the bone that its point on the wall is given here. Between them the
    borders run as the sutures do on average: the coronal suture as a plane that leans
    forward downwards, the lambdoid one as an inverted V from the lambda, the squamous one as two
    heights between which it is temporal-parietal.

    Args:
        cavity: what ``cavity.find_cavity`` gave.
        points_ras: float (N, 3), RAS mm.

    Returns:
        Bones, out of ``BONES``, and sides, left or right, of the points: texts (N,).
    """
    points = cavity.frame.from_ras(points_ras)
    above_floor = points[:, 2] - cavity.base_mm
    share = np.clip(above_floor / (cavity.top_mm - cavity.base_mm), 0.0, 1.0)
    bottom, top = CORONAL_SUTURE
    suture = (bottom + share * (top - bottom)) * cavity.frame.half_length_mm
    forward = points[:, 1] - cavity.middle_mm
    from_behind_deg = np.rad2deg(np.arctan2(np.abs(points[:, 0]), -forward))
    lambdoid = OCCIPITAL_TOP_MM * (1.0 - from_behind_deg / ASTERION_DEG)
    bone = np.select(
        [
            points[:, 1] > suture,
            (from_behind_deg < ASTERION_DEG) & (above_floor <= lambdoid),
        ],
        ["frontal", "occipital"],
        _lateral_bone(cavity.frame, points[:, 2]),
    )
    return bone, np.where(points[:, 0] < 0, "left", "right")
