"""The report of an evaluation: one page to mail, its figures, every number, every segment.

``write`` takes what ``evaluation.evaluate`` found and makes a folder of it:

- ``report.html``: opens offline, pictures inside;
- ``figures/``: each as PNG and SVG;
- ``report.json`` and ``numbers.csv``: every number, the settings, seeds and versions;
- ``segments.csv``: a line for every segment of every set.

``reader.read`` gives it back.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from functools import reduce
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...data.segment_set import TEXTS
from ...errors import OutputError
from ...metrics import METRICS
from ...training.run_directory import Run
from ..evaluation import Evaluation
from ..evaluation_set import EvaluationSet
from ..measures.measure import Column, PerSegment
from . import figures
from .page import TITLE, page
from .paper_figures import FOLDER as PAPER
from .paper_figures import write_paper_figures
from .reader import FIGURES, FLAT, NUMBERS, PAGE, SEGMENTS, relative
from .segment_table import write_rows, write_table
from .set_description import counts, describe_set, finite, write_text
from .study_section import NAME as STUDY
from .study_section import study_numbers, write_study_figure
from .training_section import training_numbers, write_training_figures

_PACKAGES = ("numpy", "scipy", "scikit-learn", "opencv-python-headless", "matplotlib", "torch")


def write(
    folder: str | Path,
    sets: Mapping[str, EvaluationSet],
    found: Evaluation,
    *,
    settings: Mapping[str, Any],
    model: str | Path | None = None,
    run: str | Path | None = None,
    study: str | Path | None = None,
    paper: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Path:
    """Write the report into a folder; all of it, or what was there stays as it is.

    Args:
        folder: made if it is not there; an earlier report in it is replaced.
        sets: what was evaluated.
        found: what ``evaluate`` gave for them.
        settings: what the evaluation was made with; anything that JSON holds, with "seed".
        model: the file of the model whose discriminator judged, for who reads the report again.
        run: the directory of the training that made the model: its curves and last samples are
            shown.
        study: the folder of a reader study that was answered, for a section of its own.
        paper: whether the paper's Figures 5 to 7 are written, too, into ``figures/paper``.
        on_progress: called with the share of the figures that is drawn.

    Returns:
        The path of the page.

    Raises:
        BadInputError: if ``run`` holds no run, or ``study`` no study with answers.
        OutputError: if something cannot be written, or figures of something else are in the way.
    """
    folder = Path(folder)
    check_folder(folder)
    training = None if run is None else Run.open(run)
    seed = settings.get("seed", 0)
    answered = {} if study is None else {"study": study_numbers(study, sets, seed)}
    try:
        with _partial_folder(folder) as made:
            paths = {
                "sets": {
                    name: [relative(folder, source.path) for source in one.sources]
                    for name, one in sets.items()
                },
                "model": None if model is None else relative(folder, model),
            }
            _write_all(made, sets, found, settings, paths, training, answered, on_progress)
            if paper:
                write_paper_figures(made / FIGURES / PAPER, sets, found, seed)
            folder.mkdir(exist_ok=True)
            if (folder / FIGURES).is_dir():
                shutil.rmtree(folder / FIGURES)
            # The page last: where it is, the rest is.
            for name in (FIGURES, NUMBERS, FLAT, SEGMENTS, PAGE):
                (made / name).replace(folder / name)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    return folder / PAGE


def check_folder(folder: Path) -> None:
    """Check that a report can go into a folder without harm to what is no report.

    Raises:
        OutputError: if it is a file, or has figures that are not of a report.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file: expected a folder.")
    if (folder / FIGURES).exists() and not (folder / PAGE).exists():
        raise OutputError(
            f"{folder / FIGURES}: is there already and of no report: expected another folder."
        )


