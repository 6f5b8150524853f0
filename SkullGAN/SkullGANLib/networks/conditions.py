"""Conditions: what a generator is told of the segment that it is to make, and its discriminator of
the segment that it judges.

``names_of`` reads which ones from a recipe's text. ``Conditions`` is what a model keeps of its
training set to tell them: which bones there were, means and deviations, and a sample of the joint
distribution, from which everything is drawn that nobody asks for. A network is told ``size_of``
numbers: a slot for each bone that it may know, and the standardized quantities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadInputError

BONE = "bone"
BONE_SLOTS = 8
"""Bones that networks have room for; of another set, others may stand there."""
SAMPLE_SIZE = 256
"""Rows of the training set's joint distribution that a model keeps."""

_NEAR = 0.25
"""Standard deviations within which a row counts as one of what was asked."""
_JITTER = 0.1
"""Standard deviations by which what is drawn differs from the row that it is drawn by."""
_STREAM = 0xC0
"""Sets a seed's conditions apart from other random numbers of the same seed."""
_MOST_ROWS = 65_536
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Quantity:
    """A condition that is a number.

    Attributes:
        metric: the one of ``metrics.METRICS`` that it is measured by.
        label, unit: in sentences.
        digits: behind the point, in the sample that a model keeps.
        option: how the command asks for it.
    """

    metric: str
    label: str
    unit: str
    digits: int
    option: str


QUANTITIES: Mapping[str, Quantity] = {
    "sdr": Quantity("sdr_peaks", "SDR", "", 3, "--sdr"),
    "thickness": Quantity("thickness_mm", "thickness", "mm", 2, "--thickness-mm"),
    "intensity": Quantity("mean_intensity_hu", "mean intensity", "HU", 0, "--intensity-hu"),
}
"""By the name that recipes have."""
NAMES = (BONE, *QUANTITIES)
"""All conditions, in the order in which networks are told them."""

Asked = Mapping[str, Any]
"""By name, one value for all segments or (N,) values: of ``bone`` texts, of the others numbers."""


def names_of(text: str) -> tuple[str, ...]:
    """Read which conditions a recipe asks for: names, separated by commas; none if it is empty.

    Raises:
        BadInputError: if one of them is unknown.

    Example:
        >>> names_of("thickness, bone")
        ('bone', 'thickness')
    """
    given = [name.strip() for name in text.split(",") if name.strip()]
    for name in given:
        if name not in NAMES:
            raise BadInputError(
                f"conditions: expected some of {', '.join(NAMES)}, separated by commas, found "
                f"{name!r}."
            )
    return tuple(name for name in NAMES if name in given)


def size_of(names: Sequence[str]) -> int:
    """Tell how many numbers networks with these conditions are told.

    Example:
        >>> size_of(("bone", "sdr")), size_of(())
        (9, 0)
    """
    return sum(BONE_SLOTS if name == BONE else 1 for name in names)


def options_of(asked: Asked) -> list[str]:
    """Write what is asked as options of ``skullgan generate``.

    Example:
        >>> options_of({"bone": "parietal", "sdr": 0.35})
        ['--bone', 'parietal', '--sdr', '0.35']
    """
    found = []
    for name, value in asked.items():
        found += ["--bone" if name == BONE else QUANTITIES[name].option, str(value)]
    return found


def told(
    conditions: Conditions | None, seeds: np.ndarray, asked: Asked | None = None
) -> dict[str, np.ndarray]:
    """Give what a model is told for some seeds, by name; nothing where it is told nothing.

    Args:
        conditions: of the model; None where it has none.
        seeds: int64 (N,).
        asked: what was asked of it.

    Raises:
        BadInputError: if the model cannot be asked for that.
    """
    if conditions is not None:
        return conditions.draw(seeds, asked)
    if asked:
        ranges = [f"{QUANTITIES[name].option} LOW,HIGH" for name in asked if name in QUANTITIES]
        advice = f"; use {' and '.join(ranges)} to select" if ranges else ""
        raise BadInputError(
            f"The model cannot be asked for {', '.join(asked)}: it was made without conditions"
            f"{advice}."
        )
    return {}


