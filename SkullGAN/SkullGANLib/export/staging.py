"""Outputs of several files, none of which comes to be if another fails."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import OutputError
from ..utils.atomic_files import exchanged, partial_beginning, sweep, written_aside

_GZIP_LEVEL = 4


@contextmanager
def staged_pair(files: dict[str, Path]) -> Iterator[tuple[Path, Path]]:
    """Give where to write HU and masks, neither of which comes to be if the other fails.

    Args:
        files: what ``Format.files`` gave.

    Raises:
        OutputError: if a file cannot be written.
    """
    with written_aside(files["mask"]) as mask, written_aside(files["segments"]) as hu:
        yield hu, mask


@contextmanager
def gzipped(file: IO[bytes]) -> Iterator[gzip.GzipFile]:
    """Compress into an open file, without name and time, for the same bytes again.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> with gzipped(file) as packed:
        ...     _ = packed.write(b"HU")
        >>> gzip.decompress(file.getvalue())
        b'HU'
    """
    with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
        yield packed


@contextmanager
def neighboring_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder on the disk of ``path``.

    Raises:
        OutputError: if it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        folder = tempfile.TemporaryDirectory(
            prefix=partial_beginning(path), suffix=".partial", dir=path.parent
        )
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}).") from error
    with folder as name:
        yield Path(name)


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """Give a folder beside ``path``; rename it to ``path`` when the block succeeds.

    What ``path`` held is replaced; if the block raises, it stays.

    Raises:
        OutputError: if the folder or what is in it cannot be written.
    """
    # A name of its own for each path: what a killed process left is replaced.
    token = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    temporary, before = (path.with_name(f".{token}.{what}") for what in ("partial", "before"))
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        shutil.rmtree(before, ignore_errors=True)
        if not path.exists():
            os.replace(temporary, path)
        elif not exchanged(temporary, path):  # where a kill in between may lose the name
            os.replace(path, before)
            os.replace(temporary, path)
            shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
