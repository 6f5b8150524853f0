"""The command ``validate``: whether files hold what their formats say, all of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import BadInputError
from .options import Commands, command


def validate(options: argparse.Namespace) -> None:
    """Read files of ours or head CTs whole and say whether they are sound (exit code 0 or 1)."""
    failed = 0
    for path in options.file:
        try:
            print(f"{path}: sound, {check(path)}")
        except BadInputError as error:
            failed += 1
            print(f"skullgan: {error}", file=sys.stderr)
    if failed:
        raise BadInputError(f"{failed} of {len(options.file)} are not sound.")


def check(path: Path) -> str:
    """Read a file whole and say what it is.

    Raises:
        BadInputError: if it is not what its name says, damaged or of a later version.
    """
    if (path / "recipe.json").is_file():
        return _run(path)
    if path.suffix in (".h5", ".hdf5"):
        from ..data import hdf5

        return f"a segment set of {sum(map(len, hdf5.iterate(path)))} segments"
    if path.suffix == ".safetensors":
        from ..networks import model_file

        return f"a model of {_listed(model_file.read(path).architecture.to_dict())}"
    if path.suffix == ".vtp":
        from ..mapping import vtp

        return f"a map of {len(vtp.read(path))} vertices"
    if path.suffix == ".json":
        from ..mapping.head_maps import read_numbers

        return f"the numbers of a map, {len(read_numbers(path)['summary'])} rows"
    from ..ct.volume import read_ct

    return f"a head CT of {' x '.join(map(str, read_ct(path).hu.shape[::-1]))} voxels"


def _run(path: Path) -> str:
    from ..data import hdf5
    from ..networks import model_file
    from ..training.run_directory import Run

    run = Run.open(path)
    run.recipe()
    status = run.status()
    if run.checkpoints():
        run.read_checkpoint()
    if run.model_path.is_file():
        model_file.read(run.model_path)
    for segments in (run.training_path, run.test_path):
        if segments.is_file():
            hdf5.count(segments)
    return f"a run, {'not begun' if status is None else status.state}"


def _listed(sizes: dict[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {size}" for name, size in sizes.items())


def add_validate(commands: Commands) -> None:
    one = command(commands, validate, "skullgan validate segments.h5 model.safetensors runs/first")
    one.add_argument(
        "file",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="segment set, model, run directory, map (.vtp, .json) or head CT",
    )
