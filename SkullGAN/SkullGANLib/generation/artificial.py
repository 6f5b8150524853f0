"""Artificial segments: not skull, yet of a skull's density ratio, thickness and mean intensity.

A control for evaluation (paper, "artificial set"): what cannot tell these from real segments cannot
judge synthetic ones either. ``make`` gives a set of them, ``batches`` the same bit by bit,
``match`` says how well they follow the real set, ``styles_of`` which of two styles each is of:

- ``idealized``: the simplest model of a skull, smooth arcs of outer table, diploë and inner table;
- ``unrealistic``: checks, waves or blocks between stepped, toothed or wavy outlines, plainly no
  skull to the eye.

Each segment draws its SDR, thickness and mean intensity together, close to those of one real
segment, and is then fitted to them by the same measurements that will judge it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..data import segment_set
from ..data.segment_set import SIZE, SegmentSet
from ..errors import BadInputError
from ..metrics import mean_intensity_hu, measure, skull_density_ratio, thickness_mm

STYLES = ("idealized", "unrealistic")
METRICS = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
"""What is matched, of ``metrics.METRICS``."""

_NEIGHBORS = 3
_FITTING_STEPS = 24
_GOOD_ENOUGH = np.array([0.003, 0.02, 3.0])
"""SDR, mm and HU by which a segment may miss its target before fitting goes on."""
_HIGHEST_HU = 3071.0
"""A CT's 12 bits end here."""
_MASKED_ABOVE = 0.25
"""Share of the table's height at which the mask ends, as extraction cuts real segments."""
_EDGE_PIXELS = {"idealized": 1.0, "unrealistic": 0.4}
"""Standard deviation of the blur at the wall's surfaces; a sharp CT kernel's is about 1 pixel."""
_CHANCES = 16
_BLOCKS = (6, 32)
_AT_ONCE = 128


@dataclass(frozen=True)
class Match:
    """How well an artificial set follows a real one.

    Attributes:
        ks: two-sample Kolmogorov-Smirnov statistic for each of ``METRICS``, 0 for equal samples.
        modes: modes of mean intensity in the real and in the artificial set.
    """

    ks: Mapping[str, float]
    modes: tuple[int, int]


