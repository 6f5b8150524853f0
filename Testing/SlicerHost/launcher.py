"""Slicer's ``PythonSlicer``: a launcher, whose child is the Python that works.

A child that was killed, or crashed, comes back as exit code 1 with a line that says to report the
problem; which signal it was, nobody is told.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = """#!/bin/sh
{python} "$@" &
child=$!
trap 'kill -TERM $child' TERM
wait $child 2>/dev/null
code=$?
if [ $code -gt 128 ]; then
  echo "error: [{python}] exit abnormally - Report the problem." >&2
  exit 1
fi
exit $code
"""


@contextmanager
def on_path() -> Iterator[Path]:
    """Let a ``PythonSlicer`` be found before all else, as in Slicer; gives its file."""
    before = os.environ.get("PATH", "")
    with tempfile.TemporaryDirectory(prefix="PythonSlicer ") as folder:
        program = Path(folder) / "PythonSlicer"
        program.write_text(_SCRIPT.format(python=shlex.quote(sys.executable)), encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        os.environ["PATH"] = os.pathsep.join(filter(None, (folder, before)))
        try:
            yield program
        finally:
            os.environ["PATH"] = before
