"""What a radiological metric is: a record of its name, words, ranges and function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .profiles import Profiles


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A radiological metric of the skull wall: all that tables, figures, maps and files ask of it.

    Attributes:
        name: what columns of tables and files are called; with the unit, if it has one.
        quantity: in words, for axes.
        abbreviation: of the quantity, where there is less room; as ``quantity`` if empty.
        definition: which of several definitions of the quantity, if there are several.
        unit: ``mm``, ``HU`` or nothing.
        digits: behind the point, of a single value.
        digits_of_means: behind the point, of means and quantiles.
        color_range: what colors reach over at first: the same for every head, so that heads can be
            compared.
        histogram_range: what histograms reach over; where the values lie if None.
        limit: the value that matters in the clinic, marked in figures; below it is counted.
        compared: whether an evaluation compares its distributions. False for further definitions
            of a quantity that is compared already.
        description: one line on what a segment's value is.
        method: how it is measured, as a sentence without its subject.
        of_profiles: gives its value, float64 (M,), for each of M profiles; what is given for
            profiles that do not count (``Walls.count``) is left out.
        of_segments: gives its value, float64 (N,), for segments' HU, int16 (N, rows, columns),
            where that is not the mean over the columns that count.

    Example:
        >>> outer = Metric(
        ...     name="outer_peak_hu", quantity="Outer peak", unit="HU", digits=0,
        ...     digits_of_means=0, color_range=(500.0, 2500.0),
        ...     description="Highest HU outside the diploë",
        ...     of_profiles=lambda profiles: profiles.dip.outer,
        ... )
        >>> outer.title
        'Outer peak (HU)'
    """

    name: str
    quantity: str
    of_profiles: Callable[[Profiles], np.ndarray]
    color_range: tuple[float, float]
    description: str = ""
    method: str = ""
    abbreviation: str = ""
    definition: str = ""
    unit: str = ""
    digits: int = 2
    digits_of_means: int = 3
    histogram_range: tuple[float, float] | None = None
    limit: float | None = None
    compared: bool = True
    of_segments: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def short(self) -> str:
        """The quantity in as few letters as are understood: ``SDR``, ``Thickness``."""
        return self.abbreviation or self.quantity

    @property
    def label(self) -> str:
        """For rows of a table: ``SDR, peaks``, ``Thickness, mm``."""
        return ", ".join(word for word in (self.short, self.definition, self.unit) if word)

    @property
    def title(self) -> str:
        """For the head of a column and a legend: ``SDR (peaks)``, ``Thickness (mm)``."""
        return self._with_details(self.short)

    @property
    def axis_label(self) -> str:
        """For the axis of a figure: ``Skull density ratio (peaks)``, ``Thickness (mm)``."""
        return self._with_details(self.quantity)

    def text(self, value: float, digits: int | None = None) -> str:
        """A value with its unit, to ``digits`` behind the point or as many as one value has.

        Example:
            >>> from SkullGANLib.metrics import METRICS
            >>> METRICS["thickness_mm"].text(5.25), METRICS["sdr_peaks"].text(0.4)
            ('5.2 mm', '0.40')
        """
        number = f"{value:.{self.digits if digits is None else digits}f}"
        return f"{number} {self.unit}" if self.unit else number

    def _with_details(self, words: str) -> str:
        details = ", ".join(word for word in (self.definition, self.unit) if word)
        return f"{words} ({details})" if details else words
