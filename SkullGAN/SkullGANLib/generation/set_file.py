"""Generation into a segment set's file, with its provenance, that resumes after an interruption.

``generate_file`` writes batch by batch. What the segments follow from (``Provenance``) goes into
the set's ``source``, and by it a file that was left unfinished is resumed or refused. The command,
and panels and scripts through it, make their files here; ``selector`` says which segments are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import hdf5
from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from ..metrics.registry import METRICS
from ..networks.conditions import told
from ..networks.precision import chosen_precision
from ..utils.atomic_files import sha256
from . import likeness, selector
from .likeness import RealSet
from .selection import Selection

if TYPE_CHECKING:
    from ..networks.model_file import Model

Make = Callable[[Sequence[int] | np.ndarray, int], Iterator[SegmentSet]]
"""Gives the segments of seeds that follow each other, in batches of a size."""

Kept = tuple[SegmentSet, Mapping[str, Any]]
"""Segments that go into the file, and what its source is to hold with them."""

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
        segments: how many are made; with a selection, how many are kept.
        batch_size: made at once.
        batch_statistics: whether the batch normalizes, see ``from_seeds.generate``.
        precision: fp32, tf32 or bf16.
        device: cpu, cuda or mps.
        selection: what is kept.
        real: the set that is followed, if one is.
        asked: conditions, by name.
    """

    model_sha256: str
    first_seed: int
    segments: int
    batch_size: int
    batch_statistics: bool
    precision: str
    device: str
    selection: Selection = field(default_factory=Selection)
    real: RealSet | None = None
    asked: Mapping[str, str | float] = field(default_factory=dict)

    def as_source(self) -> dict[str, Any]:
        """Give it as a segment set's ``source`` holds it.

        Selected segments are the same at any batch size, but with batch statistics. ``kept`` tells
        them from those of earlier versions, which made so many and kept fewer.
        """
        names = ("model_sha256", "first_seed", "batch_statistics", "precision", "device")
        source = {name: getattr(self, name) for name in names}
        source["kept" if self.selection else "segments"] = self.segments
        if self.batch_statistics or not self.selection:
            source["batch_size"] = self.batch_size
        if self.real:
            source["like"] = self.real.as_source(self.selection.like_ks)
        if self.asked:
            source["asked"] = dict(self.asked)
        return source | self.selection.as_source()

    def check_same(self, path: Path, source: Any) -> None:
        """Raise unless a file was begun with the same.

        Raises:
            BadInputError: naming the first thing that differs.
        """
        ours = self.as_source()
        for name in (*ours, "limits", "whole", "like", "diverse", "asked"):
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
"""Gives the segments of seeds from one to below another, in batches of the size named there."""


@dataclass(frozen=True)
class Generated:
    """What became of a generation.

    Attributes:
        provenance: what the file's segments follow from.
        kept: segments, or stacks, in the file.
        made: of the first seed on; as many as are kept, without a selection.
        ks: Kolmogorov-Smirnov statistic of each metric against the real set that was followed.
    """

    provenance: Provenance
    kept: int
    made: int
    ks: Mapping[str, float] = field(default_factory=dict)

    @property
    def likeness(self) -> str:
        """A sentence on how well a real set is followed; empty where none is."""
        if not self.ks:
            return ""
        found = ", ".join(f"{METRICS[name].short} {value:.3f}" for name, value in self.ks.items())
        said = f"Kolmogorov-Smirnov statistic against the real set: {found}."
        allowed = self.provenance.selection.like_ks
        if max(self.ks.values()) <= allowed:
            return said
        why = "less diverse or more" if self.provenance.selection.diverse else "more"
        return f"{said} Up to {allowed:g} was expected; {why} segments follow it more closely."


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
    selection: Selection | None = None,
    asked: Mapping[str, str | float] | None = None,
    resume: bool = False,
    elsewhere: Elsewhere | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Generated:
    """Generate segments into a segment set's file, or those that it does not hold yet.

    Args:
        path: segment set (.h5) to write; while it grows it is always a whole one.
        model_path: model (.safetensors).
        count: segments to make; with a selection, to keep.
        first_seed: of the first segment; the others count up.
        batch_size, batch_statistics: as for ``from_seeds.generate``.
        device: auto, cpu, cuda, cuda:1, mps, or several GPUs: cuda:0,cuda:1.
        precision: auto, fp32, tf32 or bf16.
        selection: what is kept; segments are made until there are enough. None keeps all.
        asked: conditions, of a model that is told some, by name; see ``from_seeds.generate``.
        resume: continue the file if it is there.
        elsewhere: where segments are made instead of here (``cluster.ClusterGeneration.batches``);
            device and precision are then those that it has.
        on_progress: called with how many of the count there are so far, those of an earlier
            process among them.
        on_note: called with sentences on how long a selection will take.

    Raises:
        BadInputError: if the count or the seeds are out of range, the model cannot be used, the
            file to resume was begun with anything else, the set to follow is not real or cannot
            be followed, or too few segments fit. A file is begun once enough are likely to.
        OutputError: if the file cannot be written; what was committed stays.
    """
    import torch

    from ..networks import model_file
    from ..networks.devices import chosen_device

    path, selection = Path(path), selection or Selection()
    check_seeds(count, first_seed, batch_size)
    selection.most_made(count)
    real = likeness.read_real(selection.like, selection.limits) if selection.like else None
    devices = [(torch.device if elsewhere else chosen_device)(one) for one in device.split(",")]
    where = devices[0]
    model = model_file.read(model_path, torch.device("cpu") if elsewhere else where)
    made = Provenance(
        model_sha256=sha256(model_path),
        first_seed=first_seed,
        segments=count,
        batch_size=batch_size,
        batch_statistics=batch_statistics,
        precision=generating_precision(model, precision, where.type, batch_statistics),
        device=where.type,
        selection=selection,
        real=real,
        asked=dict(asked or {}),
    )
    _check_possible(model_path, model, made)
    looked_at = _written(
        path,
        model,
        made,
        _made_by(model, made, ",".join(map(str, devices)), elsewhere),
        resume=resume,
        on_progress=on_progress or (lambda count: None),
        on_note=on_note or _unsaid,
    )
    return Generated(made, count, looked_at, _ks(path, real) if real else {})


