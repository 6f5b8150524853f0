"""What comes with SkullGAN is there, and the bundled model is what its card says."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.cli import info
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import from_seeds
from SkullGANLib.metrics import measure
from SkullGANLib.networks import model_file
from SkullGANLib.utils import resources

# Means and standard deviations of the segments of seeds 0 to 999.
CARD = {
    "sdr_peaks": (0.554, 0.193),
    "thickness_mm": (6.61, 2.06),
    "mean_intensity_hu": (1065, 133),
}


def test_the_sample_ct_comes_along():
    assert resources.sample_ct().is_file()


def test_what_did_not_come_along_is_named():
    with pytest.raises(BadInputError, match=r"Resources/nothing\.bin"):
        resources.find("Resources/nothing.bin")


def test_the_model_in_the_box_is_small_and_says_what_it_is():
    found = model_file.read(resources.bundled_model())
    assert resources.bundled_model().stat().st_size <= 16e6
    assert "Apache-2.0" in found.license
    assert found.trained_on["kind"] == "real"
    assert found.trained_on["subjects"] == 3
    assert found.trained_on["source"]["kernel"].startswith("BONEPLUS; 1 (sharp)")


def test_segments_of_the_model_in_the_box_measure_as_its_card_says():
    made = from_seeds.generate_set(
        model_file.read(resources.bundled_model()), np.arange(5000, 5016), precision="fp32"
    )
    measured = measure(made)
    for metric, (mean, deviation) in CARD.items():
        # The mean of 16 lies beyond 4 of its standard errors once in 16,000 sets of seeds.
        assert abs(np.nanmean(measured[metric]) - mean) < 4 * deviation / np.sqrt(16), metric


def test_info_names_the_settings_that_are_not_the_recipes_own():
    described = info.describe(resources.bundled_model())
    assert "cpu, with epochs 48, image_rows 64, lr_decay_fraction 0.6" in described
