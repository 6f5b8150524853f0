"""The size of the voxels that an SDR was measured in, which has to stand beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def voxels_text(voxel_mm: Sequence[float]) -> str:
    """A voxel's size as people read it.

    Example:
        >>> voxels_text([0.48828125, 0.48828125, 0.625])
        'voxels 0.488 x 0.488 x 0.625 mm'
    """
    return f"voxels {' x '.join(f'{mm:.3g}' for mm in voxel_mm)} mm"


def describe_voxels(source: Mapping[str, Any]) -> str:
    """Name the size of the voxels of every CT that a source tells of, each size once.

    Args:
        source: of a set, a map or a model; ``voxel_mm`` may stand anywhere in it.

    Example:
        >>> describe_voxels({"cts": {"A": {"voxel_mm": [1.0, 1.0, 1.5]}}})
        'voxels 1 x 1 x 1.5 mm'
        >>> describe_voxels({})
        'voxels of unknown size'
    """
    sizes = dict.fromkeys(map(voxels_text, _sizes(source)))
    return ", ".join(sizes) or "voxels of unknown size"


def _sizes(source: Mapping[str, Any]) -> Iterator[Sequence[float]]:
    for name, value in source.items():
        if name == "voxel_mm" and isinstance(value, (list, tuple)):
            yield value
        elif isinstance(value, Mapping):
            yield from _sizes(value)
