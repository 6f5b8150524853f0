"""Plant the identity of a patient everywhere in the inputs and look for it in every output.

    python Testing/Robustness/identities.py

Planted are 45 elements of DICOM headers, private elements, the names of files and folders, and
texts in the headers of NRRD and NIfTI files. Searched are all files that commands and a headless
script write, zips and compressed streams unpacked, and their names. The one table that is there to
tell a user which of his files became what (a batch's) holds names of files by design: ``TABLES``.
"""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "SkullGAN")]

MARK = "Zaphodbx"
"""What every planted text holds."""
TABLES = ("set.csv",)
_TEXTS = (
    *("PatientName", "PatientID", "OtherPatientNames", "PatientBirthName", "PatientAddress"),
    *("PatientMotherBirthName", "PatientComments", "PatientTelephoneNumbers", "Occupation"),
    *("EthnicGroup", "MilitaryRank", "BranchOfService", "AdditionalPatientHistory", "StudyID"),
    *("CountryOfResidence", "RegionOfResidence", "PatientReligiousPreference", "AccessionNumber"),
    *("ReferringPhysicianName", "ReferringPhysicianAddress", "PhysiciansOfRecord", "StationName"),
    *("PerformingPhysicianName", "NameOfPhysiciansReadingStudy", "InstitutionName"),
    *("OperatorsName", "InstitutionAddress", "InstitutionalDepartmentName", "StudyDescription"),
    *("ProtocolName", "SeriesDescription", "DeviceSerialNumber", "RequestedProcedureDescription"),
    *("ImageComments", "PerformedProcedureStepDescription", "RequestingPhysician", "FilterType"),
    *("RequestingService", "AdmissionID", "CurrentPatientLocation", "IssuerOfPatientID"),
    *("DerivationDescription", "MedicalRecordLocator"),
)


def plant_dicom(folder: Path, hu, geometry_of_header) -> int:
    """Write a series with the identity in it; gives how many elements hold it."""
    from dicom_files import write_series

    planted = 0

    def change(dataset, k: int) -> None:
        nonlocal planted
        planted = 0
        for number, name in enumerate(_TEXTS):
            setattr(dataset, name, f"{MARK}{number}")
            planted += 1
        block = dataset.private_block(0x0009, "ACME PRIVATE", create=True)
        for place in range(4):
            block.add_new(place, "LO", f"{MARK} private {place}")
            planted += 1
        geometry_of_header(dataset, k)

    write_series(folder, hu, change=change)
    return planted


def plant_nrrd(path: Path) -> None:
    """Put texts into a NRRD header."""
    head, voxels = path.read_bytes().split(b"\n\n", 1)
    lines = f"\n# {MARK}\nPatientName:={MARK}\nDICOM.PatientID:={MARK}\ncontent: {MARK}".encode()
    path.write_bytes(head + lines + b"\n\n" + voxels)


def plant_nifti(path: Path) -> None:
    """Put texts into a NIfTI header: db_name, descrip, aux_file, intent_name."""
    data = bytearray(path.read_bytes())
    for at, length in ((14, 18), (148, 80), (228, 24), (328, 16)):
        struct.pack_into(f"{length}s", data, at, MARK.encode())
    path.write_bytes(data)


def found_in(folder: Path) -> list[str]:
    """Where in a folder the mark is: names, bytes, and what unpacks."""
    found = []
    for path in sorted(folder.rglob("*")):
        if MARK.encode() in path.name.encode("utf-8", "surrogateescape"):
            found.append(f"the name {path.name}")
        if path.is_file() and not any(path.match(table) for table in TABLES):
            found += [f"{path.name}: {where}" for where in _places(path.read_bytes())]
    return found


def _places(data: bytes, depth: int = 0) -> Iterator[str]:
    for encoding in ("ascii", "utf-16-le", "utf-32-le"):
        if MARK.encode(encoding) in data:
            yield f"its bytes ({encoding})"
    if depth > 3:
        return
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if MARK in member.filename:
                    yield f"its member's name {member.filename}"
                for where in _places(archive.read(member), depth + 1):
                    yield f"{member.filename}: {where}"
        return
    for stream in _streams(data):
        for where in _places(stream, depth + 1):
            yield f"a compressed stream: {where}"


