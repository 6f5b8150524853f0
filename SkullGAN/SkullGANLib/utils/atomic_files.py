"""Write results aside and rename them, so that a crash never leaves half a file behind."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError, OutputError
from .file_lock import is_alive

if TYPE_CHECKING:
    from torch import Tensor


@contextmanager
def written_aside(path: str | Path, token: str | None = None) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` when the block succeeds.

    The temporary name keeps the extension, for writers that choose the format by it. If the block
    raises, the temporary file is removed and whatever ``path`` held before is untouched.

    Args:
        path: the file to write.
        token: what tells the temporary name from others in the folder, where only one process
            writes ``path`` at a time; None tells processes apart. What a killed process left is
            replaced, or swept by whoever writes ``path`` next (``sweep``).

    Raises:
        OutputError: if the folder cannot be made or the file cannot be written (no permission,
            full disk); the sentence names the file and the system's reason.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "numbers.csv"
        >>> with written_aside(target) as temporary:
        ...     _ = temporary.write_text("1,2,3")
        >>> target.read_text()
        '1,2,3'
    """
    path = Path(path)
    # Short, whatever the target is called: names may already be at the file system's limit.
    suffix = "".join(path.suffixes[-2:])[-24:]
    beginning = f".{token}" if token else partial_beginning(path)
    temporary = path.with_name(f"{beginning}.partial{suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        temporary.touch()
        mode = temporary.stat().st_mode
        temporary.unlink()
        yield temporary
        os.chmod(temporary, mode)  # some writers leave their files to the owner alone
        with open(temporary, "r+b") as written:  # Windows syncs only what is open for writing
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}).") from error
    finally:
        # Where the folder is a file, or the disk is gone, the reason above is the one to tell.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def partial_beginning(path: str | Path) -> str:
    """Begin the name of a temporary file or folder beside ``path`` so that ``sweep`` finds it: what
    is written, on which machine, by which process, and a few random letters."""
    return f"{_mark(Path(path))}.{os.getpid():x}.{secrets.token_hex(4)}"


def sweep(path: str | Path) -> None:
    """Remove the temporary files and folders of ``path`` whose processes ended without doing it."""
    path = Path(path)
    mark = _mark(path)
    with suppress(OSError):
        for name in os.listdir(path.parent):
            if name.startswith(f"{mark}.") and not _has_owner(name):
                remove(path.with_name(name))


def remove(path: Path) -> None:
    """Remove a file or a folder, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def exchanged(one: Path, other: Path) -> bool:
    """Exchange two files or folders in one step; False where the system cannot.

    Python has no call for it: Linux's renameat2.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def _mark(path: Path) -> str:
    of = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:10]
    return f".{of}.{hashlib.sha256(platform.node().encode()).hexdigest()[:4]}"


def _has_owner(name: str) -> bool:
    try:
        return is_alive(int(name.split(".")[3], 16))
    except (IndexError, ValueError):
        return True  # not one of ours


def check_new(path: str | Path, suffixes: Sequence[str], *, overwrite: bool = False) -> None:
    """Say before the work what would keep a file from being written after it.

    Args:
        path: the file to write.
        suffixes: endings of names that are right.
        overwrite: whether a file that is there may be replaced.

    Raises:
        BadInputError: if the name is not right, or taken.
        OutputError: if nothing can be written in its folder.
    """
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise BadInputError(f"{path}: expected a name that ends in {suffixes[0]}.")
    if path.is_dir() or (path.exists() and not overwrite):
        raise BadInputError(f"{path}: is there already, expected a new name (or --overwrite).")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}).") from error


def write_tensors(
    path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write a ``.safetensors`` file, aside and renamed.

    Raises:
        OutputError: if it cannot be written (no permission, full disk).
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        with written_aside(path) as temporary:
            save_file(tensors, temporary, metadata)
    except SafetensorError as error:  # what it makes of the system's errors
        reason = str(error).rpartition("I/O error: ")[2]
        raise OutputError(f"{path}: cannot be written ({reason}).") from error


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()