def _check_possible(model_path: str | Path, model: Model, made: Provenance) -> None:
    """Raise BadInputError if a model makes no such segments, before there is a file."""
    if made.real and model.depth:
        raise BadInputError(
            f"{model_path}: makes stacks of {model.depth}, and the distributions of a real set are "
            "followed by single cuts alone; expected such a model, or limits."
        )
    told(model.conditions, np.array([made.first_seed]), made.asked)


def _written(
    path: Path,
    model: Model,
    made: Provenance,
    make: Make,
    *,
    resume: bool,
    on_progress: Callable[[int], None],
    on_note: Callable[[str], None],
) -> int:
    """Write the file, and give how many segments or stacks were made for it."""
    with hdf5.Writer(
        path,
        kind="synthetic",
        pixel_spacing_mm=model.pixel_spacing_mm,
        hu_range=model.hu_range,
        resume=resume,
    ) as writer:
        if len(writer):
            made.check_same(path, writer.source)
        kept = _selected if made.selection else _all
        for segments, entries in kept(path, len(writer), make, model.slices, made, on_note):
            if len(segments):
                writer.append(_with_source(segments, entries))
            on_progress(len(writer) // model.slices)
        return int(writer.source.get("made", made.segments))


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


def _all(
    path: Path, held: int, make: Make, slices: int, made: Provenance, on_note: Callable[[str], None]
) -> Iterator[Kept]:
    """Make the segments that the file does not hold."""
    end = made.first_seed + made.segments
    start = made.next_seed(_last_seed(path, held))
    if start < end:
        for batch in make(range(start, end), made.batch_size):
            yield batch, made.as_source()


def _selected(
    path: Path, held: int, make: Make, slices: int, made: Provenance, on_note: Callable[[str], None]
) -> Iterator[Kept]:
    """Make segments until enough that the file does not hold fit; of some batches none does."""
    source = selector.Source(
        make=make,
        first_seed=made.first_seed,
        batch_size=made.batch_size,
        batch_statistics=made.batch_statistics,
        slices=slices,
    )
    steps = selector.selected(
        source,
        made.selection,
        made.segments,
        real=made.real,
        held=hdf5.iterate(path) if held else (),
        on_note=on_note,
    )
    for kept in steps:
        # Only the end knows: the same entries, wherever the process was interrupted.
        end = {"made": kept.made, "last_seed": made.first_seed + kept.made - 1}
        yield kept.segments, made.as_source() | (end if kept.complete else {})


def _made_by(model: Model, made: Provenance, devices: str, elsewhere: Elsewhere | None) -> Make:
    def here(seeds: Sequence[int] | np.ndarray, together: int) -> Iterator[SegmentSet]:
        from . import from_seeds

        return from_seeds.generate(
            model,
            seeds,
            batch_size=together,
            device=devices,
            precision=made.precision,
            batch_statistics=made.batch_statistics,
            asked=made.asked,
        )

    def there(seeds: Sequence[int] | np.ndarray, together: int) -> Iterator[SegmentSet]:
        assert elsewhere is not None
        # What is kept is decided here.
        all_of_them = replace(made, batch_size=together, selection=Selection(), real=None)
        return elsewhere(all_of_them, int(seeds[0]), int(seeds[-1]) + 1)

    return there if elsewhere else here


def _ks(path: Path, real: RealSet) -> dict[str, float]:
    from ..metrics.measurement import measure

    values = [likeness.values_of(measure(batch)) for batch in hdf5.iterate(path)]
    return likeness.ks_of(real, np.concatenate(values))


def _unsaid(sentence: str) -> None:
    """Take a note where nobody reads it."""


def _with_source(segments: SegmentSet, entries: Mapping[str, Any]) -> SegmentSet:
    # In the order in which a file's writer merges them.
    source = {**segments.source, **entries}
    return replace(segments, source={name: source[name] for name in sorted(source)})


def _last_seed(path: Path, held: int) -> int | None:
    return int(hdf5.read(path, slice(held - 1, held)).seed[0]) if held else None


def generating_precision(model: Model, name: str, device: str, batch_statistics: bool) -> str:
    """Give the precision that a model generates in, for "auto" and the others."""
    if batch_statistics and name == "auto":
        return "fp32"
    return chosen_precision(name, device, model.generator.width)
