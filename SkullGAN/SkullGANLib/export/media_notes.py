"""What a file of acoustic media says of itself: convention, units, grid, and what to beware of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..acoustics.convention import Convention
from ..acoustics.media import AIR_HU, MediumSettings
from ..data.segment_set import SegmentSet
from ..metrics.ct_kernel import kernel_is_soft

FORMAT = "skullgan-acoustic-media"
FORMAT_VERSION = 1
UNITS = {
    "density": "kg/m^3",
    "sound_speed": "m/s",
    "alpha_coeff": "dB/(cm MHz^y)",
    "alpha_power": "1",
    "spacing_mm": "mm",
}
_FEWEST_POINTS = 4.0


class HuTally:
    """Counts the HU of bone as batches go by."""

    def __init__(self, convention: Convention) -> None:
        self._convention = convention
        self._beyond = self._air = 0
        self.count = 0
        self.densest_hu = 0.0

    def add(self, hu: np.ndarray) -> None:
        """Take HU of bone into account."""
        if hu.size:
            self.count += hu.size
            self._beyond += round(self._convention.beyond(hu) * hu.size)
            self._air += int(np.count_nonzero(hu <= AIR_HU))
            self.densest_hu = max(self.densest_hu, float(hu.max()))

    @property
    def beyond(self) -> float:
        """Share of the bone whose HU the convention was not made for."""
        return self._beyond / max(1, self.count)

    @property
    def air(self) -> float:
        """Share of the bone that is air."""
        return self._air / max(1, self.count)


def kernels_of(segments: SegmentSet) -> tuple[str, ...]:
    """Give the reconstruction kernels of the CTs that segments, or what made them, come from."""
    found: set[str] = set()
    _collect(segments.source, found)
    return tuple(sorted(found))


def _collect(source: Any, found: set[str]) -> None:
    if isinstance(source, Mapping):
        for key, value in source.items():
            if key == "kernel":
                found.update(map(str, value if isinstance(value, list) else [value]))
            else:
                _collect(value, found)


def notes_of(settings: MediumSettings, grid_mm: float, densest_hu: float | None) -> dict[str, Any]:
    """Give the facts of how media were made, as JSON holds them."""
    convention = settings.convention
    outside, inside = settings.tissues
    used = settings.conditions(densest_hu).densest_hu if convention.normalized else None
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "medium": convention.name,
        "source": convention.source,
        "formula": convention.formula,
        "frequency_khz": settings.frequency_khz,
        "densest_hu": used,
        "grid_mm": grid_mm,
        "points_per_wavelength": points_per_wavelength(settings, grid_mm),
        "outside": outside.name,
        "inside": inside.name,
        "scalp_mm": settings.scalp_mm,
        "alpha_power": convention.alpha_power,
        "alpha_mode": "no_dispersion" if convention.alpha_power == 1 else "",
        "units": UNITS,
    }


def points_per_wavelength(settings: MediumSettings, grid_mm: float) -> float:
    """Give the grid points that the shortest wave has at the frequency."""
    return settings.slowest_m_s / settings.frequency_khz / grid_mm


def warnings_of(
    settings: MediumSettings, grid_mm: float, tally: HuTally, kernels: Sequence[str]
) -> list[str]:
    """Say what must be known of media, in sentences."""
    convention = settings.convention
    found = [convention.caution] if convention.caution else []
    low, high = convention.hu_range
    if tally.beyond:
        found.append(
            f"{_share(tally.beyond)} of the bone lies beyond the {low:g} to {high:g} HU that "
            f"{convention.name} was made for."
        )
    if tally.air:
        found.append(
            f"{_share(tally.air)} of what the masks hold is air ({AIR_HU:g} HU and less) and was "
            "taken for what is lightest."
        )
    if convention.sharp_kernel and not kernels:
        found.append(
            f"The CT's kernel is not known; {convention.name} was made for sharp (bone) kernels."
        )
    points = points_per_wavelength(settings, grid_mm)
    if points < _FEWEST_POINTS:
        found.append(
            f"The grid has {points:.1f} points per wavelength at {settings.frequency_khz:g} kHz: "
            "too few for most simulators (4 to 10 are usual)."
        )
    if convention.alpha_power == 1:
        found.append(
            "The attenuation grows with the frequency itself (y = 1): k-Wave takes that with "
            "medium.alpha_mode = 'no_dispersion' alone."
        )
    return found


def soft_kernels(kernels: Sequence[str]) -> list[str]:
    """Give the kernels that are known to be soft."""
    return [one for one in kernels if kernel_is_soft(one)]


def as_json(notes: Mapping[str, Any]) -> str:
    """Give notes as the text that files hold."""
    return json.dumps(dict(notes), sort_keys=True, ensure_ascii=False)


def _share(share: float) -> str:
    return f"{100 * share:.2g} %"
