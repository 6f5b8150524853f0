"""What a zip may hold: its names are looked at before anything of it is unpacked."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path, PureWindowsPath

from ..errors import BadInputError
from .printable import printable

MOST_MEMBERS = 200_000
_MOST_NAME_BYTES = 1024
_MOST_RATIO = 1100
"""Deflate packs 1,032 bytes into one at most; what declares more lies."""


def checked_members(
    path: Path, archive: zipfile.ZipFile, *, most_bytes: int
) -> list[zipfile.ZipInfo]:
    """Give the members of a zip once nothing speaks against unpacking them.

    Args:
        path: the zip, for the sentences.
        archive: the zip, open.
        most_bytes: what all of it may unpack to.

    Raises:
        BadInputError: if a name leads out of the folder, is there twice or is no name, a member is
            a link or a device, the zip is encrypted, or it declares more than that.
    """
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise BadInputError(
            f"{path}: holds {len(members)} files, expected at most {MOST_MEMBERS:,}."
        )
    if any(member.flag_bits & 1 for member in members):
        raise BadInputError(f"{path}: the zip is encrypted, expected one without a password.")
    seen: set[str] = set()
    for member in members:
        why = name_fault(member.filename) or _kind_fault(member)
        if not why and member.filename.casefold() in seen:
            why = "is there twice"
        if why:
            name = printable(member.filename[:200])
            raise BadInputError(
                f"{path}: its file '{name}' {why}, expected names inside the zip's own folder; "
                "nothing was unpacked."
            )
        seen.add(member.filename.casefold())
    _check_sizes(path, members, most_bytes)
    return members


def name_fault(name: str) -> str:
    """Say why a name must not be unpacked or looked up; empty if nothing speaks against it.

    Example:
        >>> name_fault("scene/Data/head.nrrd"), name_fault("a/../../b"), name_fault("/etc/passwd")
        ('', 'leads out of the folder', 'is an absolute name')
    """
    plain = name.replace("\\", "/")
    if not plain.strip("/. ") or re.search(r"[\x00-\x1f\x7f]", name):
        return "has no proper name"
    if plain.startswith(("/", "~")) or PureWindowsPath(name).drive or "://" in plain:
        return "is an absolute name"
    parts = plain.rstrip("/").split("/")
    if ".." in parts:
        return "leads out of the folder"
    if len(name.encode("utf-8", "surrogatepass")) > _MOST_NAME_BYTES:
        return f"has a name of more than {_MOST_NAME_BYTES} bytes"
    if any(len(part.encode("utf-8", "surrogatepass")) > 255 for part in parts):
        return "has a name of more than 255 bytes"
    return ""


def _kind_fault(member: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link"
    return "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "is a device"


def _check_sizes(path: Path, members: list[zipfile.ZipInfo], most_bytes: int) -> None:
    size = sum(member.file_size for member in members)
    if size > most_bytes:
        raise BadInputError(
            f"{path}: unpacks to {size / 1e9:.1f} GB, at most {most_bytes / 1e9:.1f} GB are taken; "
            "unpack it yourself and give the folder."
        )
    for member in members:
        deflated = member.compress_type == zipfile.ZIP_DEFLATED
        if deflated and member.file_size > _MOST_RATIO * member.compress_size + 1024:
            raise BadInputError(
                f"{path}: its file '{printable(member.filename[:200])}' claims "
                f"{member.file_size:,} bytes in {member.compress_size:,}, more than can be packed; "
                "the zip is damaged or made to fill the disk."
            )
