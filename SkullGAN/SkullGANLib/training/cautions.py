"""What must be known of the segment sets of a training before it is begun, in sentences."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..data import hdf5
from ..data.segment_set import SegmentSet
from ..metrics import cautions

FEWEST = 50
"""Segments below which a training has too few: less than half of what one head gives (110)."""

MOST_READ = 20_000
"""Segments that are read for it, some 3 s; of larger sets what would take longer is not said."""


def of_files(paths: Sequence[str | Path]) -> list[str]:
    """Say what must be known of segment sets (.h5) that can be read.

    That is what ``metrics.cautions`` says of their CTs, too few segments, and segments that occur
    more than once, within a set or between sets.
    """
    headers = [hdf5.read(path, slice(0)) for path in paths]
    count = sum(map(hdf5.count, paths))
    found = _of_cts(headers)
    if count > MOST_READ:
        return [*found, *_of_number(count)]
    parts = [(path, part) for path in paths for part in hdf5.iterate(path)]
    return [
        *_of_pixels(headers, [part for _, part in parts]),
        *_of_number(count),
        *_of_duplicates(parts),
    ]


def of_segments(segments: SegmentSet) -> list[str]:
    """As ``of_files``, of a set in memory."""
    return [
        *cautions.of_set(segments),
        *_of_number(len(segments)),
        *_of_duplicates([("the set", segments)]),
    ]


def _of_cts(headers: Sequence[SegmentSet]) -> list[str]:
    """What the sources alone say."""
    nobody = np.array([], str)
    return cautions.of_parts(_source(headers), nobody, nobody, np.array([]))


def _of_pixels(headers: Sequence[SegmentSet], parts: Sequence[SegmentSet]) -> list[str]:
    """What the sources and the segments' SDR say; nothing of segments that are of no CT."""
    if any(header.kind != "real" for header in headers) or not any(map(len, parts)):
        return []
    subject = np.concatenate([part.subject for part in parts])
    sdr = np.concatenate([cautions.sdr_of(part) for part in parts])
    bone = np.concatenate([part.bone for part in parts])
    return cautions.of_parts(_source(headers), subject, bone, sdr)


def _source(headers: Sequence[SegmentSet]) -> dict[str, object]:
    """One source of all sets, CT by CT."""
    cts = {
        name or f"set {number}": one
        for number, header in enumerate(headers, 1)
        if header.kind == "real"
        for name, one in cautions.cts_of(header.source).items()
    }
    return {"cts": cts}


def _of_number(count: int) -> list[str]:
    if count >= FEWEST:
        return []
    return [
        f"There are {count} segments, a training needs at least about {FEWEST}: with fewer the "
        "networks learn them by heart."
    ]


def _of_duplicates(parts: Iterable[tuple[str | Path, SegmentSet]]) -> list[str]:
    """Count segments that are the same, pixel by pixel, as one before them."""
    seen: dict[bytes, str] = {}
    within: Counter[str] = Counter()
    between: Counter[tuple[str, str]] = Counter()
    for path, part in parts:
        for hu in part.hu:
            digest = hashlib.blake2b(np.ascontiguousarray(hu).data, digest_size=16).digest()
            first = seen.setdefault(digest, "")
            if not first:
                seen[digest] = str(path)
            elif first == str(path):
                within[first] += 1
            else:
                between[first, str(path)] += 1
    found = [
        f"{path}: {_segments(count)} the same, pixel by pixel, as others of the set; they weigh "
        "twice."
        for path, count in within.items()
    ]
    return found + [
        f"{path}: {_segments(count)} the same, pixel by pixel, as in {first}; they weigh twice."
        for (first, path), count in between.items()
    ]


def _segments(count: int) -> str:
    return f"{count} segment{' is' if count == 1 else 's are'}"
