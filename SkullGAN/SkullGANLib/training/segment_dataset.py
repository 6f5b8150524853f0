"""Segments of a set's file as a learning problem in PyTorch reads them, split by subject.

``SegmentDataset`` is a map-style dataset: it knows its length and gives any segment by number, so
that a ``DataLoader`` shuffles it and shares it out among workers. It needs no PyTorch itself.
``generation.SyntheticSegments`` is its counterpart that makes segments instead of reading them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import hdf5, hdf5_layout
from ..data.segment_set import without_patient
from ..metrics.registry import checked_metric
from .datasets import TEST_SHARE, plan_split


class SegmentDataset:
    """The segments of a file, or some of them, by number.

    The file is opened for each batch and closed again, so that workers share no handle of it.

    Args:
        path: segment set (.h5), of any kind and size.
        rows: of the file, those that the dataset has, in this order; None is all.
        metrics: names of ``metrics.METRICS`` that are measured for each segment.

    Raises:
        BadInputError: if the file is no segment set, or a metric is unknown.

    Each segment is a dict of ``hu``, float32 (1, 128, 128); ``mask``, uint8 (1, 128, 128); ``row``,
    its place in the file; and each metric, float32, NaN where the segment does not have it.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "set.h5"
        >>> wall = np.zeros((3, 128, 128)); wall[:, 20:40] = 1200
        >>> hdf5.write(path, without_patient(wall, wall > 0, np.arange(3)))
        >>> dataset = SegmentDataset(path, metrics=["thickness_mm"])
        >>> len(dataset), dataset[2]["hu"].shape, round(float(dataset[2]["thickness_mm"]), 1)
        (3, (1, 128, 128), 9.0)
    """

    def __init__(
        self,
        path: str | Path,
        rows: Sequence[int] | np.ndarray | None = None,
        *,
        metrics: Sequence[str] = (),
    ) -> None:
        for name in metrics:
            checked_metric(name)
        self.path, self._metrics = Path(path), tuple(metrics)
        header = hdf5.read(path, slice(0))
        self._pixel_spacing_mm, self.kind = header.pixel_spacing_mm, header.kind
        self._rows = np.arange(hdf5.count(path)) if rows is None else np.asarray(rows, np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Give some segments at once, as a ``DataLoader`` asks for those of a batch."""
        rows = self._rows[list(numbers)]
        with hdf5_layout.opened(self.path) as file:
            hu, mask = (
                np.concatenate(
                    [hdf5_layout.read_column(file, name, slice(row, row + 1)) for row in rows]
                )
                for name in ("hu", "mask")
            )
        measured = self._measured(hu, mask, rows)
        return [
            {
                "hu": hu[number, None].astype(np.float32),
                "mask": mask[number, None],
                "row": int(row),
                **{name: values[number] for name, values in measured.items()},
            }
            for number, row in enumerate(rows)
        ]

    def split(
        self, *, test_share: float = TEST_SHARE, seed: int = 0
    ) -> tuple[SegmentDataset, SegmentDataset]:
        """Hold whole subjects out: one dataset to learn from and one to test with.

        Neighboring cuts of one head are nearly alike: with some of them on either side a test would
        tell how well a network remembers. Of a single subject, or none, nothing is held out.

        Args:
            test_share: share of the segments to hold out, met as well as whole subjects allow.
            seed: what the choice follows from.

        Raises:
            BadInputError: if the share is out of range.
        """
        subjects = hdf5.texts(self.path)["subject"][self._rows]
        held_out = plan_split(subjects, test_share=test_share, seed=seed).held_out
        learned, test = (
            SegmentDataset(self.path, self._rows[part], metrics=self._metrics)
            for part in (~held_out, held_out)
        )
        return learned, test

    def _measured(
        self, hu: np.ndarray, mask: np.ndarray, rows: np.ndarray
    ) -> dict[str, np.ndarray]:
        if not self._metrics:
            return {}
        from ..metrics.measurement import measure

        segments = without_patient(hu, mask, rows, pixel_spacing_mm=self._pixel_spacing_mm)
        found = measure(segments)
        return {name: found[name].astype(np.float32) for name in self._metrics}
