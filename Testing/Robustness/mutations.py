"""Sound files made hostile: bytes, numbers, texts and structures, each by a fixed seed.

``mutated`` damages any file; ``STRUCTURES`` holds what is done to formats that bytes alone do not
reach, a function ``(path, rng, outside)`` each, which rewrites the file in place. ``outside`` is a
path that no reader may write to.
"""

from __future__ import annotations

import json
import os
import random
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUMBERS = (
    *(b"0", b"-1", b"1e-7", b"1e308", b"-1e308", b"nan", b"inf", b"2147483647", b"2147483648"),
    *(b"9223372036854775807", b"99999999999999999999", b"4294967295", b"65536", b"9" * 400, b""),
)
WORDS = (
    *(b"\x1b[31m\x1b]0;owned\x07", b"../" * 8 + b"etc/passwd", b"/etc/passwd", b"%n%n%s", b"\0"),
    *(b"A" * 300, b"A" * 5000, b"=cmd|' /C calc'!A0", b"\xff\xfe\xfd", b"\r\n\r\n", b"[" * 2000),
    *(b"http://127.0.0.1:9/x", "‮evil".encode()),
)
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1e300, 10**30, float("nan"), "", "x" * 400, "\x1b[31m", [], {}, [[]]),
    *([None] * 40, {"a": {"b": {"c": [1, "x"]}}}, "../../x", [1e308] * 16),
)

Structure = Callable[[Path, random.Random, Path], None]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Damage a file in one to three ways."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(_WAYS)(data, rng)
    return data


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 32))):
        if changed:
            changed[_place(changed, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _extreme(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    size = rng.choice((1, 2, 4, 8))
    value = rng.choice((0, 1, -1, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)), 0x41))
    at = _place(changed, rng)
    packed = (value % 2 ** (8 * size)).to_bytes(size, rng.choice(("little", "big")))
    changed[at : at + size] = packed[: len(changed) - at]
    return bytes(changed)


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: _place(data, rng)]


