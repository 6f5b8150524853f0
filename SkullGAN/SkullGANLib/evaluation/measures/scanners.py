"""What is noted of the scanners that segments come from, and whether two sets differ in it."""

from __future__ import annotations

from collections.abc import Mapping

from ...data.segment_set import SegmentSet


def other_scanner(train: SegmentSet, test: SegmentSet) -> str:
    """Say how the test set's scanner or kernel differs; empty if it does not, as far as known."""
    for what in ("scanner", "kernel"):
        trained, tested = (noted(one, what) for one in (train, test))
        if trained and tested and not trained & tested:
            return f"{', '.join(sorted(trained))} and {', '.join(sorted(tested))}"
    return ""


def noted(segments: SegmentSet, what: str) -> set[str]:
    """Give what is noted of a set's CTs under a name, as ``kernel``."""
    cts = segments.source.get("cts")
    sources = list(cts.values()) if isinstance(cts, Mapping) else [segments.source]
    found: set[str] = set()
    for one in sources:
        value = one.get(what) if isinstance(one, Mapping) else None
        found.update(map(str, value if isinstance(value, list) else [value] * (value is not None)))
    return found
