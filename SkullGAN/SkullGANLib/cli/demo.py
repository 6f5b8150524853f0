"""The command ``demo``: from the sample head CT to an evaluation of synthetic segments."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInputError, OutputError, SkullGANError
from ..training.presets import named
from ..utils import progress, resources
from .options import Commands, add_device, command, setting

if TYPE_CHECKING:
    from ..data.segment_set import SegmentSet
    from ..networks.model_file import Model

SEED = 7
_RUN = "run"
_SAME_PLANE_MM = 0.1


def demo(options: argparse.Namespace) -> None:
    """Walk the whole road on the embedded sample data."""
    run_demo(
        options.output,
        count=options.n,
        settings=dict(setting(text) for text in options.set),
        device=options.device,
        style=options.progress,
        on_stage=lambda line: print(line, flush=True),
    )


def run_demo(
    folder: str | Path,
    *,
    count: int = 64,
    settings: Mapping[str, str] | None = None,
    device: str = "cpu",
    style: str = "auto",
    on_stage: Callable[[str], None] = print,
) -> None:
    """Walk the whole road on the sample CT and leave every stage's result in a folder.

    Args:
        folder: where to write ``segments.h5``, ``held_out.h5``, ``run/``, ``model.safetensors``,
            ``synthetic.h5``, ``bundled.h5``, ``report/``, ``scene.mrb`` and ``scene.png``; an
            earlier demo there is replaced.
        count: number of synthetic segments.
        settings: changes to the ``demo`` recipe, as in ``skullgan train --set``.
        device: where to train and generate.
        style: how progress is shown, see ``progress.shown``.
        on_stage: called with a line when a stage has ended.

    Raises:
        SkullGANError: with the reason, when a stage cannot be walked. Without slicer-core, or
            without a graphics library for the picture, the scene is left out and the line says so.
    """
    from ..networks import model_file

    walk = _Walk(Path(folder), style)
    started = time.monotonic()
    _replace_earlier_run(walk.folder / _RUN)

    def report_stage(stage: str) -> None:
        on_stage(f"[{time.monotonic() - started:5.0f} s] {stage}")

    segments, held_out = walk.cut()
    report_stage(
        f"{len(segments)} segments of the sample head: segments.h5, segments.png; "
        f"{len(held_out)} between them to test with: held_out.h5"
    )
    trained = walk.train(segments, held_out, settings or {}, device)
    report_stage(f"trained by the {trained.recipe['name']} recipe: {_RUN}/, model.safetensors")
    walk.generate(trained, count, "synthetic")
    report_stage(f"{count} synthetic segments: synthetic.h5, synthetic.png")
    # What longer training gives; the short one above shows the road.
    walk.generate(model_file.read(resources.bundled_model()), count, "bundled")
    report_stage(f"{count} more by the bundled model: bundled.h5, bundled.png")
    walk.evaluate(trained)
    report_stage("report/report.html")
    report_stage(walk.build_scene())


@dataclass(frozen=True)
class _Walk:
    """The stages, each of which leaves files in the folder."""

    folder: Path
    style: str

    def cut(self) -> tuple[SegmentSet, SegmentSet]:
        """Cut the segments to learn from, and those of the planes between them."""
        from ..anatomy.cut_plan import INTERVAL_MM
        from ..ct.volume import read_ct
        from ..data import hdf5
        from ..extraction import single_ct
        from ..plots.contact_sheet import write_contact_sheet

        ct = read_ct(resources.sample_ct())
        with progress.shown("Cutting segments", self.style) as report_progress:
            found = single_ct.extract(ct, on_progress=lambda share: report_progress(0.4 * share))
            finer = single_ct.extract(
                ct,
                interval_mm=INTERVAL_MM / 2,
                on_progress=lambda share: report_progress(0.4 + 0.6 * share),
            )
        segments, held_out = found.segments, between(finer.segments, found.segments)
        hdf5.write(self.folder / "segments.h5", segments)
        hdf5.write(self.folder / "held_out.h5", held_out)
        captions = [f"{b} {s}" for b, s in zip(segments.bone, segments.side, strict=True)]
        write_contact_sheet(self.folder / "segments.png", segments.hu, captions=captions)
        return segments, held_out

    def train(
        self,
        segments: SegmentSet,
        held_out: SegmentSet,
        settings: Mapping[str, str],
        device: str,
    ) -> Model:
        from ..networks import model_file
        from ..training import loop

        with progress.shown("Training", self.style) as report_progress:
            trained = loop.train(
                segments,
                self.folder / _RUN,
                named("demo").with_settings(settings),
                held_out=held_out,
                device=device,
                seed=SEED,
                on_progress=lambda finished, of: report_progress(finished / of),
            )
        model_file.write(self.folder / "model.safetensors", trained)
        return trained

    def generate(self, model: Model, count: int, name: str) -> None:
        from ..data import hdf5
        from ..generation import from_seeds
        from ..plots.contact_sheet import write_contact_sheet

        with progress.shown("Generating", self.style) as report_progress:
            made = from_seeds.generate_set(
                model,
                np.arange(count),
                on_progress=lambda finished, of: report_progress(finished / of),
            )
        hdf5.write(self.folder / f"{name}.h5", made)
        write_contact_sheet(self.folder / f"{name}.png", made.hu)

    def evaluate(self, model: Model) -> None:
        from ..evaluation import evaluation, evaluation_set
        from ..evaluation.report import writer

        files = {"train": "segments.h5", "test": "held_out.h5", "synthetic": "synthetic.h5"}
        with progress.shown("Evaluating", self.style) as report_progress:
            sets = evaluation_set.read({name: [self.folder / one] for name, one in files.items()})
            found = evaluation.evaluate(
                sets,
                model=model,
                on_progress=lambda share, note: report_progress(0.9 * share, note),
            )
            writer.write(
                self.folder / "report",
                sets,
                found,
                settings={"seed": 0, "files": {name: [one] for name, one in files.items()}},
                model=self.folder / "model.safetensors",
                run=self.folder / _RUN,
                on_progress=lambda share: report_progress(0.9 + 0.1 * share, "drawing"),
            )

    def build_scene(self) -> str:
        """Build the scene in a process of its own: MRML, VTK and the graphics driver stay in there.

        Returns:
            What was written, or why not.
        """
        scene, picture = self.folder / "scene.mrb", self.folder / "scene.png"
        try:
            script = resources.find("Scripts/build_scene.py")
        except SkullGANError as error:
            return f"no scene: {error}"
        for earlier in (scene, picture):
            earlier.unlink(missing_ok=True)
        inputs: list[str | Path] = ["--ct", resources.sample_ct()]
        inputs += ["--synthetic", self.folder / "synthetic.h5"]
        # Missing graphics libraries can abort VTK's process; that must not be ours.
        ended = subprocess.run(
            [sys.executable, script, *inputs, "-o", scene, "--picture", picture],
            capture_output=True,
            text=True,
            check=False,
        )
        lines = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
        reason = lines[-1] if lines else f"exit code {ended.returncode}"
        if ended.returncode != 0 and not scene.exists():
            return f"no scene: {reason}"
        if not picture.exists():
            return f"scene.mrb, no picture: {reason}"
        return "scene.mrb, scene.png"


def between(finer: SegmentSet, segments: SegmentSet) -> SegmentSet:
    """Give those segments of a head that lie in other planes than segments at hand.

    They are new to a network that learned from these, and neighbors of them: what such a test set
    shows is better than what another head would show.

    Args:
        finer: N segments, cut at smaller intervals.
        segments: of the same head.

    Returns:
        Those of ``finer`` in whose plane, of the same name, no segment lies; their
        ``source["split"]`` says so.
    """
    matrix, planes = finer.pixel_to_ras, segments.pixel_to_ras
    normal = np.cross(matrix[:, :3, 0], matrix[:, :3, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    distance = np.abs(np.einsum("ik,ijk->ij", normal, planes[:, :3, 3] - matrix[:, None, :3, 3]))
    distance[finer.plane[:, None] != segments.plane] = np.inf
    new = distance.min(axis=1, initial=np.inf) > _SAME_PLANE_MM
    split = "planes between those of the training segments, in the same head"
    return replace(finer[new], source={**finer.source, "split": split})


def add_demo(commands: Commands) -> None:
    one = command(commands, demo, "skullgan demo -o demo")
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write it all"
    )
    one.add_argument("-n", type=int, default=64, help="number of synthetic segments (64)")
    one.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change the demo recipe"
    )
    add_device(one)


def _replace_earlier_run(run: Path) -> None:
    """Remove what an earlier demo left, and nothing that is no run."""
    if not run.exists():
        return
    if not (run / "recipe.json").is_file():
        raise BadInputError(
            f"{run}: is in the way and is no training run, expected another output folder."
        )
    try:
        shutil.rmtree(run)
    except OSError as error:
        raise OutputError(f"{run}: cannot be replaced ({error.strerror}).") from error
