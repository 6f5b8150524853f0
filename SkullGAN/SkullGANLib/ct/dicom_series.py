"""Which of many DICOM files are the slices of the one CT series, in any order and any folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import BadInputError
from .dicom_headers import Header, numbers_of, read_header, text_of
from .dicom_multiframe import frames_of, is_multi_frame
from .dicom_zip import ZippedFiles

FEWEST_SLICES = 10


def one_ct_series(
    path: Path, files: Sequence[Path], zipped: ZippedFiles | None = None
) -> dict[Path, Header]:
    """Find the headers of the one CT series among files, by file.

    Args:
        path: what the user gave, for the sentences.
        files: where to look; other files may be between them.
        zipped: what they are files of, if they are not on the disk.

    Raises:
        BadInputError: if there is none or more than one, a DICOM file is damaged, or the slices
            are not all of one size with the elements that a volume in HU needs.
    """
    series: dict[str, dict[Path, Header]] = {}
    others: Counter[str] = Counter()
    known: set[tuple[str, int | None]] = set()
    for file in files:
        header = read_header(path, file, zipped)
        if header is None:
            continue
        slices = frames_of(file, header) if is_multi_frame(header) else {file: header}
        for name, one in slices.items():
            other = why_no_slice(one)
            # The same instance again, in another folder or by another name, is the same slice.
            instance = (text_of(one, "SOPInstanceUID"), one.get("frame"))
            if other:
                others[other] += 1
            elif instance[0] == "" or instance not in known:
                known.add(instance)
                series.setdefault(text_of(one, "SeriesInstanceUID"), {})[name] = one
    volumes = [one for one in series.values() if len(one) >= FEWEST_SLICES]
    if not volumes:
        found = [f"a CT series of {len(one)} slices" for one in series.values()]
        found += [f"{count} x {other}" for other, count in sorted(others.items())]
        raise BadInputError(
            f"{path}: holds {', '.join(found) or 'no DICOM image'}, expected a CT series of at "
            f"least {FEWEST_SLICES} slices."
        )
    if len(volumes) > 1:
        firsts = [(len(one), next(iter(one.values()))) for one in volumes]
        listed = sorted(
            f"series {text_of(header, 'SeriesNumber') or '?'}: {count} slices, "
            f"kernel {text_of(header, 'ConvolutionKernel') or 'unknown'}"
            for count, header in firsts
        )
        raise BadInputError(
            f"{path}: holds {len(volumes)} CT series ({'; '.join(listed)}), expected one; put the "
            "one to use into a folder of its own."
        )
    _check_alike(path, volumes[0])
    return volumes[0]


def why_no_slice(header: Header) -> str:
    """What an image is, if it is no slice of a CT; empty if it is one."""
    if numbers_of(header, "PixelRepresentation", 1) is None:
        return "DICOM without an image"  # DICOMDIR, structured reports
    modality = text_of(header, "Modality") or "unknown"
    if modality != "CT":
        return f"modality {modality}"
    if "LOCALIZER" in text_of(header, "ImageType").split("\\"):
        return "CT localizer"
    if numbers_of(header, "ImagePositionPatient", 3) is None:
        return "CT image without its place in the patient"  # multi-frame, secondary captures
    return ""


def _check_alike(path: Path, headers: Mapping[Path, Header]) -> None:
    """Raise unless all slices have one size and the elements that a volume in HU needs."""
    expected = {
        "ImageOrientationPatient": 6,
        "PixelSpacing": 2,
        "Rows": 1,
        "Columns": 1,
        "RescaleSlope": 1,
        "RescaleIntercept": 1,
    }
    for name, count in expected.items():
        lacking = sum(numbers_of(header, name, count) is None for header in headers.values())
        if lacking:
            why = ", without which there are no Hounsfield units" if "Rescale" in name else ""
            raise BadInputError(
                f"{path}: {lacking} of {len(headers)} slices lack {name}{why}; expected it in "
                "every slice."
            )
    types = {text_of(header, "RescaleType").upper() for header in headers.values()} - {"", "HU"}
    if types:
        raise BadInputError(f"{path}: its RescaleType is {', '.join(sorted(types))}, expected HU.")
    sizes = sorted(
        {
            (h["Columns"], h["Rows"], *np.round(np.array(h["PixelSpacing"], float), 4).tolist())
            for h in headers.values()
        }
    )
    if len(sizes) > 1:
        listed = ", ".join(f"{s[0]} x {s[1]} pixels of {s[3]:g} x {s[2]:g} mm" for s in sizes)
        raise BadInputError(f"{path}: its slices differ ({listed}), expected one size.")
    if min(sizes[0]) <= 0:
        raise BadInputError(f"{path}: its pixels have no size, expected PixelSpacing above 0.")
