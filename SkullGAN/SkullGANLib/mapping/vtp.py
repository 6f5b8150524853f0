"""Maps as .vtp files (VTK XML PolyData), written and read without VTK.

ParaView, 3D Slicer and anything that builds on VTK open them: points in RAS mm, triangles, normals,
and the map's scalars as point data. Arrays lie behind the XML as raw little-endian numbers
("appended"), so that 70,000 vertices take 6 MB and a moment. What is known of the CT and the names
behind the numbers of ``code``, ``bone`` and ``side`` stand in a string of the field data, as JSON:
a file is read by its own names and has the scalars that it has, whatever this version knows.

The format: VTK's file formats documentation, "XML File Formats".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from ..anatomy.cut_plan import BONES, SIDES
from ..data.provenance import checked_source
from ..errors import BadInputError
from ..utils.atomic_files import written_aside
from ..utils.json_text import parse_json, read_bytes
from .calvaria_map import CalvariaMap
from .codes import CODES, current_codes, decode, encode

METADATA = "skullgan"
"""Name of the field data string."""
SPACE = "RAS"
"""Slicer takes .vtp files for LPS unless their field data say otherwise."""

FORMAT_VERSION = 1
"""Files of later versions are refused."""

_TYPES = {"<f4": "Float32", "<f8": "Float64", "<i4": "Int32", "|u1": "UInt8", "|i1": "Int8"}
_EXPECTED = "expected a map that skullgan map wrote (.vtp)"
_MOST_BYTES = 2**30
_MOST_HEADER_BYTES = 2**20
_NO_SCALARS = ("code", "bone", "side", "normals")
"""Point data of a map that are not its values."""


def write(path: str | Path, found: CalvariaMap) -> None:
    """Write a map, under a temporary name and renamed.

    Raises:
        OutputError: if the file cannot be written.
    """
    bone, bones = encode(found.bone, BONES)
    side, sides = encode(found.side, SIDES)
    metadata = {
        "format_version": FORMAT_VERSION,
        "code": {str(code): meaning for code, meaning in CODES.items()},
        "bone": bones,
        "side": sides,
        "source": dict(found.source),
        "created_by": found.created_by,
    }
    blocks = _Blocks()
    scalars = {name: values.astype("<f4") for name, values in found.values.items()}
    scalars["code"] = found.code
    scalars["bone"], scalars["side"] = bone, side
    offsets = 3 * np.arange(1, len(found.triangles) + 1, dtype="<i4")
    body = "\n".join(
        [
            "<FieldData>",
            blocks.string("SPACE", SPACE),
            blocks.string(METADATA, json.dumps(metadata, ensure_ascii=True)),
            "</FieldData>",
            f'<Piece NumberOfPoints="{len(found)}" NumberOfPolys="{len(found.triangles)}">',
            '<PointData Scalars="thickness_mm" Normals="normals">',
            *(blocks.array(name, values) for name, values in scalars.items()),
            blocks.array("normals", found.normals.astype("<f4")),
            "</PointData>",
            "<Points>",
            blocks.array("points", found.points_ras.astype("<f4")),
            "</Points>",
            "<Polys>",
            blocks.array("connectivity", found.triangles.astype("<i4").ravel()),
            blocks.array("offsets", offsets),
            "</Polys>",
            "</Piece>",
        ]
    )
    head = (
        '<?xml version="1.0"?>\n'
        '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n'
        f'<PolyData>\n{body}\n</PolyData>\n<AppendedData encoding="raw">\n_'
    )
    with written_aside(path) as temporary, open(temporary, "wb") as file:
        file.write(head.encode("ascii"))
        for block in blocks.raw:
            file.write(block)
        file.write(b"\n</AppendedData>\n</VTKFile>\n")


def read(path: str | Path) -> CalvariaMap:
    """Read a map that ``write`` wrote, in this version or an older one.

    Bones, sides and codes are what the file's own table says of them. Metrics that the file lacks
    are not among the map's values, and those that are not known here are.

    Raises:
        BadInputError: if there is no such file, or it is damaged, another program's or of a later
            version.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: there is no such file, {_EXPECTED}.")
    content = read_bytes(path, "a map (.vtp)", most_bytes=_MOST_BYTES)
    try:
        tree, base = _header(content)
        metadata = parse_json(_text(content, base, tree, METADATA), str(path), "a map")
        version = int(metadata["format_version"])
        if version <= FORMAT_VERSION:
            return _map_of(content, base, tree, metadata)
    except BadInputError as error:
        raise error if str(path) in str(error) else BadInputError(f"{path}: {error}") from error
    except (
        *(ElementTree.ParseError, ValueError, LookupError, TypeError, AttributeError),
        *(OverflowError, MemoryError),
    ) as error:
        raise BadInputError(f"{path}: cannot be read as a map, {_EXPECTED}.") from error
    raise BadInputError(
        f"{path}: is a map of format version {version}, expected at most {FORMAT_VERSION}; a later "
        "SkullGAN reads it."
    )