@dataclass(frozen=True, eq=False)
class Conditions:
    """What a model knows of its training set's conditions.

    Attributes:
        names: out of ``NAMES``, in that order.
        bones: that it learned, in the order of their slots; empty without that condition.
        mean, std: of each quantity, by which it is standardized.
        low, high: of each quantity, between which the training set lies.
        sample: (R,) values by name: rows of the joint distribution, of no patient in particular.

    Raises:
        BadInputError: if there are more bones than slots, or names, numbers and rows do not go
            together.
    """

    names: tuple[str, ...]
    bones: tuple[str, ...]
    mean: Mapping[str, float]
    std: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    sample: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        if len(self.bones) > BONE_SLOTS:
            raise BadInputError(
                f"The segments are of {len(self.bones)} bones ({', '.join(self.bones)}), expected "
                f"at most {BONE_SLOTS} for networks that are told the bone."
            )
        if problem := self._problem():
            raise BadInputError(f"The conditions are not sound: {problem}.")

    @property
    def quantities(self) -> tuple[str, ...]:
        """The conditions that are numbers."""
        return tuple(name for name in self.names if name != BONE)

    @classmethod
    def learned(
        cls, names: Sequence[str], values: Mapping[str, np.ndarray], rows: np.ndarray
    ) -> Conditions:
        """Learn the conditions of a training set.

        Args:
            names: which ones.
            values: (N,) by name, of all segments; numbers must be finite.
            rows: which of them are kept as the sample, in an order that says nothing.

        Raises:
            BadInputError: if there are more bones than slots.
        """
        statistics: dict[str, dict[str, float]] = {"mean": {}, "std": {}, "low": {}, "high": {}}
        sample: dict[str, np.ndarray] = {}
        for name in names:
            if name == BONE:
                sample[name] = np.asarray(values[name], str)[rows]
                continue
            own, digits = np.asarray(values[name], float), QUANTITIES[name].digits
            statistics["mean"][name] = float(own.mean())
            statistics["std"][name] = float(own.std()) if np.ptp(own) > 0 else 1.0
            statistics["low"][name] = round(float(own.min()), digits)
            statistics["high"][name] = round(float(own.max()), digits)
            sample[name] = own[rows].round(digits)
        bones = tuple(sorted(set(map(str, values[BONE])))) if BONE in names else ()
        return cls(tuple(names), bones, sample=sample, **statistics)

    def encode(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Turn conditions into what networks are told.

        Args:
            values: (N,) by name. What is not known, a bone that was not learned or NaN, is told as
                what it is on average.

        Returns:
            float32 (N, ``size_of(names)``).
        """
        count = len(values[self.names[0]])
        parts = []
        for name in self.names:
            if name == BONE:
                parts.append(self._slots(np.asarray(values[name], str)))
                continue
            standard = (np.asarray(values[name], float) - self.mean[name]) / self.std[name]
            parts.append(np.where(np.isfinite(standard), standard, 0.0)[:, None])
        return np.concatenate([part.reshape(count, -1) for part in parts], 1).astype(np.float32)

    def covers(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell which of (N,) conditions can be asked for, bool (N,): such a bone was learned, and
        every number lies within the training set's."""
        covered = np.ones(len(values[self.names[0]]), bool)
        for name in self.names:
            if name == BONE:
                covered &= np.isin(np.asarray(values[name], str), self.bones)
                continue
            numbers = np.asarray(values[name], float)
            with np.errstate(invalid="ignore"):
                covered &= (numbers >= self.low[name]) & (numbers <= self.high[name])
        return covered

    def checked(self, asked: Asked) -> dict[str, Any]:
        """Check what was asked for.

        Raises:
            BadInputError: if the model does not know such a condition, such a bone, or learned from
                no such values.
        """
        for name in asked:
            if name not in self.names:
                raise BadInputError(
                    f"The model is told {', '.join(self.names)} and no {name}; expected one of "
                    "these (--sdr LOW,HIGH and --thickness-mm LOW,HIGH select)."
                )
        found: dict[str, Any] = {}
        for name, value in asked.items():
            if name == BONE:
                found[name] = np.asarray(value, str)
                for bone in np.unique(found[name]):
                    if bone not in self.bones:
                        raise BadInputError(
                            f"The bone is {str(bone)!r}, expected one that the model has learned: "
                            f"{', '.join(self.bones)}."
                        )
                continue
            numbers = found[name] = np.asarray(value, float)
            low, high, quantity = self.low[name], self.high[name], QUANTITIES[name]
            outside = numbers[~((numbers >= low) & (numbers <= high))]
            if outside.size:
                raise BadInputError(
                    f"The {quantity.label} asked for is "
                    f"{f'{outside.flat[0]:g} {quantity.unit}'.rstrip()}, expected "
                    f"{f'{low:g} to {high:g} {quantity.unit}'.rstrip()}, which the model has "
                    "learned."
                )
        return found

    def draw(self, seeds: np.ndarray, asked: Asked | None = None) -> dict[str, np.ndarray]:
        """Give the conditions of segments: what was asked, and the rest as it goes together with it
        in the training set.

        For each seed a row of the sample is drawn, by how near it is to what was asked; what it
        says of the rest, moved by a tenth of a standard deviation, is told.

        Args:
            seeds: int64 (N,); each one's conditions follow from it and what was asked alone.
            asked: by name; see ``Asked``.

        Returns:
            (N,) by name.

        Raises:
            BadInputError: as ``checked``.
        """
        count = len(seeds)
        fixed = {n: np.broadcast_to(v, count) for n, v in self.checked(asked or {}).items()}
        shared = all(np.ndim(value) == 0 for value in (asked or {}).values())
        cumulative = self._nearness({n: v[:1] if shared else v for n, v in fixed.items()})
        found = {n: np.empty(count, s.dtype) for n, s in self.sample.items()}
        for place, seed in enumerate(seeds):
            rng = np.random.default_rng([int(seed), _STREAM])
            of = cumulative[0 if shared else place]
            row = min(int(np.searchsorted(of, rng.random() * of[-1], "right")), len(of) - 1)
            moves = rng.standard_normal(len(self.names))
            for name, move in zip(self.names, moves, strict=True):
                value = self.sample[name][row]
                if name != BONE:
                    value = value + _JITTER * self.std[name] * move
                    value = np.clip(value, self.low[name], self.high[name])
                found[name][place] = value
        return found | {name: np.array(value) for name, value in fixed.items()}

    def describe(self) -> str:
        """Say what can be asked for.

        Example:
            >>> Conditions.learned(
            ...     ("bone", "sdr"),
            ...     {"bone": np.array(["parietal"] * 2), "sdr": np.array([0.3, 0.9])},
            ...     np.arange(2),
            ... ).describe()
            'bone (parietal), SDR 0.3 to 0.9'
        """
        parts = []
        for name in self.names:
            if name == BONE:
                parts.append(f"bone ({', '.join(self.bones)})")
                continue
            one = QUANTITIES[name]
            numbers = f"{self.low[name]:g} to {self.high[name]:g} {one.unit}"
            parts.append(f"{one.label} {numbers}".rstrip())
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Give it as a model's file has it."""
        return {
            "names": list(self.names),
            "bones": list(self.bones),
            **{part: dict(getattr(self, part)) for part in ("mean", "std", "low", "high")},
            "sample": {name: values.tolist() for name, values in self.sample.items()},
        }

    @classmethod
    def from_dict(cls, given: object) -> Conditions:
        """Read what ``to_dict`` gave.

        Raises:
            BadInputError: if it is something else.
        """
        try:
            assert isinstance(given, Mapping)
            names = tuple(map(str, given["names"]))
            numbers = {
                part: {n: float(given[part][n]) for n in names if n != BONE}
                for part in ("mean", "std", "low", "high")
            }
            sample = {n: np.asarray(given["sample"][n], str if n == BONE else float) for n in names}
            return cls(names, tuple(map(str, given["bones"])), sample=sample, **numbers)
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            raise BadInputError(f"The conditions are not sound: {error}.") from error

    def _slots(self, bone: np.ndarray) -> np.ndarray:
        """Give 1 in each bone's slot; the bones' shares of the sample where it was not learned."""
        shares = np.array([np.mean(self.sample[BONE] == one) for one in self.bones])
        slots = np.zeros((len(bone), BONE_SLOTS))
        slots[:, : len(self.bones)] = bone[:, None] == np.array(self.bones)
        slots[~slots.any(axis=1), : len(self.bones)] = shares
        return slots

    def _nearness(self, asked: Mapping[str, np.ndarray]) -> np.ndarray:
        """Give cumulative weights (N, R) of the sample's rows, N being 1 if nothing is asked."""
        rows = len(next(iter(self.sample.values())))
        count = len(next(iter(asked.values()))) if asked else 1
        logarithm = np.zeros((count, rows))
        for name, values in asked.items():
            if name == BONE:
                same = self.sample[name] == values[:, None]
                # A bone too rare to be in the sample: the others' values are better than none.
                logarithm += np.where(same | ~same.any(axis=1, keepdims=True), 0, -1e6)
                continue
            apart = (self.sample[name] - values[:, None]) / (_NEAR * self.std[name])
            logarithm -= apart**2 / 2
        weights = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
        return weights.cumsum(axis=1)

    def _problem(self) -> str:
        """Say what does not go together; empty if everything does."""
        if not self.names or self.names != tuple(n for n in NAMES if n in self.names):
            return f"the names are {self.names!r}"
        named = [one for one in self.bones if one.isprintable() and 0 < len(one) <= _LONGEST_NAME]
        if len(named) != len(self.bones) or bool(named) != (BONE in self.names):
            return f"the bones are {self.bones!r}"
        if len({len(values) for values in self.sample.values()}) != 1:
            return "the sample's rows are not whole"
        if not 0 < len(next(iter(self.sample.values()))) <= _MOST_ROWS:
            return "the sample has no rows or too many"
        if BONE in self.names and not set(map(str, self.sample[BONE])) <= set(self.bones):
            return "the sample is of other bones"
        for name in self.quantities:
            numbers = (self.mean[name], self.std[name], self.low[name], self.high[name])
            finite = all(map(math.isfinite, numbers)) and np.isfinite(self.sample[name]).all()
            if not finite or self.std[name] <= 0 or self.low[name] > self.high[name]:
                return f"the numbers of {name} are none"
        return ""
