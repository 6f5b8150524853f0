"""Every metric of every segment of a set."""

import subprocess
import sys

import numpy as np
import pytest
from checkout import ROOT
from SkullGANLib.data import segment_set
from SkullGANLib.metrics import METRICS, measure, skull_density_ratio
from walls import layered


def test_measure_gives_every_metric_of_every_segment_and_says_which_have_none(caplog):
    hu = np.concatenate(
        [layered((1200, 4), (480, 4), (1600, 4)), np.zeros((1, 128, 128), np.int16)]
    )
    segments = segment_set.without_patient(hu, hu != 0, np.arange(2), pixel_spacing_mm=0.5)

    found = measure(segments)

    assert tuple(found) == tuple(METRICS)
    assert [values[0] for values in found.values()] == pytest.approx(
        [480 / 1400, 0.4, 0.3, 0.3, 6.0, (1200 + 480 + 1600) / 3, 6.0]
    )
    for values in found.values():
        assert values.dtype == np.float64
        assert values.shape == (2,)
        assert np.isnan(values[1])
    assert "1 of 2 segments" in caplog.text


def test_measure_of_many_segments_is_that_of_each_alone():
    rng = np.random.default_rng(0)
    hu = layered((1500, 4), (600, 6), (1400, 4), count=600)
    hu[hu != 0] += rng.normal(0, 60, np.count_nonzero(hu)).astype(np.int16)
    shift = rng.integers(-10, 40, 600)
    hu = np.stack([np.roll(one, rows, axis=0) for one, rows in zip(hu, shift, strict=True)])
    segments = segment_set.without_patient(hu, hu != 0, np.arange(600))

    found = measure(segments)

    for one in (0, 255, 256, 599):
        alone = measure(segments[[one]])
        assert {name: values[0] for name, values in alone.items()} == {
            name: values[one] for name, values in found.items()
        }
    ratios = skull_density_ratio(segments.hu, segments.mask, "outer-peak")
    np.testing.assert_array_equal(found["sdr_outer_peak"], ratios)


def test_measure_of_no_segments_is_empty():
    empty = np.zeros((0, 128, 128))
    found = measure(segment_set.without_patient(empty, empty, np.zeros(0)))

    assert {values.shape for values in found.values()} == {(0,)}


def test_importing_the_measurement_brings_neither_matplotlib_nor_torch():
    code = (
        "import sys; from SkullGANLib.metrics import measurement; "
        "sys.exit(bool({'matplotlib', 'torch', 'scipy', 'h5py', 'PIL'} & set(sys.modules)))"
    )
    library = ROOT / "SkullGAN"
    assert subprocess.run([sys.executable, "-c", code], cwd=library, check=False).returncode == 0
