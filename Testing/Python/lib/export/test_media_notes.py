"""What must be known of media is said, and nothing where all is well."""

from __future__ import annotations

import numpy as np
from exported_sets import make_set
from SkullGANLib.acoustics import CONVENTIONS, MediumSettings
from SkullGANLib.export.media_notes import (
    HuTally,
    kernels_of,
    notes_of,
    points_per_wavelength,
    soft_kernels,
    warnings_of,
)


def said(settings: MediumSettings, hu, kernels=("BONEPLUS",), grid_mm=0.3) -> str:
    tally = HuTally(settings.convention)
    for batch in np.array_split(np.asarray(hu), 2):
        tally.add(batch)
    return " ".join(warnings_of(settings, grid_mm, tally, kernels))


def test_shares_of_bone_beyond_the_convention_and_of_air_are_told():
    text = said(MediumSettings(), [-600] + [1000] * 97 + [2000, 2100])
    assert "2 % of the bone lies beyond the -990 to 1950 HU that k-plan was made for" in text
    assert "1 % of what the masks hold is air (-500 HU and less)" in text
    assert "air" not in said(MediumSettings(), [1000] * 10)


def test_a_coarse_grid_and_an_unknown_kernel_are_told():
    text = said(MediumSettings(frequency_khz=1000), [1000] * 9, grid_mm=0.45)
    assert "3.3 points per wavelength at 1000 kHz: too few" in text
    mcdannold = MediumSettings(medium="mcdannold", frequency_khz=660)
    assert "kernel is not known" in said(mcdannold, [1000] * 9, kernels=())
    assert "kernel" not in said(mcdannold, [1000] * 9)
    assert points_per_wavelength(MediumSettings(), 0.375) == 8


def test_the_densest_bone_is_that_of_all_batches():
    tally = HuTally(CONVENTIONS["k-plan"])
    for hu in ([1000, 2500], [], [1200]):
        tally.add(np.array(hu))
    assert (tally.densest_hu, tally.count) == (2500, 3)


def test_kernels_are_found_wherever_a_source_names_them():
    source = {
        "kernel": ["B", "A"],
        "cts": {"one": {"kernel": "C"}},
        "trained_on": {"source": {"kernel": "SOFT"}},
    }
    assert kernels_of(make_set(1, source=source)) == ("A", "B", "C", "SOFT")
    assert soft_kernels(("BONEPLUS", "SOFT", "strange")) == ["SOFT"]


def test_only_scaled_conventions_note_their_densest_bone():
    assert notes_of(MediumSettings(), 0.45, 2000.0)["densest_hu"] is None
    assert notes_of(MediumSettings(medium="marsac"), 0.45, 2000.0)["densest_hu"] == 2000
    fixed = MediumSettings(medium="marsac", densest_hu=1800)
    assert notes_of(fixed, 0.45, 2000.0)["densest_hu"] == 1800
    assert notes_of(MediumSettings(medium="tusnet"), 0.45, None)["alpha_power"] == 1.5
