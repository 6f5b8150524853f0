"""Intensity profiles across the skull wall: columns of segments, or the rays of an array.

``Profiles`` holds them and what every metric needs to know of them: where the wall lies
(``walls``), where its diploë and its cortical peaks are (``dip``) and where its edges are
(``edges``); each is found when it is first asked for. ``columns_of`` makes them of segments and
``mean_per_segment`` gives back a number a segment.

SDR and thickness are taken in vertical columns, as the paper does, not along the normal of the
wall. Where the wall slopes by an angle a, a column is longer than the wall is thick by 1 / cos(a):
1.5 % at 10 degrees, 10 % at 25 degrees; SDR, a ratio of intensities, does not change with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import BadInputError

COLUMN_STEP = 4
FIRST_COLUMN = 2
"""Columns 2, 6, ..., 126: the 32 cross-sections of 128 columns, as central as they can lie."""
BONE_HU = 300.0
"""A column in which nothing reaches this has no bone (bone at 1 mm partial volume begins here)."""
AIR_HU = -500.0
"""A column in which the mask holds this or less goes through air and does not count."""
TABLE_MM = 2.0
"""The cortical table is looked for this deep below the bone's surface when its edge is found."""


@dataclass(frozen=True)
class Walls:
    """The bone of M profiles: where it lies, and which profiles count."""

    inside: np.ndarray  # bool (M, samples), the longest run of the mask
    first: np.ndarray  # int (M,), its outermost sample
    length: np.ndarray  # int (M,), its samples
    count: np.ndarray  # bool (M,), has bone and no air


@dataclass(frozen=True)
class Dip:
    """HU (M,) of the diploë and of the peaks outside and inside it; all equal without diploë."""

    diploe: np.ndarray
    outer: np.ndarray
    inner: np.ndarray


