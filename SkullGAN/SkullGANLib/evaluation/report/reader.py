"""What an evaluation left in a folder, read again: for panels, scripts and the next evaluation.

``read(folder)`` gives a ``Report``: all numbers, and for each set a ``ReportedSet``, with columns
of one value per segment and the files it came from, out of which ``ReportedSet.segments`` reads
again what is to be shown. ``Report.pair`` lays a segment and its nearest training segment over
each other. No torch, scikit-learn or matplotlib is needed.

Example:
    >>> from pathlib import Path
    >>> def farthest(folder: Path) -> "Pair":
    ...     report = read(folder)
    ...     distances = report.sets["synthetic"].columns["mse_distance"]
    ...     return report.pair("mse", int(np.nanargmax(distances)))
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...data import hdf5, segment_set
from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...utils.json_text import read_json
from ..evaluation_set import digests_of
from ..measures.nearest_neighbors import WAYS as WAYS
from ..measures.neighbors import differences, laid_over
from .segment_table import read_table

PAGE, NUMBERS, FLAT, SEGMENTS, FIGURES = (
    "report.html",
    "report.json",
    "numbers.csv",
    "segments.csv",
    "figures",
)
_OLDER_NAMES = {
    "memorisation": "memorization",
    "unsaid": "limitations",
    "with_neighbour": "with_neighbor",
}
"""Keys of reports that were written before, and what they are called now."""
_SHIFTS = ("shift_rows", "shift_columns")
_LATER = {"turn_deg": 0.0, "gain": 1.0, "rms_hu": np.nan}
"""Columns about neighbors that reports written before do not have, and what they then are."""


@dataclass(frozen=True, eq=False)
class ReportedSet:
    """One set of a report; place n is the n-th segment of its files, one after the other.

    Attributes:
        name: one of ``names.NAMES``.
        kind: of the set, one of ``segment_set.KINDS``.
        files: paths of the files it came from.
        counts: segments in each file.
        columns: arrays (N,), by name. Columns of what was not evaluated at all are missing; a
            segment that was not judged has NaN, -1, False or an empty text.

            - ``subject``, ``bone``, ``side``, ``plane``, ``ct``: texts; ``seed``: int, -1 for none
            - every name of ``metrics.METRICS``: float
            - ``realness``: float in [0, 1]; of sets that were subsampled, of those taken
            - ``tsne_metrics_x``, ``_y``, ``tsne_pixels_x``, ``_y``: float, of those laid out
            - for ``mse`` and ``sift``, of synthetic and test segments: ``mse_nearest``: int, the
              place of the nearest training segment; ``mse_distance``, ``mse_ratio``: float, and
              ``mse_flipped``: bool, ``mse_shift_rows``, ``mse_shift_columns``, ``mse_turn_deg``,
              ``mse_gain``, ``mse_rms_hu``: float, as in ``neighbors.Neighbors``;
              ``mse_verdict``: "new", "suspect" or "copy", of synthetic ones, empty where there
              was nothing to judge by
            - ``digest``: texts, equal for segments of identical HU
    """

    name: str
    kind: str
    files: tuple[Path, ...]
    counts: tuple[int, ...]
    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return sum(self.counts)

    def where(self, place: int) -> tuple[Path, int]:
        """Give the file that holds a segment and its place in that file.

        Raises:
            IndexError: if the set has no such place.
        """
        if not 0 <= place < len(self):
            raise IndexError(f"{self.name} has {len(self)} segments, none at {place}")
        ends = np.cumsum(self.counts)
        number = int(np.searchsorted(ends, place, side="right"))
        return self.files[number], int(place - ends[number] + self.counts[number])

    def segments(self, places: Sequence[int] | np.ndarray) -> SegmentSet:
        """Read segments again from their files, in the order given.

        Raises:
            BadInputError: if there is no place, a file is not there, or holds others than those
                that were evaluated.
            IndexError: if the set has no such place.
        """
        wanted = [(*self.where(int(place)), self.columns["digest"][place]) for place in places]
        found, start = [], 0
        while start < len(wanted):
            path, row, _ = wanted[start]
            # What lies one after the other in a file is read in one go.
            end = start + 1
            while end < len(wanted) and wanted[end][:2] == (path, row + end - start):
                end += 1
            one = hdf5.read(path, slice(row, row + end - start))
            known = [digest for _, _, digest in wanted[start:end]]
            others = [k for k, digest in enumerate(digests_of(one.hu)) if digest != known[k]]
            if others or len(one) < len(known):
                raise BadInputError(
                    f"{path}: its segment {row + min([*others, len(one)])} is not the one that was "
                    "evaluated: expected the file as it was then."
                )
            found.append(one)
            start = end
        return segment_set.concatenate(found)


@dataclass(frozen=True, eq=False)
class Pair:
    """A segment and its nearest training segment.

    Attributes:
        segment, training: sets of one segment each, as they are in their files.
        place, training_place: their places in their sets.
        aligned: float32 (128, 128), HU of the training segment, turned, moved, mirrored and scaled
            to lie over the other one; NaN where it ends.
        difference: float32 (128, 128), HU of the segment minus ``aligned``; NaN where that ends.
        distance, ratio, flipped, shift_px, turn_deg, gain, rms_hu: as in ``neighbors.Neighbors``.
        verdict: "new", "suspect", "copy", or empty.
    """

    segment: SegmentSet
    training: SegmentSet
    place: int
    training_place: int
    aligned: np.ndarray
    difference: np.ndarray
    distance: float
    ratio: float
    flipped: bool
    shift_px: tuple[float, float]
    turn_deg: float
    gain: float
    rms_hu: float
    verdict: str


@dataclass(frozen=True, eq=False)
class Report:
    """What ``writer.write`` left in a folder.

    Attributes:
        folder: where it is.
        numbers: all of ``report.json``.
        sets: by name, in the order in which they are shown.
        model: path of the model whose discriminator judged; None if there was none.
    """

    folder: Path
    numbers: Mapping[str, Any]
    sets: Mapping[str, ReportedSet]
    model: Path | None

    @property
    def page(self) -> Path:
        """The page to open in a browser."""
        return self.folder / PAGE

    @property
    def pictures(self) -> tuple[Path, ...]:
        """The figures as PNG; each lies beside its SVG."""
        return tuple(sorted((self.folder / FIGURES).glob("*.png")))

    def has_pair(self, way: str, place: int, of: str = "synthetic") -> bool:
        """Whether a segment's nearest training segment is known by a way of ``WAYS``."""
        nearest = self.sets[of].columns.get(f"{way}_nearest") if of in self.sets else None
        return nearest is not None and nearest[place] >= 0

    def pair(self, way: str, place: int, of: str = "synthetic") -> Pair:
        """Read a segment and its nearest training segment.

        Args:
            way: one of ``WAYS``.
            place: of the segment in the set ``of``, which is "synthetic" or "test".

        Raises:
            BadInputError: if its nearest training segment is not known (see ``has_pair``), or a
                file is not there or was changed.
        """
        if not self.has_pair(way, place, of):
            raise BadInputError(
                f"{self.folder}: the nearest training segment of segment {place} of {of} by {way} "
                "is not known: expected an evaluation that searched for it."
            )
        noted = {
            what: self.sets[of].columns[f"{way}_{what}"][place]
            for what in ("nearest", "distance", "ratio", "flipped", *_SHIFTS)
        }
        # Those of reports that were written before were whole pixels, and nothing was turned.
        later = {
            what: float(self.sets[of].columns.get(f"{way}_{what}", {place: usual})[place])
            for what, usual in _LATER.items()
        }
        verdicts = self.sets[of].columns.get(f"{way}_verdict")
        training_place = int(noted["nearest"])
        own = self.sets[of].segments([place])
        near = self.sets["train"].segments([training_place])
        shift = (float(noted["shift_rows"]), float(noted["shift_columns"]))
        over = later["gain"] * laid_over(
            near.hu[0, :, ::-1] if noted["flipped"] else near.hu[0],
            later["turn_deg"],
            np.array(shift),
        )
        return Pair(
            segment=own,
            training=near,
            place=place,
            training_place=training_place,
            aligned=over,
            difference=differences(own.hu[0], over),
            distance=float(noted["distance"]),
            ratio=float(noted["ratio"]),
            flipped=bool(noted["flipped"]),
            shift_px=shift,
            verdict="" if verdicts is None else str(verdicts[place]),
            **later,
        )


