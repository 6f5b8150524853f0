"""Artificial segments: not skull, yet of a skull's density ratio, thickness and mean intensity.

A control for evaluation (paper, "artificial set"): what cannot tell these from real segments cannot
assess synthetic ones either. ``make`` gives a set of them, ``batches`` the same bit by bit,
``match`` says how well they follow the real set, ``styles_of`` which of two styles each is of:

- ``idealized``: the simplest model of a skull, smooth arcs of outer table, diploë and inner table;
- ``unrealistic``: checks, waves or blocks between stepped, toothed or wavy outlines, plainly no
  skull to the eye.

Each segment draws its SDR, thickness and mean intensity together, close to those of one real
segment, and is then fitted to them by the same measurements that will assess it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..data import segment_set
from ..data.segment_set import SIZE, SegmentSet
from ..errors import BadInputError
from ..metrics import mean_intensity_hu, measure, skull_density_ratio, thickness_mm
from .artificial_walls import BLOCKS, STYLES, UNIFORMS, Parameters, render

METRICS = ("sdr_peaks", "thickness_mm", "mean_intensity_hu")
"""What is matched, of ``metrics.METRICS``."""

_NEIGHBORS = 3
_FITTING_STEPS = 24
_GOOD_ENOUGH = np.array([0.003, 0.02, 3.0])
"""SDR, mm and HU by which a segment may miss its target before fitting goes on."""
_HIGHEST_HU = 3071.0
"""A CT's 12 bits end here."""
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
            f"{count} artificial segments from seed {seed} were asked for, expected at least 1 "
            "segment and a seed of 0 or more."
        )
    if style not in (*STYLES, "both"):
        raise BadInputError(f"The style is {style!r}, expected one of {(*STYLES, 'both')}.")
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
    made, count = 0, sum(end - first for first, end in seeds.values())
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
            made += len(batch)
            if on_progress:
                on_progress(made, count)


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
    for style, (first, last) in seeds.items() if isinstance(seeds, Mapping) else ():
        if style in STYLES:
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
                f"None of the {len(like)} segments has SDR, thickness and mean intensity, "
                "expected at least one to follow."
            )
        targets = metrics[whole]
        spread = targets.std(axis=0)
        standard = targets / np.where(spread > 0, spread, 1)
        nearest = range(1, 1 + min(1 + _NEIGHBORS, len(targets)))  # the first is itself
        _, neighbors = cKDTree(standard).query(standard, k=list(nearest))
        order = np.random.default_rng(0).permutation(len(targets))
        return cls(targets, _arcs(like.mask[whole]), neighbors, order)


def _draw(real: _Real, seeds: np.ndarray) -> Parameters:
    """Draw parameters, each segment's from its own seed.

    A smoothed bootstrap: a real segment's metrics, moved up to half way to those of a neighbor,
    which adds no mode and no impossible triple. Seeds that follow each other go through all real
    segments in turn, so that even a small set covers the distribution.
    """
    targets, arcs, uniforms, blocks = [], [], [], []
    for seed in seeds:
        rng = np.random.Generator(np.random.PCG64(int(seed)))
        one = real.order[seed % len(real.order)]
        other = real.neighbors[one, rng.integers(real.neighbors.shape[1])]
        weight = rng.random() / 2
        targets.append((1 - weight) * real.targets[one] + weight * real.targets[other])
        arcs.append((1 - weight) * real.arcs[one] + weight * real.arcs[other])
        uniforms.append(rng.random(UNIFORMS))
        blocks.append(rng.random(BLOCKS))
    return Parameters(*(np.array(each) for each in (targets, arcs, uniforms, blocks)))


def _fitted(
    parameters: Parameters, style: str, pixel_spacing_mm: float
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
        hu, mask = render(parameters[on], style, state[on])
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
    return render(parameters, style, best)


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


def _arcs(mask: np.ndarray) -> np.ndarray:
    """Fit a parabola to the outer surface of each mask (N, 128, 128): float (N, 3)."""
    x = np.linspace(-1, 1, SIZE)
    covered = np.asarray(mask.any(axis=1))
    rows = [
        np.interp(x, x[where], one[where])
        for one, where in zip(mask.argmax(axis=1), covered, strict=True)
    ]
    return np.polynomial.polynomial.polyfit(x, np.transpose(rows), 2).T
