"""The report of an evaluation: one page to mail, its figures, every number, every segment.

``write`` takes what ``evaluation.evaluate`` found and makes a folder of it:

- ``report.html``: opens offline, pictures inside;
- ``figures/``: each as PNG and SVG;
- ``report.json`` and ``numbers.csv``: every number, the settings, seeds and versions;
- ``segments.csv``: a line for every segment of every set.

``evaluationresults.read`` gives it back.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...data.segment_set import TEXTS
from ...errors import OutputError
from ...metrics import METRICS as ALL_METRICS
from ...training.run_directory import Run
from ..evaluation import Discriminator, Evaluation, Memorized
from ..evaluation_set import EvaluationSet, concerns
from . import figures
from .answers import answers
from .page import TITLE, page
from .reader import FIGURES, FLAT, NUMBERS, PAGE, SEGMENTS, blank, relative, write_rows, write_table
from .set_description import QUANTILES, counts, describe_set, finite, write_text
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
        on_progress: called with the share of the figures that is drawn.

    Returns:
        The path of the page.

    Raises:
        BadInputError: if ``run`` holds no run.
        OutputError: if something cannot be written, or figures of something else are in the way.
    """
    folder = Path(folder)
    check_folder(folder)
    training = None if run is None else Run.open(run)
    try:
        with _made_aside(folder) as made:
            paths = {
                "sets": {
                    name: [relative(folder, source.path) for source in one.sources]
                    for name, one in sets.items()
                },
                "model": None if model is None else relative(folder, model),
            }
            _write_all(made, sets, found, settings, paths, training, on_progress)
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
        raise OutputError(f"{folder}: is a file, a folder is needed.")
    if (folder / FIGURES).exists() and not (folder / PAGE).exists():
        raise OutputError(
            f"{folder / FIGURES}: is there already and of no report, another folder is needed."
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
    numbers = {
        "title": TITLE,
        "created_by": f"skullgan {__version__}",
        "settings": dict(settings),
        "versions": versions,
        "concerns": concerns(sets),
        "answers": [asdict(one) for one in answers(sets, found)],
        "unsaid": list(found.unsaid),
        "reference": found.reference,
        "sets": {name: _described(one) for name, one in sets.items()},
        "distances": found.distances,
        "tsne": {
            by: {"same": one.same, "chance": one.chance, "segments": len(one.points)}
            for by, one in found.embedding.items()
        },
        "discriminator": found.discriminator
        and {
            "share_judged_real": found.discriminator.share,
            "roc_against": found.discriminator.real,
            "roc": found.discriminator.roc,
            "calibration": found.discriminator.calibration,
            "label": _label(found.discriminator),
        },
        "judges": found.judges,
        "learned": found.learned,
        "memorization": {way: _memorized(sets, one) for way, one in found.memorization.items()},
        "usefulness": found.usefulness,
    }
    return finite(_plain(numbers))


def table_of(
    sets: Mapping[str, EvaluationSet], found: Evaluation
) -> dict[str, dict[str, np.ndarray]]:
    """Give for each set its columns (N,), as ``evaluationresults.ReportedSet`` has them."""
    table = {
        name: {text: one.texts[text] for text in TEXTS}
        | {"seed": one.seed}
        | {metric: one.metrics[metric] for metric in ALL_METRICS}
        for name, one in sets.items()
    }

    def note(name: str, column: str, places: np.ndarray, values: Any) -> None:
        for each, one in sets.items():
            if column not in table[each]:
                table[each][column] = blank(column, len(one))
        table[name][column][sets[name].place[places]] = values

    if found.discriminator:
        for name, values in found.discriminator.realness.items():
            note(name, "realness", found.compared[name], values)
    for by, one in found.embedding.items():
        for name in one.same:
            here = one.which == name
            places = found.compared[name][one.place[here]]
            for axis, values in zip("xy", one.points[here].T, strict=True):
                note(name, f"tsne_{by}_{axis}", places, values)
    for way, one in found.memorization.items():
        for name, each in (("synthetic", one.synthetic), ("test", one.held_out)):
            if each is not None:
                known = each.nearest >= 0
                for column, values in (
                    ("nearest", sets["train"].place[each.nearest]),
                    ("distance", each.distance),
                    ("ratio", each.ratio),
                    ("flipped", each.flipped),
                    ("shift_rows", each.shift_px[:, 0]),
                    ("shift_columns", each.shift_px[:, 1]),
                ):
                    note(name, f"{way}_{column}", each.segment[known], values[known])
        if one.verdict is not None:
            for word, places in (
                ("new", one.synthetic.segment),
                ("suspect", one.verdict.suspects),
                ("copy", one.verdict.copies),
            ):
                note("synthetic", f"{way}_verdict", places, word)
    for name, one in sets.items():
        table[name]["digest"] = one.digest
    return table


@contextmanager
def _made_aside(folder: Path) -> Iterator[Path]:
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
    on_progress: Callable[[float], None] | None,
) -> None:
    numbers = numbers_of(sets, found, settings) | {"paths": paths}
    pictures = figures.write(folder / FIGURES, sets, found, settings.get("seed", 0), on_progress)
    write_rows(folder / FLAT, [("number", "value"), *_flat(numbers)])
    if training:
        numbers |= {"training": finite(training_numbers(training))}
        pictures |= write_training_figures(folder / FIGURES, training, numbers["training"])
    write_text(folder / NUMBERS, json.dumps(numbers, indent=1) + "\n")
    write_table(folder / SEGMENTS, table_of(sets, found))
    write_text(folder / PAGE, page(numbers, pictures))


def _label(found: Discriminator) -> str:
    """Say whether realness may be read as a probability, of synthetic segments if there are any."""
    from ..measures import realness

    known = found.calibration
    return realness.label(known.get("synthetic", next(iter(known.values()), None)))


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


def _memorized(sets: Mapping[str, EvaluationSet], one: Memorized) -> dict[str, Any]:
    said: dict[str, Any] = {"searched": one.synthetic.searched, "of": len(sets["train"])}
    for name, each in (("synthetic", one.synthetic), ("held_out", one.held_out)):
        if each is not None:
            known = each.ratio[np.isfinite(each.ratio)]
            said[name] = {
                "compared": len(each.ratio),
                "with_neighbor": len(known),
                "ratio_quantiles": {
                    str(q): float(np.quantile(known, q)) if len(known) else None for q in QUANTILES
                },
            }
    if one.verdict is not None:
        place = sets["synthetic"].place
        said["verdict"] = asdict(one.verdict) | {
            "copies": place[one.verdict.copies],
            "suspects": place[one.verdict.suspects],
        }
    return said


def _plain(value: Any) -> Any:
    """Turn dataclasses and arrays into what JSON holds."""
    if is_dataclass(value):
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
