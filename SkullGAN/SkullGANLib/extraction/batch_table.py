"""The table of a batch: what became of each CT, in a CSV file beside the segment set.

It is the only file that knows the CTs' file names. ``Book`` keeps set and table in step while CTs
are cut.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from ..data import hdf5
from ..data.segment_set import SegmentSet
from ..errors import BadInputError, OutputError
from ..metrics import cautions
from ..utils.atomic_files import written_aside
from ..utils.printable import csv_cell, csv_text

_MOST_BYTES = 2**28
WAITING, DONE, FAILED = "waiting", "done", "failed"


@dataclass(frozen=True)
class Row:
    """What became of one CT.

    Attributes:
        ct: the CT as the user named it.
        state: ``waiting``, ``done`` or ``failed``.
        segments: how many the set has from it.
        subject: whose CT it is, as in the set.
        pseudonym: the set's ``ct`` of its segments.
        dropped: how many cuts were dropped, by reason.
        reason: why it failed, or why it gave nothing new.
        seconds: how long the cutting took.
        settings: what it was cut with, JSON.
        signature: size and time of change of its files, to know them again.
        cautions: what must be known of its segments' SDR and thickness, sentences.
    """

    ct: str
    state: str = WAITING
    segments: int = 0
    subject: str = ""
    pseudonym: str = ""
    dropped: str = ""
    reason: str = ""
    seconds: float = 0.0
    settings: str = ""
    signature: str = ""
    cautions: str = ""

    def completed(self, segments: SegmentSet) -> Row:
        """Note what was cut from the CT."""
        pseudonym = str(np.asarray(segments.ct)[0])
        return replace(
            self,
            state=DONE,
            segments=len(segments),
            subject=str(segments.subject[0]),
            pseudonym=pseudonym,
            dropped=counts_text(segments.source["cts"][pseudonym]["dropped"]),
            cautions=" ".join(cautions.of_set(segments)),
        )

    def failed(self, reason: str) -> Row:
        """Note why the CT gave nothing."""
        return replace(self, state=FAILED, reason=reason)

    @property
    def sentence(self) -> str:
        """What became of the CT, for people."""
        if self.state == FAILED:
            return self.reason
        note = self.reason or f"dropped: {self.dropped or 'none'}"
        return f"{self.ct}: {self.segments} segments ({note})"


def counts_text(dropped: Mapping[str, int]) -> str:
    """Write counts by reason as ``3 metal, 2 wall interrupted``."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))


class Book:
    """The set and the table beside it: a row says done only once its segments are in the set.

    Args:
        output: the set (.h5); it is made with its first segments, the table at once.
        rows: of all CTs, by ``Row.ct``; ``enter`` keeps them up to date.
        held: how many segments the set has already, by ``Row.pseudonym``.
        spacing_mm: size of a pixel.

    Raises:
        OutputError: if the set or the table cannot be written.
    """

    def __init__(
        self, output: Path, rows: dict[str, Row], held: dict[str, int], spacing_mm: float
    ) -> None:
        self._output, self._rows, self._held = output, rows, held
        self._spacing_mm = spacing_mm
        self._writer: hdf5.Writer | None = None
        self._next_save_s = 0.0
        # Before the first segment: what cannot be written is better known now than in hours.
        _write_table(table_of(output), rows.values())

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._save()
        finally:
            if self._writer is not None:
                self._writer.__exit__(None, None, None)

    def enter(self, row: Row, segments: SegmentSet | None) -> Row:
        """Add what a CT gave, unless the set has it; gives the row as it is noted."""
        if segments is not None:
            row = self._unless_held(row)
            if row.state == DONE and row.pseudonym not in self._held:
                self._append(row, segments)
        self._rows[row.ct] = row
        # Every save copies the set: a tenth of the time at most goes there.
        began_s = time.monotonic()
        if began_s >= self._next_save_s:
            self._save()
            ended_s = time.monotonic()
            self._next_save_s = ended_s + 10 * (ended_s - began_s)
        return row

    def _append(self, row: Row, segments: SegmentSet) -> None:
        if self._writer is None:
            self._writer = hdf5.Writer(
                self._output,
                kind=segments.kind,
                pixel_spacing_mm=self._spacing_mm,
                resume=True,
                commit_every_s=None,
            )
        self._writer.append(segments)
        self._held[row.pseudonym] = len(segments)

    def _save(self) -> None:
        if self._writer is not None:
            self._writer.commit()
        _write_table(table_of(self._output), self._rows.values())

    def _unless_held(self, row: Row) -> Row:
        before = self._rows[row.ct].pseudonym
        if before in self._held and before != row.pseudonym:
            reason = f"{row.ct}: has changed since it was cut, expected a new set (or --overwrite)."
            return replace(row, state=FAILED, segments=0, pseudonym=before, reason=reason)
        if row.pseudonym not in self._held:
            return row
        same = [
            other.ct
            for other in self._rows.values()
            if other.ct != row.ct and other.state == DONE and other.pseudonym == row.pseudonym
        ]
        if same:
            return replace(row, segments=0, reason=f"the same voxels as {same[0]}, not added again")
        return replace(row, segments=self._held[row.pseudonym], reason="was in the set already")


def read_table(path: str | Path) -> dict[str, Row]:
    """Read the table of a batch: its rows by ``Row.ct``.

    Raises:
        BadInputError: if it is something else.
    """
    try:
        if not Path(path).is_file() or Path(path).stat().st_size > _MOST_BYTES:
            raise ValueError("no table")
        # Names that are no UTF-8 are what the system gave; they go in and out as they are.
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            known = [field.name for field in fields(Row)]
            if list(reader.fieldnames or []) not in (known, [*known[:-1]]):  # before cautions
                raise ValueError("other columns")
            rows = [_row({name: csv_text(text) for name, text in line.items()}) for line in reader]
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, csv.Error) as error:
        raise BadInputError(
            f"{path}: is not the table of a batch, expected another name for the set."
        ) from error
    return {row.ct: row for row in rows}


def table_of(output: str | Path) -> Path:
    """Where the table of a set is."""
    return Path(output).with_suffix(".csv")


def remove(output: str | Path) -> None:
    """Remove a set and its table, to begin anew.

    Raises:
        BadInputError: if what stands in the table's place is something else.
        OutputError: if one cannot be removed.
    """
    table = table_of(output)
    if table.exists() and (not table.is_file() or table.stat().st_size):
        read_table(table)  # another table is not ours to remove
    for path in (Path(output), table):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be replaced ({error.strerror}).") from error


def settings_text(settings: Mapping[str, object]) -> str:
    """Write what CTs are cut with as ``Row.settings``: the same settings give the same text."""
    ordered = {
        name: sorted(set(value)) if isinstance(value, list | tuple) else value
        for name, value in settings.items()
    }
    return json.dumps(ordered, sort_keys=True)


def _row(line: Mapping[str, str]) -> Row:
    texts = {name: text for name, text in line.items() if name not in ("segments", "seconds")}
    return replace(
        Row(**texts),  # type: ignore[arg-type]  # texts all
        segments=int(line["segments"]),
        seconds=float(line["seconds"]),
    )


def _write_table(path: Path, rows: Iterable[Row]) -> None:
    with (
        written_aside(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        for row in rows:
            writer.writerow({name: csv_cell(value) for name, value in asdict(row).items()})
