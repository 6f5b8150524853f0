"""How the network was trained, for the page: its state, curves and last samples, from its run."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...plots.charts import write_curves
from ...plots.html import Table
from ...training.recipe import meanings
from ...training.run_directory import Run
from ...utils.atomic_files import written_aside
from .figures import Picture
from .set_description import plain

_log = logging.getLogger(__name__)

_REALNESS = "Realness given by the discriminator"
_RATE = "Learning rate"
_PANELS = {"loss": "Loss", "realness": _REALNESS, "learning_rate": _RATE}
_SAMPLES_PIXELS = 1100  # as wide as the page


def training_numbers(run: Run) -> dict[str, Any]:
    """Give the numbers of a training as JSON holds them.

    Returns:
        ``state`` and ``message``, ``recipe``, the number of ``reports``, the ``last_report`` and
        the ``curves``.

    Raises:
        BadInputError: if a file of the run is damaged.
    """
    events, _ = run.events()
    status = run.status()
    return {
        "state": status.state if status else "not started",
        "message": status.message if status else "",
        "recipe": asdict(run.recipe()),
        "reports": len(events),
        "last_report": events[-1] if events else None,
        "curves": _curves(events),
    }


def write_training_figures(
    folder: Path, run: Run, training: Mapping[str, Any]
) -> dict[str, Picture]:
    """Draw the curves of a training and copy its last samples.

    Args:
        folder: where ``training.png`` and ``training-samples.png`` go.
        run: whose samples are shown.
        training: what ``training_numbers`` gave.

    Returns:
        The figures by name, ``training`` and ``samples``; without curves or samples none of them.

    Raises:
        OutputError: if a file cannot be written.
    """
    pictures = {}
    if training["curves"]:
        pictures["training"] = _write_curves(folder / "training.png", training["curves"])
    samples = run.samples()
    if samples and _copy_samples(samples[-1], folder / "training-samples.png"):
        pictures["samples"] = Picture(
            folder / "training-samples.png",
            "Synthetic segments made by the network at its last snapshot",
            "Synthetic segments at the last snapshot of the training, for its fixed seeds.",
        )
    return pictures


def training_state(training: Mapping[str, Any]) -> str:
    """Say in a sentence how far a training got.

    Args:
        training: what ``training_numbers`` gave.
    """
    last = training["last_report"] or {}
    parts = [f"State: {training['state']}", f"{training['reports']:,} reports"]
    parts += [f"{key} {plain(last[key])}" for key in ("epoch", "iteration") if key in last]
    return f"{', '.join(parts)}. {training['message']}".strip()


def recipe_table(training: Mapping[str, Any]) -> Table:
    """Lay out the recipe's settings with their meaning."""
    meaning = meanings()
    rows = [
        [key.replace("_", " "), plain(value), meaning.get(key, "")]
        for key, value in training["recipe"].items()
    ]
    return Table(("Setting", "Value", "Meaning"), rows)


def _curves(events: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Sort the numbers that were reported into panels, by the word in their key.

    Returns:
        For each panel its curves by name, each the lists ``iteration`` and ``value``. A key that
        was not reported, or never as a finite number, has no curve.
    """
    panels: dict[str, dict[str, Any]] = {}
    for word, title in _PANELS.items():
        keys = {key for event in events for key in event if word in key}
        for key in sorted(keys, reverse=True):  # generator before discriminator, real before fake
            points = [
                (event["iteration"], event[key])
                for event in events
                if _is_number(event.get(key)) and _is_number(event.get("iteration"))
            ]
            if points:
                name = key.replace(word, "").strip("_").replace("_", " ") or word
                x, y = map(list, zip(*points, strict=True))
                panels.setdefault(title, {})[name] = {"iteration": x, "value": y}
    return panels


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _write_curves(path: Path, curves: Mapping[str, Mapping[str, Any]]) -> Picture:
    panels = {
        title: {
            name: (np.array(one["iteration"]), np.array(one["value"]))
            for name, one in panel.items()
        }
        for title, panel in curves.items()
    }
    write_curves(path, panels, log_scale={_RATE}, unit={_REALNESS}, svg=True)
    caption = (
        "Generator and discriminator learn against each other: neither loss falls to zero in a "
        "training that goes well."
    )
    if _REALNESS in curves:
        caption += (
            " Realness is the discriminator's output from 0 (made) to 1 (real), not calibrated; "
            "the nearer the two curves, the harder it finds the difference."
        )
    shown = ", ".join(title.lower() for title in curves)
    return Picture(path, f"Curves over the iterations of training: {shown}", caption)


def _copy_samples(source: Path, path: Path) -> bool:
    """Bring the training's own picture along, small enough to mail; false if it is no picture."""
    from PIL import Image

    try:
        with Image.open(source) as opened:
            picture = opened.convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        _log.warning("%s: is no picture and is left out of the report (%s).", source, error)
        return False
    picture.thumbnail((_SAMPLES_PIXELS, _SAMPLES_PIXELS))
    with written_aside(path) as temporary:
        picture.save(temporary, format="PNG", compress_level=9)
    return True
