"""A training checked beforehand: what it would learn from, and whether device and memory suffice.

``check_training`` reads what is quick to read (of large sets no pixel beyond a few for the
picture), finds what the training would refuse and says what must be known of the segments
(``cautions``). A panel runs it in a child process, as ``skullgan check --json``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ..data import hdf5
from ..errors import SkullGANError
from ..networks import model_file
from ..networks.devices import chosen_device
from ..plots import contact_sheet
from ..utils.atomic_files import written_aside
from . import cautions, datasets, memory_estimate, start
from .memory_estimate import Device, MemoryCheck
from .pretrained import check_pretrained
from .recipe import Recipe

_COLUMNS, _SHOWN = 6, 12


@dataclass(frozen=True)
class SetSummary:
    """What is in a segment set.

    Attributes:
        path: the file.
        kind: of the segments.
        segments: how many.
        subjects: how many.
        cuts: segments by bone and side, "temporal left": 57.
    """

    path: str
    kind: str
    segments: int
    subjects: int
    cuts: dict[str, int]

    def __str__(self) -> str:
        whose = f" of {self.subjects} subject{'' if self.subjects == 1 else 's'}"
        where = ", ".join(f"{place} {count}" for place, count in self.cuts.items())
        return (
            f"{self.segments} {self.kind} segments{whose if self.subjects else ''}"
            f"{f': {where}' if where else ''}"
        )


@dataclass(frozen=True)
class TrainingCheck:
    """What was found.

    Attributes:
        sets: the segment sets that could be read.
        note: what is learned from and held out, a sentence.
        devices: of this machine.
        device: the one that would be taken.
        need_bytes: of its memory; None where it could not be estimated.
        free_bytes: of its memory; None if not known.
        memory: both in a sentence, with advice where it is not enough.
        enough: whether it is, as far as that is known.
        problem: why the training would refuse to begin; empty if it would not.
        cautions: what must be known of the segments, a sentence each.
    """

    sets: list[SetSummary]
    note: str
    devices: list[Device]
    device: str
    need_bytes: int | None
    free_bytes: int | None
    memory: str
    enough: bool
    problem: str
    cautions: list[str]

    def to_json(self) -> str:
        """Write it as JSON, which ``asdict`` names the parts of; ``summary`` is a set in words."""
        content = asdict(self)
        for one, entry in zip(self.sets, content["sets"], strict=True):
            entry["summary"] = str(one)
        return json.dumps(content, indent=2) + "\n"

    def format_lines(self) -> list[str]:
        """Write it for people."""
        there = [f"{one.path}: {one}" for one in self.sets]
        devices = [f"{d.name}: {d.title}, {_memory(d)}" for d in self.devices]
        warnings = [f"WARNING: {one}" for one in self.cautions]
        return [*there, *filter(None, (self.note, self.memory)), *devices, *warnings]


def check_training(
    paths: Sequence[str | Path],
    recipe: Recipe,
    *,
    device: str = "auto",
    pretrained: str | Path | None = None,
    split: str = "subjects",
    test_share: float = datasets.TEST_SHARE,
    seed: int = 0,
    any_kind: bool = False,
) -> TrainingCheck:
    """Check a training beforehand; arguments as of ``skullgan train``.

    Nothing is raised for what the training would refuse: that is the ``problem``, and everything
    else is reported all the same.
    """
    sets, subjects, problem = _summaries(paths)
    note, memory = "", None
    try:
        if problem:
            raise problem
        datasets.check_sets(paths, any_kind=any_kind)
        subject = np.concatenate(subjects)
        plan = datasets.plan_split(subject, by=split, test_share=test_share, seed=seed)
        note, count = plan.note, int((~plan.held_out).sum())
        slices = start.slices_of(hdf5.read(paths[0], slice(0)), recipe)
        recipe = replace(recipe, slices=slices) if slices > 1 else recipe
        start.check_segments(sets[0].kind, count // slices, recipe, (sets[0].kind,))
        if pretrained:
            check_pretrained(model_file.read_architecture(pretrained), recipe)
        memory = MemoryCheck.of(recipe, count, chosen_device(device))
    except SkullGANError as error:
        problem = error
    return TrainingCheck(
        sets=sets,
        note=note,
        devices=memory_estimate.devices(),
        device=str(memory.device) if memory else "",
        need_bytes=memory.needed_bytes if memory else None,
        free_bytes=memory.free if memory else None,
        memory=str(memory) if memory else "",
        enough=memory.suffices if memory else True,
        problem=str(problem or ""),
        cautions=cautions.of_files([one.path for one in sets]) if sets else [],
    )


def write(path: str | Path, found: TrainingCheck) -> None:
    """Write what was found as JSON; raises ``OutputError`` if it cannot be written."""
    with written_aside(path) as temporary:
        temporary.write_text(found.to_json(), encoding="utf-8")


def write_sheet(path: str | Path, sets: Sequence[SetSummary]) -> None:
    """Write a picture of a few segments, evenly out of all sets; none if there are none."""
    places = [(one.path, row) for one in sets for row in range(one.segments)]
    if not places:
        return
    chosen = np.unique(np.linspace(0, len(places) - 1, _SHOWN).astype(int))
    tiles = [hdf5.read(p, slice(r, r + 1)) for p, r in (places[i] for i in chosen)]
    contact_sheet.write_contact_sheet(
        path,
        np.concatenate([tile.hu for tile in tiles]),
        columns=_COLUMNS,
        captions=[f"{tile.bone[0]} {tile.side[0]}" for tile in tiles],
    )


def _summaries(
    paths: Sequence[str | Path],
) -> tuple[list[SetSummary], list[np.ndarray], SkullGANError | None]:
    """What is in each set, its subjects, and the first problem of reading them."""
    found, subjects, problem = [], [], None
    for path in paths:
        try:
            header, texts = hdf5.read(path, slice(0)), hdf5.texts(path)
        except SkullGANError as error:
            problem = problem or error
            continue
        where = zip(texts["bone"].tolist(), texts["side"].tolist(), strict=True)
        cuts = Counter(" ".join(filter(None, place)) for place in where)
        named = set(texts["subject"].tolist()) - {""}
        found.append(
            SetSummary(
                str(path),
                header.kind,
                len(texts["subject"]),
                len(named),
                {place: count for place, count in sorted(cuts.items()) if place},
            )
        )
        subjects.append(texts["subject"])
    return found, subjects, problem


def _memory(device: Device) -> str:
    if device.free_bytes is None:
        return "memory not known"
    of = "" if device.total_bytes is None else f" of {device.total_bytes / memory_estimate.GIB:.1f}"
    return f"{device.free_bytes / memory_estimate.GIB:.1f}{of} GiB free"
