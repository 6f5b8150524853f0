"""The whole road, once: from the sample head CT to synthetic segments in a report and a scene."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ..errors import BadInputError, OutputError, SkullGANError
from ..training.recipe import named
from ..utils import progress, resources

SEED = 7
_RUN = "run"


def run_demo(
    folder: str | Path,
    *,
    count: int = 64,
    settings: Mapping[str, str] | None = None,
    device: str = "cpu",
    style: str = "auto",
    say: Callable[[str], None] = print,
) -> None:
    """Walk the whole road on the sample CT and leave every stage's result in a folder.

    Args:
        folder: where to write ``segments.h5``, ``run/``, ``model.safetensors``, ``synthetic.h5``,
            ``box.h5``, ``report/``, ``scene.mrb`` and ``scene.png``; an earlier demo there is
            replaced.
        count: number of synthetic segments.
        settings: changes to the ``demo`` recipe, as in ``skullgan train --set``.
        device: where to train and generate.
        style: how progress is shown, see ``progress.shown``.
        say: called with a line per stage.

    Raises:
        SkullGANError: with the reason, when a stage cannot be walked. Without slicer-core, or
            without a graphics library for the picture, the scene is left out and the line says so.
    """
    from ..ct.volume import read_ct
    from ..data import hdf5
    from ..evaluation.report import set_description
    from ..extraction import single_ct
    from ..generation import from_seeds
    from ..networks import model_file
    from ..plots import contact_sheet
    from ..training import loop

    folder = Path(folder)
    started = time.monotonic()
    _replace_earlier_run(folder / _RUN)

    def told(stage: str) -> None:
        say(f"[{time.monotonic() - started:5.0f} s] {stage}")

    with progress.shown("Cutting segments", style) as report_progress:
        found = single_ct.extract(
            read_ct(resources.sample_ct()), on_progress=report_progress
        ).segments
    hdf5.write(folder / "segments.h5", found)
    captions = [f"{b} {s}" for b, s in zip(found.bone, found.side, strict=True)]
    contact_sheet.write_contact_sheet(folder / "segments.png", found.hu, captions=captions)
    told(f"{len(found)} segments of the sample head: segments.h5, segments.png")

    recipe = named("demo").with_settings(settings or {})
    with progress.shown("Training", style) as report_progress:
        trained = loop.train(
            found,
            folder / _RUN,
            recipe,
            device=device,
            seed=SEED,
            on_progress=lambda done, of: report_progress(done / of),
        )
    model_file.write(folder / "model.safetensors", trained)
    told(f"trained by the {recipe.name} recipe: run/, model.safetensors")

    with progress.shown("Generating", style) as report_progress:
        synthetic = from_seeds.generate_set(
            trained, np.arange(count), on_progress=lambda done, of: report_progress(done / of)
        )
    hdf5.write(folder / "synthetic.h5", synthetic)
    contact_sheet.write_contact_sheet(folder / "synthetic.png", synthetic.hu)
    told(f"{count} synthetic segments: synthetic.h5, synthetic.png")

    # What longer training gives; the short one above shows the road.
    boxed = from_seeds.generate_set(model_file.read(resources.bundled_model()), np.arange(count))
    hdf5.write(folder / "box.h5", boxed)
    contact_sheet.write_contact_sheet(folder / "box.png", boxed.hu)
    told(f"{count} more by the bundled model: box.h5, box.png")

    sets = {"Real": found, "Synthetic": synthetic}
    set_description.write_report(folder / "report", sets, run=folder / _RUN)
    told("report/report.html")

    told(_scene(folder))


def _replace_earlier_run(run: Path) -> None:
    """Remove what an earlier demo left, and nothing that is no run."""
    if not run.exists():
        return
    if not (run / "recipe.json").is_file():
        raise BadInputError(
            f"{run}: is in the way and is no training run, another output folder is needed."
        )
    try:
        shutil.rmtree(run)
    except OSError as error:
        raise OutputError(f"{run}: cannot be replaced ({error.strerror}).") from error


def _scene(folder: Path) -> str:
    """Build the scene in a process of its own: MRML, VTK and the graphics driver stay in there."""
    try:
        script = resources.find("Scripts/build_scene.py")
    except SkullGANError as error:
        return f"no scene: {error}"
    for earlier in ("scene.mrb", "scene.png"):
        (folder / earlier).unlink(missing_ok=True)
    # Missing graphics libraries can abort VTK's process; that must not be ours.
    done = subprocess.run(
        [
            sys.executable,
            script,
            "--ct",
            resources.sample_ct(),
            "--synthetic",
            folder / "synthetic.h5",
            "-o",
            folder / "scene.mrb",
            "--picture",
            folder / "scene.png",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    if done.returncode != 0 and not (folder / "scene.mrb").exists():
        return f"no scene: {said[-1] if said else f'exit code {done.returncode}'}"
    if not (folder / "scene.png").exists():
        return f"scene.mrb, no picture: {said[-1] if said else f'exit code {done.returncode}'}"
    return "scene.mrb, scene.png"
