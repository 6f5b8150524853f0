"""Generation into a file: its provenance, and that it resumes to the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples import bent_walls, narrow_model
from SkullGANLib.data import hdf5
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError
from SkullGANLib.generation import set_file
from SkullGANLib.generation.diversity import Diversity
from SkullGANLib.generation.from_seeds import generate_set
from SkullGANLib.generation.selection import Limits, Selection
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
    assert (made.kept, made.made, made.likeness) == (5, 5, "")
    provenance = made.provenance
    assert provenance.as_source() == {
        "model_sha256": sha256, "first_seed": 3, "segments": 5, "batch_size": 2,
        "batch_statistics": False, "precision": "fp32", "device": "cpu",
    }  # fmt: skip
    assert found.source == {**expected.source, **provenance.as_source()}


def test_an_interrupted_generation_resumes_to_the_same_bytes(model_path, tmp_path):
    whole, parts = tmp_path / "whole.h5", tmp_path / "parts.h5"
    settings = {"count": 10, "batch_size": 2, "device": "cpu"}

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


def median_intensity(model_path: Path, count: int = 200) -> tuple[SegmentSet, np.ndarray, float]:
    whole = generate_set(model_file.read(model_path), np.arange(count), precision="fp32")
    intensity = measure(whole)["mean_intensity_hu"]
    return whole, intensity, float(np.median(intensity))


def test_a_selection_within_limits_is_made_until_it_is_whole(model_path, tmp_path):
    whole, intensity, middle = median_intensity(model_path)
    selection = Selection(limits=Limits({"mean_intensity_hu": (middle, 5000.0)}))
    done: list[int] = []

    made = generate_file(
        tmp_path / "some.h5", model_path, count=40, device="cpu", precision="fp32",
        selection=selection, on_progress=done.append,
    )  # fmt: skip

    found = hdf5.read(tmp_path / "some.h5")
    fit = whole.seed[intensity >= middle][:40]
    assert found.seed.tolist() == fit.tolist()
    assert done[-1] == made.kept == 40
    assert made.made == fit[-1] + 1
    assert found.source["limits"] == {"mean_intensity_hu": [middle, 5000.0]}
    entries = ("kept", "made", "first_seed", "last_seed")
    assert [found.source[name] for name in entries] == [40, made.made, 0, fit[-1]]
    assert "segments" not in found.source


def test_a_selection_has_the_same_bytes_at_any_batch_size(model_path, tmp_path):
    _, _, middle = median_intensity(model_path)
    selection = Selection(limits=Limits({"mean_intensity_hu": (middle, 5000.0)}))
    for size in (7, 64, 128):
        generate_file(
            tmp_path / f"{size}.h5", model_path, count=40, batch_size=size, device="cpu",
            selection=selection,
        )  # fmt: skip

    assert len({(tmp_path / f"{size}.h5").read_bytes() for size in (7, 64, 128)}) == 1


def test_a_selection_like_a_real_set_says_how_well_it_follows_and_holds_no_name(
    model_path, tmp_path, monkeypatch
):
    """The real set here is the model's own segments, of other seeds, the darker more often."""
    monkeypatch.setattr("SkullGANLib.generation.selector.SAMPLE", 256)
    whole, intensity, middle = median_intensity(model_path, 300)
    dark = whole[(intensity < middle) | (whole.seed % 4 == 0)]
    people = np.full(len(dark), "subject-of-a-patient")
    hdf5.write(tmp_path / "Doe.h5", replace(dark, kind="real", subject=people))
    selection = Selection(like=tmp_path / "Doe.h5")
    settings = {"count": 40, "device": "cpu", "selection": selection, "first_seed": 1000}
    said: list[str] = []

    made = generate_file(tmp_path / "a.h5", model_path, **settings, on_note=said.append)

    assert said[0] == "A first sample of the model's segments is compared with Doe.h5."
    assert max(made.ks.values()) < 0.1
    assert made.likeness.startswith("Kolmogorov-Smirnov statistic against the real set: SDR 0.")
    assert "expected" not in made.likeness
    source = hdf5.read(tmp_path / "a.h5", slice(0)).source
    assert source["like"]["followed"] == len(dark)
    assert "Doe" not in str(source)
    assert "patient" not in str(source)

    def interrupt(done: int) -> None:
        if done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_file(tmp_path / "b.h5", model_path, **settings, on_progress=interrupt)
    generate_file(tmp_path / "b.h5", model_path, **settings, resume=True)
    assert (tmp_path / "b.h5").read_bytes() == (tmp_path / "a.h5").read_bytes()


def test_a_selection_that_follows_less_closely_says_so():
    wanted = Selection(like=Path("real.h5"), diverse=Diversity())
    loose = set_file.Generated(provenance(selection=wanted), 9, 20, {"sdr_peaks": 0.234})

    assert loose.likeness == (
        "Kolmogorov-Smirnov statistic against the real set: SDR 0.234. Up to 0.1 was expected; "
        "less diverse or more segments follow it more closely."
    )


def test_a_selection_that_nothing_fits_writes_no_file_and_leaves_what_is_there(
    model_path, tmp_path, monkeypatch
):
    monkeypatch.setattr("SkullGANLib.generation.forecast.FIRST_LOOK", 64)
    selection = Selection(limits=Limits({"thickness_mm": (500.0, 501.0)}), most=100)
    (tmp_path / "set.h5").write_bytes(b"precious")

    with pytest.raises(BadInputError, match="None of 64 segments fits"):
        generate_file(tmp_path / "set.h5", model_path, count=9, device="cpu", selection=selection)

    assert (tmp_path / "set.h5").read_bytes() == b"precious"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_selection_like_a_synthetic_set_is_refused(model_path, tmp_path):
    hdf5.write(tmp_path / "other.h5", bent_walls(40, 0, "synthetic"))

    with pytest.raises(BadInputError, match=r"other\.h5: holds synthetic segments, expected real"):
        generate_file(
            tmp_path / "set.h5", model_path, count=2, device="cpu",
            selection=Selection(like=tmp_path / "other.h5"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"first_seed": 1}, "begun with first_seed 0, 1 was given now"),
        ({"count": 3}, "begun with segments 2, 3 was given now"),
        ({"selection": Selection(diverse=Diversity())}, "begun with kept None, 2 was given now"),
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


def test_what_a_selection_was_begun_with_has_to_be_given_again():
    limits, whole = Limits({"sdr_peaks": (0, 1)}), Selection(diverse=Diversity())
    limited = provenance(selection=Selection(limits=limits)).as_source()
    diverse = provenance(selection=whole).as_source()

    for ours, source, sentence in (
        (provenance(), limited, r"set\.h5: was begun with segments None, 10 was given"),
        (provenance(selection=whole), limited, "was begun with diverse None, .* was given"),
        (provenance(selection=Selection(limits=limits)), diverse, "begun with limits None"),
    ):
        with pytest.raises(BadInputError, match=sentence):
            ours.check_same(Path("set.h5"), source)
    provenance(selection=whole).check_same(Path("set.h5"), diverse)
    more = provenance(selection=Selection(diverse=Diversity(), most=10**6), batch_size=99)
    more.check_same(Path("set.h5"), diverse)


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

    assert (made.provenance.precision, made.provenance.batch_statistics) == ("fp32", True)
