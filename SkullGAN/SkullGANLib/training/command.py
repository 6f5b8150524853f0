"""A training as a form has it, and the command that does it, here or on another machine.

Only what differs from the command line's own defaults is written.

Example:
    >>> command = TrainCommand(("my head.h5",), "runs/1", recipe="demo", settings={"epochs": "50"})
    >>> print(command.line())
    skullgan train 'my head.h5' -o runs/1 --recipe demo --set epochs=50
    >>> print(command.line(processes=2))  # doctest: +ELLIPSIS
    torchrun --nproc-per-node 2 -m SkullGANLib train 'my head.h5' -o runs/1 ...
    >>> print(command.line(python="PythonSlicer"))  # doctest: +ELLIPSIS
    PythonSlicer -m SkullGANLib train 'my head.h5' -o runs/1 ...
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .datasets import TEST_SHARE
from .presets import DEFAULT


@dataclass(frozen=True)
class TrainCommand:
    """A training that is to be run.

    Attributes:
        segments: segment sets (.h5).
        output: run directory to make.
        recipe: name of a recipe.
        settings: what differs from the recipe, as text.
        device: as ``--device`` takes it.
        pretrained: model to begin with, or empty.
        split: how the test part is held out.
        test_share: share held out.
        seed: what all random numbers follow from.
        any_kind: whether segments that are not real are learned from, too.
    """

    segments: tuple[str, ...]
    output: str
    recipe: str = DEFAULT
    settings: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"
    pretrained: str = ""
    split: str = "subjects"
    test_share: float = TEST_SHARE
    seed: int = 0
    any_kind: bool = False

    def with_segments(self, segments: Sequence[str]) -> TrainCommand:
        """Give the same command for other segment sets."""
        return replace(self, segments=tuple(segments))

    def arguments(self) -> list[str]:
        """Write the command line, without the program."""
        return ["train", *self.segments, "-o", self.output, *self._options()]

    def check_arguments(self, json: str | Path, sheet: str | Path) -> list[str]:
        """Write the command line that checks it all beforehand (``skullgan check``)."""
        there = ["--json", str(json), "--contact-sheet", str(sheet)]
        return ["check", *self.segments, *self._options(), *there]

    def line(self, processes: int = 1, python: str | None = None) -> str:
        """Write the command for a shell of this system, quoted.

        Args:
            processes: more than one are started by ``torchrun``, each takes a GPU of its own.
            python: interpreter that has the library but not its programs, as Slicer's
                ``PythonSlicer``; where there is none, ``skullgan`` and ``torchrun`` are called.
        """
        many = ["--nproc-per-node", str(processes), "-m", "SkullGANLib"]
        if python:
            start = ["-m", "torch.distributed.run", *many] if processes > 1 else many[2:]
            program = [python, *start]
        else:
            program = ["torchrun", *many] if processes > 1 else ["skullgan"]
        words = [*program, *self.arguments()]
        return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)

    def _options(self) -> list[str]:
        words = ["--recipe", self.recipe]
        for name, text in self.settings.items():
            words += ["--set", f"{name}={text}"]
        options: tuple[tuple[str, object, object], ...] = (
            ("--device", self.device, "auto"),
            ("--pretrained", self.pretrained, ""),
            ("--split", self.split, "subjects"),
            ("--test-share", self.test_share, TEST_SHARE),
            ("--seed", self.seed, 0),
        )
        for option, value, usual in options:
            if value != usual:
                words += [option, str(value)]
        return words + ["--any-kind"] * self.any_kind


def resume_arguments(run: str | Path, device: str = "auto") -> list[str]:
    """Write the command line that resumes a run as it was begun, on any device."""
    return ["train", "-o", str(run), "--resume", "--device", device]
