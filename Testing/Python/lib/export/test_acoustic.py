"""Media of known segments, as MATLAB, h5py and NumPy find them."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
from examples import in_stacks
from exported_sets import COUNT, make_set
from scipy.io import loadmat
from SkullGANLib.acoustics import MediumSettings, segment_media
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.export import convert, format_of, write
from SkullGANLib.export.acoustic import FORMAT, format_with
from SkullGANLib.export.media_files import read_notes

SETTINGS = MediumSettings(medium="k-wave", refine=2, inside="brain", frequency_khz=250.0)


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """The same media in each kind of file."""
    folder = tmp_path_factory.mktemp("größe")
    hdf5.write(folder / "set.h5", make_set(COUNT))
    for ending in ("h5", "mat", "npz"):
        convert(folder / "set.h5", folder / f"media.{ending}", format_with(SETTINGS))
    return folder


def h5read(dataset: h5py.Dataset) -> np.ndarray:
    """What MATLAB's h5read gives: the axes the other way round."""
    return dataset[()].transpose()


def test_matlab_and_numpy_find_the_same_media_as_were_made(media):
    made = segment_media(make_set(COUNT), SETTINGS)
    archive = np.load(media / "media.npz", allow_pickle=False)
    matlab = loadmat(media / "media.mat")
    with h5py.File(media / "media.h5") as file:
        for name in ("density", "sound_speed", "alpha_coeff"):
            expected = getattr(made, name)
            assert expected.shape == (COUNT, 256, 256)
            np.testing.assert_array_equal(archive[name], expected)
            # MATLAB: x along rows first, segments last.
            np.testing.assert_array_equal(h5read(file[name]), expected.transpose(1, 2, 0))
            np.testing.assert_array_equal(matlab[name], expected.transpose(1, 2, 0))
            assert file[name].dtype == matlab[name].dtype == np.float32
            assert file[name].attrs["data_type"] == b"float"
        np.testing.assert_array_equal(h5read(file["mask"])[:, :, 3], made.bone[3])
        assert file["rho0"] == file["density"]
        assert file["c0"] == file["sound_speed"]
        assert h5read(file["dx"]).item() == pytest.approx(0.225e-3)
        assert h5read(file["alpha_power"]).item() == 1
        assert "h5read gives (rows, columns, segments)" in file.attrs["dimension_order"]


def test_row_zero_is_outside_the_head_for_matlab_too(media):
    """Of segment 3: water, 1503 HU in the outer table, brain."""
    column = loadmat(media / "media.mat")["density"][:, 100, 3]
    bone = 0.6625370912451 * 2503 + 348.8555178455294
    assert column[[10, 43, 200]] == pytest.approx([1000, bone, 1046])


@pytest.mark.parametrize("ending", ["h5", "mat", "npz"])
def test_each_file_says_how_it_was_made_and_what_to_beware_of(media, ending):
    notes = read_notes(media / f"media.{ending}")
    assert notes["medium"] == "k-wave"
    assert "HU + 1000" in notes["formula"]
    assert notes["frequency_khz"] == 250
    assert notes["points_per_wavelength"] == pytest.approx(1500 / 250 / 0.225)
    assert notes["spacing_mm"] == [0.225, 0.225]
    assert (notes["outside"], notes["inside"], notes["alpha_power"]) == ("water", "brain", 1)
    assert notes["units"]["density"] == "kg/m^3"
    assert any("no_dispersion" in one for one in notes["warnings"])
    assert notes["kind"] == "synthetic"


def test_provenance_goes_along_and_places_are_those_of_grid_points(media, tmp_path):
    archive = np.load(media / "media.npz", allow_pickle=False)
    assert archive["seed"].tolist() == make_set(COUNT).seed.tolist()
    places = np.tile(np.diag([0.45, 0.45, 1.0, 1.0]), (2, 1, 1))
    write(tmp_path / "g.acoustic.npz", [make_set(2, pixel_to_ras=places, kind="real")], None)
    same = np.load(tmp_path / "g.acoustic.npz")
    np.testing.assert_allclose(same["grid_to_ras"], places)
    hdf5.write(tmp_path / "set.h5", make_set(2, pixel_to_ras=places, kind="real"))
    convert(tmp_path / "set.h5", tmp_path / "fine.npz", format_with(SETTINGS))
    fine = np.load(tmp_path / "fine.npz")["grid_to_ras"][0]
    np.testing.assert_allclose(fine @ [0, 0, 0, 1], [-0.1125, -0.1125, 0, 1])
    np.testing.assert_allclose(fine @ [255, 255, 0, 1], [127.25 * 0.45] * 2 + [0, 1])


def test_the_same_segments_give_the_same_bytes(media, tmp_path):
    for ending in ("h5", "mat", "npz"):
        convert(media / "set.h5", tmp_path / f"again.{ending}", format_with(SETTINGS))
        again = (tmp_path / f"again.{ending}").read_bytes()
        assert again == (media / f"media.{ending}").read_bytes(), ending


def test_a_set_is_scaled_by_its_densest_bone_whatever_batch_it_is_in(tmp_path):
    segments = make_set(300)
    hu = segments.hu.copy()
    hu[299, 20] = 2300
    hdf5.write(tmp_path / "set.h5", replace(segments, hu=hu))
    marsac = format_with(MediumSettings(medium="marsac"))
    convert(tmp_path / "set.h5", tmp_path / "media.npz", marsac)
    assert read_notes(tmp_path / "media.npz")["densest_hu"] == 2300
    density = np.load(tmp_path / "media.npz")["density"]
    assert density[0, 21, 0] == pytest.approx(1000 + 1100 * 1200 / 2000)
    assert density[299, 20, 0] == 2100


