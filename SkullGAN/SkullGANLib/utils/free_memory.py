"""How much memory this process may still take."""

from __future__ import annotations

import os
from pathlib import Path

_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int | None:
    """Give the least of what the system, a container and this process's limit leave.

    Returns:
        Bytes; None where the system does not say (other than Linux).
    """
    known = [one for one in (_of_system(), _left_of_group(), _left_of_process()) if one is not None]
    return min(known, default=None)


def _of_system() -> int | None:
    """What the system can give without swapping."""
    try:
        lines = _MEMORY.read_text().splitlines()
        found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
        return int(found[0]) * 1024 if found else None
    except (OSError, ValueError, IndexError):
        return None


def _left_of_group() -> int | None:
    """What a container's limit (control group, version 2) leaves."""
    try:
        limit, used = ((_GROUP / f"memory.{name}").read_text() for name in ("max", "current"))
        return int(limit) - int(used)
    except (OSError, ValueError):  # no such group, or "max": no limit
        return None


def _left_of_process() -> int | None:
    """What a limit on this process's address space leaves."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError):
        return None
    return None if limit == resource.RLIM_INFINITY else limit - used
