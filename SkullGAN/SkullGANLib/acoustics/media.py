"""Acoustic media: what a simulator needs of segments, or of a head's calvaria, at every grid point.

HU are interpolated once, to the grid of the simulation, and become properties there: properties
that were interpolated would be those of no bone. The mask says where bone is; around it lies what
the settings choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..data.depth import Depth
from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from .convention import FREQUENCY_KHZ, Conditions, Convention
from .grid import grid_spacing_mm, interpolated, interpolation_weights, refined_count
from .registry import checked_convention
from .tissues import SCALP, TISSUES, WATER, Tissue

AIR_HU = -500.0
"""What is in the wall and no denser is air, which conventions take for water."""


@dataclass(frozen=True, kw_only=True)
class MediumSettings:
    """How media are made.

    Attributes:
        medium: name of the convention.
        frequency_khz: of the ultrasound.
        refine, spacing_mm, points_per_wavelength: of the grid, see ``grid.grid_spacing_mm``; at
            most one.
        outside, inside: names of ``TISSUES``, before the wall and behind it.
        scalp_mm: thickness of scalp on the wall's outside.
        densest_hu: of ``Conditions``; None is that of the set or head.

    Raises:
        BadInputError: if a name is not known or the scalp is none.
    """

    medium: str = "k-plan"
    frequency_khz: float = FREQUENCY_KHZ
    refine: int | None = None
    spacing_mm: float | None = None
    points_per_wavelength: float | None = None
    outside: str = WATER.name
    inside: str = WATER.name
    scalp_mm: float = 0.0
    densest_hu: float | None = None

    def __post_init__(self) -> None:
        checked_convention(self.medium)
        for where in ("outside", "inside"):
            name = getattr(self, where)
            if name not in TISSUES:
                raise BadInputError(
                    f"The tissue {where} is {name!r}, expected one of {', '.join(TISSUES)}."
                )
        if not 0 <= self.scalp_mm < 50:
            raise BadInputError(f"The scalp is {self.scalp_mm:g} mm thick, expected 0 to 50.")

    @property
    def convention(self) -> Convention:
        """The convention of that name."""
        return checked_convention(self.medium)

    @property
    def tissues(self) -> tuple[Tissue, Tissue]:
        """What lies outside and inside: the convention's own background in place of water."""
        own = self.convention.background

        def chosen(name: str) -> Tissue:
            return own if own is not None and name == WATER.name else TISSUES[name]

        return chosen(self.outside), chosen(self.inside)

    def grid_mm(self, pixel_spacing_mm: float) -> float:
        """Give the spacing of the grid over such pixels; raises as ``grid.grid_spacing_mm``."""
        return grid_spacing_mm(
            pixel_spacing_mm,
            self.slowest_m_s,
            self.frequency_khz,
            refine=self.refine,
            spacing_mm=self.spacing_mm,
            points_per_wavelength=self.points_per_wavelength,
        )

    @property
    def slowest_m_s(self) -> float:
        """Speed of sound of what has the shortest waves; no bone is slower than water."""
        return min(WATER.sound_speed, *(one.sound_speed for one in self.tissues))

    def conditions(self, densest_hu: float | None = None) -> Conditions:
        """Give what the properties depend on, with the densest bone of what there is if none was
        set."""
        given = self.densest_hu if self.densest_hu is not None else densest_hu
        return Conditions(self.frequency_khz, given)


@dataclass(frozen=True, eq=False)
class Medium:
    """A medium on a grid, arrays of one shape.

    Attributes:
        density: float32, kg/m³.
        sound_speed: float32, m/s.
        alpha_coeff: float32, dB/(cm MHz^y).
        alpha_power: y, one for the whole grid.
        bone: uint8, 1 where bone is.
        spacing_mm: of the grid, along each of the last axes.
    """

    density: np.ndarray
    sound_speed: np.ndarray
    alpha_coeff: np.ndarray
    alpha_power: float
    bone: np.ndarray
    spacing_mm: tuple[float, ...]


