"""A Windows job: a process and all that it starts, ended and measured as one.

Windows forgets who started whom once a parent is gone; a job does not, and the system itself keeps
it. A job that is closed lets its processes go on. Nothing here is called on other systems.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

CREATE_SUSPENDED = 0x4
"""Flag for a process that is put into a job before its first instruction."""

_EXTENDED_LIMIT_INFORMATION = 9
_SET_QUOTA, _TERMINATE, _SUSPEND_RESUME = 0x100, 0x1, 0x800


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class ExtendedLimits(ctypes.Structure):
    """``JOBOBJECT_EXTENDED_LIMIT_INFORMATION`` of the Windows API."""

    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class MemoryStatus(ctypes.Structure):
    """``MEMORYSTATUSEX`` of the Windows API."""

    _fields_ = (
        ("dwLength", ctypes.c_uint32),
        ("dwMemoryLoad", ctypes.c_uint32),
        ("ullTotalPhys", ctypes.c_uint64),
        ("ullAvailPhys", ctypes.c_uint64),
        ("ullTotalPageFile", ctypes.c_uint64),
        ("ullAvailPageFile", ctypes.c_uint64),
        ("ullTotalVirtual", ctypes.c_uint64),
        ("ullAvailVirtual", ctypes.c_uint64),
        ("ullAvailExtendedVirtual", ctypes.c_uint64),
    )


class Job:
    """Holds a process that was created suspended, lets it run, and ends all that comes of it.

    Args:
        pid: of the process.
        kernel32, ntdll: the system's libraries.

    Attributes:
        holds: whether the process could be put into the job.
    """

    def __init__(self, pid: int, kernel32: Any = None, ntdll: Any = None) -> None:
        self._kernel32 = kernel32 or _library("kernel32")
        ntdll = ntdll or _library("ntdll")
        self._handle = self._kernel32.CreateJobObjectW(None, None)
        rights = _SET_QUOTA | _TERMINATE | _SUSPEND_RESUME
        process = self._kernel32.OpenProcess(rights, False, pid)
        assigned = self._kernel32.AssignProcessToJobObject(_handle(self._handle), _handle(process))
        self.holds = bool(self._handle and assigned)
        ntdll.NtResumeProcess(_handle(process))
        self._kernel32.CloseHandle(_handle(process))

    def end(self) -> None:
        """End every process of the job at once."""
        self._kernel32.TerminateJobObject(_handle(self._handle), 1)

    def peak_bytes(self) -> int | None:
        """Give the most memory that all of them together had taken; None if not known."""
        limits = ExtendedLimits()
        known = self._kernel32.QueryInformationJobObject(
            _handle(self._handle),
            _EXTENDED_LIMIT_INFORMATION,
            ctypes.byref(limits),
            ctypes.sizeof(limits),
            None,
        )
        return int(limits.PeakJobMemoryUsed) if known else None

    def close(self) -> None:
        """Let go of the job; what still runs goes on."""
        handle, self._handle = self._handle, None
        if handle:
            self._kernel32.CloseHandle(_handle(handle))


def memory_status(kernel32: Any = None) -> MemoryStatus | None:
    """Give the memory of the system; None if it does not say."""
    status = MemoryStatus(dwLength=ctypes.sizeof(MemoryStatus))
    kernel32 = kernel32 or _library("kernel32")
    return status if kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _handle(value: int | None) -> ctypes.c_void_p:
    """A handle is as wide as a pointer; a plain number would be cut to 32 bits."""
    return ctypes.c_void_p(value)


def _library(name: str) -> Any:
    if sys.platform != "win32":
        raise OSError(f"{name}: only Windows has jobs")
    library = ctypes.WinDLL(name)
    if name == "kernel32":
        for function in (library.CreateJobObjectW, library.OpenProcess):
            function.restype = ctypes.c_void_p
    return library
