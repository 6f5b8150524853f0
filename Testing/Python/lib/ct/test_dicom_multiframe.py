"""A CT in one multi-frame file is read as the same CT in one file a slice."""

import numpy as np
import pydicom
import pytest
from dicom_files import HEAD, assert_is_head, refused, write_series
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from SkullGANLib.ct.volume import read_ct

ENHANCED, LEGACY = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"
MOVED = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
}


def group(**values):
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return Sequence([item])


def multi_frame(folder, sop_class=ENHANCED, shared=True, order=None):
    """Put a series into one file; groups shared by all frames or one a frame."""
    slices = [pydicom.dcmread(file) for file in write_series(folder / "slices").iterdir()]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    slices = [slices[k] for k in order or range(len(slices))]
    one = slices[0]
    common = Dataset()
    for sequence, names in MOVED.items():
        setattr(common, sequence, group(**{name: one[name].value for name in names}))
    frames = []
    for each in slices:
        frame = Dataset()
        place = each.ImagePositionPatient
        frame.PlanePositionSequence = group(ImagePositionPatient=place)
        if not shared:
            frame.update(common)
        frames.append(frame)
    for name in (*sum(MOVED.values(), ()), "ImagePositionPatient"):
        delattr(one, name)
    one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = sop_class
    one.NumberOfFrames = len(slices)
    one.SharedFunctionalGroupsSequence = Sequence([common if shared else Dataset()])
    one.PerFrameFunctionalGroupsSequence = Sequence(frames)
    pixels = b"".join(each.PixelData for each in slices)
    one.PixelData = pixels
    folder = folder / "multi-frame"
    folder.mkdir()
    one.save_as(folder / "ct.dcm", enforce_file_format=True)
    return folder


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("sop_class", [ENHANCED, LEGACY])
def test_an_enhanced_or_legacy_converted_ct_is_read(sop_class, shared, tmp_path):
    assert_is_head(read_ct(multi_frame(tmp_path, sop_class, shared)))


def test_frames_in_any_order_are_put_in_theirs(tmp_path):
    order = [int(k) for k in np.random.default_rng(0).permutation(len(HEAD))]
    assert_is_head(read_ct(multi_frame(tmp_path, order=order)))


def test_truncated_frames_are_refused(tmp_path):
    folder = multi_frame(tmp_path)
    [file] = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-5000])
    assert "cannot be decoded" in refused(folder) or "damaged" in refused(folder)
