"""Reads one hostile file after the other, as told on standard input, and says what became of each.

What it does beside reading is heard by an audit hook: programs that are started, addresses that are
connected to, files that are written outside its own temporary folder.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import readers
from SkullGANLib.errors import SkullGANError

_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn")
# Found before the hook is set: finding it opens a file.
_ROOMS = (os.path.realpath(tempfile.gettempdir()), "/dev/shm/skullgan-", "/dev/null", "/proc/")
_OURS = ("SkullGANLib.utils.reader_process", "'uname', '-p'")  # the latter is Python's platform
_deeds: list[str] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _STARTS and not any(one in str(arguments) for one in _OURS):
        _deeds.append(f"executed: {event} {str(arguments)[:200]}")
    elif event == "socket.connect":
        _deeds.append(f"executed: {event} {arguments[1:]}")
    elif event == "open" and _writes(arguments) and not _allowed(arguments[0]):
        _deeds.append(f"written outside: {arguments[0]}")


def _writes(arguments: tuple[Any, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    if isinstance(mode, str) and any(letter in mode for letter in "wax+"):
        return True
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _allowed(path: Any) -> bool:
    if isinstance(path, int):
        return True
    text = os.path.realpath(os.fsdecode(path))
    return text.startswith(_ROOMS) or text.endswith(".pyc") or "__pycache__" in text


def _outcome(request: dict[str, Any]) -> dict[str, Any]:
    _deeds.clear()
    _forget_peaks()
    reader = readers.BY_NAME[request["reader"]]
    path = Path(request["path"])
    said = io.StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(said):
            if request["command"]:
                from SkullGANLib import cli

                found = "read" if cli.main(["info", str(path)]) == 0 else "refused"
            else:
                reader.read(path)
                found = "read"
        detail = ""
        if request["command"] and "\x1b" in said.getvalue():
            found, detail = "escape", said.getvalue()[:300]
    except SkullGANError as error:
        found, detail = "refused", str(error)
    except BaseException:
        found, detail = "traceback", traceback.format_exc()[-1500:]
    for deed in _deeds:
        found, detail = deed.split(":")[0], deed
    return {"outcome": found, "detail": detail[:1500], "bytes": _peak_bytes()}


def _helpers() -> list[str]:
    module = sys.modules.get("SkullGANLib.utils.reader_process")
    child = getattr(module, "_child", None)
    return [str(child.process.pid)] if child is not None else []


def _forget_peaks() -> None:
    for pid in ("self", *_helpers()):
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak_bytes() -> int:
    """The most memory that this process and its reader held."""
    most = 0
    for pid in ("self", *_helpers()):
        with suppress(OSError, IndexError, ValueError):
            text = Path(f"/proc/{pid}/status").read_text()
            most += 1024 * int(text.split("VmHWM:")[1].split()[0])
    return most


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.addaudithook(_hear)
    for line in sys.stdin:
        print(json.dumps(_outcome(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
