"""Write the report that compares segment sets: a headless script for plain Python and PythonSlicer.

    python SkullGANEvaluate/Scripts/write_report.py --real a.h5 --synthetic b.h5 -o report/

Exit code 0 when done, 1 with one sentence on stderr when not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

# In the repository the library is in the folder of another module, in Slicer beside this one.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SkullGAN"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from SkullGANLib import progress, report, segmentset
from SkullGANLib.errors import BadInputError, SkullGANError
from SkullGANLib.segmentset import SegmentSet


def main(arguments: Sequence[str]) -> int:
    """Run the script on its command line and give the exit code."""
    try:
        options = _parser().parse_args(arguments)
        with progress.shown("Writing the report", options.progress) as tell:
            sets = read_sets(options.real, options.synthetic)
            tell(0.3, "measuring")
            path = report.write_report(options.output, sets, run=options.run)
            tell(1.0, "")
    except SkullGANError as error:
        print(f"skullgan: {error}", file=sys.stderr)
        return 1
    print(path)
    return 0


def read_sets(real: Sequence[Path], synthetic: Sequence[Path]) -> dict[str, SegmentSet]:
    """Read the sets and name them after their files.

    Raises:
        BadInputError: if there is none, one cannot be read or one is of the other kind.
    """
    if not real and not synthetic:
        raise BadInputError("No segment set was given, at least one is needed.")
    sets: dict[str, SegmentSet] = {}
    for kind, paths in (("real", real), ("synthetic", synthetic)):
        for path in paths:
            segments = segmentset.read(path)
            if segments.kind != kind:
                raise BadInputError(
                    f"{path}: holds {segments.kind} segments, {kind} ones are needed here."
                )
            sets[_free_name(path.stem, kind, sets)] = segments
    return sets


def _free_name(stem: str, kind: str, taken: dict[str, SegmentSet]) -> str:
    if stem not in taken:
        return stem
    names = (f"{stem} ({kind}{number})" for number in ("", *map(" {}".format, range(2, 10**6))))
    return next(name for name in names if name not in taken)


class _Parser(argparse.ArgumentParser):
    """Report a wrong command line as bad input (exit code 1); 2 means cancelled."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{self.prog}: {message} (--help shows an example).")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="write_report.py",
        description="A report on real and synthetic skull segments, as one HTML page.",
        epilog="Example: write_report.py --real a.h5 --synthetic b.h5 --run runs/one -o report/",
    )
    for kind in ("real", "synthetic"):
        parser.add_argument(
            f"--{kind}", type=Path, nargs="+", default=[], help=f"sets of {kind} segments (.h5)"
        )
    parser.add_argument("--run", type=Path, help="run directory of a training to show")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    parser.add_argument("--progress", choices=progress.STYLES, default="auto")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
