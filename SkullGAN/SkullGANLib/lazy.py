"""Light faces of packages: what they offer is imported when it is first asked for (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_face(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package out of where its names are at home.

    Args:
        package: the package's ``__name__``.
        homes: the module of each name, relative to the package. No name may be that of a module of
            the package, for an imported module would take its place.

    Example:
        >>> from SkullGANLib.data import SegmentSet
        >>> SegmentSet.__module__
        'SkullGANLib.data.segment_set'
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names