def _header(content: bytes) -> tuple[ElementTree.Element, int]:
    """The XML of a file, and where its appended data begin."""
    start = re.search(rb'<AppendedData encoding="raw">\s*_', content)
    if start is None:
        raise ValueError("no appended data")
    header = content[: start.start()]
    if len(header) > _MOST_HEADER_BYTES or b"<!" in header:
        raise ValueError("too long a header, or one that declares a document type")
    return ElementTree.fromstring(header + b"</VTKFile>"), start.end()


def _map_of(
    content: bytes, base: int, tree: ElementTree.Element, metadata: Mapping[str, Any]
) -> CalvariaMap:
    """The map of a file, by the table that is in it."""
    arrays = {str(one.get("Name")): _array(content, base, one) for one in tree.iter("DataArray")}
    count, triangles = len(arrays["code"]), arrays["connectivity"].reshape(-1, 3)
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < count:
        raise ValueError("triangles of vertices that are not there")
    [point_data] = tree.iter("PointData")
    scalars = [str(one.get("Name")) for one in point_data if one.get("Name") not in _NO_SCALARS]
    return CalvariaMap(
        points_ras=arrays["points"].reshape(count, 3).astype(np.float64),
        triangles=triangles,
        normals=arrays["normals"].reshape(count, 3).astype(np.float64),
        values={name: arrays[name].reshape(count).astype(np.float64) for name in scalars},
        code=current_codes(arrays["code"], metadata["code"]),
        bone=decode(arrays["bone"].reshape(count), metadata["bone"]),
        side=decode(arrays["side"].reshape(count), metadata["side"]),
        source=checked_source(metadata["source"]),
        created_by=str(metadata["created_by"]),
    )


class _Blocks:
    """What lies behind the XML, in order, and the XML elements that point to it."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self._offset = 0

    def array(self, name: str, values: np.ndarray) -> str:
        kind = _TYPES[values.dtype.newbyteorder("<").str]
        components = values.shape[1] if values.ndim == 2 else 1
        offset = self._append(np.ascontiguousarray(values).tobytes())
        return (
            f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" '
            f'format="appended" offset="{offset}"/>'
        )

    def string(self, name: str, text: str) -> str:
        offset = self._append(text.encode("ascii") + b"\0")
        return (
            f'<Array type="String" Name="{name}" NumberOfTuples="1" format="appended" '
            f'offset="{offset}"/>'
        )

    def _append(self, content: bytes) -> int:
        offset = self._offset
        self.raw += [np.uint64(len(content)).astype("<u8").tobytes(), content]
        self._offset += 8 + len(content)
        return offset


def _array(content: bytes, base: int, element: ElementTree.Element) -> np.ndarray:
    kinds = {name: np.dtype(kind) for kind, name in _TYPES.items()}
    return np.frombuffer(_block(content, base, element), kinds[element.get("type", "")])


def _text(content: bytes, base: int, tree: ElementTree.Element, name: str) -> str:
    [element] = [one for one in tree.iter("Array") if one.get("Name") == name]
    return _block(content, base, element).rstrip(b"\0").decode("ascii")


def _block(content: bytes, base: int, element: ElementTree.Element) -> bytes:
    start = base + int(element.get("offset", ""))
    length = int(np.frombuffer(content[start : start + 8], "<u8")[0])
    block = content[start + 8 : start + 8 + length]
    if len(block) != length:
        raise ValueError("truncated")
    return block