def _streams(data: bytes) -> Iterator[bytes]:
    at = data.find(b"\x1f\x8b\x08")
    while at >= 0:
        with suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(data[at:])
        at = data.find(b"\x1f\x8b\x08", at + 1)
    for start in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        at = data.find(start)
        while at >= 0:
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(data[at:], 2**24)
            at = data.find(start, at + 1)


def run(room: Path, *, scene: bool = True) -> tuple[list[str], list[str]]:
    """Plant, run the commands and search; gives what was run and where the mark was found.

    Args:
        room: an empty folder.
        scene: whether a scene is made, too, by the headless script.
    """
    from phantoms import Phantom
    from SkullGANLib import cli
    from SkullGANLib.ct.volume import write_volume

    inputs, outputs = room / f"{MARK} inputs", room / "outputs"
    inputs.mkdir()
    outputs.mkdir()
    head = Phantom((72.0, 92.0, 75.0)).ct((2.0, 2.0, 2.0), below_mm=40.0)
    nrrd, nifti = inputs / f"{MARK}.nrrd", inputs / f"{MARK}.nii"
    write_volume(nrrd, head.hu, head.ijk_to_ras, compress=False)
    write_volume(nifti, head.hu + 1, head.ijk_to_ras)
    plant_nrrd(nrrd)
    plant_nifti(nifti)
    series = inputs / f"{MARK} series"
    plant_dicom(series, head.hu + 2, lambda dataset, k: _place(dataset, k, head))
    where = ["--bones", "temporal", "--planes", "axial", "--interval-mm", "12"]
    cts = [str(one) for one in (nrrd, nifti, series)]
    made = outputs / "set.h5"
    commands = [
        ["extract", *cts, "-o", str(made), *where, "--jobs", "1"],
        ["skull", cts[2], "-o", str(outputs / "skull.nrrd"), "--frame", str(outputs / "f.json")],
        ["map", cts[2], *(f"-o{outputs / 'map'}.{e}" for e in ("vtp", "nrrd", "csv", "json"))],
        *(
            ["export", str(made), "-o", str(outputs / f"out{ending}")]
            for ending in (".nrrd", ".nii.gz", ".npy", ".mat", ".png-folder", ".dcm-folder")
        ),
    ]
    for command in commands:
        if cli.main(command) != 0:
            raise RuntimeError(f"skullgan {command[0]} failed")
    names = [command[0] for command in commands]
    if scene:
        script = Path(__file__).resolve().parents[2] / "SkullGAN" / "Scripts" / "map_scene.py"
        given = ["--ct", cts[0], "-o", str(outputs / "map.mrb"), "--rays", str(outputs / "r.csv")]
        subprocess.run([sys.executable, str(script), *given], check=True, stdout=subprocess.DEVNULL)
        names.append("map_scene.py")
    return names, found_in(outputs)


def _place(dataset, k: int, head) -> None:
    """Geometry of a head's slices, in the words of DICOM."""
    lps = head.ijk_to_ras * [[-1], [-1], [1], [1]]
    spacing = head.spacing_mm
    axes = lps[:3, :3] / spacing
    dataset.ImagePositionPatient = [round(float(v), 6) for v in (lps @ [0, 0, k, 1])[:3]]
    dataset.ImageOrientationPatient = [float(v) + 0.0 for v in (*axes[:, 0], *axes[:, 1])]
    dataset.PixelSpacing = [float(spacing[1]), float(spacing[0])]
    dataset.SliceThickness = float(spacing[2])


def main() -> int:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="skullgan-identities-") as folder:
        commands, found = run(Path(folder))
    for one in found:
        print(one)
    named = ", ".join(dict.fromkeys(commands))
    print(f"{len(commands)} commands ({named}): {len(found)} identities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
