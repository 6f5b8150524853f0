"""Memory: how much is free, how much a group of processes has taken, and what to say if it ran out.

Linux tells all of it, Windows what is free; where something is not known it is None.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from . import windows_job

GIB = 2**30

_PROC, _GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_SCARCE_SHARE, _SCARCE_BYTES = 0.05, 2**28
SIGNS_OF_LACK = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "could not create a memory",
)
"""What is in the messages of errors that memory was lacking, in small letters."""
_ASKED = re.compile(r"allocate ([\d.]+) ?(bytes|[KMGT]i?B)", re.IGNORECASE)
_UNITS = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def free_bytes() -> int | None:
    """Give how much memory is free: of the system, or of the container that we are in."""
    if os.name == "nt":
        status = windows_job.memory_status()
        return int(status.ullAvailPhys) if status else None
    known = [one for one in (_of_system("MemAvailable"), *_of_container()[:1]) if one is not None]
    return min(known, default=None)


def total_bytes() -> int | None:
    """Give how much memory there is: of the system, or of the container that we are in."""
    if os.name == "nt":
        status = windows_job.memory_status()
        return int(status.ullTotalPhys) if status else None
    known = [one for one in (_of_system("MemTotal"), *_of_container()[1:]) if one is not None]
    return min(known, default=None)


def available_bytes() -> int | None:
    """Give how much this process may still take: the least of what is free and of what a limit on
    its address space leaves; None where neither is known."""
    known = [one for one in (free_bytes(), _left_of_process()) if one is not None]
    return max(min(known), 0) if known else None


def of_group(group: int) -> int | None:
    """Give the memory that the processes of a group have taken; Linux alone says so."""
    if not (_PROC / "self/statm").exists():
        return None
    pages = 0
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[2]) == group:  # pgrp
                pages += int(fields[21])  # rss
        except (OSError, IndexError, ValueError):  # it ended meanwhile
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def kills() -> int:
    """Give how often the system has ended a process for want of memory, as far as it counts."""
    found = 0
    for path in (_PROC / "vmstat", _GROUPS / "memory.events"):
        try:
            text = path.read_text(encoding="ascii")
        except OSError:
            continue
        found += sum(int(count) for count in re.findall(r"^oom_kill (\d+)$", text, re.MULTILINE))
    return found


def is_scarce(free: int | None, total: int | None) -> bool:
    """Tell whether so little is free that the system may have ended a process for it."""
    if free is None:
        return False
    return free < max(_SCARCE_BYTES, _SCARCE_SHARE * (total or 0))


def have(free: int | None, total: int | None) -> str:
    """Say how much is free, to end a sentence with."""
    if free is None:
        return "how much is free is not known"
    of = f" of {total / GIB:.1f} GiB" if total else ""
    return f"{free / GIB:.1f} GiB{of} were free"


def lack_sentence(error: BaseException) -> str:
    """Say of an error that memory was lacking, how much was asked for and how much there was.

    Empty if the error is another one.

    Example:
        >>> lack_sentence(MemoryError("Unable to allocate 37.3 GiB for an array")).partition(";")[0]
        'There is not enough memory: another 37.3 GiB were asked for'
        >>> lack_sentence(RuntimeError("expected a square matrix"))
        ''
    """
    message = str(error)
    if not isinstance(error, MemoryError) and not any(
        sign in message.lower() for sign in SIGNS_OF_LACK
    ):
        return ""
    found = _ASKED.search(message)
    asked = float(found[1]) * _UNITS[found[2][0].upper()] if found else None
    need = f"another {asked / GIB:.1f} GiB were asked for" if asked else "more was asked for"
    if "cuda" in message.lower():  # PyTorch's own words tell what the graphics card has
        there = re.search(r"total capacity of .*? is free", message)
        return f"The GPU has not enough memory: {need}; " + (
            f"it has a {there[0]}." if there else "how much is free is not known."
        )
    return f"There is not enough memory: {need}; {have(free_bytes(), total_bytes())}."


def _of_system(name: str) -> int | None:
    try:
        text = (_PROC / "meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(rf"^{name}: +(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _of_container() -> tuple[int | None, int | None]:
    """What a container's limit leaves, and that limit; files that can be dropped count as free."""
    for limit_name, used_name, folder in (
        ("memory.max", "memory.current", _GROUPS),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", _GROUPS / "memory"),
    ):
        try:
            limit = int((folder / limit_name).read_text(encoding="ascii"))
            used = int((folder / used_name).read_text(encoding="ascii"))
            stat = (folder / "memory.stat").read_text(encoding="ascii")
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        cache = re.search(r"^(?:total_)?inactive_file (\d+)$", stat, re.MULTILINE)
        return limit - used + (int(cache[1]) if cache else 0), limit
    return None, None


def _left_of_process() -> int | None:
    """What a limit on this process's address space leaves."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int((_PROC / "self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):
        return None
    left = limit - pages * os.sysconf("SC_PAGE_SIZE")
    return None if limit == resource.RLIM_INFINITY else left
