"""What a judge of an evaluation is: a ``Measure``, what it is given and what comes of it.

A judge is one module with one ``Measure``, listed in ``registry``. Its numbers then stand in
``report.json``, its sentences and figures on the page, its columns in ``segments.csv`` and in the
tables of a scene, its charts and summary in the scene.

Example:
    >>> def brightest(inputs: Inputs, part: str, report_progress: Progress) -> int:
    ...     return int(inputs.compared["synthetic"].hu.max())
    >>> def describe(inputs: Inputs, found: Mapping[str, int]) -> Result:
    ...     return Result(numbers={"brightest_hu": found.get("")})
    >>> Measure(
    ...     name="brightest", title="Brightest pixel", needs=("synthetic",), weight=0.01,
    ...     run=brightest, describe=describe,
    ... ).missing({"train"})
    ('synthetic',)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from ..names import MADE, reference_of
from .features import Described, describe, joint_features
from .tables import ReportTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...data.segment_set import SegmentSet
    from ...networks.model_file import Model
    from ..evaluation_set import EvaluationSet

LIKENESS = "Are they like real ones?"
COPYING = "Are they copies?"
TRUST = "Can the discriminator be trusted?"
USE = "Are they of use?"
NOTICE = "Would these judges notice?"
QUESTIONS = (LIKENESS, COPYING, TRUST, USE, NOTICE)
"""What a reader wants to know first, in this order; a judge may answer others behind them."""

MODEL = "model"
"""In ``Measure.needs``: the model whose discriminator judges."""
LEARNED = "learned"
"""In ``Inputs.pairs``: the synthetic against the training set, where the reference is the test set,
which shows how well the model has learned what it saw."""

Progress = Callable[[float], None]
"""Called with the share of a part's work that is finished."""
Numbers = Mapping[str, Any]
"""What JSON holds; dataclasses and arrays are turned into it."""
Finding = TypeVar("Finding")
Key = TypeVar("Key")
Value = TypeVar("Value")


class PairFeatures:
    """Features of pairs of sets, computed once for all judges that compare in them.

    Args:
        sets: by name.
        metrics: of their segments, where they are known.
    """

    def __init__(
        self,
        sets: Mapping[str, SegmentSet],
        metrics: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    ) -> None:
        self._sets, self._metrics = sets, metrics or {}
        self._described: _Once[str, Described] = _Once()
        self._found: _Once[tuple[str, str], list[np.ndarray]] = _Once()

    def of(self, real: str, other: str) -> list[np.ndarray]:
        """Give float64 (N, D) and (M, D); errors as for ``features``."""
        return self._found.of(
            (real, other), lambda: joint_features(*map(self._described_set, (real, other)))
        )

    def _described_set(self, name: str) -> Described:
        return self._described.of(name, lambda: describe(self._sets[name], self._metrics.get(name)))


class _Once(Generic[Key, Value]):
    """Values that are computed when they are first asked for, by whichever thread does."""

    def __init__(self) -> None:
        self._values: dict[Key, Value] = {}
        self._locks: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(self, key: Key, compute: Callable[[], Value]) -> Value:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = compute()
            return self._values[key]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What there is to judge.

    Attributes:
        sets: by one of ``names.NAMES``, in the order in which they are shown.
        places: int (C,), per set, which of ``EvaluationSet.segments`` are compared: all but for a
            training set that is larger than the others.
        compared: these segments.
        model: whose discriminator judges; None for none.
        seed: of all chance.
        features: of pairs of the segments compared.
        settings: of judges that have some, by their names; defaults where there is nothing.
    """

    sets: Mapping[str, EvaluationSet]
    places: Mapping[str, np.ndarray]
    compared: Mapping[str, SegmentSet]
    model: Model | None
    seed: int
    features: PairFeatures
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> str | None:
        """The real set that others are compared with: the test set, else the training set."""
        return reference_of(self.sets)

    @property
    def made(self) -> list[str]:
        """The sets that are not real."""
        return [name for name in MADE if name in self.sets]

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """The real set and the other one of each comparison, by the other's name or ``LEARNED``."""
        real = self.reference
        found = {name: (real, name) for name in self.sets if real and name != real}
        if real == "test" and {"train", "synthetic"} <= self.sets.keys():
            found[LEARNED] = ("train", "synthetic")
        return found

    @property
    def available(self) -> set[str]:
        """What a measure may need and is there."""
        return {*self.sets, *([MODEL] if self.model is not None else [])}


