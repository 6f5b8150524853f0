"""Real DICOM files of a head whose every voxel is known, as pydicom writes them.

``HEAD`` is a block whose HU tell where a voxel is (100 a slice, 10 a row, 1 a column) in air, on a
grid with three different spacings. ``write_series`` makes a CT series of it.
"""

import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)
from pydicom.valuerep import DSfloat
from scipy.spatial.transform import Rotation
from SkullGANLib.ct.volume import read_ct
from SkullGANLib.errors import BadInputError

SPACING = (0.7, 0.9, 1.3)
ORIGIN = (-10.0, -20.0, 30.0)
FORMATS = (".nrrd", ".nii", ".nii.gz", ".mha")

HEAD = np.full((14, 40, 32), -1000, np.int16)
_k, _j, _i = np.indices(HEAD.shape)
HEAD[2:12, 5:35, 4:28] = (100 * _k + 10 * _j + _i)[2:12, 5:35, 4:28]

GEOMETRY = np.array(
    [[-0.7, 0, 0, 10], [0, -0.9, 0, 20], [0, 0, 1.3, 30], [0, 0, 0, 1]]
)  # of HEAD on axial slices, RAS
AXIAL = np.eye(3)
TURNED = Rotation.from_euler("xyz", [12, -7, 25], degrees=True).as_matrix()


def number(value):
    return DSfloat(float(value), auto_format=True)


def nothing(dataset, k):
    pass


def write_series(folder, hu=HEAD, axes=AXIAL, change=nothing, name="series"):
    """Write a volume as a CT series of plain files, one a slice, their names in another order.

    ``axes`` holds the LPS directions of columns, rows and slices as columns; ``change`` gets each
    dataset and the number of its slice before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for k, plane in enumerate(hu):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
        uid = generate_uid(entropy_srcs=[name, str(k)])
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = uid
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[name])
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.Modality = "CT"
        dataset.Manufacturer = "ACME"
        dataset.ManufacturerModelName = "Scan 1"
        dataset.ConvolutionKernel = "BONE"
        dataset.KVP = "120"
        dataset.SliceThickness = "1.25"
        dataset.SeriesNumber = 3
        place = np.array(ORIGIN) + k * SPACING[2] * axes[:, 2]
        dataset.ImagePositionPatient = [number(value) for value in place]
        dataset.ImageOrientationPatient = [number(v) for v in [*axes[:, 0], *axes[:, 1]]]
        dataset.PixelSpacing = [number(SPACING[1]), number(SPACING[0])]
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.Rows, dataset.Columns = plane.shape
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit = 15
        dataset.PixelRepresentation = 1
        dataset.RescaleSlope = "1"
        dataset.RescaleIntercept = "-1024"
        dataset.PixelData = (plane.astype(np.int32) + 1024).astype("<i2").tobytes()
        change(dataset, k)
        file = folder / f"{name}{11 * k % len(hu):02d}.dcm"
        dataset.save_as(file, enforce_file_format=True)
    return folder


def setting(**elements):
    """A ``change`` that gives every slice these elements; None leaves one out."""

    def change(dataset, k):
        for name, value in elements.items():
            if value is None:
                del dataset[name]
            else:
                setattr(dataset, name, value)

    return change


def placing(move):
    """A ``change`` that moves slice k by ``move(k)``, LPS mm."""

    def change(dataset, k):
        place = np.array(dataset.ImagePositionPatient, float) + move(k)
        dataset.ImagePositionPatient = [number(value) for value in place]

    return change


def tilted(angle_deg, said=None):
    """A ``change`` that shears the stack as a tilted gantry does, and may say so."""

    def change(dataset, k):
        placing(lambda k: [0, 1.3 * k * np.tan(np.deg2rad(angle_deg)), 0])(dataset, k)
        if said is not None:
            dataset.GantryDetectorTilt = said

    return change


def zipped(path, folder):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.dcm")):
            archive.write(file, file.relative_to(folder))
    return path


def assert_is_head(ct):
    assert ct.hu.dtype == np.int16
    assert np.array_equal(ct.hu, HEAD)
    assert ct.ijk_to_ras == pytest.approx(GEOMETRY, abs=1e-4)


def refused(path):
    """The sentence with which a CT is refused; it names the file and ends."""
    with pytest.raises(BadInputError) as caught:
        read_ct(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "expected" in sentence or "taken" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path}: ")


@contextmanager
def full_disk(after_bytes=500_000):
    """No file can grow beyond so many bytes, as on a full disk."""
    resource = pytest.importorskip("resource", reason="file sizes are not limited on this system")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