def make(
    like: SegmentSet,
    count: int,
    *,
    style: str = "both",
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> SegmentSet:
    """Make artificial segments, all in one set; arguments and errors as for ``batches``."""
    made = batches(like, count, style=style, seed=seed, on_progress=on_progress)
    return segment_set.concatenate(list(made))


def batches(
    like: SegmentSet,
    count: int,
    *,
    style: str = "both",
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[SegmentSet]:
    """Make artificial segments that measure as the segments of a set do, some hundred at once.

    Args:
        like: the real set whose joint distribution of ``METRICS`` is followed, and whose wall's
            place in the picture.
        count: segments to make in all.
        style: one of ``STYLES``, or "both": the first half idealized, the rest unrealistic.
        seed: of the first segment; the others count up. A segment depends on its seed, its style
            and the real set alone, not on how many are made.
        on_progress: called with the segments made and to be made.

    Yields:
        Sets of kind artificial, with the pixel size and HU range of ``like``. Their source tells
        the first and last seed of each style.

    Raises:
        BadInputError: if the count or the seed is out of range, the style is not known, or no real
            segment has all three metrics.
    """
    if count < 1 or seed < 0:
        raise BadInputError(
            f"{count} artificial segments from seed {seed} were asked for, at least 1 segment and "
            "a seed of 0 or more are needed."
        )
    if style not in (*STYLES, "both"):
        raise BadInputError(f"The style is {style!r}, needed is one of {(*STYLES, 'both')}.")
    half = (count + 1) // 2
    seeds = {
        "both": {"idealized": (seed, seed + half), "unrealistic": (seed + half, seed + count)},
    }.get(style, {style: (seed, seed + count)})
    return _batches(like, _Real.of(like), seeds, on_progress)


def _batches(
    like: SegmentSet,
    real: _Real,
    seeds: Mapping[str, tuple[int, int]],
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[SegmentSet]:
    seeds = {style: (first, end) for style, (first, end) in seeds.items() if end > first}
    done, count = 0, sum(end - first for first, end in seeds.values())
    for style, (first, end) in seeds.items():
        for start in range(first, end, _AT_ONCE):
            batch = np.arange(start, min(start + _AT_ONCE, end))
            hu, mask = _fitted(_draw(real, batch), style, like.pixel_spacing_mm)
            yield segment_set.without_patient(
                hu,
                mask,
                batch,
                kind="artificial",
                pixel_spacing_mm=like.pixel_spacing_mm,
                hu_range=like.hu_range,
                source={
                    "made_by": "SkullGAN",
                    "like": f"{len(like)} segments, {like.kind}",
                    "seeds": {each: [one, stop - 1] for each, (one, stop) in seeds.items()},
                },
            )
            done += len(batch)
            if on_progress:
                on_progress(done, count)


def match(real: Mapping[str, np.ndarray], artificial: Mapping[str, np.ndarray]) -> Match:
    """Compare the distributions of ``METRICS`` in an artificial and in the real set.

    Args:
        real, artificial: what ``metrics.measure`` gave for each; NaN are left out.
    """
    from scipy import stats

    pairs = {
        name: [each[name][np.isfinite(each[name])] for each in (real, artificial)]
        for name in METRICS
    }
    ks = {name: float(stats.ks_2samp(*pair).statistic) for name, pair in pairs.items()}
    intensity, made = pairs["mean_intensity_hu"]
    spread = float(intensity.std())
    return Match(ks, (modes(intensity, spread), modes(made, spread)))


def modes(values: np.ndarray, spread: float | None = None) -> int:
    """Count the modes of a sample: peaks of its density that stand out by a tenth of the highest.

    Args:
        values: float (N,).
        spread: standard deviation that sets the kernel's width, 0.4 of it by Silverman's rule at
            N = 70; None is the sample's own. Samples that are compared need the same.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> one, other = rng.normal(0, 1, 200), rng.normal(6, 1, 200)
        >>> modes(one), modes(np.concatenate([one, other]))
        (1, 2)
    """
    from scipy import signal

    width = 0.4 * (np.std(values) if spread is None else spread)
    if not width > 0:
        return 1
    grid = np.arange(values.min() - 4 * width, values.max() + 4 * width, width / 4)
    counts, _ = np.histogram(values, np.append(grid, grid[-1] + width / 4))
    kernel = np.exp(-0.5 * (np.arange(-16, 17) / 4) ** 2)
    density = np.convolve(counts, kernel, "same")
    return max(1, len(signal.find_peaks(density, prominence=density.max() / 10)[0]))


def styles_of(segments: SegmentSet) -> np.ndarray:
    """Give the style (N,) of each segment of a set that ``make`` made; empty where unknown."""
    found = np.full(len(segments), "", dtype="U11")
    seeds = segments.source.get("seeds")
    for style in STYLES if isinstance(seeds, Mapping) else ():
        if style in seeds:
            first, last = seeds[style]
            found[(segments.seed >= first) & (segments.seed <= last)] = style
    return found


@dataclass(frozen=True)
class _Real:
    """What is known of the real set: row n is one segment's."""

    targets: np.ndarray  # float (N, 3), METRICS
    arcs: np.ndarray  # float (N, 3), the outer surface's row: offset + tilt * x + bow * x²
    neighbors: np.ndarray  # int (N, <= 4), the segments of most similar metrics, itself first
    order: np.ndarray  # int (N,), a fixed shuffle

    @classmethod
    def of(cls, like: SegmentSet) -> _Real:
        from scipy.spatial import cKDTree

        measured = measure(like)
        metrics = np.stack([measured[name] for name in METRICS], axis=1)
        whole = np.isfinite(metrics).all(axis=1)
        if not whole.any():
            raise BadInputError(
                f"None of the {len(like)} segments has SDR, thickness and mean intensity, at least "
                "one to follow is needed."
            )
        targets = metrics[whole]
        spread = targets.std(axis=0)
        standard = targets / np.where(spread > 0, spread, 1)
        nearest = range(1, 1 + min(1 + _NEIGHBORS, len(targets)))  # the first is itself
        _, neighbors = cKDTree(standard).query(standard, k=list(nearest))
        order = np.random.default_rng(0).permutation(len(targets))
        return cls(targets, _arcs(like.mask[whole]), neighbors, order)


@dataclass(frozen=True)
class _Parameters:
    """What chance decides of N segments; the rest follows."""

    targets: np.ndarray  # float (N, 3), METRICS
    arcs: np.ndarray  # float (N, 3)
    chances: np.ndarray  # float (N, _CHANCES), uniform in [0, 1)
    blocks: np.ndarray  # float (N, *_BLOCKS), uniform in [0, 1)

    def __getitem__(self, index: np.ndarray) -> _Parameters:
        return _Parameters(
            *(each[index] for each in (self.targets, self.arcs, self.chances, self.blocks))
        )


def _draw(real: _Real, seeds: np.ndarray) -> _Parameters:
    """Draw parameters, each segment's from its own seed.

    A smoothed bootstrap: a real segment's metrics, moved up to half way to those of a neighbor,
    which adds no mode and no impossible triple. Seeds that follow each other go through all real
    segments in turn, so that even a small set covers the distribution.
    """
    targets, arcs, chances, blocks = [], [], [], []
    for seed in seeds:
        rng = np.random.Generator(np.random.PCG64(int(seed)))
        one = real.order[seed % len(real.order)]
        other = real.neighbors[one, rng.integers(real.neighbors.shape[1])]
        weight = rng.random() / 2
        targets.append((1 - weight) * real.targets[one] + weight * real.targets[other])
        arcs.append((1 - weight) * real.arcs[one] + weight * real.arcs[other])
        chances.append(rng.random(_CHANCES))
        blocks.append(rng.random(_BLOCKS))
    return _Parameters(*(np.array(each) for each in (targets, arcs, chances, blocks)))


def _fitted(
    parameters: _Parameters, style: str, pixel_spacing_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Render segments that measure as their targets.

    Three numbers are solved for, each by the measurement that it moves the most: the wall's
    thickness by thickness, the level of the tables by mean intensity, and by SDR the level between
    them as a share of it.
    """
    targets = parameters.targets
    state = targets * [1, 1 / pixel_spacing_mm, 1.3]
    best, least = state.copy(), np.full(len(state), np.inf)
    for _ in range(_FITTING_STEPS):
        on = np.flatnonzero(least > 1)
        if on.size == 0:
            break
        hu, mask = _render(parameters[on], style, state[on])
        measured = [
            skull_density_ratio(hu, mask),
            thickness_mm(hu, mask, pixel_spacing_mm),
            mean_intensity_hu(hu),
        ]
        miss = targets[on] - np.stack(measured, axis=1)
        error = np.nan_to_num(np.abs(miss / _GOOD_ENOUGH).max(axis=1), nan=np.inf)
        better = error < least[on]
        best[on[better]], least[on[better]] = state[on[better]], error[better]
        state[on] = _corrected(state[on], targets[on], np.nan_to_num(miss), pixel_spacing_mm)
    return _render(parameters, style, best)


def _corrected(
    state: np.ndarray, targets: np.ndarray, miss: np.ndarray, pixel_spacing_mm: float
) -> np.ndarray:
    """Go most of the way that each measurement is off; the three hardly disturb each other."""
    ratio = targets[:, 2] / (targets[:, 2] - miss[:, 2])
    return np.stack(
        [
            np.clip(state[:, 0] + 0.8 * miss[:, 0], -1.0, 1.0),
            np.maximum(state[:, 1] + 0.8 * miss[:, 1] / pixel_spacing_mm, 1.0),
            np.minimum(state[:, 2] * np.clip(ratio, 0.7, 1.4), _HIGHEST_HU),
        ],
        axis=1,
    )


def _render(
    parameters: _Parameters, style: str, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Apply parameters: int16 HU and uint8 mask (N, 128, 128) for a state (N, 3) of the fit."""
    from scipy.special import ndtr

    share, thickness, level = (state[:, i, None, None] for i in range(3))
    shape = _idealized_walls if style == "idealized" else _unrealistic_walls
    outer, wall = shape(parameters, thickness[:, 0])
    # At least a row above the wall; below it, the picture's end cuts what does not fit.
    outer = np.maximum(outer, 2.0)[:, None, :]
    wall = wall[:, None, :]
    rows = min(SIZE, int(np.ceil((outer + wall).max())) + 3)
    depth = np.arange(rows)[:, None] - outer
    blur = _EDGE_PIXELS[style]
    surface = ndtr(depth / blur) * ndtr((wall - depth) / blur)
    pattern = (_layers if style == "idealized" else _texture)(parameters, depth, wall)
    intensity = level * (share + (1 - share) * pattern) * surface
    inside = surface >= _MASKED_ABOVE
    hu = np.zeros((len(state), SIZE, SIZE), np.int16)
    mask = np.zeros((len(state), SIZE, SIZE), np.uint8)
    hu[:, :rows] = np.rint(np.where(inside, intensity, 0))
    mask[:, :rows] = inside
    return hu, mask


def _idealized_walls(
    parameters: _Parameters, thickness: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the outer surface's row and the wall's thickness in pixels, both (N, 128)."""
    x = np.linspace(-1, 1, SIZE)
    outer = parameters.arcs @ np.stack([np.ones(SIZE), x, x**2])
    slope, curve = (parameters.chances[:, i, None] - 0.5 for i in (0, 1))
    return outer, thickness * (1 + 0.4 * slope * x + 0.3 * curve * (x**2 - 1 / 3))


def _layers(parameters: _Parameters, depth: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Give 1 in the tables and 0 in the diploë, the inner table a little lower than the outer."""
    from scipy.special import ndtr

    outer, inner, lower = (parameters.chances[:, i, None, None] for i in (2, 3, 4))
    blur = _EDGE_PIXELS["idealized"]
    below_outer = ndtr((depth - (0.18 + 0.12 * outer) * wall) / blur)
    above_inner = ndtr(((1 - 0.15 - 0.12 * inner) * wall - depth) / blur)
    return (1 - below_outer * above_inner) * (1 - 0.1 * lower * np.clip(depth / wall, 0, 1))


def _unrealistic_walls(
    parameters: _Parameters, thickness: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the outer surface's row and the wall's thickness in pixels, both (N, 128)."""
    chances = parameters.chances
    which = (3 * chances[:, 0]).astype(int)
    cycles = 3 + 7 * chances[:, 1, None]
    turn = cycles * np.linspace(0, 1, SIZE) + chances[:, 2, None]
    outline = _one_of(which, (_steps(turn), _teeth(turn), np.sin(2 * np.pi * turn)))
    # A step of less than the wall's thickness leaves it in one piece.
    height = (0.15 + 0.2 * chances[:, 3, None]) * thickness
    swell = _one_of(which, (_steps(2 * turn), _teeth(1.5 * turn), np.sin(3 * np.pi * turn)))
    base = parameters.arcs[:, :1] + 6 * chances[:, 4, None]
    return base + height * outline, thickness * (1 + 0.3 * chances[:, 5, None] * swell)


def _texture(parameters: _Parameters, depth: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Give a pattern in [0, 1]: checks, waves or blocks, with two peaks down nearly any column."""
    chances = parameters.chances[:, :, None, None]
    place = np.clip(depth / wall, 0, 0.999)
    column = np.arange(SIZE)
    width = 4 + 10 * chances[:, 6]
    checks = ((5 * place).astype(int) + (column / width + chances[:, 7]).astype(int)) % 2 == 0
    slant = np.where(chances[:, 9] < 0.5, -0.5, 0.5) / width
    waves = 0.5 + 0.5 * np.cos(2 * np.pi * ((2 + 2 * chances[:, 8]) * place + column * slant))
    down, across = _BLOCKS
    segment = np.arange(len(place))[:, None, None]
    blocks = parameters.blocks[segment, (down * place).astype(int), column * across // SIZE]
    which = (3 * parameters.chances[:, 10]).astype(int)
    return _one_of(which, (checks.astype(float), waves, blocks))


def _steps(turn: np.ndarray) -> np.ndarray:
    return np.where(turn % 1 < 0.5, -1.0, 1.0)


def _teeth(turn: np.ndarray) -> np.ndarray:
    return 2 * np.abs(2 * (turn % 1) - 1) - 1


def _one_of(which: np.ndarray, choices: tuple[np.ndarray, ...]) -> np.ndarray:
    """Give, for each segment, its row of the choice that ``which`` (N,) names."""
    shape = (-1,) + (1,) * (choices[0].ndim - 1)
    return np.choose(which.reshape(shape), choices)


def _arcs(mask: np.ndarray) -> np.ndarray:
    """Fit a parabola to the outer surface of each mask (N, 128, 128): float (N, 3)."""
    x = np.linspace(-1, 1, SIZE)
    covered = mask.any(axis=1)
    rows = [
        np.interp(x, x[where], one[where])
        for one, where in zip(mask.argmax(axis=1), covered, strict=True)
    ]
    return np.polynomial.polynomial.polyfit(x, np.transpose(rows), 2).T