def test_the_format_is_chosen_by_its_ending_or_by_its_name():
    assert format_of("a.acoustic.h5") is FORMAT
    assert format_of("a.acoustic.mat") is FORMAT
    assert format_of("a.h5", "acoustic") is FORMAT
    assert format_of("a.h5").name == "h5"
    assert FORMAT.files("b/a.h5")["metrics"].name == "a.metrics.csv"
    with pytest.raises(BadInputError, match=r"expected a name that ends in \.acoustic\.h5 or"):
        format_of("a.nrrd", "acoustic")


@pytest.mark.parametrize(
    ("settings", "source", "sentence"),
    [
        (MediumSettings(medium="mcdannold"), {}, "mcdannold holds for 500 to 800 kHz"),
        (
            MediumSettings(medium="mcdannold", frequency_khz=660),
            {"cts": {"a": {"kernel": "SOFT"}}},
            r"out\.h5: the convention mcdannold holds for sharp .* found SOFT",
        ),
        (MediumSettings(spacing_mm=1.0), {}, "grid of 1 mm was asked for"),
    ],
)
def test_conventions_and_grids_beyond_their_range_are_refused(tmp_path, settings, source, sentence):
    settings = replace(settings, frequency_khz=settings.frequency_khz or 500)
    if settings.medium == "mcdannold" and not source:
        settings = replace(settings, frequency_khz=250.0)
    hdf5.write(tmp_path / "set.h5", make_set(2, source=source))
    with pytest.raises(BadInputError, match=sentence):
        convert(tmp_path / "set.h5", tmp_path / "out.h5", format_with(settings))
    assert not (tmp_path / "out.h5").exists()


def test_a_grid_that_matlab_cannot_hold_is_refused_with_need_and_have(tmp_path):
    hdf5.write(tmp_path / "set.h5", make_set(40))
    fine = format_with(MediumSettings(refine=32))
    with pytest.raises(BadInputError, match=r"would take 2\.5 GiB, a MATLAB 5 file holds 2\.0"):
        convert(tmp_path / "set.h5", tmp_path / "out.mat", fine)


def test_media_of_stacks_in_depth_are_in_every_file_the_same_and_lie_where_the_slices_do(tmp_path):
    step = np.eye(4)
    step[:3, :3] *= 0.45
    places = np.stack([step.copy() for _ in range(6)])
    places[:, 2, 3] = 0.9 * (np.arange(6) % 3)  # the third axis is the normal
    hdf5.write(tmp_path / "set.h5", replace(in_stacks(make_set(6), 3), pixel_to_ras=places))
    settings = MediumSettings(medium="k-wave", spacing_mm=0.3)
    for ending in ("h5", "mat", "npz"):
        convert(tmp_path / "set.h5", tmp_path / f"media.{ending}", format_with(settings))
    archive, matlab = np.load(tmp_path / "media.npz"), loadmat(tmp_path / "media.mat")
    with h5py.File(tmp_path / "media.h5") as file:
        assert "(rows, columns, slices, stacks)" in file.attrs["dimension_order"]
        seen = h5read(file["density"])
        assert seen.shape == (192, 192, 9, 2)  # rows, columns, slices, stacks
        np.testing.assert_array_equal(seen, matlab["density"])
        np.testing.assert_array_equal(seen, archive["density"].transpose(2, 3, 1, 0))
        assert {name: file[name][0, 0, 0] for name in ("dx", "dy", "dz")} == pytest.approx(
            {"dx": 0.0003, "dy": 0.0003, "dz": 0.0003}
        )
        assert len(file["seed"]) == len(file["bone"]) == 2
        to_ras = file["grid_to_ras"][1]
    # Nine samples of 0.3 mm have the middle of three slices of 0.9 mm; the grid's too.
    assert to_ras @ [0, 0, 4, 1] == pytest.approx([*(to_ras @ [0, 0, 4, 1])[:2], 0.9, 1])
    assert to_ras @ [95.5, 95.5, 4, 1] == pytest.approx([63.5 * 0.45, 63.5 * 0.45, 0.9, 1])


def test_stacks_in_depth_that_lack_a_slice_or_need_too_much_memory_are_refused(
    tmp_path, monkeypatch
):
    stacks = in_stacks(make_set(6), 3)
    hdf5.write(tmp_path / "torn.h5", stacks[1:])
    with pytest.raises(BadInputError, match=r"torn\.h5: 2 of 5 segments are slices of no whole"):
        convert(tmp_path / "torn.h5", tmp_path / "a.h5", FORMAT)
    hdf5.write(tmp_path / "set.h5", stacks)
    monkeypatch.setattr("SkullGANLib.export.media_files.available_bytes", lambda: 2**30)
    fine = format_with(MediumSettings(refine=4))  # 24 slices of 512 x 512 in two stacks
    for ending in ("h5", "mat"):
        convert(tmp_path / "set.h5", tmp_path / f"fits.{ending}", FORMAT)
    monkeypatch.setattr("SkullGANLib.export.media_files.available_bytes", lambda: 2**28)
    with pytest.raises(BadInputError, match=r"a\.h5: a grid of 6 million points needs about 0\.4"):
        convert(tmp_path / "set.h5", tmp_path / "a.h5", fine)
    assert not (tmp_path / "a.h5").exists()
