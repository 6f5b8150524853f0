"""What a scene's bundle (.mrb) may hold, and a clean copy of one that comes from anywhere.

MRML unpacks a bundle as it is: by names that lead out of the folder, through links, and it reads
whatever file its storage nodes name, on this computer or by the network. So names, scene and data
are looked at here first, and what MRML gets is a copy that holds nothing else.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO
from urllib.parse import unquote
from xml.etree import ElementTree

from SkullGANLib.ct.image_limits import check_image
from SkullGANLib.errors import BadInputError
from SkullGANLib.utils.printable import printable
from SkullGANLib.utils.safe_zip import checked_members, name_fault

MOST_BYTES = 8 * 1024**3
_MOST_SCENE_BYTES = 64 * 1024**2
_DEEPEST = 3
_PIECE_BYTES = 1024**2
_FILES = re.compile(r"(fileName|fileListMember\d*|uri|uriListMember\d*)\Z")
_EXPECTED = "expected a scene (.mrb)"


def clean_copy(path: Path, copy: Path) -> None:
    """Copy a bundle once nothing speaks against opening it.

    Args:
        path: the bundle.
        copy: the file to write, uncompressed.

    Raises:
        BadInputError: if it is damaged or no bundle; a name or a link in it leads out of its
            folder; a node of its scene names a file elsewhere or an address; or data in it are
            shorter than they say.
    """
    try:
        with zipfile.ZipFile(path) as source:
            _copy(str(path), source, copy, depth=1)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, UnicodeError) as error:
        raise BadInputError(
            f"{path}: cannot be read as a scene (.mrb); the file is damaged or something else."
        ) from error
    except (OSError, EOFError, zlib.error, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"{path}: cannot be unpacked ({reason}), {_EXPECTED}.") from error


def _copy(where: str, source: zipfile.ZipFile, copy: Path | IO[bytes], depth: int) -> None:
    members = checked_members(Path(where), source, most_bytes=MOST_BYTES)
    if not any(member.filename.endswith(".mrml") for member in members):
        raise BadInputError(f"{where}: is a zip file without a scene (.mrml), a .mrb is needed.")
    with zipfile.ZipFile(copy, "w") as target:
        for member in members:
            if member.is_dir():
                continue
            # A header of our own: libraries differ in which of a zip's two they believe.
            plain = zipfile.ZipInfo(member.filename, member.date_time)
            with (
                _content(where, source, member, depth) as content,
                target.open(plain, "w", force_zip64=True) as copied,
            ):
                shutil.copyfileobj(content, copied, _PIECE_BYTES)


def _content(where: str, source: zipfile.ZipFile, member: zipfile.ZipInfo, depth: int) -> IO[bytes]:
    """What a member holds, looked at, in a nameless file at its beginning."""
    content = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever gets it, or below
    try:
        with source.open(member) as packed:
            shutil.copyfileobj(packed, content, _PIECE_BYTES)
        size = content.tell()
        name = f"{where}: {printable(member.filename)}"
        content.seek(0)
        start = content.read(4)
        content.seek(0)
        if start == b"PK\x03\x04":  # of a sequence, a bundle in the bundle
            return _inner(name, content, depth)
        if member.filename.endswith(".mrml"):
            _check_scene(name, content.read(_MOST_SCENE_BYTES + 1))
        else:
            check_image(name, member.filename, content, size)
        content.seek(0)
    except BaseException:
        content.close()
        raise
    return content


def _inner(where: str, content: IO[bytes], depth: int) -> IO[bytes]:
    if depth == _DEEPEST:
        raise BadInputError(f"{where}: is a bundle in too many others, {_EXPECTED}.")
    cleaned = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever gets it, or below
    try:
        with content, zipfile.ZipFile(content) as source:
            _copy(where, source, cleaned, depth + 1)
        cleaned.seek(0)
    except BaseException:
        cleaned.close()
        raise
    return cleaned


def _check_scene(where: str, text: bytes) -> None:
    """Raise unless a scene reads nothing but what lies in its own bundle."""
    if len(text) > _MOST_SCENE_BYTES:
        raise BadInputError(
            f"{where}: has more than {_MOST_SCENE_BYTES // 1024**2} MiB, {_EXPECTED}."
        )
    if b"<!" in re.sub(rb"<!--.*?-->", b"", text, flags=re.DOTALL):
        raise BadInputError(f"{where}: declares a document type of its own, {_EXPECTED}.")
    try:
        tree = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadInputError(f"{where}: the scene cannot be read ({error}), {_EXPECTED}.") from error
    for element in tree.iter():
        for name, value in element.attrib.items():
            if _FILES.match(name) and value:
                _check_place(where, element, name, unquote(value))


def _check_place(where: str, element: ElementTree.Element, name: str, value: str) -> None:
    fault = "is an address" if name.startswith("uri") else name_fault(value)
    if fault:
        node = printable(element.get("id") or element.tag)
        raise BadInputError(
            f"{where}: its node {node} names '{printable(value[:200])}', which {fault}; expected "
            "files of the bundle itself. Open such a scene in Slicer, if you trust it, and save it "
            "anew."
        )
