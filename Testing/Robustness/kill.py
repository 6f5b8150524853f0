"""Kill every writing command at random moments: nothing is lost, changed or left behind.

    make kill N=100
    python Testing/Robustness/kill.py -n 12 --command generate

In each round a command is killed (SIGKILL, with its children) once or twice, also while it resumes,
or meets a second one on the same output, or a file size limit in the way of a full disk. Then it is
run to its end. A round passes if what was there in between opened, and if in the end there is byte
for byte what an uninterrupted run makes, and nothing else.

The commands run in children that are split off this process, which has imported everything, so that
a round takes a second or so.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "SkullGAN")]

WAYS = ("once", "twice", "two at once", "full disk")
_LIMIT_S = 300.0


@dataclass(frozen=True)
class Command:
    """A writing command.

    Attributes:
        name: what it is called here.
        first: its arguments, given the folder of inputs and that of outputs.
        again: its arguments after an interruption.
        opens: reads what there may be in the folder of outputs after an interruption.
        compared: the files that must be the same byte for byte (a glob).
    """

    name: str
    first: Callable[[Path, Path], list[str]]
    again: Callable[[Path, Path], list[str]]
    opens: Callable[[Path], None]
    compared: str = "*"


@dataclass(frozen=True)
class Round:
    """What became of one round; ``fault`` is empty if it passed."""

    command: str
    way: str
    number: int
    fault: str
    seconds: float


def _open_set(folder: Path) -> None:
    from SkullGANLib.data import hdf5

    for path in folder.glob("*.h5"):
        if not path.name.startswith("."):  # what was being written aside, and is replaced
            hdf5.read(path)


def _open_run(folder: Path) -> None:
    from SkullGANLib.training import monitor
    from SkullGANLib.training.run_directory import Run

    run = Run(folder / "run")
    if run.is_there():
        monitor.poll(run)
        if run.checkpoints():
            run.read_checkpoint()


def _open_nothing(folder: Path) -> None:
    """Files of other programs are whole or not there, which their bytes say in the end."""


def _generate(inputs: Path, outputs: Path) -> list[str]:
    made = ["generate", str(inputs / "model.safetensors"), "-n", "300", "--batch-size", "4"]
    return [*made, "--device", "cpu", "-o", str(outputs / "out.h5")]


def _generate_nrrd(inputs: Path, outputs: Path) -> list[str]:
    return [*_generate(inputs, outputs)[:-1], str(outputs / "out.nrrd")]


def _extract(inputs: Path, outputs: Path) -> list[str]:
    cts = [str(inputs / f"head-{number}.nrrd") for number in (1, 2)]
    where = ["--bones", "temporal", "--planes", "axial", "--interval-mm", "12"]
    return ["extract", *cts, "-o", str(outputs / "set.h5"), *where, "--jobs", "1"]


def _extract_stacks(inputs: Path, outputs: Path) -> list[str]:
    return [*_extract(inputs, outputs), "--depth", "3"]


def _export(ending: str) -> Callable[[Path, Path], list[str]]:
    def arguments(inputs: Path, outputs: Path) -> list[str]:
        return ["export", str(inputs / "set.h5"), "-o", str(outputs / f"out{ending}")]

    return arguments


def _train(inputs: Path, outputs: Path) -> list[str]:
    short = {"epochs": 12, "samples_per_epoch": 16, "snapshot_every": 1, "report_every": 1}
    short |= {"generator_width": 16, "discriminator_width": 4}
    settings = [part for name, value in short.items() for part in ("--set", f"{name}={value}")]
    run = ["train", str(inputs / "set.h5"), "-o", str(outputs / "run"), "--recipe", "demo"]
    return [*run, *settings, "--device", "cpu", "--any-kind"]


def _with(
    first: Callable[[Path, Path], list[str]], *more: str
) -> Callable[[Path, Path], list[str]]:
    return lambda inputs, outputs: [*first(inputs, outputs), *more]


COMMANDS = (
    Command("generate", _generate, _with(_generate, "--resume"), _open_set),
    Command("generate as NRRD", _generate_nrrd, _with(_generate_nrrd, "--resume"), _open_set),
    Command("extract", _extract, _extract, _open_set, "*.h5"),
    Command("extract stacks", _extract_stacks, _extract_stacks, _open_set, "*.h5"),
    *(
        Command(f"export {e}", _export(e), _with(_export(e), "--overwrite"), _open_nothing)
        for e in (".nrrd", ".nii.gz", ".mat", ".png-folder", ".dcm-folder")
    ),
    Command("train", _train, _with(_train, "--resume"), _open_run, "run/model.safetensors"),
)


def prepare(inputs: Path) -> None:
    """Make the inputs: two heads, a set and a model that nobody trained."""
    import numpy as np
    import torch
    from examples import arches
    from phantoms import Phantom
    from SkullGANLib.ct.volume import write_volume
    from SkullGANLib.data import hdf5
    from SkullGANLib.networks import dcgan, model_file

    head = Phantom((72.0, 92.0, 75.0)).ct((2.0, 2.0, 2.0), below_mm=40.0)
    for number in (1, 2):
        write_volume(inputs / f"head-{number}.nrrd", head.hu + np.int16(number), head.ijk_to_ras)
    hdf5.write(inputs / "set.h5", arches(60))
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = model_file.Model(dcgan.Generator(8, 16), dcgan.Discriminator(4))
    model_file.write(inputs / "model.safetensors", model)


def started(arguments: Sequence[str], log: Path, file_bytes: int | None = None) -> int:
    """Start a command in a child that leads a process group; gives its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setpgid(0, 0)
        quiet = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        if file_bytes is not None:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        from SkullGANLib import cli

        code = cli.main(list(arguments))
    except BaseException:
        import traceback

        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def ended(child: int, after_s: float | None = None) -> int | None:
    """Wait for a child and give its exit code, or kill it and its children after a while: None."""
    deadline = time.monotonic() + (_LIMIT_S if after_s is None else after_s)
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def campaign(count: int, chosen: Sequence[Command] = COMMANDS, seed: int = 0) -> Iterator[Round]:
    """Do that many rounds, spread over the commands and the ways."""
    from SkullGANLib.cli import program

    program.parser()  # imports what all commands share, once
    with tempfile.TemporaryDirectory(prefix="skullgan-kill-") as name:
        room = Path(name)
        (room / "inputs").mkdir()
        prepare(room / "inputs")
        whole: dict[str, tuple[dict[str, str], float]] = {}
        for number in range(count):
            command = chosen[number % len(chosen)]
            if command.name not in whole:
                whole[command.name] = _uninterrupted(command, room)
            way = WAYS[number // len(chosen) % len(WAYS)]
            began_s = time.monotonic()
            rng = random.Random(f"{seed} {command.name} {way} {number}")
            fault = _tried(command, way, room, whole[command.name], rng)
            yield Round(command.name, way, number, fault, time.monotonic() - began_s)


def _uninterrupted(command: Command, room: Path) -> tuple[dict[str, str], float]:
    """What a run that nobody kills leaves, by name, and how long it takes."""
    outputs = _empty(room / "outputs")
    began_s = time.monotonic()
    code = ended(started(command.first(room / "inputs", outputs), room / "log"))
    if code != 0:
        raise RuntimeError(
            f"{command.name}: exit code {code}: {(room / 'log').read_text()[-2000:]}"
        )
    return _left(outputs, command), time.monotonic() - began_s


def _tried(
    command: Command,
    way: str,
    room: Path,
    whole: tuple[dict[str, str], float],
    rng: random.Random,
) -> str:
    expected, seconds = whole
    inputs, outputs, log = room / "inputs", _empty(room / "outputs"), room / "log"
    log.unlink(missing_ok=True)
    first, again = command.first(inputs, outputs), command.again(inputs, outputs)
    if way == "two at once":
        children = [started(first, log), started(first, log)]
        codes = [ended(child) for child in children]
        if 0 not in codes:
            return f"of two at once neither ended well ({codes}): {log.read_text()[-500:]}"
    elif way == "full disk":
        ended(started(first, log, rng.choice((0, 500, 5_000, 50_000))))
    else:
        ended(started(first, log), rng.uniform(0, seconds))
        if way == "twice":
            ended(started(again, log), rng.uniform(0, seconds))
    try:
        command.opens(outputs)
    except Exception as error:
        return f"what was committed does not open: {error}"
    return _finished(command, room, expected, again)


def _finished(command: Command, room: Path, expected: dict[str, str], again: list[str]) -> str:
    """Run a command to its end after an interruption, and say what is not as it should be."""
    outputs, log = room / "outputs", room / "log"
    if _left(outputs, command) == expected:  # it had ended before
        return ""
    code = ended(started(again, log))
    if code != 0 and command.name == "train" and not list(outputs.glob("run/checkpoints/*.saf*")):
        shutil.rmtree(outputs / "run", ignore_errors=True)  # nothing was committed: begun anew
        code = ended(started(command.first(room / "inputs", outputs), log))
    said = log.read_text()
    if "Traceback" in said:
        return f"traceback: {said[-1500:]}"
    if code != 0:
        return f"the same command again ended with {code}: {said[-500:]}"
    found = _left(outputs, command)
    if found == expected:
        return ""
    strange = sorted(found.keys() - expected.keys())
    unlike = sorted(name for name in expected if found.get(name) not in (None, expected[name]))
    lost = sorted(expected.keys() - found.keys())
    return f"left behind {strange}, unlike {unlike}, lost {lost}"


def _left(outputs: Path, command: Command) -> dict[str, str]:
    """Digests of the files that are compared, and the names of all others on the top level."""
    compared = {
        str(path.relative_to(outputs)): _digest(path)
        for top in outputs.glob(command.compared)
        for path in (top.rglob("*") if top.is_dir() else [top])
        if path.is_file()
    }
    return {**{path.name: "" for path in outputs.iterdir()}, **compared}


def _digest(path: Path) -> str:
    if path.suffix != ".safetensors":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    from safetensors import safe_open

    digest = hashlib.sha256()  # of what it holds: its header is in another order each time
    with safe_open(path, framework="np") as file:
        digest.update(repr(sorted((file.metadata() or {}).items())).encode())
        for name in sorted(file.keys()):
            digest.update(name.encode() + file.get_tensor(name).tobytes())
    return digest.hexdigest()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def table(rounds: Sequence[Round]) -> str:
    """A table by command and way: rounds, and those that failed."""
    lines = [f"| command | {' | '.join(WAYS)} | failed |", "|---" * (len(WAYS) + 2) + "|"]
    for name in dict.fromkeys(one.command for one in rounds):
        own = [one for one in rounds if one.command == name]
        counts = [sum(one.way == way for one in own) for way in WAYS]
        failed = sum(bool(one.fault) for one in own)
        lines.append(f"| {name} | {' | '.join(map(str, counts))} | {failed} |")
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-n", type=int, default=100, help="rounds (100)")
    options.add_argument("--seed", type=int, default=0, help="what all chance follows from (0)")
    options.add_argument("--command", action="append", choices=[one.name for one in COMMANDS])
    chosen = options.parse_args()
    own = [one for one in COMMANDS if not chosen.command or one.name in chosen.command]
    rounds = []
    for one in campaign(chosen.n, own, chosen.seed):
        rounds.append(one)
        if one.fault:
            print(f"{one.command}, {one.way}, round {one.number}: {one.fault}", flush=True)
    print(table(rounds))
    failed = sum(bool(one.fault) for one in rounds)
    print(f"{len(rounds)} rounds, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