@dataclass(frozen=True)
class Statement:
    """A judge's part in the answer to a question.

    Attributes:
        question: one of ``QUESTIONS``, or another.
        short: the answer in a few words; empty if that is for another judge to say.
        reasons: sentences that it rests on.
    """

    question: str
    short: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure of its own.

    Attributes:
        name: of its files.
        alternative: what it shows, for those who cannot see it.
        caption: what to conclude from it; plain text.
        write: writes the PNG, and the SVG beside it.
    """

    name: str
    alternative: str
    caption: str
    write: Callable[[Path], None]


@dataclass(frozen=True)
class Panel:
    """A judge's part in a figure that several share: panels of one ``name`` stand side by side.

    Attributes:
        name: of the figure.
        alternative, caption: as of a ``Figure``; what all panels say is joined.
        draw: draws it; the rows of all panels are the same.
        width: in relation to the others.
        height_in: of the figure, inches.
    """

    name: str
    alternative: str
    caption: str
    draw: Callable[[Axes], None]
    width: float = 1.0
    height_in: float = 4.0


@dataclass(frozen=True)
class Column:
    """A column of ``segments.csv`` that a judge fills.

    Attributes:
        name: of the column.
        kind: ``float``, ``int``, ``bool`` or ``str``.
        title: in tables of a scene, where it is left out if this is empty.
        unit, description: there.
        blank: of a segment that was not judged; by its kind NaN, -1, False or empty if None.
    """

    name: str
    kind: type = float
    title: str = ""
    unit: str = ""
    description: str = ""
    blank: Any = None

    def empty(self, count: int) -> np.ndarray:
        """Give the column (N,) of segments that were not judged."""
        by_kind = {float: np.nan, int: -1, bool: False, str: ""}
        value = by_kind[self.kind] if self.blank is None else self.blank
        return np.full(count, value, object if self.kind is str else self.kind)


@dataclass(frozen=True, eq=False)
class PerSegment:
    """Values of a column, for some segments of a set.

    Attributes:
        column: the name of one of ``Measure.columns``.
        of: the set.
        places: int (n,), in ``EvaluationSet.segments``.
        values: (n,), or one for all.
    """

    column: str
    of: str
    places: np.ndarray
    values: np.ndarray | str


@dataclass(frozen=True, eq=False)
class Result:
    """What comes of a judge.

    Attributes:
        numbers: joined with those of the others into ``report.json``, mapping by mapping.
        statements: for the answers.
        figures: in the order in which they are shown.
        columns: in the order of writing; later ones write over earlier ones.
    """

    numbers: Numbers = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    figures: tuple[Figure | Panel, ...] = ()
    columns: tuple[PerSegment, ...] = ()


@dataclass(frozen=True)
class SummaryColumn:
    """A column of a scene's summary, which has a row for each set.

    Attributes:
        title, unit, description: of the column.
        values: by set; None or missing where it is not known.
        digits: behind the point.
    """

    title: str
    values: Mapping[str, float | None]
    unit: str = ""
    description: str = ""
    digits: int = 1


@dataclass(frozen=True)
class Violins:
    """A chart of the distribution of a column in each set; ``limit`` is marked and named."""

    title: str
    axis: str
    column: str
    limit: tuple[float, str] | None = None
    value_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scatter:
    """A chart with a dot for each segment, by two columns that have titles."""

    title: str
    columns: tuple[str, str]


@dataclass(frozen=True)
class Bars:
    """A chart with a bar for each set."""

    title: str
    axis: str
    values: Mapping[str, float]
    value_range: tuple[float, float]


Chart = Violins | Scatter | Bars


def one_part(inputs: Inputs) -> Sequence[str]:
    """Give the parts of a judge that does all at once."""
    return ("",)


@dataclass(frozen=True, kw_only=True)
class Measure(Generic[Finding]):
    """A judge.

    Attributes:
        name: of its own among all judges.
        title: in progress, limitations and headings.
        run: does one of its ``parts``. A ``BadInputError`` says why that cannot be; the other parts
            and judges go on.
        describe: makes a result of what was found, by part; of nothing where needs are not met.
        parts: names what can be done side by side.
        needs: sets by their names, and ``MODEL``; without one of them ``run`` is not called.
        needs_explained: whether ``limitations`` has sentences of its own on what is not known
            without them; else it names the judge and what it needs.
        weight: about the seconds of a part for sets of 1,000.
        alone: whether a part takes all cores; others run two at a time, on one core each. An error
            in it ends the evaluation.
        columns: what it says of single segments.
        tables: what the page and a scene lay out of the numbers of ``report.json``, which may be of
            an evaluation without this judge.
        charts, summary: what a scene shows of them, too.
    """

    name: str
    title: str
    run: Callable[[Inputs, str, Progress], Finding]
    describe: Callable[[Inputs, Mapping[str, Finding]], Result]
    parts: Callable[[Inputs], Sequence[str]] = one_part
    needs: tuple[str, ...] = ()
    needs_explained: bool = False
    weight: float = 1.0
    alone: bool = False
    columns: tuple[Column, ...] = ()
    tables: Callable[[Numbers], Sequence[ReportTable]] = lambda numbers: ()
    charts: Callable[[Numbers], Sequence[Chart]] = lambda numbers: ()
    summary: Callable[[Numbers], Sequence[SummaryColumn]] = lambda numbers: ()

    def missing(self, available: Container[str]) -> tuple[str, ...]:
        """Give what it needs and is not there."""
        return tuple(one for one in self.needs if one not in available)


def known_number(found: Numbers | None, *keys: str) -> float | None:
    """Give a number out of nested mappings, None where it is not known.

    Example:
        >>> known_number({"test": {"auc": {"value": 0.5}}}, "test", "auc", "value")
        0.5
    """
    value: Any = found
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else float(value)