def read(folder: str | Path) -> Report:
    """Read the report in a folder; segments and model stay in their files until asked for.

    Raises:
        BadInputError: if there is no report in the folder, or it is not one of ours.
    """
    folder = Path(folder)
    if not (folder / NUMBERS).exists():
        raise BadInputError(
            f"{folder}: there is no report of an evaluation in it, expected what skullgan evaluate "
            "wrote."
        )
    try:
        numbers = _renamed(read_json(folder / NUMBERS, "the numbers of an evaluation"))
        tables = read_table(folder / SEGMENTS)
        paths, model = numbers["paths"]["sets"], numbers["paths"]["model"]
        sets = {
            name: ReportedSet(
                name=name,
                kind=described["kind"],
                files=tuple(_absolute(folder, one) for one in paths[name]),
                counts=tuple(described["counts"]),
                columns=tables[name],
            )
            for name, described in numbers["sets"].items()
        }
    except OSError as error:
        raise BadInputError(
            f"{folder}: there is no report of an evaluation in it that can be read "
            f"({error.strerror or error}): expected what skullgan evaluate wrote."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, csv.Error) as error:
        raise BadInputError(
            f"{folder}: {NUMBERS} and {SEGMENTS} are not those of an evaluation by this version of "
            "skullgan evaluate: expected a report that it wrote."
        ) from error
    for one in sets.values():
        if "digest" not in one.columns:
            raise BadInputError(f"{folder}: {SEGMENTS} lacks the column digest of {one.name}.")
        if len(one) != len(one.columns["digest"]):
            raise BadInputError(
                f"{folder}: {SEGMENTS} has {len(one.columns['digest'])} segments of {one.name}: "
                f"expected {len(one)}."
            )
    return Report(folder, numbers, sets, None if model is None else _absolute(folder, model))


def relative(folder: Path, path: str | Path) -> str:
    """Give a path as it is seen from a folder: both may move together, and nobody's home shows."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return Path(path).absolute().as_posix()


def _renamed(value: Any) -> Any:
    """Give what JSON holds with the names that keys have today."""
    if isinstance(value, dict):
        return {_OLDER_NAMES.get(key, key): _renamed(inner) for key, inner in value.items()}
    return list(map(_renamed, value)) if isinstance(value, list) else value


def _absolute(folder: Path, path: str) -> Path:
    return Path(os.path.normpath(folder.absolute() / path))