def numbers_of(
    sets: Mapping[str, EvaluationSet], found: Evaluation, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Give every number of an evaluation as JSON holds it."""
    versions = {"skullgan": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    head = {
        "title": TITLE,
        "created_by": f"skullgan {__version__}",
        "settings": dict(settings),
        "versions": versions,
        "concerns": found.concerns,
        "answers": [asdict(one) for one in found.answers],
        "limitations": found.limitations,
        "reference": found.reference,
        "sets": {name: _described(one) for name, one in sets.items()},
        "measures": {
            one.name: {
                "title": one.title,
                "figures": [figure.name for figure in found.results[one.name].figures],
            }
            for one in found.measures
        },
    }
    return finite(_plain(reduce(_merged, (one.numbers for one in found.results.values()), head)))


def table_of(
    sets: Mapping[str, EvaluationSet], found: Evaluation
) -> dict[str, dict[str, np.ndarray]]:
    """Give for each set its columns (N,), as ``reader.ReportedSet`` has them."""
    filled = [one for result in found.results.values() for one in result.columns]
    used = {one.column for one in filled}
    judged = {
        column.name: column
        for measure in found.measures
        for column in measure.columns
        if column.name in used
    }
    return {
        name: {text: one.texts[text] for text in TEXTS}
        | {"seed": one.seed}
        | {metric: one.metrics[metric] for metric in METRICS}
        | {column: _column(one, of, filled, name) for column, of in judged.items()}
        | {"digest": one.digest}
        for name, one in sets.items()
    }


def _column(
    one: EvaluationSet, column: Column, filled: Sequence[PerSegment], name: str
) -> np.ndarray:
    """Give a column of all segments of a set, of which some were judged."""
    values = column.empty(len(one))
    for part in filled:
        if (part.column, part.of) == (column.name, name):
            values[one.place[part.places]] = part.values
    return values


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Join nested mappings; what one leaves open is the other's."""
    joined = dict(one)
    for key, value in other.items():
        before = joined.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            joined[key] = _merged(before, value)
        elif value is not None or key not in joined:
            joined[key] = value
    return joined


@contextmanager
def _partial_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside another; what a killed evaluation left there goes away."""
    token = hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:12]
    made = folder.with_name(f".{token}.partial")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write_all(
    folder: Path,
    sets: Mapping[str, EvaluationSet],
    found: Evaluation,
    settings: Mapping[str, Any],
    paths: Mapping[str, Any],
    training: Run | None,
    answered: Mapping[str, Any],
    on_progress: Callable[[float], None] | None,
) -> None:
    numbers = numbers_of(sets, found, settings) | {"paths": paths} | dict(answered)
    pictures = figures.write(folder / FIGURES, sets, found, settings.get("seed", 0), on_progress)
    write_rows(folder / FLAT, [("number", "value"), *_flat(numbers)])
    if answered:
        pictures[STUDY] = write_study_figure(folder / FIGURES, numbers[STUDY])
    if training:
        numbers |= {"training": finite(training_numbers(training))}
        pictures |= write_training_figures(folder / FIGURES, training, numbers["training"])
    write_text(folder / NUMBERS, json.dumps(numbers, indent=1) + "\n")
    write_table(folder / SEGMENTS, table_of(sets, found))
    write_text(folder / PAGE, page(numbers, pictures))


def _described(one: EvaluationSet) -> dict[str, Any]:
    described = describe_set(one.segments, one.metrics)
    return described | {
        "segments": len(one),
        "compared": len(one.segments),
        "distinct": len(np.unique(one.digest)),
        "subjects": len(one.subjects),
        "bones": counts(one.texts["bone"]),
        "sides": counts(one.texts["side"]),
        "planes": counts(one.texts["plane"]),
        "files": list(one.files),
        "counts": [source.count for source in one.sources] or [len(one)],
    }


def _plain(value: Any) -> Any:
    """Turn dataclasses and arrays into what JSON holds."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every number, text and truth with the path to it."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, one in inner:
        here = f"{path}/{key}" if path else str(key)
        if isinstance(one, (Mapping, list)):
            yield from _flat(one, here)
        else:
            yield here, "" if one is None else one
