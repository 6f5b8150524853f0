"""Windows jobs, with the system's libraries replaced: nothing here runs on another system."""

from __future__ import annotations

import ctypes
import sys

import pytest
from SkullGANLib.utils import windows_job

JOB, PROCESS, PID = 0x1_0000_0004, 0x2_0000_0008, 4321
"""Handles that do not fit into 32 bits."""


class System:
    """What kernel32 and ntdll are asked, in its order; the Windows API says what it gives."""

    def __init__(self, *, assigns: bool = True) -> None:
        self.asked: list[tuple[object, ...]] = []
        self._assigns = assigns

    def __getattr__(self, name: str):
        def call(*given: object) -> int | None:
            plain = [one.value if isinstance(one, ctypes.c_void_p) else one for one in given]
            self.asked.append((name, *plain))
            return {
                "CreateJobObjectW": JOB,
                "OpenProcess": PROCESS,
                "AssignProcessToJobObject": int(self._assigns),
            }.get(name)

        return call

    def QueryInformationJobObject(self, job, kind, limits, size, _length) -> int:  # noqa: N802
        assert (job.value, kind, size) == (JOB, 9, 144)
        limits._obj.PeakJobMemoryUsed = 3 * 2**30
        return 1

    def GlobalMemoryStatusEx(self, status) -> int:  # noqa: N802
        assert status._obj.dwLength == 64
        status._obj.ullTotalPhys, status._obj.ullAvailPhys = 8 * 2**30, 2**30
        return 1


def test_a_process_is_in_the_job_before_it_runs():
    system = System()
    job = windows_job.Job(PID, system, system)
    assert job.holds
    names = [name for name, *_given in system.asked]
    assert names.index("AssignProcessToJobObject") < names.index("NtResumeProcess")
    assert ("AssignProcessToJobObject", JOB, PROCESS) in system.asked
    assert ("OpenProcess", 0x901, False, PID) in system.asked
    assert ("NtResumeProcess", PROCESS) in system.asked
    assert system.asked[-1] == ("CloseHandle", PROCESS)


def test_a_process_that_cannot_be_held_runs_all_the_same():
    system = System(assigns=False)
    assert not windows_job.Job(PID, system, system).holds
    assert ("NtResumeProcess", PROCESS) in system.asked


def test_all_of_a_job_are_ended_and_closing_it_ends_nothing():
    system = System()
    job = windows_job.Job(PID, system, system)
    job.end()
    assert system.asked[-1] == ("TerminateJobObject", JOB, 1)
    job.close()
    job.close()
    assert system.asked[-1] == ("CloseHandle", JOB)
    assert system.asked.count(("CloseHandle", JOB)) == 1


def test_the_most_memory_that_a_job_took_is_read():
    system = System()
    assert windows_job.Job(PID, system, system).peak_bytes() == 3 * 2**30
    status = windows_job.memory_status(system)
    assert (status.ullTotalPhys, status.ullAvailPhys) == (8 * 2**30, 2**30)


def test_the_structures_are_laid_out_as_windows_has_them():
    """Sizes and offsets as a 64-bit compiler for Windows gives them."""
    limits = windows_job.ExtendedLimits
    assert ctypes.sizeof(limits) == 144
    assert limits.IoInfo.offset == 64
    assert limits.PeakJobMemoryUsed.offset == 136
    assert windows_job.MemoryStatus.ullAvailPhys.offset == 16


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has jobs")
def test_another_system_has_no_jobs():
    with pytest.raises(OSError, match="only Windows has jobs"):
        windows_job.Job(PID)