def grid_shape(shape: Sequence[int], spacing_mm: Sequence[float], finer_mm: float) -> list[int]:
    """Give the grid points over so many pixels, axis by axis."""
    return [refined_count(n, mm, finer_mm) for n, mm in zip(shape, spacing_mm, strict=True)]


def segment_media(
    segments: SegmentSet, settings: MediumSettings, densest_hu: float | None = None
) -> Medium:
    """Make the media of segments.

    Args:
        segments: N of them.
        settings: how.
        densest_hu: of the whole set that they are of; asked for by conventions that are scaled by
            it, where the settings have none.

    Returns:
        Arrays (N, rows, columns); row 0 is outside the head, as of the segments.

    Raises:
        BadInputError: if the convention does not hold or the grid makes no sense.
    """
    pixel_mm = segments.pixel_spacing_mm
    grid_mm = settings.grid_mm(pixel_mm)
    bone = segments.mask > 0
    hu: np.ndarray = segments.hu
    if grid_mm != pixel_mm:
        weights = {
            axis: interpolation_weights(hu.shape[axis], pixel_mm, grid_mm) for axis in (1, 2)
        }
        hu = interpolated(np.where(bone, hu, 0), weights)
        bone = interpolated(bone, weights) >= 0.5
    return _walls_medium(hu, bone, settings, densest_hu, (grid_mm, grid_mm))


def stack_media(
    segments: SegmentSet, depth: Depth, settings: MediumSettings, densest_hu: float | None = None
) -> Medium:
    """Make the media of stacks in depth.

    Args:
        segments: the slices of S whole stacks, one after the other.
        depth: of the stacks.
        settings: how. The grid has one spacing for all axes, unless none is asked for.
        densest_hu: as for ``segment_media``.

    Returns:
        Arrays (S, slices, rows, columns); slices follow the segments' normal.

    Raises:
        BadInputError: as ``segment_media``.
    """
    spacing_mm = stack_spacing_mm(segments.pixel_spacing_mm, depth)
    grid = volume_grid_mm(spacing_mm, settings)
    hu, bone = (
        one.reshape(-1, depth.slices, *one.shape[1:]) for one in (segments.hu, segments.mask > 0)
    )
    if grid != spacing_mm:
        weights = {
            1 + axis: interpolation_weights(hu.shape[1 + axis], spacing_mm[axis], grid[axis])
            for axis in range(3)
        }
        hu = interpolated(np.where(bone, hu, 0), weights)
        bone = interpolated(bone, weights) >= 0.5
    of_walls = (-1, *hu.shape[2:])
    flat = _walls_medium(hu.reshape(of_walls), bone.reshape(of_walls), settings, densest_hu, grid)
    maps = ("density", "sound_speed", "alpha_coeff", "bone")
    return replace(flat, **{name: getattr(flat, name).reshape(hu.shape) for name in maps})


def stack_spacing_mm(pixel_spacing_mm: float, depth: Depth) -> tuple[float, float, float]:
    """Give the spacing of a stack along slices, rows and columns."""
    return depth.step_mm, pixel_spacing_mm, pixel_spacing_mm


def _walls_medium(
    hu: np.ndarray,
    bone: np.ndarray,
    settings: MediumSettings,
    densest_hu: float | None,
    spacing_mm: tuple[float, ...],
) -> Medium:
    """Lay walls (N, rows, columns) into what is outside and inside of each, and scalp on them."""
    outer, inner = wall_rows(bone)
    rows = np.arange(bone.shape[1])[None, :, None]
    scalp_rows = round(settings.scalp_mm / spacing_mm[-1])
    scalp = (rows < outer) & (rows >= outer - scalp_rows)
    return _medium(hu, bone, scalp, rows >= inner, settings, densest_hu, spacing_mm)


