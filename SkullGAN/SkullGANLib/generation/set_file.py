"""Generation into a segment set's file, with its provenance, that resumes after an interruption.

``generate_file`` writes batch by batch. What the segments follow from (``Provenance``) goes into
the set's ``source``, and by it a file that was left unfinished is resumed or refused. The command,
and panels and scripts through it, make their files here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import hdf5
from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from ..networks.conditions import told
from ..networks.precision import chosen_precision
from ..utils.atomic_files import sha256
from . import selection
from .selection import Limits

if TYPE_CHECKING:
    from ..networks.model_file import Model

BATCH_SIZE = 64
MOST_SEGMENTS = 10_000_000
"""In one file: about 30 GB."""
MOST_BATCH = 65_536


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """All that generated segments follow from; batches and devices round differently.

    Attributes:
        model_sha256: of the model's file.
        first_seed: of the first segment; the others count up.
        segments: how many are made, before limits.
        batch_size: made at once.
        batch_statistics: whether the batch normalizes, see ``from_seeds.generate``.
        precision: fp32, tf32 or bf16.
        device: cpu, cuda or mps.
        limits: of what is kept.
        asked: conditions, by name.
    """

    model_sha256: str
    first_seed: int
    segments: int
    batch_size: int
    batch_statistics: bool
    precision: str
    device: str
    limits: Limits = field(default_factory=Limits)
    asked: Mapping[str, str | float] = field(default_factory=dict)

    def as_source(self) -> dict[str, Any]:
        """Give it as a segment set's ``source`` holds it; limits and conditions only where there
        are any."""
        names = ("model_sha256", "first_seed", "segments", "batch_size", "batch_statistics")
        source = {name: getattr(self, name) for name in (*names, "precision", "device")}
        if self.limits:
            source["limits"] = self.limits.as_source()
        if self.asked:
            source["asked"] = dict(self.asked)
        return source

    def check_same(self, path: Path, source: Any) -> None:
        """Raise unless a file was begun with the same.

        Raises:
            BadInputError: naming the first thing that differs.
        """
        ours = self.as_source()
        for name in (*ours, "limits", "asked"):
            if source.get(name) != ours.get(name):
                raise BadInputError(
                    f"{path}: was begun with {name} {source.get(name)}, {ours.get(name)} was given "
                    "now; resuming expects the same model and options."
                )

    def next_seed(self, last: int | None) -> int:
        """Give the seed to go on with after the last one that a file holds (None: it is empty).

        Batches are kept whole, so that the batch of that seed is through.
        """
        if last is None:
            return self.first_seed
        batches = (last - self.first_seed) // self.batch_size + 1
        return self.first_seed + min(batches * self.batch_size, self.segments)


Elsewhere = Callable[[Provenance, int, int], Iterator[SegmentSet]]
"""Gives the segments of seeds from one to below another that are kept, batch by batch."""


def generate_file(
    path: str | Path,
    model_path: str | Path,
    *,
    count: int,
    first_seed: int = 0,
    batch_size: int = BATCH_SIZE,
    device: str = "auto",
    precision: str = "auto",
    batch_statistics: bool = False,
    limits: Limits | None = None,
    asked: Mapping[str, str | float] | None = None,
    resume: bool = False,
    elsewhere: Elsewhere | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Provenance:
    """Generate segments into a segment set's file, or those that it does not hold yet.

    Args:
        path: segment set (.h5) to write; while it grows it is always a whole one.
        model_path: model (.safetensors).
        count: segments to make.
        first_seed: of the first segment; the others count up.
        batch_size, batch_statistics: as for ``from_seeds.generate``.
        device: auto, cpu, cuda, cuda:1, mps, or several GPUs: cuda:0,cuda:1.
        precision: auto, fp32, tf32 or bf16.
        limits: only segments within them are kept; None keeps all that are made.
        asked: conditions, of a model that is told some, by name; see ``from_seeds.generate``.
        resume: continue the file if it is there.
        elsewhere: where segments are made instead of here (``cluster.ClusterGeneration.batches``);
            device and precision are then those that it has.
        on_progress: called with the segments made so far, those of an earlier process among them.

    Raises:
        BadInputError: if the count or the seeds are out of range, the model cannot be used, the
            file to resume was begun with anything else, or no segment is within the limits.
        OutputError: if the file cannot be written; what was committed stays.
    """
    import torch

    from ..networks import model_file
    from ..networks.dcgan import chosen_device

    path = Path(path)
    check_seeds(count, first_seed, batch_size)
    devices = [(torch.device if elsewhere else chosen_device)(one) for one in device.split(",")]
    where = devices[0]
    model = model_file.read(model_path, torch.device("cpu") if elsewhere else where)
    made_there = elsewhere or partial(_made_here, model, ",".join(map(str, devices)))
    made = Provenance(
        model_sha256=sha256(model_path),
        first_seed=first_seed,
        segments=count,
        batch_size=batch_size,
        batch_statistics=batch_statistics,
        precision=generating_precision(model, precision, where.type, batch_statistics),
        device=where.type,
        limits=limits or Limits(),
        asked=dict(asked or {}),
    )
    told(model.conditions, np.array([first_seed]), made.asked)  # or refused, before there is a file
    with hdf5.Writer(
        path,
        kind="synthetic",
        pixel_spacing_mm=model.pixel_spacing_mm,
        hu_range=model.hu_range,
        resume=resume,
    ) as writer:
        _generate(writer, path, made, made_there, on_progress or (lambda count: None))
        selection.check_any(len(writer), count)
    return made


def check_seeds(count: int, first_seed: int, batch_size: int = BATCH_SIZE) -> None:
    """Raise BadInputError unless a count is at least 1 and can be made, its seeds are 64-bit whole
    numbers and a batch fits into memory."""
    if not 1 <= batch_size <= MOST_BATCH:
        raise BadInputError(f"The batch size is {batch_size}, expected 1 to {MOST_BATCH:,}.")
    if count < 1 or not 0 <= first_seed <= 2**63 - count:
        raise BadInputError(
            f"{count} segments from seed {first_seed} were asked for, expected at least 1 segment "
            "and seeds from 0 to 2**63 - 1."
        )
    if count > MOST_SEGMENTS:
        raise BadInputError(
            f"{count:,} segments were asked for, expected at most {MOST_SEGMENTS:,} in one file; "
            "make several, with seeds of their own."
        )


def _generate(
    writer: hdf5.Writer,
    path: Path,
    made: Provenance,
    made_there: Elsewhere,
    on_progress: Callable[[int], None],
) -> None:
    if len(writer):
        made.check_same(path, writer.source)
    end = made.first_seed + made.segments
    start = made.next_seed(_last_seed(path, len(writer)))
    if start == end:
        return
    count = start - made.first_seed
    for kept in made_there(made, start, end):
        if len(kept):
            writer.append(_with_source(kept, made))
        count = min(count + made.batch_size, made.segments)
        on_progress(count)


def _made_here(
    model: Model, devices: str, made: Provenance, start: int, end: int
) -> Iterator[SegmentSet]:
    """Make segments and keep those within the limits, batch by batch."""
    from . import from_seeds

    batches = from_seeds.generate(
        model,
        range(start, end),
        batch_size=made.batch_size,
        device=devices,
        precision=made.precision,
        batch_statistics=made.batch_statistics,
        asked=made.asked,
    )
    return selection.selected_batches(batches, made.limits)


def _with_source(segments: SegmentSet, made: Provenance) -> SegmentSet:
    return replace(segments, source={**segments.source, **made.as_source()})


def _last_seed(path: Path, held: int) -> int | None:
    return int(hdf5.read(path, slice(held - 1, held)).seed[0]) if held else None


def generating_precision(model: Model, name: str, device: str, batch_statistics: bool) -> str:
    """Give the precision that a model generates in, for "auto" and the others."""
    if batch_statistics and name == "auto":
        return "fp32"
    return chosen_precision(name, device, model.generator.width)