def _cut(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 4, 16, 200)) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    at, length = _place(data, rng), rng.choice((1, 8, 100, 1000))
    return data[:at] + data[at : at + length] * rng.choice((2, 3, 50)) + data[at + length :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice((*WORDS, rng.randbytes(16))) + data[at:]


def _number(data: bytes, rng: random.Random) -> bytes:
    """Another number in the place of one that is written in digits."""
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", data[:65536]))
    if not found:
        return _extreme(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(NUMBERS) + data[one.end() :]


def _word(data: bytes, rng: random.Random) -> bytes:
    found = list(re.finditer(rb"[A-Za-z_]{3,}", data[:65536]))
    if not found:
        return _insert(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(WORDS) + data[one.end() :]


def _line(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    if len(lines) > 3 and rng.random() < 0.5:
        del lines[at]
    else:
        lines[at:at] = [lines[at]] * rng.choice((1, 5, 1000))
    return b"\n".join(lines)


def _json(data: bytes, rng: random.Random) -> bytes:
    """Another value anywhere in JSON, or in the first piece of JSON of a file."""
    start = data.find(b"{")
    try:
        value, end = json.JSONDecoder().raw_decode(data[max(start, 0) :].decode("utf-8", "strict"))
    except (ValueError, UnicodeDecodeError):
        return _number(data, rng)
    changed = json.dumps(_changed(value, rng)).encode()
    tail = data[max(start, 0) :].decode()[end:].encode()
    return data[: max(start, 0)] + changed + tail


def _changed(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        if rng.random() < 0.15:
            return {key: one for key, one in value.items() if key != name}
        return {**value, name: _changed(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(VALUES)


def _place(data: bytes | bytearray, rng: random.Random) -> int:
    """Anywhere, but often in the header."""
    most = min(len(data), 600) if rng.random() < 0.5 else len(data)
    return rng.randrange(max(most, 1))


_WAYS = (
    *(_flip, _flip, _extreme, _extreme, _truncate, _cut, _repeat, _insert, _number, _number),
    *(_word, _line, _json, _json),
)


def change_set(path: Path, rng: random.Random, outside: Path) -> None:
    """A segment set with parts of another kind, or that lie elsewhere."""
    import h5py
    import numpy as np

    with h5py.File(path, "r+") as file:
        name = rng.choice([*file, *file])
        kept = file[name]
        shape, dtype = kept.shape, kept.dtype
        way = rng.randrange(9)
        if way < 7:
            del file[name]
        if way == 1:
            file[name] = h5py.ExternalLink(str(outside), "/x")
        elif way == 2:
            file[name] = h5py.SoftLink(rng.choice(("/gone", f"/{name}", "/")))
        elif way == 3:
            file.create_dataset(name, (shape[0] * 400_000, *shape[1:]), dtype, chunks=True)
        elif way == 4:
            file.create_dataset(
                name, shape, "f8", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
            )
        elif way == 5:
            file.create_group(name)
        elif way == 6:
            file[name] = np.zeros(
                rng.choice(((), (3,), (2, 2), (1,) * 20)), rng.choice(("i8", "f4"))
            )
        else:
            attribute = rng.choice(list(file.attrs))
            file.attrs[attribute] = rng.choice(
                ("[" * 5000, "x" * 4000, -1.0, np.zeros(1000), json.dumps(rng.choice(VALUES)))
            )


def change_source(path: Path, rng: random.Random, outside: Path) -> None:
    """A segment set whose provenance is something else somewhere."""
    import h5py

    with h5py.File(path, "r+") as file:
        file.attrs["source"] = json.dumps(_changed(json.loads(file.attrs["source"]), rng))


def change_tensors(path: Path, rng: random.Random, outside: Path) -> None:
    """A ``.safetensors`` file with another header, whose length is right."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    name = rng.choice(list(header))
    header[name] = _changed(header[name], rng)
    if name == "__metadata__" and rng.random() < 0.7:
        key = rng.choice(list(header[name]) or ["x"]) if isinstance(header[name], dict) else "x"
        header[name] = {"format": '"skullgan-model"', key: json.dumps(rng.choice(VALUES))}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


class _Evil:
    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self._command,)


def change_weights(path: Path, rng: random.Random, outside: Path) -> None:
    """PyTorch weights that hold something else, or that something is to be run by."""
    import torch

    held = dict(torch.load(path, weights_only=True))
    name = rng.choice(list(held))
    held[name] = rng.choice(
        (
            _Evil(f"touch {outside}"),
            torch.zeros(1).expand(2**33),
            torch.zeros(3, dtype=torch.complex64),
            torch.zeros(2, dtype=torch.float8_e5m2),
            torch.zeros(4).to_sparse(),
            torch.quantize_per_tensor(torch.zeros(4), 0.1, 0, torch.quint8),
            float("nan"),
            {"a": [held[name]]},
            [],
        )
    )
    torch.save(rng.choice((held, held, [held], _Evil(f"touch {outside}"))), path)


def change_zip(path: Path, rng: random.Random, outside: Path) -> None:
    """A zip with a hostile name, link or member, or in which one is damaged."""
    with zipfile.ZipFile(path) as archive:
        members = [(one.filename, archive.read(one)) for one in archive.infolist()]
    at = rng.randrange(len(members))
    name, content = members[at]
    link = False
    way = rng.randrange(6)
    if way == 0:
        hostile = (
            str(outside),
            "../" * 5 + "outside.txt",
            "a/../../../outside.txt",
            "C:\\x",
            "x" * 999,
        )
        members.append((rng.choice(hostile), b"x"))
    elif way == 1:
        members.append(("link", str(outside.parent).encode()))
        link = True
    elif way == 2:
        members[at] = (name, _xml(content, rng, outside))
    else:
        members[at] = (name, mutated(content, rng))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if link and name == "link":
                info.external_attr = 0o120777 << 16
            archive.writestr(info, content)


def _xml(content: bytes, rng: random.Random, outside: Path) -> bytes:
    """Another value of an attribute; a file's name, often."""
    found = list(re.finditer(rb'(\w+)="([^"]*)"', content))
    if not found:
        return mutated(content, rng)
    files = [one for one in found if one[1].startswith((b"fileName", b"fileList"))]
    one = rng.choice(files if files and rng.random() < 0.5 else found)
    value = rng.choice((str(outside).encode(), *NUMBERS, *WORDS[1:3], b"a" * 3000))
    return content[: one.start(2)] + value.replace(b"\0", b"") + content[one.end(2) :]


def change_dicom(path: Path, rng: random.Random, outside: Path) -> None:
    """A DICOM file with an element of another kind or value."""
    import pydicom
    from pydicom.dataelem import DataElement

    dataset = pydicom.dcmread(path, force=True)
    element = rng.choice(list(dataset))
    value: Any = rng.choice(("abc", "1e999", "-1", "512\\x", b"\xff\xff", 0, 65535, "", "9" * 16))
    kinds = ("LO", "UT", "DS", "IS", "US", "OB", "UN", "SS", "FD")
    try:
        dataset[element.tag] = DataElement(element.tag, rng.choice(kinds), value)
        dataset.save_as(path, enforce_file_format=False)
    except Exception:  # what pydicom itself does not write
        path.write_bytes(mutated(path.read_bytes(), rng))


def change_run(path: Path, rng: random.Random, outside: Path) -> None:
    """A run directory in which a file is a pipe, a device, a link in a circle or a folder."""
    name = rng.choice(("status.json", "events.jsonl", "recipe.json", "model.safetensors", "stop"))
    one = path.parent / name
    one.unlink(missing_ok=True)
    way = rng.randrange(4)
    if way == 0:
        os.mkfifo(one)
    elif way == 1:
        one.symlink_to("/dev/zero")
    elif way == 2:
        one.symlink_to(name)
    else:
        one.mkdir()
