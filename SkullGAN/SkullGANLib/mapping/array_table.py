"""What an array sees, in numbers and as a table with a row per element."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..metrics import METRICS, Metric
from ..utils.atomic_files import written_aside
from .codes import CODES, MEASURED
from .map_summary import not_measured, statistics
from .transducer import SINGLE_RAY, ArrayRays, scalars_of


def numbers_of(found: ArrayRays, bins: int = 20) -> dict[str, Any]:
    """The array in numbers, ready for JSON.

    Returns:
        ``elements``; ``measured`` and ``active`` counts; ``rule``; ``target_ras``; by reason how
        many were not measured; for each scalar its ``statistics`` over the measured rays, over the
        active ones, and a histogram (``edges`` and ``counts``) of the measured ones. The clinical
        number is the mean of ``sdr_peaks`` over the measured rays; Kranion's is the mean of
        ``sdr_outer_peak_single_ray`` over the active ones.
    """
    scalars = scalars_of(found)
    measured = found.code == MEASURED
    described: dict[str, Any] = {}
    for name, values in scalars.items():
        metric = METRICS.get(name.removesuffix(SINGLE_RAY))
        described[name] = {
            **statistics(values[measured], metric),
            "active": statistics(values[found.active], metric),
            "histogram": _histogram(values[measured], bins, metric),
        }
    return {
        "elements": len(found),
        "measured": int(measured.sum()),
        "active": int(found.active.sum()),
        "rule": (
            f"incidence at most {found.most_incidence_deg:g} degrees, through bone of the vault "
            "without air"
        ),
        "target_ras": found.target_ras.tolist(),
        **not_measured(found.code),
        "scalars": described,
    }


def _histogram(values: np.ndarray, bins: int, metric: Metric | None) -> dict[str, list[float]]:
    values = values[np.isfinite(values)]
    reach = metric.histogram_range if metric else None
    if reach:
        values = np.clip(values, *reach)
    counts, edges = np.histogram(values, bins=bins, range=reach)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def columns(found: ArrayRays) -> dict[str, np.ndarray]:
    """The array as a table with a row per element: its number and place, the scalars (NaN where not
    measured), what the ray ``met`` and whether it is ``active`` (0 or 1), by column."""
    places = {f"{axis}_ras_mm": found.elements_ras[:, n] for n, axis in enumerate("xyz")}
    return {
        "element": np.arange(len(found)),
        **places,
        **scalars_of(found),
        "met": np.array([CODES[code] for code in found.code.tolist()]),
        "active": found.active.astype(np.int64),
    }


def write_csv(path: str | Path, found: ArrayRays) -> None:
    """Write ``columns`` as CSV; what was not measured stays empty.

    Raises:
        OutputError: if the file cannot be written.
    """
    table = columns(found)
    with (
        written_aside(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(table)
        for row in zip(*(values.tolist() for values in table.values()), strict=True):
            writer.writerow(
                ("" if np.isnan(one) else f"{one:.4f}") if isinstance(one, float) else one
                for one in row
            )


def read_csv(path: str | Path) -> dict[str, np.ndarray]:
    """Read back ``columns`` from a file of ``write_csv``.

    Raises:
        BadInputError: if there is no such file or it is something else.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        texts = {name: [row[name] for row in rows] for name in rows[0]}
        return {
            name: np.array(values)
            if name == "met"
            else np.array(values, int)
            if name in ("element", "active")
            else np.array([float(value or "nan") for value in values])
            for name, values in texts.items()
        }
    except (OSError, ValueError, TypeError, LookupError, OverflowError, csv.Error) as error:
        raise BadInputError(
            f"{path}: cannot be read as the rays of an array, expected a table of skullgan map "
            "--rays."
        ) from error