@dataclass(frozen=True, eq=False)
class Profiles:
    """M intensity profiles across the skull, from outside the head to inside.

    Attributes:
        hu: float64 (M, samples), HU.
        bone: bool (M, samples), true in the skull wall.
        spacing_mm: distance of neighboring samples.
        surroundings_hu: HU of what is next to the bone.
    """

    hu: np.ndarray
    bone: np.ndarray
    spacing_mm: float = 1.0
    surroundings_hu: float = 0.0
    # functools.cached_property of Python before 3.12 locks the profiles of all threads at once.
    _walls: list[Walls] = field(default_factory=list, init=False, repr=False)
    _dip: list[Dip] = field(default_factory=list, init=False, repr=False)
    _edges: list[tuple[np.ndarray, np.ndarray]] = field(
        default_factory=list, init=False, repr=False
    )

    @classmethod
    def of(
        cls,
        hu: np.ndarray,
        bone: np.ndarray,
        spacing_mm: float = 1.0,
        surroundings_hu: float = 0.0,
    ) -> Profiles:
        """Make profiles of arrays of any type.

        Raises:
            BadInputError: if the shapes differ or are not (profiles, samples).
        """
        hu, bone = _checked(hu, bone, "(profiles, samples)")
        return cls(hu.astype(np.float64), bone, spacing_mm, surroundings_hu)

    def __len__(self) -> int:
        return len(self.hu)

    @property
    def walls(self) -> Walls:
        """The longest run of the mask in each profile, the outer one of equals."""
        if not self._walls:
            self._walls.append(self._find_walls())
        return self._walls[0]

    @property
    def dip(self) -> Dip:
        """The valley of greatest prominence, see ``sdr.skull_density_ratio``."""
        if not self._dip:
            self._dip.append(self._find_dip())
        return self._dip[0]

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Places (M,), in samples, of the wall's outer and inner edge at half height.

        A table's height is the highest HU within ``TABLE_MM`` of the first sample of bone, so that
        a dense trabecula in the diploë is not taken for it. NaN where a profile does not count.
        """
        if not self._edges:
            self._edges.append(self._find_edges())
        return self._edges[0]

    def _find_walls(self) -> Walls:
        hu, bone = self.hu, self.bone
        samples = np.arange(bone.shape[1])
        begins = bone.copy()
        begins[:, 1:] &= ~bone[:, :-1]
        begin = np.maximum.accumulate(np.where(begins, samples, 0), axis=1)
        so_far = np.where(bone, samples - begin + 1, 0)
        last = so_far.argmax(axis=1)
        length = np.take_along_axis(so_far, last[:, None], axis=1)[:, 0]
        first = last - length + 1
        inside = (samples >= first[:, None]) & (samples <= last[:, None]) & bone
        has_bone = (inside & (hu >= BONE_HU)).any(axis=1)
        has_air = (bone & (hu <= AIR_HU)).any(axis=1)
        return Walls(inside, first, length, has_bone & ~has_air)

    def _find_dip(self) -> Dip:
        hu, walls = self.hu, self.walls
        height = np.where(walls.inside, hu, -np.inf)
        outer = np.maximum.accumulate(height, axis=1)
        inner = np.maximum.accumulate(height[:, ::-1], axis=1)[:, ::-1]
        depth = np.minimum(outer, inner)
        np.subtract(depth, hu, out=depth, where=walls.inside)
        depth[~walls.inside] = -np.inf
        place = depth.argmax(axis=1)[:, None]
        at = (
            np.take_along_axis(values, place, axis=1)[:, 0] for values in (depth, hu, outer, inner)
        )
        deep, dip, outer_peak, inner_peak = at
        single = deep <= 0
        highest = height.max(axis=1)
        return Dip(*(np.where(single, highest, one) for one in (dip, outer_peak, inner_peak)))

    def _find_edges(self) -> tuple[np.ndarray, np.ndarray]:
        walls = self.walls
        height = np.where(walls.inside, self.hu, self.surroundings_hu)
        outer = self._outer_edge(height)
        # The inner edge is the outer one of the profile turned round.
        inner = self.hu.shape[1] - 1 - self._outer_edge(height[:, ::-1])
        return np.where(walls.count, outer, np.nan), np.where(walls.count, inner, np.nan)

    def _outer_edge(self, height: np.ndarray) -> np.ndarray:
        """Give the place (M,), in samples, where profiles first reach half their outer table."""
        samples = np.arange(height.shape[1])
        surface = (height >= BONE_HU).argmax(axis=1)[:, None]
        depth = max(1, round(TABLE_MM / self.spacing_mm))
        in_table = (samples >= surface) & (samples < surface + depth)
        table = np.where(in_table, height, -np.inf).max(axis=1)
        half = (table + self.surroundings_hu) / 2
        above = (height >= half[:, None]).argmax(axis=1)
        rows = np.arange(len(height))
        reached = height[rows, above]
        before = np.where(above > 0, height[rows, np.maximum(above - 1, 0)], self.surroundings_hu)
        rise = reached - before
        past = np.divide(reached - half, rise, out=np.zeros(len(height)), where=rise > 0)
        return above - past


def columns_of(
    hu: np.ndarray,
    mask: np.ndarray,
    pixel_spacing_mm: float = 1.0,
    surroundings_hu: float = 0.0,
) -> Profiles:
    """Lay every 4th column of segments out as profiles, those of one segment after another.

    Args:
        hu: (N, rows, columns), HU; row 0 is outside the head.
        mask: (N, rows, columns), nonzero in the skull wall.
        pixel_spacing_mm: size of the square pixels.
        surroundings_hu: HU of what is next to the bone.

    Returns:
        N times 32 profiles (of 128 columns), over the rows that any mask uses.

    Raises:
        BadInputError: if the shapes differ or are not (segments, rows, columns).
    """
    hu, mask = _checked(hu, mask, "(segments, rows, columns)")
    sections = slice(FIRST_COLUMN, None, COLUMN_STEP)
    used = np.flatnonzero(mask.any(axis=(0, 2)))
    rows = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
    height = rows.stop - rows.start
    profiles = hu[:, rows, sections].swapaxes(1, 2).astype(np.float64, order="C")
    bone = np.ascontiguousarray(mask[:, rows, sections].swapaxes(1, 2))
    return Profiles(
        profiles.reshape(-1, height), bone.reshape(-1, height), pixel_spacing_mm, surroundings_hu
    )


def mean_per_segment(values: np.ndarray, segments: int) -> np.ndarray:
    """Give the mean over the columns that count, float64 (segments,); NaN where none does.

    Args:
        values: float64 (segments * columns,) as ``columns_of`` lays them out, NaN do not count.
        segments: how many.
    """
    values = values.reshape(segments, -1)
    count = np.count_nonzero(~np.isnan(values), axis=1)
    total = np.nansum(values, axis=1)
    return np.divide(total, count, out=np.full(segments, np.nan), where=count > 0)


def _checked(hu: np.ndarray, mask: np.ndarray, axes: str) -> tuple[np.ndarray, np.ndarray]:
    hu, mask = np.asarray(hu), np.asarray(mask)
    if hu.ndim != axes.count(",") + 1 or hu.shape != mask.shape:
        raise BadInputError(
            f"Expected HU and their mask of one shape {axes}, found {hu.shape} and {mask.shape}."
        )
    return hu, mask.astype(bool)
