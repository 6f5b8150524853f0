"""Export: other programs read the HU, masks, places and provenance that went in."""

import csv
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from checkout import ROOT
from PIL import Image
from scipy.io import loadmat
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.export import formats
from SkullGANLib.metrics import METRICS, measure

COUNT = 12
NAMES = ("g.nrrd", "g.nii.gz", "g.npy", "g.mat", "g.png-folder", "g.dcm-folder")


def make_set(count: int = COUNT, **changes) -> SegmentSet:
    """Segment i is a wall of 1500 + i HU in rows 20 to 33, soft inside, and -5 HU at (25, i)."""
    hu = np.zeros((count, 128, 128), np.int16)
    hu[:, 20:34] = 1500 + np.arange(count)[:, None, None]
    hu[:, 24:30] = 700
    hu[np.arange(count), 25, np.arange(count)] = -5
    mask = np.zeros(hu.shape, np.uint8)
    mask[:, 20:34] = 1
    source = {"model_sha256": "ab" * 32, "scanner": "größer"}
    made = segment_set.without_patient(hu, mask, 100 + np.arange(count), source=source)
    return replace(made, **changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The set in every format, written from two batches."""
    folder = tmp_path_factory.mktemp("größe")
    for name in NAMES:
        formats.write(folder / name, [make_set()[:5], make_set()[5:]])
    return folder


def assert_same_stack(image: sitk.Image, voxels: np.ndarray) -> None:
    found = sitk.GetArrayFromImage(image)
    np.testing.assert_array_equal(found, voxels)
    assert found.dtype == voxels.dtype
    np.testing.assert_allclose(image.GetSpacing(), (0.45, 0.45, 1.0), rtol=1e-6)
    # LPS: columns to the left, rows to the back, the center of the first slice at the origin.
    np.testing.assert_allclose(image.GetDirection(), np.eye(3).ravel())
    np.testing.assert_allclose(image.GetOrigin(), (-28.575, -28.575, 0.0), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "mask"), [("g.nrrd", "g-mask.seg.nrrd"), ("g.nii.gz", "g-mask.nii.gz")]
)
def test_a_stack_is_read_with_its_voxels_and_its_place(folder, name, mask):
    assert formats.files_of(folder / name)["mask"] == folder / mask
    assert_same_stack(sitk.ReadImage(str(folder / name)), make_set().hu)
    assert_same_stack(sitk.ReadImage(str(folder / mask)), make_set().mask)


def test_nifti_may_be_unpacked(tmp_path):
    formats.write(tmp_path / "g.nii", [make_set(2)])

    assert_same_stack(sitk.ReadImage(str(tmp_path / "g.nii")), make_set(2).hu)
    assert_same_stack(sitk.ReadImage(str(tmp_path / "g-mask.nii")), make_set(2).mask)


def test_an_nrrd_says_that_it_is_synthetic(folder):
    image = sitk.ReadImage(str(folder / "g.nrrd"))

    assert image.GetMetaData("kind") == "synthetic"
    assert "show no patient" in image.GetMetaData("content")


def test_slicer_opens_the_mask_as_a_segmentation_over_the_stack(folder, scene):
    import slicer
    from SkullGANScene.nodes.segmentations import mask_from

    nodes = []
    for kind, storage_kind, name in (
        ("Segmentation", "Segmentation", "g-mask.seg.nrrd"),
        ("ScalarVolume", "VolumeArchetype", "g.nrrd"),
    ):
        node = scene.AddNewNodeByClass(f"vtkMRML{kind}Node")
        storage = getattr(slicer, f"vtkMRML{storage_kind}StorageNode")()
        storage.SetFileName(str(folder / name))
        assert storage.ReadData(node)
        nodes.append(node)

    np.testing.assert_array_equal(mask_from(*nodes, "Skull wall"), make_set().mask)


def test_numpy_reads_hu_and_masks(folder):
    np.testing.assert_array_equal(np.load(folder / "g.npy"), make_set().hu)
    np.testing.assert_array_equal(np.load(folder / "g-mask.npy"), make_set().mask)


def test_matlab_finds_a_segment_as_a_page_and_its_provenance(tmp_path, folder):
    found = loadmat(folder / "g.mat")
    assert found["hu"].dtype == np.int16
    np.testing.assert_array_equal(found["hu"][:, :, 3], make_set().hu[3])
    np.testing.assert_array_equal(found["mask"][:, :, 3], make_set().mask[3])
    assert found["seeds"].ravel().tolist() == make_set().seed.tolist()
    assert found["pixel_spacing_mm"].item() == 0.45
    assert found["kind"].item() == "synthetic"
    assert json.loads(found["source"].item())["scanner"] == "größer"

    formats.write(tmp_path / "real.mat", [make_set(kind="real", side=np.array(["left"] * COUNT))])
    assert loadmat(tmp_path / "real.mat")["side"][3, 0].item() == "left"


def test_a_png_holds_hu_shifted_above_zero_and_says_so(folder):
    picture = Image.open(folder / "g.png-folder" / "hu" / "000003.png")

    assert picture.mode == "I;16"
    assert picture.text["Description"] == "synthetic skull segment"
    assert picture.text["Comment"] == "HU = value - 1024"
    np.testing.assert_array_equal(np.asarray(picture).astype(int) - 1024, make_set().hu[3])
    mask = np.asarray(Image.open(folder / "g.png-folder" / "mask" / "000003.png"))
    np.testing.assert_array_equal(mask, 255 * make_set().mask[3])
    index = json.loads((folder / "g.png-folder" / "segments.json").read_text("utf-8"))
    assert (index["kind"], index["hu_offset"]) == ("synthetic", -1024)
    assert index["segments"][3]["file"] == "000003.png"
    assert index["segments"][3]["seed"] == 103
    assert "show no patient" in (folder / "g.png-folder" / "README.txt").read_text("utf-8")


def test_a_dicom_series_is_read_with_its_hu_and_its_place(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / "g.dcm-folder")))

    assert_same_stack(reader.Execute(), make_set().hu)
    assert_same_stack(sitk.ReadImage(str(folder / "g-mask.seg.nrrd")), make_set().mask)


def test_a_dicom_series_says_that_it_is_derived_and_of_no_patient(folder):
    slices = [pydicom.dcmread(path) for path in sorted((folder / "g.dcm-folder").iterdir())]

    for number, one in enumerate(slices):
        assert one.ImageType == ["DERIVED", "SECONDARY", "AXIAL", "SYNTHETIC"]
        assert re.search(rf"shows no patient.*{'ab' * 32}. Seed {100 + number}\.",
                         one.DerivationDescription)  # fmt: skip
        assert one.ContentQualification == "RESEARCH"
        assert one.PatientIdentityRemoved == "YES"
        for name in ("PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
            assert one[name].value == ""
    assert len({one.SOPInstanceUID for one in slices}) == COUNT
    assert len({one.SeriesInstanceUID for one in slices}) == 1


def test_another_set_is_another_dicom_series(tmp_path, folder):
    formats.write(tmp_path / "other", [make_set(seed=np.arange(COUNT))], "dicom")

    series = [
        pydicom.dcmread(one / "000000.dcm") for one in (tmp_path / "other", folder / "g.dcm-folder")
    ]
    for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert getattr(series[0], name) != getattr(series[1], name)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
@pytest.mark.parametrize("kind", ["synthetic", "real"])
def test_dciodvfy_finds_no_error_in_a_dicom_series(tmp_path, kind):
    formats.write(tmp_path / "series", [make_set(kind=kind)], "dicom")

    for path in sorted((tmp_path / "series").iterdir()):
        done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert "CTImage" in said
        assert "Error" not in said


@pytest.mark.parametrize("name", NAMES)
def test_the_same_segments_give_the_same_bytes_in_any_batches(tmp_path, folder, name):
    formats.write(tmp_path / name, [make_set()])

    found = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert found
    for one in found:
        assert one.read_bytes() == (folder / one.relative_to(tmp_path)).read_bytes()


def test_a_segment_set_is_written_as_such(tmp_path):
    formats.write(tmp_path / "g.h5", [make_set()[:5], make_set()[5:]])
    hdf5.write(tmp_path / "whole.h5", make_set())

    assert (tmp_path / "g.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_metrics_are_a_row_per_segment_and_empty_where_there_is_no_bone(tmp_path):
    hu = make_set().hu.copy()
    hu[2] = 0
    segments = make_set(hu=hu)
    formats.write_metrics(tmp_path / "g.csv", [segments[:5], segments[5:]])

    with open(tmp_path / "g.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expected = measure(segments)
    assert [row["seed"] for row in rows] == [str(seed) for seed in segments.seed]
    assert [row["segment"] for row in rows] == [str(number) for number in range(COUNT)]
    assert rows[0]["kind"] == "synthetic"
    assert rows[2]["thickness_mm"] == rows[2]["sdr_peaks"] == ""
    for name in METRICS:
        assert float(rows[3][name]) == pytest.approx(expected[name][3], rel=1e-5)


def test_a_folder_of_ours_is_replaced_and_any_other_is_kept(tmp_path):
    formats.write(tmp_path / "out", [make_set(3)], "png")
    formats.write(tmp_path / "out", [make_set(2)], "png")
    assert len(list((tmp_path / "out" / "hu").iterdir())) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["out"]

    (tmp_path / "out" / "thesis.tex").touch()
    with pytest.raises(BadInputError, match=r"out: holds thesis\.tex, which was not written by"):
        formats.write(tmp_path / "out", [make_set(1)], "png")
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="file: is a file, the name of a folder"):
        formats.write(tmp_path / "file", [make_set(1)], "dicom")


@pytest.mark.parametrize("name", ["g.h5", *NAMES])
def test_batches_that_fail_leave_nothing_behind(tmp_path, name):
    def failing():
        yield make_set(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        formats.write(tmp_path / name, failing())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["g.h5", *NAMES])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "taken").write_text("in the way")

    with pytest.raises(OutputError, match=rf"{name}: cannot be written"):
        formats.write(tmp_path / "taken" / name, [make_set(1)])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path):
    code = (
        "import resource, sys\n"
        "from SkullGANLib import errors\n"
        "from SkullGANLib.export import formats as export\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "for path in sys.argv[2:]:\n"
        "    try:\n"
        "        export.convert(sys.argv[1], path)\n"
        "    except errors.OutputError as error:\n"
        "        print(error)\n"
    )
    (tmp_path / "out").mkdir()
    hu = np.random.default_rng(0).integers(-1000, 2000, (3, 128, 128)).astype(np.int16)
    hdf5.write(tmp_path / "g.h5", make_set(3, hu=hu))
    paths = [tmp_path / "out" / name for name in NAMES]

    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "g.h5", *paths],
        cwd=ROOT / "SkullGAN", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(f"{p}: cannot be written (File too large).\n" for p in paths)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "format", "sentence"),
    [
        ("g.xyz", None, r"g\.xyz: a name that ends in \.h5, \.nrrd.* or the format of a folder"),
        ("g.h5", "hdf", "the format 'hdf' is unknown, one of h5, nrrd"),
        ("g.nrrd", "nifti", r"g\.nrrd: a name that ends in \.nii\.gz or \.nii is needed"),
        ("folder", "npy", r"folder: a name that ends in \.npy is needed"),
    ],
)
def test_a_name_that_does_not_fit_its_format_is_refused(tmp_path, name, format, sentence):
    with pytest.raises(BadInputError, match=sentence):
        formats.write(tmp_path / name, [make_set(1)], format)


def test_no_segments_and_too_many_for_a_format_are_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"g\.npy: was given no segments"):
        formats.write(tmp_path / "g.npy", [])
    with pytest.raises(BadInputError, match=r"at most 32767 go into this format .* \(\.h5\) holds"):
        formats.check(tmp_path / "g.nii.gz", "nifti", 32_768)
    formats.check(tmp_path / "g.nrrd", "nrrd", 10**6)
