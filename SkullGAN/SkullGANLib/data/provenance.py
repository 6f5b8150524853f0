"""What a file says of its origin (``source``): anything that JSON holds, of the right kind where we
read it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import BadInputError
from ..utils.printable import printable


def checked_source(source: Any, where: str = "") -> dict[str, Any]:
    """Give a source once all that is read of it is of its kind.

    Args:
        source: what JSON held.
        where: the file, for the sentence; empty where the caller names it.

    Raises:
        BadInputError: naming the first entry that is of another kind.
    """
    if not isinstance(source, Mapping):
        raise _wrong(where, "source", source, "names with values")
    _check(where, "source", source)
    return dict(source)


def _check(where: str, path: str, source: Mapping[str, Any]) -> None:
    for name, value in source.items():
        here = f"{path}.{name}"
        if name in _KINDS and value is not None:
            fits, expected = _KINDS[name]
            # Of several CTs that differ, a list of the values of each is kept.
            merged = isinstance(value, list) and name in _MERGED and all(map(fits, value))
            if not fits(value) and not merged:
                raise _wrong(where, here, value, expected)
        if name == "cts" and isinstance(value, Mapping):
            for ct, of in value.items():
                if not isinstance(of, Mapping):
                    raise _wrong(where, f"{here}.{ct}", of, "names with values")
                _check(where, f"{here}.{ct}", of)
        elif isinstance(value, Mapping) and name not in _KINDS:
            _check(where, here, value)


def _wrong(where: str, name: str, value: Any, expected: str) -> BadInputError:
    start = f"{where}: its" if where else "Its"
    found = printable(repr(value))[:60]
    return BadInputError(f"{start} {printable(name)[:120]} is {found}, expected {expected}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_voxel(value: Any) -> bool:
    return (
        isinstance(value, list) and len(value) == 3 and all(_is_number(v) and v > 0 for v in value)
    )


def _is_frame(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    sure, origin = value.get("certainty"), value.get("from", "")
    return (sure is None or _is_number(sure)) and isinstance(origin, str)


def _is_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_count, value.values()))


def _is_border(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    agrees = value.get("agrees")
    numbers = (one for name, one in value.items() if name != "agrees")
    return (agrees is None or isinstance(agrees, Mapping)) and all(
        one is None or _is_number(one) for one in numbers
    )


def _is_depth(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    slices, step_mm = value.get("slices"), value.get("step_mm", 0)
    return _is_count(slices) and int(slices or 0) > 1 and _is_number(step_mm) and step_mm > 0


def _is_names(value: Any) -> bool:
    return isinstance(value, Mapping)


_NUMBER, _TEXT = (_is_number, "a number"), (_is_text, "a text")
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("kvp", "slice_thickness_mm", "threshold_hu", "interval_mm"), _NUMBER),
    **dict.fromkeys(("gantry_tilt_deg",), _NUMBER),
    **dict.fromkeys(("scanner", "kernel", "model_sha256"), _TEXT),
    "voxel_mm": (_is_voxel, "three numbers above 0"),
    "frame": (_is_frame, "where it is from and its certainty"),
    "dropped": (_is_counts, "counts by reason"),
    "depth": (_is_depth, "2 or more slices and a step_mm above 0"),
    "squamosal_border_mm": (_is_border, "heights by side"),
    "cts": (_is_names, "what is known of each CT"),
}
_MERGED = (
    *("kvp", "slice_thickness_mm", "threshold_hu", "interval_mm", "scanner", "kernel"),
    *("gantry_tilt_deg", "model_sha256", "voxel_mm", "frame", "dropped", "squamosal_border_mm"),
    "depth",
)
