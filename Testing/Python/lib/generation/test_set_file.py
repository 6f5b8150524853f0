"""Generation into a file: its provenance, and that it resumes to the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from examples import narrow_model
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import set_file
from SkullGANLib.generation.from_seeds import generate_set
from SkullGANLib.generation.selection import Limits
from SkullGANLib.generation.set_file import Provenance, generate_file
from SkullGANLib.metrics import measure
from SkullGANLib.networks import model_file


@pytest.fixture(scope="module")
def model_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model_file.write(path, narrow_model())
    return path


def provenance(**changes: object) -> Provenance:
    whole = {
        "model_sha256": "ab", "first_seed": 7, "segments": 10, "batch_size": 4,
        "batch_statistics": False, "precision": "fp32", "device": "cpu",
    }  # fmt: skip
    return Provenance(**(whole | changes))


def test_a_file_holds_the_segments_of_its_seeds_and_what_they_follow_from(model_path, tmp_path):
    path = tmp_path / "set.h5"

    made = generate_file(path, model_path, count=5, first_seed=3, batch_size=2, device="cpu")

    found = hdf5.read(path)
    expected = generate_set(model_file.read(model_path), np.arange(3, 8), batch_size=2)
    np.testing.assert_array_equal(found.hu, expected.hu)
    assert found.seed.tolist() == [3, 4, 5, 6, 7]
    sha256 = hashlib.sha256(model_path.read_bytes()).hexdigest()
    assert made.as_source() == {
        "model_sha256": sha256, "first_seed": 3, "segments": 5, "batch_size": 2,
        "batch_statistics": False, "precision": "fp32", "device": "cpu",
    }  # fmt: skip
    assert found.source == {**expected.source, **made.as_source()}


@pytest.mark.parametrize("limits", [None, Limits({"mean_intensity_hu": (1, 5000)})])
def test_an_interrupted_generation_resumes_to_the_same_bytes(model_path, tmp_path, limits):
    whole, parts = tmp_path / "whole.h5", tmp_path / "parts.h5"
    settings = {"count": 10, "batch_size": 2, "device": "cpu", "limits": limits}

    def interrupt(done: int) -> None:
        if done in (4, 8):
            raise KeyboardInterrupt

    generate_file(whole, model_path, **settings)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            generate_file(parts, model_path, **settings, resume=True, on_progress=interrupt)
    generate_file(parts, model_path, **settings, resume=True)

    assert parts.read_bytes() == whole.read_bytes()
    generate_file(parts, model_path, **settings, resume=True)
    assert parts.read_bytes() == whole.read_bytes()


def test_only_segments_within_the_limits_go_into_the_file(model_path, tmp_path):
    generate_file(tmp_path / "all.h5", model_path, count=12, batch_size=4, device="cpu")
    whole = hdf5.read(tmp_path / "all.h5")
    intensity = measure(whole)["mean_intensity_hu"]
    middle = float(np.nanmedian(intensity))
    limits = Limits({"mean_intensity_hu": (middle, 5000.0)})
    done: list[int] = []

    generate_file(
        tmp_path / "some.h5", model_path, count=12, batch_size=4, device="cpu", limits=limits,
        on_progress=done.append,
    )  # fmt: skip

    found = hdf5.read(tmp_path / "some.h5")
    assert found.seed.tolist() == whole.seed[intensity >= middle].tolist()
    assert found.source["limits"] == {"mean_intensity_hu": [middle, 5000.0]}
    assert done == [4, 8, 12]


def test_a_file_of_no_segment_within_the_limits_is_not_written(model_path, tmp_path):
    limits = Limits({"thickness_mm": (500.0, 501.0)})

    with pytest.raises(BadInputError, match="None of 3 segments is within the limits"):
        generate_file(tmp_path / "set.h5", model_path, count=3, device="cpu", limits=limits)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"first_seed": 1}, "begun with first_seed 0, 1 was given now"),
        ({"count": 3}, "begun with segments 2, 3 was given now"),
        ({"limits": Limits({"sdr_peaks": (0, 1)})}, "begun with limits None, .* was given now"),
    ],
)
def test_a_file_is_not_resumed_with_other_settings(model_path, tmp_path, changes, sentence):
    path = tmp_path / "set.h5"
    generate_file(path, model_path, count=2, device="cpu")
    before = path.read_bytes()
    settings = {"count": 2, "device": "cpu", "resume": True} | changes

    with pytest.raises(BadInputError, match=sentence):
        generate_file(path, model_path, **settings)

    assert path.read_bytes() == before


def test_limits_that_were_given_before_have_to_be_given_again():
    limited = provenance(limits=Limits({"sdr_peaks": (0, 1)})).as_source()

    with pytest.raises(BadInputError, match=r"set\.h5: was begun with limits .*, None was given"):
        provenance().check_same(Path("set.h5"), limited)
    provenance().check_same(Path("set.h5"), provenance().as_source())


@pytest.mark.parametrize(("last", "seed"), [(None, 7), (7, 11), (10, 11), (11, 15), (16, 17)])
def test_a_generation_goes_on_behind_the_batch_of_the_last_seed(last, seed):
    """Seeds 7 to 16 in batches of 4."""
    assert provenance().next_seed(last) == seed


@pytest.mark.parametrize(("count", "first"), [(0, 0), (1, -1), (2, 2**63 - 1)])
def test_counts_and_seeds_out_of_range_are_refused(count, first):
    with pytest.raises(BadInputError, match=f"{count} segments from seed {first} were asked for"):
        set_file.check_seeds(count, first)


def test_auto_precision_with_batch_statistics_is_float32(model_path, tmp_path):
    made = generate_file(
        tmp_path / "set.h5", model_path, count=2, device="cpu", batch_statistics=True
    )

    assert (made.precision, made.batch_statistics) == ("fp32", True)
