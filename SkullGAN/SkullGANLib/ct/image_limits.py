"""What the header of an image may claim, looked at before any library reads the image.

ITK, Teem and MetaIO believe a header: a count of dimensions too many, a value too long or a size
beyond the data can end the process or take all memory. So lengths, counts and sizes are held
against the file's own size first. NRRD, NIfTI-1 and MetaImage, plain or packed.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from dataclasses import dataclass
from typing import IO

from ..errors import BadInputError
from ..utils.printable import printable
from ..utils.safe_zip import name_fault

MOST_BYTES = 8 * 2**30
"""What the voxels of one image may take in memory."""
MOST_DIMENSIONS = 8

_HEADER_BYTES = 2**20
_LONGEST_FIELD = 1000
_LONGEST_TEXT = 2**16  # of a key with a value of somebody's own
_MOST_SIZE = 2**31 - 1
_PACKED = 1032  # times at most, by deflate
_SUSPICIOUS_BYTES = 2**28
_BELIEVED = 200  # times; above _SUSPICIOUS_BYTES no image that is not made to fill the memory
_NIFTI_BYTES = 352

_NRRD_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8"), 1),
    **dict.fromkeys(("uint8_t",), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16"), 2),
    **dict.fromkeys(("int16_t", "ushort", "unsigned short", "unsigned short int", "uint16"), 2),
    **dict.fromkeys(("uint16_t",), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int"), 4),
    **dict.fromkeys(("uint32", "uint32_t", "float"), 4),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long"), 8),
    **dict.fromkeys(("signed long long int", "int64", "int64_t", "ulonglong"), 8),
    **dict.fromkeys(("unsigned long long", "unsigned long long int", "uint64", "uint64_t"), 8),
    **dict.fromkeys(("double",), 8),
}
_META_BYTES = {
    **{"MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4},
    **{"MET_UINT": 4, "MET_LONG": 4, "MET_ULONG": 4, "MET_LONG_LONG": 8},
    **{"MET_ULONG_LONG": 8, "MET_FLOAT": 4, "MET_DOUBLE": 8},
}


@dataclass(frozen=True)
class Claim:
    """What a header claims.

    Attributes:
        sizes: voxels along each axis, numbers of a voxel included.
        voxel_bytes: bytes of one number.
        encoding: raw, gzip or text.
        begins: where in the file the data begin.
        beside: the name of the file that holds them, if it is another; else empty.
    """

    sizes: tuple[int, ...]
    voxel_bytes: int
    encoding: str
    begins: int
    beside: str = ""

    @property
    def data_bytes(self) -> int:
        return math.prod(self.sizes) * self.voxel_bytes


def format_of(name: str) -> str:
    """Which of the formats a name means: nrrd, nifti, meta; empty for any other."""
    name = name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return "nifti"
    if name.endswith((".nrrd", ".nhdr")):
        return "nrrd"
    return "meta" if name.endswith((".mha", ".mhd")) else ""


def check_image(where: str, name: str, file: IO[bytes], size: int) -> Claim | None:
    """Hold an image's header against its file.

    Args:
        where: the file, for the sentences.
        name: its name, whose ending says the format.
        file: open, at its beginning; where it stands afterwards is not said.
        size: bytes of the file.

    Returns:
        What it claims; None for a name of another format.

    Raises:
        BadInputError: if the header is not one of its format, has values that are too long or too
            many, or claims more data than the file has.
    """
    format = format_of(name)
    if not format:
        return None
    try:
        claim = {"nrrd": _nrrd, "nifti": _nifti, "meta": _meta}[format](where, file, size)
    except (ValueError, OverflowError, struct.error, zlib.error, EOFError) as error:
        raise BadInputError(
            f"{where}: its header cannot be read ({printable(str(error)[:100])}), expected one of "
            f"{format.upper()}."
        ) from error
    if not 1 <= len(claim.sizes) <= MOST_DIMENSIONS:
        raise BadInputError(
            f"{where}: has {len(claim.sizes)} dimensions, expected at most {MOST_DIMENSIONS}."
        )
    if not all(1 <= one <= _MOST_SIZE for one in claim.sizes):
        raise BadInputError(
            f"{where}: its sizes are {claim.sizes}, expected whole numbers above 0."
        )
    if not claim.beside:
        check_bytes(where, claim, size - claim.begins)
    elif fault := name_fault(claim.beside):
        raise BadInputError(
            f"{where}: its data file '{printable(claim.beside[:200])}' {fault}, expected one "
            "beside the header."
        )
    return claim


def check_bytes(where: str, claim: Claim, held: int) -> None:
    """Raise BadInputError if an image claims more than that many bytes of data can be."""
    needed = claim.data_bytes
    if needed > MOST_BYTES:
        raise BadInputError(
            f"{where}: its voxels would take {needed / 2**30:.3g} GiB, expected at most "
            f"{MOST_BYTES / 2**30:g}."
        )
    most = {"raw": held, "text": held * claim.voxel_bytes}.get(claim.encoding)
    if most is None:
        most = _PACKED * held + 1024
        if needed > _SUSPICIOUS_BYTES:
            most = _BELIEVED * held
    if needed > most:
        raise BadInputError(
            f"{where}: is truncated or claims too much: its header tells of {needed:,} bytes of "
            f"voxels, the file has {max(held, 0):,} ({claim.encoding})."
        )


def _text_header(where: str, file: IO[bytes], end: re.Pattern[bytes]) -> tuple[list[str], int]:
    """The lines of a header, and where the data begin."""
    start = file.read(_HEADER_BYTES)
    found = end.search(start)
    if found is None and len(start) == _HEADER_BYTES:
        raise BadInputError(f"{where}: its header has no end, expected one below 1 MiB.")
    begins = found.end() if found else len(start)  # all of a header whose data lie beside it
    lines = start[:begins].decode("latin-1").replace("\r", "").split("\n")
    for line in lines:
        own = ":=" in line or line.startswith("#")
        if len(line) > (_LONGEST_TEXT if own else _LONGEST_FIELD):
            raise BadInputError(
                f"{where}: its header has a line of {len(line):,} characters "
                f"({printable(line[:30])}...), expected at most {_LONGEST_FIELD:,}."
            )
    return lines, begins


def _nrrd(where: str, file: IO[bytes], size: int) -> Claim:
    magic = file.read(8)
    file.seek(0)
    if not re.match(rb"NRRD000[1-5]", magic):
        raise BadInputError(f"{where}: is no NRRD file, expected one that begins with NRRD000.")
    lines, begins = _text_header(where, file, re.compile(rb"\n\r?\n"))
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        if colon and not line.startswith("#") and ":=" not in name:
            fields[name.strip().lower().replace(" ", "")] = value.strip()
    dimension = int(fields.get("dimension", "0"))
    sizes = tuple(int(one) for one in fields.get("sizes", "").split())
    if dimension > MOST_DIMENSIONS or len(sizes) != dimension:
        raise BadInputError(
            f"{where}: has {dimension} dimensions and {len(sizes)} sizes, expected as many, and at "
            f"most {MOST_DIMENSIONS}."
        )
    kind = fields.get("type", "").lower()
    number_bytes = _NRRD_BYTES.get(kind, 0)
    if number_bytes < 1:
        raise BadInputError(f"{where}: its type is '{printable(kind[:40])}', expected a number's.")
    encoding = fields.get("encoding", "").lower()
    known = {"raw": "raw", "gz": "gzip", "gzip": "gzip", "txt": "text", "text": "text"}
    known |= {"ascii": "text", "hex": "raw"}
    if encoding not in known:
        raise BadInputError(
            f"{where}: its encoding is '{printable(encoding[:40])}', expected raw, gzip or text."
        )
    beside = fields.get("datafile", "")
    if beside.upper().startswith("LIST") or "%" in beside:
        raise BadInputError(f"{where}: names several data files, expected its data in one.")
    return Claim(sizes, number_bytes, known[encoding], begins, beside)


def _meta(where: str, file: IO[bytes], size: int) -> Claim:
    lines, begins = _text_header(where, file, re.compile(rb"ElementDataFile[ \t]*=[^\n]*\n"))
    fields: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if equals:
            fields[name.strip()] = value.strip()
    dimension = int(fields.get("NDims", "0"))
    sizes = tuple(int(one) for one in fields.get("DimSize", "").split())
    if dimension > MOST_DIMENSIONS or len(sizes) != dimension:
        raise BadInputError(
            f"{where}: has {dimension} dimensions and {len(sizes)} sizes, expected as many, and at "
            f"most {MOST_DIMENSIONS}."
        )
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    kind = fields.get("ElementType", "").removesuffix("_ARRAY")
    if kind not in _META_BYTES:
        raise BadInputError(
            f"{where}: its ElementType is '{printable(kind[:40])}', expected a number's."
        )
    beside = fields.get("ElementDataFile", "")
    if not beside:
        raise BadInputError(f"{where}: names no ElementDataFile, expected LOCAL.")
    if beside.upper().startswith("LIST") or "%" in beside:
        raise BadInputError(f"{where}: names several data files, expected its data in one.")
    packed = fields.get("CompressedData", "False").lower()[:1] in ("t", "1")
    text = fields.get("BinaryData", "True").lower()[:1] in ("f", "0")
    stored = int(fields.get("CompressedDataSize", "0"))
    local = beside.upper() == "LOCAL"
    if local and packed and stored > size - begins:
        raise BadInputError(
            f"{where}: is truncated: {stored:,} bytes of data are announced, {size - begins:,} "
            "are there."
        )
    encoding = "gzip" if packed else "text" if text else "raw"
    all_sizes = sizes if channels == 1 else (channels, *sizes)
    return Claim(all_sizes, _META_BYTES[kind], encoding, begins, "" if local else beside)


def _nifti(where: str, file: IO[bytes], size: int) -> Claim:
    """Places are those of nifti1.h: dim at byte 40, bitpix at 72, vox_offset at 108, extender at
    348, after which extensions lie, each with its size first."""
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    start = file.read(_HEADER_BYTES)
    if packed:
        start = zlib.decompressobj(31).decompress(start, _HEADER_BYTES)
    if len(start) < _NIFTI_BYTES - 4:
        raise BadInputError(f"{where}: is truncated, expected a NIfTI header of 348 bytes.")
    order = "<" if struct.unpack_from("<i", start)[0] in (348, 540) else ">"
    length = struct.unpack_from(f"{order}i", start)[0]
    if length == 540:
        raise BadInputError(f"{where}: is a NIfTI-2 file, expected NIfTI-1 (.nii or .nii.gz).")
    if length != 348 or start[344:348] not in (b"n+1\0", b"ni1\0"):
        raise BadInputError(f"{where}: is no NIfTI file, expected NIfTI-1 (.nii or .nii.gz).")
    if start[344:348] == b"ni1\0":
        raise BadInputError(f"{where}: is one of a pair of files, expected one .nii or .nii.gz.")
    rank, *dim = struct.unpack_from(f"{order}8h", start, 40)
    (bits,) = struct.unpack_from(f"{order}h", start, 72)
    (offset,) = struct.unpack_from(f"{order}f", start, 108)
    if not 1 <= rank <= 7:
        raise BadInputError(f"{where}: has {rank} dimensions, expected 1 to 7.")
    if bits not in (8, 16, 24, 32, 64, 128, 256):
        raise BadInputError(f"{where}: has {bits} bits a voxel, expected 8 to 64.")
    if not (_NIFTI_BYTES <= offset <= 2**27 and offset == int(offset)):
        raise BadInputError(
            f"{where}: its vox_offset is {offset:g}, expected 352 or a little more."
        )
    _check_extensions(where, start, order, int(offset))
    sizes = tuple(dim[:rank])
    if packed:
        return Claim(sizes, bits // 8, "gzip", 0)
    return Claim(sizes, bits // 8, "raw", int(offset))


def _check_extensions(where: str, start: bytes, order: str, offset: int) -> None:
    at = _NIFTI_BYTES
    if len(start) < at or not start[348]:
        return
    while at + 8 <= min(offset, len(start)):
        (length,) = struct.unpack_from(f"{order}i", start, at)
        if length < 16 or length % 16 or at + length > offset:
            raise BadInputError(
                f"{where}: has an extension of {length} bytes at {at}, expected a multiple of 16 "
                f"before the voxels at {offset}."
            )
        at += length
