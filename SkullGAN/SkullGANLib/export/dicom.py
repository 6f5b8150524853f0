"""DICOM: segments as a CT series that says in the standard's own fields what it is.

A ``Series`` makes one CT Image (PS3.3, A.3) per segment: derived, for research, without a patient.
Where a scanner's settings are required but may be empty, they are. Synthetic Data (0008,001C), a
recent addition to the standard, is left out: checkers from before it take it for an error.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .. import __version__
from ..data.segment_set import SIZE, SegmentSet
from ..utils.atomic_files import written_aside
from .format import Format
from .nrrd import write_mask_nrrd
from .segment_stack import SegmentStack
from .staging import staged_folder

_NO_PATIENT = {
    "synthetic": "Synthetic: made by a generative network, shows no patient.",
    "artificial": "Artificial: drawn by formula, shows no patient.",
    "control": "For comparison: no skull segment of a patient.",
}


def write_dicom(stack: SegmentStack, path: Path) -> None:
    """Write a file per segment, and beside the folder the masks."""
    series = Series(stack.header, stack.ijk_to_ras, stack.batches(quiet=True))
    with written_aside(FORMAT.files(path)["mask"]) as mask, staged_folder(path) as folder:
        write_mask_nrrd(stack, mask)
        number = 0
        for batch in stack.batches():
            for hu, seed in zip(batch.hu, batch.seed, strict=True):
                series.write(folder / f"{number:06d}.dcm", number, hu, int(seed))
                number += 1


class Series:
    """One series, with UIDs that follow from its segments: the same set gives the same bytes.

    Args:
        header: the set without its segments.
        ijk_to_ras: float64 (4, 4), takes (column, row, segment, 1) to RAS mm.
        batches: all segments, to tell this series from any other.
    """

    def __init__(
        self, header: SegmentSet, ijk_to_ras: np.ndarray, batches: Iterable[SegmentSet]
    ) -> None:
        self._header = header
        self._lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijk_to_ras
        content = hashlib.sha256(json.dumps(dict(header.source), sort_keys=True).encode())
        content.update(f"{header.kind} {header.pixel_spacing_mm}".encode())
        for batch in batches:
            content.update(np.ascontiguousarray(batch.seed, "<i8").data)
            content.update(np.ascontiguousarray(batch.hu, "<i2").data)
        self._content = content.hexdigest()

    def write(self, path: Path, number: int, hu: np.ndarray, seed: int) -> None:
        """Write a segment.

        Args:
            path: the file.
            number: of the segment in its set, from 0.
            hu: int16 (128, 128).
            seed: the generator's, -1 where there is none.

        Raises:
            OSError: if the file cannot be written.
        """
        import pydicom
        from pydicom.dataset import FileMetaDataset

        dataset = pydicom.Dataset()
        for fields in (self._of_the_series(), self._of_the_image(number, hu, seed)):
            for keyword, value in fields.items():
                setattr(dataset, keyword, value)
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        file = io.BytesIO()  # pydicom wraps what a full disk says into pages
        pydicom.dcmwrite(file, dataset, enforce_file_format=True)
        path.write_bytes(file.getvalue())

    def _of_the_series(self) -> dict[str, object]:
        kind = self._header.kind
        spacing = self._header.pixel_spacing_mm
        lowest, highest = self._header.hu_range
        return {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
            "PatientName": f"SKULLGAN^{kind.upper()}",
            "PatientID": f"SKULLGAN-{self._content[:16]}",
            "PatientBirthDate": "",
            "PatientSex": "",
            "PatientIdentityRemoved": "YES",
            "DeidentificationMethod": "Pixels alone, nothing of the headers, are kept"
            if kind == "real"
            else "There is no patient",
            "StudyInstanceUID": self._uid("study"),
            "StudyDate": "",
            "StudyTime": "",
            "StudyID": "1",
            "AccessionNumber": "",
            "ReferringPhysicianName": "",
            "StudyDescription": f"{kind} skull segments",
            "Modality": "CT",
            "SeriesInstanceUID": self._uid("series"),
            "SeriesNumber": 1,
            "SeriesDescription": f"{kind} skull segments, one a slice",
            "BodyPartExamined": "SKULL",
            "PatientPosition": "HFS",
            "FrameOfReferenceUID": self._uid("frame of reference"),
            "PositionReferenceIndicator": "",
            "Manufacturer": "SkullGAN",
            "ManufacturerModelName": "SkullGAN for 3D Slicer",
            "SoftwareVersions": __version__,
            "ContentQualification": "RESEARCH",
            "AcquisitionNumber": "",
            "KVP": "",
            "PixelSpacing": [spacing, spacing],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "SliceThickness": float(np.linalg.norm(self._lps[:3, 2])),
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": SIZE,
            "Columns": SIZE,
            "BitsAllocated": 16,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelRepresentation": 1,
            "RescaleIntercept": 0,
            "RescaleSlope": 1,
            "RescaleType": "HU",
            "WindowCenter": round((lowest + highest) / 2),
            "WindowWidth": round(highest - lowest),
            "BurnedInAnnotation": "NO",
            "LossyImageCompression": "00",
        }

    def _of_the_image(self, number: int, hu: np.ndarray, seed: int) -> dict[str, object]:
        place = self._lps @ [0, 0, number, 1]
        what = _NO_PATIENT.get(self._header.kind, "Cut from a head CT across the skull's wall.")
        model = self._header.source.get("model_sha256", "")
        by = f" Model SHA-256 {model}." if model else ""
        by += f" Seed {seed}." if seed >= 0 else ""
        return {
            "ImageType": ["DERIVED", "SECONDARY", "AXIAL", self._header.kind.upper()],
            "SOPInstanceUID": self._uid(f"image {number}"),
            "InstanceNumber": number + 1,
            "DerivationDescription": f"{what} The position in space means nothing.{by}",
            "ImagePositionPatient": [round(float(mm), 6) for mm in place[:3]],
            "PixelData": np.ascontiguousarray(hu, "<i2").tobytes(),
        }

    def _uid(self, of: str) -> str:
        """A UID of the form 2.25.<128-bit number> (PS3.5, B.2) that follows from the content."""
        number = hashlib.sha256(f"{self._content} {of}".encode()).digest()[:16]
        return f"2.25.{int.from_bytes(number, 'big')}"


FORMAT = Format(
    name="dicom",
    title="DICOM",
    endings=(".dcm-folder",),
    description="folder of a derived CT series; its masks open in Slicer as a segmentation",
    write=write_dicom,
    mask_ending="-dicom-mask.seg.nrrd",  # not the name of the masks of an NRRD file
    is_folder=True,
    folder_names=r"\d+\.dcm",
)