def volume_medium(
    hu: np.ndarray,
    bone: np.ndarray,
    cavity: np.ndarray,
    spacing_mm: Sequence[float],
    settings: MediumSettings,
    densest_hu: float | None = None,
) -> Medium:
    """Make the medium of a head's calvaria.

    Args:
        hu: int16 (slices, rows, columns), HU.
        bone: bool, where bone is.
        cavity: bool, where the inside of the head is.
        spacing_mm: along slices, rows, columns. The grid has one spacing for all axes, unless none
            is asked for.
        settings: how; scalp is not laid around a volume.
        densest_hu: as for ``segment_media``.

    Returns:
        Arrays (slices, rows, columns).

    Raises:
        BadInputError: as ``segment_media``, or if scalp was asked for.
    """
    if settings.scalp_mm:
        raise BadInputError("Scalp was asked for around a volume, expected it for segments alone.")
    grid = volume_grid_mm(spacing_mm, settings)
    values: np.ndarray = hu
    if grid != tuple(spacing_mm):
        weights = {
            axis: interpolation_weights(hu.shape[axis], spacing_mm[axis], grid[axis])
            for axis in range(3)
        }
        values = interpolated(hu, weights)
        bone, cavity = (interpolated(one, weights) >= 0.5 for one in (bone, cavity))
    return _medium(
        values, bone, np.zeros((1, 1, 1), bool), cavity & ~bone, settings, densest_hu, grid
    )


def volume_grid_mm(
    spacing_mm: Sequence[float], settings: MediumSettings
) -> tuple[float, float, float]:
    """Give the spacing of a volume's grid: of the voxels if nothing is asked for."""
    wishes = (settings.refine, settings.spacing_mm, settings.points_per_wavelength)
    if all(wish is None for wish in wishes):
        first, second, third = spacing_mm
        return first, second, third
    finest = min(spacing_mm)
    grid_mm = settings.grid_mm(finest)
    return grid_mm, grid_mm, grid_mm


def wall_rows(bone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give where the wall begins and ends in each column: first row of bone, first row behind it.

    A column without bone has those of the nearest one with bone.

    Args:
        bone: bool (N, rows, columns).

    Returns:
        int (N, 1, columns), twice; twice the number of rows where a segment has no bone at all.
    """
    count, rows, columns = bone.shape
    has = np.asarray(bone.any(axis=1))
    first = bone.argmax(axis=1)
    behind = rows - bone[:, ::-1].argmax(axis=1)
    place = np.arange(columns)
    left = np.maximum.accumulate(np.where(has, place, -1), axis=1)
    right = np.minimum.accumulate(np.where(has, place, 2 * columns)[:, ::-1], axis=1)[:, ::-1]
    nearest = np.where((left < 0) | (right - place < place - left), right, left)
    none = np.asarray(has.any(axis=1, keepdims=True)) == 0
    nearest = np.clip(nearest, 0, columns - 1)
    found = (np.take_along_axis(one, nearest, axis=1) for one in (first, behind))
    first, behind = (np.where(none, 2 * rows, one).reshape(count, 1, columns) for one in found)
    return first, behind


def _medium(
    hu: np.ndarray,
    bone: np.ndarray,
    scalp: np.ndarray,
    within: np.ndarray,
    settings: MediumSettings,
    densest_hu: float | None,
    spacing_mm: tuple[float, ...],
) -> Medium:
    """Lay bone into what is around it; ``within`` is what lies behind the wall, of any height."""
    convention = settings.convention
    properties = convention.properties(hu[bone], settings.conditions(densest_hu))
    outside, inside = settings.tissues
    power, khz = convention.alpha_power, settings.frequency_khz
    around = (outside, inside, SCALP)

    def laid(values: list[float], of_bone: np.ndarray) -> np.ndarray:
        before, behind, scalp_value = map(np.float32, values)
        grid = np.where(scalp, scalp_value, np.where(within, behind, before))
        grid = np.array(np.broadcast_to(grid, bone.shape), np.float32)
        grid[bone] = of_bone
        return grid

    return Medium(
        density=laid([one.density for one in around], properties.density),
        sound_speed=laid([one.sound_speed for one in around], properties.sound_speed),
        alpha_coeff=laid([one.coefficient(khz, power) for one in around], properties.alpha_coeff),
        alpha_power=power,
        bone=bone.astype(np.uint8),
        spacing_mm=spacing_mm,
    )
