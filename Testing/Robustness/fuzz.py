"""Feed every public reader with hostile files and say what became of them.

    make fuzz N=10000
    python Testing/Robustness/fuzz.py -n 300 --reader "segment set" --keep failures

Case k of a reader follows from the seed, the reader's name and k alone. A worker process reads one
file after the other, with limits of time and memory; a case passes if the file was read or refused
with a sentence. Anything else is printed, and kept with ``--keep``: something executed or written
outside its folder, a traceback, an escape sequence printed, a crash, more than 60 s, more than
2 GiB for a file below 1 MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutations
import readers
from readers import READERS, Reader

SECONDS = 60.0
MOST_BYTES = 2 * 2**30
SMALL_BYTES = 2**20
SOUND = ("read", "refused")
_STRUCTURED = 0.4  # share of the cases, of readers that have structures
_COMMANDS = 0.25  # share that goes through the command line


@dataclass(frozen=True)
class Case:
    """A hostile file and what became of it."""

    reader: str
    number: int
    outcome: str
    detail: str
    seconds: float
    bytes: int

    @property
    def passed(self) -> bool:
        return self.outcome in SOUND


class Worker:
    """A process that reads what it is told to; it is started anew when it ended."""

    def __init__(self, room: Path) -> None:
        self._room = room
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], SECONDS)[0]:
            self.end()
            return {"outcome": "hung", "detail": f"more than {SECONDS:.0f} s", "bytes": 0}
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            return {"outcome": "crash", "detail": f"exit code {code}", "bytes": 0}
        return dict(json.loads(line))

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        temporary = self._room / "temporary" / "deep" / "inside"
        paths = [str(readers.HERE), str(readers.HERE.parent), *sys.path]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        environment |= {"TMPDIR": str(temporary), "HOME": str(self._room / "home")}
        return subprocess.Popen(
            [sys.executable, str(readers.HERE / "worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            preexec_fn=_limit_memory,
        )


def _limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, 12 * 2**30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def campaign(
    count: int, chosen: Sequence[Reader] = READERS, seed: int = 0, keep: Path | None = None
) -> Iterator[Case]:
    """Make that many cases, spread over the readers, and give what became of each."""
    with tempfile.TemporaryDirectory(prefix="skullgan-fuzz-") as name:
        room = Path(name)
        (room / "home").mkdir()
        (room / "temporary" / "deep" / "inside").mkdir(parents=True)
        sound = {}
        for one in chosen:
            folder = room / "sound" / one.name.replace("/", "-")
            folder.mkdir(parents=True)
            sound[one.name] = one.make(folder)
        worker = Worker(room)
        before = _listing(room)
        try:
            _check_sound(worker, sound)
            for number in range(count):
                reader = chosen[number % len(chosen)]
                case = _tried(worker, room, reader, sound[reader.name], number // len(chosen), seed)
                if case.passed and (escaped := _listing(room) - before):
                    case = Case(*_parts(case, "written outside", f"{sorted(escaped)[:3]}"))
                    before = _listing(room)
                if not case.passed and keep is not None:
                    _keep(room / "case", keep, case)
                yield case
        finally:
            worker.end()


def _check_sound(worker: Worker, sound: dict[str, Path]) -> None:
    """Raise unless every file is read before it is damaged."""
    for name, path in sound.items():
        found = worker.ask({"reader": name, "path": str(path), "command": False})
        if found["outcome"] != "read":
            raise RuntimeError(f"{name}: the sound file is {found['outcome']}: {found['detail']}")


def _parts(case: Case, outcome: str, detail: str) -> tuple[str, int, str, str, float, int]:
    return case.reader, case.number, outcome, detail, case.seconds, case.bytes


def _tried(worker: Worker, room: Path, reader: Reader, sound: Path, number: int, seed: int) -> Case:
    rng = random.Random(f"{seed} {reader.name} {number}")
    folder = room / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / sound.name
    if sound.is_dir():
        shutil.copytree(sound, path)
    else:
        shutil.copy(sound, path)
    target = path
    if reader.damaged:
        files = sorted(one for one in path.glob(reader.damaged) if one.is_file())
        target = files[rng.randrange(len(files))]
    if reader.structures and rng.random() < _STRUCTURED:
        rng.choice(reader.structures)(target, rng, room / "outside.txt")
    else:
        target.write_bytes(mutations.mutated(target.read_bytes(), rng))
    command = reader.command and rng.random() < _COMMANDS
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    began_s = time.monotonic()
    found = worker.ask({"reader": reader.name, "path": str(path), "command": command})
    case = Case(
        reader.name,
        number,
        found["outcome"],
        found["detail"],
        time.monotonic() - began_s,
        found["bytes"],
    )
    if case.passed and size < SMALL_BYTES and case.bytes > MOST_BYTES:
        return Case(*_parts(case, "memory", f"{case.bytes / 2**30:.1f} GiB for {size} bytes"))
    return case


def _listing(room: Path) -> set[str]:
    """What is in the room beside the case and the worker's own temporary folder."""
    inside = (str(room / "case"), str(room / "temporary" / "deep" / "inside"))
    return {
        os.path.join(folder, name)
        for folder, folders, files in os.walk(room)
        for name in (*folders, *files)
        if not os.path.join(folder, name).startswith(inside)
    }


def _keep(case: Path, keep: Path, found: Case) -> None:
    name = f"{found.outcome}-{found.reader}-{found.number}".replace(" ", "_").replace("/", "-")
    if case.is_dir():
        with suppress(shutil.Error):  # pipes are not copied
            shutil.copytree(case, keep / name, symlinks=True, dirs_exist_ok=True)
        (keep / name / "what.txt").write_text(found.detail)


def table(cases: Sequence[Case]) -> str:
    """A table by reader and outcome."""
    outcomes = list(dict.fromkeys((*SOUND, *sorted({case.outcome for case in cases}))))
    lines = [f"| reader | {' | '.join(outcomes)} | slowest, s | peak, MiB |"]
    lines.append("|---" * (len(outcomes) + 3) + "|")
    names = list(dict.fromkeys(case.reader for case in cases))
    for name in (*names, "together"):
        own = [case for case in cases if name in (case.reader, "together")]
        counts = Counter(case.outcome for case in own)
        cells = " | ".join(str(counts[outcome]) for outcome in outcomes)
        slowest, most = max(case.seconds for case in own), max(case.bytes for case in own)
        lines.append(f"| {name} | {cells} | {slowest:.1f} | {most / 2**20:.0f} |")
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-n", type=int, default=1000, help="cases (1000)")
    options.add_argument("--seed", type=int, default=0, help="what all chance follows from (0)")
    options.add_argument("--reader", action="append", choices=[*readers.BY_NAME], help="only this")
    options.add_argument("--keep", type=Path, help="folder for the files that failed")
    chosen = options.parse_args()
    own = [readers.BY_NAME[name] for name in chosen.reader] if chosen.reader else READERS
    cases = []
    for case in campaign(chosen.n, own, chosen.seed, chosen.keep):
        cases.append(case)
        if not case.passed:
            print(f"{case.reader} {case.number}: {case.outcome}: {case.detail}", flush=True)
        if len(cases) % 1000 == 0:
            print(f"{len(cases)} cases", file=sys.stderr, flush=True)
    print(table(cases))
    failed = sum(not case.passed for case in cases)
    print(f"{len(cases)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
