"""The command ``skullgan``: every stage of the library from a terminal.

Each command parses its options, calls one stage and writes what it gives. Exit codes: 0 done,
1 failed with one sentence on standard error, 2 cancelled (Ctrl-C, or a run's ``stop`` file).
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from . import __version__, progress
from .errors import BadInputError, CancelledError, SkullGANError

if TYPE_CHECKING:
    from .recipe import Recipe
    from .segmentset import SegmentSet
    from .trainingdata import Pictures

DONE, FAILED, CANCELLED = 0, 1, 2

_SHEET_SEGMENTS = 1000  # more do not fit in a picture that opens
_SKIPPED_NAMED = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``skullgan`` and give its exit code."""
    logging.basicConfig(level=logging.WARNING, format="skullgan: %(message)s")
    try:
        options = _parser().parse_args(arguments)
        options.command(options)
    except CancelledError as error:
        print(f"skullgan: {error}", file=sys.stderr)
        return CANCELLED
    except KeyboardInterrupt:
        print("skullgan: interrupted.", file=sys.stderr)
        return CANCELLED
    except SkullGANError as error:
        print(f"skullgan: {error}", file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:
        # An extra that was not installed; a module of ours that is missing is a bug.
        if (error.name or "").startswith("SkullGAN"):
            raise
        print(
            f"skullgan: the Python package {error.name} is not installed, it is needed here; "
            "pip install 'skullgan[dicom,evaluate,scene]' brings all.",
            file=sys.stderr,
        )
        return FAILED
    return DONE


def extract(options: argparse.Namespace) -> None:
    """Cut segments out of head CTs into one segment set."""
    from . import segmentset

    if options.subject and len(options.subject) != len(options.ct):
        raise BadInputError(
            f"--subject was given {len(options.subject)} times for {len(options.ct)} CTs, once "
            "for each is needed."
        )
    together = len(options.ct) > 1 or options.jobs is not None
    for name in ("skull_mask", "landmarks"):
        if getattr(options, name) and together:
            raise BadInputError(
                f"--{name.replace('_', '-')} goes with one CT and without --jobs, "
                f"{len(options.ct)} were given; call once for each."
            )
    _refuse_to_overwrite(options, going_on=together)
    settings = {
        name: getattr(options, name)
        for name in ("bones", "planes", "interval_mm", "spacing_mm", "threshold_hu")
    }
    failed = 0
    if together:
        failed = _extract_many(options, settings)
    else:
        _extract_one(options, settings)
    if options.output.exists():
        print(f"{options.output}: {segmentset.count(options.output)} segments")
        if options.contact_sheet:
            _write_captioned_sheet(options.contact_sheet, options.output)
    if failed:
        from .batch import table_of

        raise BadInputError(
            f"{failed} of {len(options.ct)} CTs failed, {table_of(options.output)} says why."
        )


def _extract_one(options: argparse.Namespace, settings: dict[str, Any]) -> None:
    from . import batch, landmarks, segmentset

    (path,) = options.ct
    points = landmarks.read(options.landmarks) if options.landmarks else None
    with progress.shown(f"Cutting {path.name}", options.progress) as tell:
        found = batch.cut(
            path,
            skull_mask=options.skull_mask,
            landmarks=points,
            subject=options.subject[0] if options.subject else None,
            on_progress=tell,
            **settings,
        )
    dropped = batch.dropped_text(found.dropped)
    print(f"{path}: {len(found.segments)} segments (dropped: {dropped or 'none'})")
    segmentset.write(options.output, found.segments)


def _extract_many(options: argparse.Namespace, settings: dict[str, Any]) -> int:
    """Cut all CTs and give the number that failed."""
    from . import batch

    def say(row: batch.Row) -> None:
        if row.state == batch.FAILED:
            print(f"skullgan: {row.reason}", file=sys.stderr)
        else:
            note = row.reason or f"dropped: {row.dropped or 'none'}"
            print(f"{row.ct}: {row.segments} segments ({note})", flush=True)

    with (
        _signals_noted() as interrupted,
        progress.shown(f"Cutting {len(options.ct)} CTs", options.progress) as tell,
    ):
        rows = batch.run(
            options.ct,
            options.output,
            settings,
            subjects=options.subject or None,
            jobs=1 if options.jobs is None else options.jobs,
            overwrite=options.overwrite,
            on_progress=lambda done, of: tell(done / of, f"{done}/{of}"),
            on_row=say,
            should_stop=interrupted.is_set,
        )
    return sum(row.state == batch.FAILED for row in rows)


def _write_captioned_sheet(path: Path, segments: Path) -> None:
    from . import pictures, segmentset

    found = segmentset.read(segments, slice(0, _SHEET_SEGMENTS))
    pictures.write_contact_sheet(
        path,
        found.hu,
        captions=[f"{b} {s}" for b, s in zip(found.bone, found.side, strict=True)],
    )


def skull(options: argparse.Namespace) -> None:
    """Find the skull wall in a head CT, as a mask on its grid."""
    from .skull import bone_threshold_hu, find_cavity, skull_mask
    from .volume import read_ct, write_volume

    _refuse_to_overwrite(options, (".nrrd", ".nii", ".gz", ".mha"))
    with progress.shown(f"Looking for the skull in {options.ct.name}", options.progress) as tell:
        ct = read_ct(options.ct)
        tell(0.2, "read")
        try:
            cavity = find_cavity(ct)
            threshold_hu = options.threshold_hu or bone_threshold_hu(ct, cavity)
            tell(0.5, "brain found")
            mask = skull_mask(ct, threshold_hu=threshold_hu, cavity=cavity)
        except BadInputError as error:
            raise BadInputError(f"{options.ct}: {error}") from error
        tell(0.9, "skull found")
        write_volume(options.output, mask, ct.ijk_to_ras, compress=not options.raw)
        if options.frame:
            cavity.frame.write(options.frame, threshold_hu=threshold_hu)
    millilitres = mask.sum() * ct.spacing_mm.prod() / 1000
    print(f"{options.output}: {millilitres:.0f} ml of skull, bone from {threshold_hu:.0f} HU")


def export(options: argparse.Namespace) -> None:
    """Write a segment set in a format that other programs read."""
    from . import export, segmentset

    format = export.format_of(options.output, options.format)
    files = export.files_of(options.output, format)
    export.check(options.output, format, segmentset.count(options.segments))
    for one in files.values():
        if one.exists() and not options.overwrite and not (one.is_dir() and not any(one.iterdir())):
            raise BadInputError(f"{one}: is there already, a new name is needed (or --overwrite).")
    with progress.shown(f"Writing {options.output.name}", options.progress) as tell:
        export.convert(
            options.segments,
            options.output,
            format,
            lambda done, of: tell(done / of, f"{done}/{of}"),
        )
    if options.metrics:
        export.write_metrics(files["metrics"], segmentset.iterate(options.segments))
    for part, path in files.items():
        if part != "metrics" or options.metrics:
            print(f"{path}: {part}")


def pretrain(options: argparse.Namespace) -> None:
    """Train a SkullGAN on pictures; skullgan train --pretrained begins with what it has learnt."""
    from . import trainingdata

    chosen = _recipe(options, epochs=10, epoch_segments=0, snapshot_every=1)
    with progress.shown("Reading pictures", options.progress) as tell:
        pictures = trainingdata.read_pictures(
            options.pictures,
            # An epoch with a length of its own shows fewer than a batch again and again.
            least=1 if chosen.epoch_segments else chosen.batch_size,
            limit=options.limit,
            seed=options.seed,
            on_progress=lambda done, of: tell(done / of, f"{done}/{of}"),
        )
    named = pictures.skipped[:_SKIPPED_NAMED]
    more = len(pictures.skipped) - len(named)
    for what in (*named, *([f"{more} more"] if more else ())):
        _say(f"skullgan: skipped {what}", sys.stderr)
    _say(f"To learn from: {len(pictures)} pictures, {len(pictures.skipped)} skipped.")
    _train(options, chosen, pictures)


def train(options: argparse.Namespace) -> None:
    """Train a SkullGAN on segment sets, in a run directory."""
    from . import trainingdata

    if not options.segments:
        _train_on(options)
        return
    chosen = _recipe(options)
    parts = trainingdata.split(
        trainingdata.read_segments(options.segments, any_kind=options.any_kind),
        by=options.split,
        test_share=options.test_share,
        seed=options.seed,
    )
    _say(parts.note)
    kept = {"training.h5": parts.training}
    if parts.test is not None:
        kept["test.h5"] = parts.test
    _train(options, chosen, parts.training, kept)


def _train_on(options: argparse.Namespace) -> None:
    """Go on with a run as it was begun: its segments and its recipe."""
    from . import segmentset
    from .run import Run

    if not options.resume:
        raise BadInputError("No segment set was given, at least one is needed (or --resume).")
    run = Run.open(options.output)
    if not run.training_path.is_file():
        raise BadInputError(
            f"{run.path}: holds no {run.training_path.name}, the segment sets that it was begun "
            "with are needed to resume it."
        )
    _train(options, run.recipe(), segmentset.read(run.training_path))


def check(options: argparse.Namespace) -> None:
    """Look at a training beforehand: its segments, and whether device and memory suffice."""
    from . import preflight

    found = preflight.look(
        options.segments,
        _recipe(options),
        device=options.device,
        pretrained=options.pretrained,
        split=options.split,
        test_share=options.test_share,
        seed=options.seed,
        any_kind=options.any_kind,
    )
    if options.contact_sheet:
        preflight.write_sheet(options.contact_sheet, found.sets)
    if options.json:
        preflight.write(options.json, found)
    for line in found.lines():
        _say(line)
    if found.problem:
        raise BadInputError(found.problem)


def _recipe(options: argparse.Namespace, **defaults: object) -> Recipe:
    """The recipe of the options; ``defaults`` stand above the recipe's own settings."""
    from .recipe import named

    settings = {name: str(value) for name, value in defaults.items()}
    settings |= dict(_setting(text) for text in options.set)
    for name in ("epochs", "batch_size"):
        if getattr(options, name) is not None:
            settings[name] = str(getattr(options, name))
    return named(options.recipe).with_settings(settings)


def _train(
    options: argparse.Namespace,
    chosen: Recipe,
    data: SegmentSet | Pictures,
    kept: Mapping[str, SegmentSet] | None = None,
) -> None:
    """Train; ``kept`` are parts of the data by the names they have in the run directory."""
    from . import model, segmentset, training

    pretrained = model.read(options.pretrained) if options.pretrained else None
    # For evaluate and --resume; once the training goes, for only then is the directory ours.
    parts = dict(kept or {})
    with (
        _signals_noted() as interrupted,
        progress.shown(
            f"Training {options.output.name}", options.progress if _is_first() else "none"
        ) as tell,
    ):

        def on_progress(done: int, of: int) -> None:
            while parts and _is_first():
                name, part = parts.popitem()
                segmentset.write(options.output / name, part)
            tell(done / of, f"{done}/{of}")

        training.train(
            data,
            options.output,
            chosen,
            device=options.device,
            seed=options.seed,
            pretrained=pretrained,
            on_progress=on_progress,
            should_stop=interrupted.is_set,
            resume=options.resume,
            allowed_kinds=(data.kind,),
        )
    what = "segments" if isinstance(data, segmentset.SegmentSet) else data.kind
    _say(f"{options.output / 'model.safetensors'}: trained on {len(data)} {what}")


def _say(line: str, where: TextIO | None = None) -> None:
    """Print a line; of the processes that torchrun started the first one does."""
    if _is_first():
        print(line, file=where or sys.stdout, flush=True)


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def generate(options: argparse.Namespace) -> None:
    """Generate synthetic segments with a model."""
    from . import export, pictures, segmentset

    format = export.format_of(options.output, options.format)
    if options.n < 1 or not 0 <= options.seed <= 2**63 - options.n:
        raise BadInputError(
            f"-n is {options.n} and --seed {options.seed}, at least 1 segment and seeds from 0 to "
            "2**63 - 1 are needed."
        )
    # Other formats cannot be continued: what they are made of is collected in a segment set.
    collected = options.output
    if format != "h5":
        collected = options.output.with_name(f"{options.output.name}.partial.h5")
    files = export.files_of(options.output, format)
    _refuse_to_generate(options, format, collected, files.values())
    with _signals_noted() as interrupted:

        def shown(title: str) -> AbstractContextManager[Callable[[int], None]]:
            return _counted(title, options, interrupted)

        with shown(f"Generating {options.n} segments") as tell:
            _generate_into(collected, options, tell)
        if options.metrics:
            with shown("Measuring") as tell:
                export.write_metrics(files["metrics"], segmentset.iterate(collected), tell)
        if options.contact_sheet:
            first = segmentset.read(collected, slice(0, 100))
            pictures.write_contact_sheet(options.contact_sheet, first.hu)
        if collected != options.output:
            with shown(f"Writing {options.output.name}") as tell:
                export.convert(collected, options.output, format, lambda done, of: tell(done))
            collected.unlink()
    last = options.seed + options.n - 1
    print(f"{options.output}: {options.n} synthetic segments, seeds {options.seed} to {last}")
    for part, path in files.items():
        if part == "mask" or (part == "metrics" and options.metrics):
            print(f"{path}: their {part}")


def artificial(options: argparse.Namespace) -> None:
    """Make segments that are no skull but measure as real ones do, as a control for evaluation."""
    import numpy as np

    from . import artificial, pictures, radiology, segmentset

    _refuse_to_overwrite(options)
    if options.output.exists() and options.output.samefile(options.like):
        raise BadInputError(
            f"{options.output}: is the real set that is to be followed, another name is needed."
        )
    like = segmentset.read(options.like)
    measured = []
    with (
        progress.shown(f"Making {options.n} segments", options.progress) as tell,
        segmentset.Writer(
            options.output,
            kind="artificial",
            pixel_spacing_mm=like.pixel_spacing_mm,
            hu_range=like.hu_range,
            commit_every_s=None,
        ) as writer,
    ):
        for batch in artificial.batches(
            like,
            options.n,
            style=options.kind,
            seed=options.seed,
            on_progress=lambda done, of: tell(done / of, f"{done}/{of}"),
        ):
            writer.append(batch)
            measured.append(radiology.measure(batch))
    found = artificial.match(
        radiology.measure(like),
        {name: np.concatenate([each[name] for each in measured]) for name in artificial.METRICS},
    )
    statistics = ", ".join(f"{name} {value:.3f}" for name, value in found.ks.items())
    print(
        f"{options.output}: {options.n} artificial segments; Kolmogorov-Smirnov statistic against "
        f"{options.like}: {statistics}; modes of intensity: {found.modes[0]} there, "
        f"{found.modes[1]} here"
    )
    if options.n < len(like):
        print(f"Fewer than the {len(like)} segments of {options.like} follow them less closely.")
    if options.contact_sheet:
        shown = segmentset.read(options.output, slice(0, 1000))
        pictures.write_contact_sheet(
            options.contact_sheet, shown.hu, captions=artificial.styles_of(shown).tolist()
        )


def evaluate(options: argparse.Namespace) -> None:
    """Say whether synthetic segments are like real ones, copies, or of use, in a report."""
    from . import evaluation, evaluationanswers, evaluationreport, evaluationsets, files

    paths = {name: getattr(options, name) for name in evaluationsets.NAMES}
    paths = {name: given for name, given in paths.items() if given}
    if not paths:
        raise BadInputError("No segment set was given, --synthetic and --test are a beginning.")
    if options.seed < 0:
        raise BadInputError(f"--seed is {options.seed}, needed is 0 or more.")
    taken = options.output.exists() and (
        not options.output.is_dir() or any(options.output.iterdir())
    )
    if taken and not options.overwrite:
        raise BadInputError(
            f"{options.output}: is there already, a new name is needed (or --overwrite)."
        )
    evaluationreport.check_folder(options.output)
    trained = None
    settings = {"seed": options.seed, "most": options.most, "files": _named_files(paths)}
    if options.model:
        from . import model
        from .networks import chosen_device

        trained = model.read(options.model, chosen_device(options.device))
        settings |= {"model": options.model.name, "model_sha256": files.sha256(options.model)}
    network = None
    if options.inception:
        from . import inception
        from .networks import chosen_device

        network = inception.read(options.inception, chosen_device(options.device))
        settings |= {
            "inception": options.inception.name,
            "inception_sha256": files.sha256(options.inception),
        }
    with progress.shown("Evaluating", options.progress) as tell:
        sets = evaluationsets.read(
            paths,
            most=options.most,
            seed=options.seed,
            on_progress=lambda done, of: tell(0.1 * done / of, "reading and measuring"),
        )
        concerns = evaluationsets.concerns(sets)
        for one in concerns:
            print(f"skullgan: WARNING: {one}", file=sys.stderr)
        found = evaluation.evaluate(
            sets,
            model=trained,
            network=network,
            seed=options.seed,
            on_progress=lambda share, note: tell(0.1 + 0.8 * share, note),
        )
        page = evaluationreport.write(
            options.output,
            sets,
            found,
            settings=settings,
            model=options.model,
            on_progress=lambda share: tell(0.9 + 0.1 * share, "drawing"),
        )
    for answer in evaluationanswers.answers(sets, found):
        print(answer)
    for one in found.unsaid:
        print(f"Not said: {one}")
    print(f"{page}: {sum(map(len, sets.values()))} segments, {len(concerns)} warnings")


def _named_files(paths: dict[str, list[Path]]) -> dict[str, list[str]]:
    return {name: [path.name for path in given] for name, given in paths.items()}


def map_(options: argparse.Namespace) -> None:
    """Map SDR and thickness on the skull, and the rays of an ultrasound array."""
    from . import landmarks, mapfiles, transducer, volume

    outputs = [*options.output, *([options.rays] if options.rays else [])]
    mapfiles.check_names(options.output, mapfiles.FORMATS, options.overwrite)
    if options.rays:
        mapfiles.check_names([options.rays], {"rays": (".csv",)}, options.overwrite)
    elements = transducer.read_elements(options.elements) if options.elements else None
    points = landmarks.read(options.landmarks) if options.landmarks else None
    with progress.shown(f"Mapping {options.ct.name}", options.progress) as tell:
        ct = volume.read_ct(options.ct)
        mask = volume.read_mask(options.skull_mask, ct) if options.skull_mask else None
        tell(0.2)
        found = mapfiles.make(
            ct,
            mask,
            landmarks=points,
            threshold_hu=options.threshold_hu,
            spacing_mm=options.spacing_mm,
            target_ras=options.target,
            elements=elements,
            most_incidence_deg=options.most_incidence_deg,
            on_progress=lambda share: tell(0.2 + 0.6 * share),
        )
        for number, path in enumerate(options.output):
            tell(0.8 + 0.2 * number / len(options.output), f"writing {path.name}")
            mapfiles.write(path, found, ct, options.scalar, compress=not options.raw)
        if options.rays:
            transducer.write_csv(options.rays, found.array)
        tell(1.0)
    for one in found.caveats:
        print(f"skullgan: WARNING: {one}", file=sys.stderr)
    for line in mapfiles.told(found):
        print(line)
    for path in outputs:
        print(f"{path}: written")


def realness(options: argparse.Namespace) -> None:
    """Say where in segments a discriminator's decision comes from."""
    from . import mapfiles, model, resources, segmentset
    from .networks import chosen_device

    mapfiles.check_names(options.output, mapfiles.REALNESS_FORMATS, options.overwrite)
    segments = segmentset.read(options.segments)
    path = options.model or resources.box_model()
    trained = model.read(path, chosen_device(options.device))
    with progress.shown(f"Judging {options.segments.name}", options.progress) as tell:
        scores = mapfiles.write_realness(
            options.output,
            segments,
            trained,
            method=options.method,
            on_surface=options.map,
            on_progress=tell,
        )
    print(
        f"{options.segments}: realness {scores.mean():.2f} ± {scores.std():.2f} of "
        f"{len(scores)} segments by {path.name} (not calibrated: not a probability)"
    )
    for one in options.output:
        print(f"{one}: written")


def import_weights(options: argparse.Namespace) -> None:
    """Turn the weights that SkullGAN's authors published into a model."""
    from . import model, published
    from .networks import trainable_parameters

    _refuse_to_overwrite(options, (".safetensors",))
    found = published.read(
        *options.weights,
        hu_range=tuple(options.hu_range),
        pixel_spacing_mm=options.spacing_mm,
        licence=options.licence,
    )
    model.write(options.output, found)
    print(
        f"{options.output}: generator of {trainable_parameters(found.generator):,} parameters, "
        f"discriminator of {trainable_parameters(found.discriminator):,}"
    )


def info(options: argparse.Namespace) -> None:
    """Say what a segment set, a model, a run or a head CT is."""
    from .info import describe

    for number, path in enumerate(options.file):
        if len(options.file) > 1:
            print(f"{'' if number == 0 else chr(10)}{path}")
        print(describe(path))


def demo(options: argparse.Namespace) -> None:
    """Walk the whole road on the embedded sample data."""
    from .demo import run_demo

    run_demo(
        options.output,
        count=options.n,
        settings=dict(_setting(text) for text in options.set),
        device=options.device,
        style=options.progress,
        say=lambda line: print(line, flush=True),
    )


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line as bad input (exit code 1): 2 means cancelled here."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{self.prog}: {message} (--help shows an example).")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="skullgan",
        description="Skull segments from head CTs, and synthetic ones by the thousand.",
    )
    parser.add_argument("--version", action="version", version=f"skullgan {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for add in (
        _add_extract,
        _add_skull,
        _add_pretrain,
        _add_train,
        _add_check,
        _add_generate,
        _add_export,
        _add_artificial,
        _add_evaluate,
        _add_map,
        _add_realness,
        _add_import_weights,
        _add_info,
        _add_demo,
    ):
        add(commands)
    return parser


def _add_extract(commands: argparse._SubParsersAction) -> None:
    from .segmentset import PIXEL_SPACING_MM

    one = _command(
        commands,
        extract,
        "skullgan extract head.dicom.zip more/ -o segments.h5 --jobs 2. Several CTs, or --jobs, "
        "make a batch: segments.csv says what became of each CT, and the same command again does "
        "what is left",
    )
    one.add_argument(
        "ct", nargs="+", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA"
    )
    _add_output(one, "segment set to write (.h5)")
    one.add_argument(
        "--bones",
        type=lambda text: text.split(","),
        default=["temporal", "parietal"],
        metavar="BONE,BONE",
        help="which to cut (temporal,parietal)",
    )
    one.add_argument(
        "--planes",
        type=lambda text: text.split(","),
        default=["axial", "coronal", "sagittal"],
        metavar="PLANE,PLANE",
        help="in which to cut (axial,coronal,sagittal)",
    )
    one.add_argument(
        "--interval-mm", type=float, default=3.1, metavar="MM", help="between planes (3.1)"
    )
    one.add_argument(
        "--spacing-mm",
        type=float,
        default=PIXEL_SPACING_MM,
        metavar="MM",
        help=f"size of a pixel ({PIXEL_SPACING_MM})",
    )
    one.add_argument(
        "--threshold-hu",
        type=float,
        metavar="HU",
        help="where bone begins (fitted to each CT)",
    )
    one.add_argument(
        "--subject",
        action="append",
        default=[],
        metavar="NAME",
        help="pseudonym of a CT's subject, once per CT (a hash of the voxels)",
    )
    one.add_argument(
        "--skull-mask", type=Path, metavar="FILE", help="your own mask, on the CT's grid"
    )
    one.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="nasion, inion, left and right porion (.mrk.json, .fcsv), to lay the head frame by",
    )
    one.add_argument("--jobs", type=int, metavar="N", help="CTs at a time, 1.1 GiB each (1)")
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of the first 1000")


def _add_skull(commands: argparse._SubParsersAction) -> None:
    one = _command(commands, skull, "skullgan skull head.dicom.zip -o skull.nrrd")
    one.add_argument("ct", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA")
    _add_output(one, "mask to write (.nrrd, .nii.gz, .mha), for extract --skull-mask")
    one.add_argument(
        "--threshold-hu", type=float, metavar="HU", help="where bone begins (fitted to the CT)"
    )
    one.add_argument(
        "--frame", type=Path, metavar="JSON", help="where right, front and top of the head are"
    )
    one.add_argument("--raw", action="store_true", help="do not compress the mask")


def _add_pretrain(commands: argparse._SubParsersAction) -> None:
    one = _command(
        commands,
        pretrain,
        "skullgan pretrain img_align_celeba.zip -o runs/faces --limit 100000. Then skullgan train "
        "segments.h5 -o runs/skulls --pretrained runs/faces/model.safetensors",
    )
    one.add_argument(
        "pictures",
        type=Path,
        metavar="PICTURES",
        help="folder or zip of pictures; the middle of each is used, grey, 128 x 128",
    )
    one.add_argument("--limit", type=int, metavar="N", help="pictures to use, by chance (all)")
    _add_training(one, epochs="10")


def _add_train(commands: argparse._SubParsersAction) -> None:
    one = _command(
        commands,
        train,
        "skullgan train segments.h5 -o runs/first --recipe demo --set epochs=50. Then skullgan "
        "evaluate --train runs/first/training.h5 --test runs/first/test.h5 ...",
    )
    one.add_argument(
        "segments",
        nargs="*",
        type=Path,
        metavar="SEGMENTS",
        help="segment sets (.h5); with --resume, none goes on with the run's own and its recipe",
    )
    _add_split(one)
    _add_training(one, epochs="the recipe's")


def _add_check(commands: argparse._SubParsersAction) -> None:
    one = _command(commands, check, "skullgan check segments.h5 --recipe fast --device cuda")
    one.add_argument(
        "segments", nargs="+", type=Path, metavar="SEGMENTS", help="segment sets (.h5)"
    )
    _add_split(one)
    _add_game(one, epochs="the recipe's")
    one.add_argument("--json", type=Path, metavar="FILE", help="write what was found as JSON")
    one.add_argument(
        "--contact-sheet", type=Path, metavar="PNG", help="write a picture of a few segments"
    )


def _add_split(one: argparse.ArgumentParser) -> None:
    from .trainingdata import SPLITS, TEST_SHARE

    one.add_argument(
        "--any-kind", action="store_true", help="learn from segments that are not real, too"
    )
    one.add_argument(
        "--split",
        choices=SPLITS,
        default="subjects",
        help="how the test part is held out, which test.h5 in the run directory then holds: "
        + "; ".join(f"{by}: {meaning}" for by, meaning in SPLITS.items())
        + " (subjects)",
    )
    one.add_argument(
        "--test-share",
        type=float,
        default=TEST_SHARE,
        metavar="SHARE",
        help=f"share of the segments to hold out, 0 to 0.9 ({TEST_SHARE})",
    )


def _add_training(one: argparse.ArgumentParser, *, epochs: str) -> None:
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="run directory to make"
    )
    _add_game(one, epochs=epochs)
    one.add_argument("--resume", action="store_true", help="go on from the last checkpoint")


def _add_game(one: argparse.ArgumentParser, *, epochs: str) -> None:
    from .recipe import RECIPES

    # Not "paper": its update gate, taken literally, stops the generator (see RECIPES).
    one.add_argument("--recipe", default="published", help=f"{', '.join(RECIPES)} (published)")
    one.add_argument(
        "--pretrained",
        type=Path,
        metavar="MODEL",
        help="model to begin with, of skullgan pretrain or skullgan import-weights",
    )
    one.add_argument("--epochs", type=int, help=f"passes over the set ({epochs})")
    one.add_argument("--batch-size", type=int, help="segments a step (the recipe's)")
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other setting of the recipe",
    )
    _add_device(one)
    _add_seed(one, "what all chance of the training follows from (0)")


def _add_generate(commands: argparse._SubParsersAction) -> None:
    from .export import FOLDERS, FORMATS

    one = _command(
        commands, generate, "skullgan generate model.safetensors -n 1000 -o out.h5 --seed 7"
    )
    one.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help="model (.safetensors; the one that comes with SkullGAN)",
    )
    one.add_argument("-n", type=int, default=100, help="number of segments (100)")
    endings = ", ".join(FORMATS[f][0] for f in FORMATS if f not in FOLDERS)
    _add_output(one, f"file to write ({endings}), or a folder (with --format)")
    one.add_argument(
        "--format", choices=FORMATS, help="of what is written (by the ending of the file's name)"
    )
    one.add_argument(
        "--resume", action="store_true", help="go on where the same command was interrupted"
    )
    _add_seed(one, "seed of the first segment; the others count up (0)")
    one.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default="auto",
        help="of the arithmetic; auto is the faster one on the device (auto)",
    )
    one.add_argument(
        "--batch-size", type=int, default=64, metavar="N", help="segments made at once (64)"
    )
    one.add_argument(
        "--batch-statistics",
        action="store_true",
        help="normalise by the batch, not by the training; then segments depend on their batch",
    )
    _add_device(one)
    one.add_argument(
        "--no-metrics",
        dest="metrics",
        action="store_false",
        help="do without the CSV of SDR, thickness and intensity beside the output",
    )
    one.add_argument(
        "--contact-sheet", type=Path, metavar="PNG", help="picture of the first 100 segments"
    )


def _add_export(commands: argparse._SubParsersAction) -> None:
    from .export import FOLDERS, FORMATS

    one = _command(commands, export, "skullgan export segments.h5 -o segments.nii.gz")
    one.add_argument("segments", type=Path, metavar="SEGMENTS", help="segment set (.h5)")
    endings = ", ".join(FORMATS[f][0] for f in FORMATS if f not in FOLDERS and f != "h5")
    _add_output(one, f"file to write ({endings}), or a folder (with --format)")
    one.add_argument(
        "--format", choices=FORMATS, help="of what is written (by the ending of the file's name)"
    )
    one.add_argument(
        "--no-metrics",
        dest="metrics",
        action="store_false",
        help="do without the CSV of SDR, thickness and intensity beside the output",
    )


def _add_artificial(commands: argparse._SubParsersAction) -> None:
    from .artificial import STYLES

    one = _command(
        commands, artificial, "skullgan artificial -n 1000 --like segments.h5 -o artificial.h5"
    )
    one.add_argument("-n", type=int, default=1000, help="number of segments (1000)")
    one.add_argument(
        "--like", type=Path, required=True, metavar="SEGMENTS", help="real set to follow (.h5)"
    )
    _add_output(one, "segment set to write (.h5)")
    one.add_argument(
        "--kind", choices=(*STYLES, "both"), default="both", help="what they look like (both)"
    )
    _add_seed(one, "seed of the first segment; the others count up (0)")
    one.add_argument("--contact-sheet", type=Path, metavar="PNG", help="picture of all segments")


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    from .evaluationsets import MOST

    one = _command(
        commands,
        evaluate,
        "skullgan evaluate --train runs/first/training.h5 --test runs/first/test.h5 --synthetic "
        "out.h5 --model runs/first/model.safetensors -o report. What is missing may stay away: the "
        "report says what then cannot be said",
    )
    for name, meaning in (
        ("train", "real segments that the model learned from"),
        ("test", "real segments of other subjects, which it has never seen"),
        ("synthetic", "what the model made"),
        ("control", "what a weaker model made"),
        ("artificial", "what skullgan artificial made"),
    ):
        one.add_argument(
            f"--{name}",
            nargs="+",
            action="extend",
            default=[],
            type=Path,
            metavar="SEGMENTS",
            help=f"{meaning} (.h5, one or several)",
        )
    one.add_argument(
        "--model", type=Path, metavar="MODEL", help="whose discriminator judges them, too"
    )
    one.add_argument(
        "--inception",
        type=Path,
        metavar="WEIGHTS",
        help="weights of FID's network, pt_inception-2015-12-05 (.pth), for FID and KID; 1,000 "
        "segments take about a minute on two cores",
    )
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="report to write"
    )
    one.add_argument("--overwrite", action="store_true", help="replace a report that is there")
    one.add_argument(
        "--most",
        type=int,
        default=MOST,
        metavar="N",
        help="segments of each set to compare, drawn by chance of larger ones; all are measured "
        f"({MOST})",
    )
    _add_seed(one, "what all chance follows from: the same sets and seed, the same numbers (0)")
    _add_device(one)


def _add_map(commands: argparse._SubParsersAction) -> None:
    from .mapfiles import FORMATS, SCALARS
    from .surface import SPACING_MM
    from .transducer import MOST_INCIDENCE_DEG, point

    one = _command(
        commands,
        map_,
        "skullgan map head.dicom.zip -o map.vtp -o map.nrrd -o map.csv --rays rays.csv "
        "--target=5,-12,3",
    )
    one.add_argument("ct", type=Path, metavar="CT", help="DICOM folder or zip, NRRD, NIfTI, MHA")
    endings = "; ".join(f"{', '.join(FORMATS[name])}: {name}" for name in FORMATS)
    one.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help=f"file to write, as often as there are files ({endings})",
    )
    one.add_argument("--overwrite", action="store_true", help="replace files that are there")
    one.add_argument(
        "--scalar",
        choices=SCALARS,
        default="thickness_mm",
        help="what the overlay holds; vertex is the number of the map's vertex (thickness_mm)",
    )
    one.add_argument(
        "--skull-mask", type=Path, metavar="FILE", help="mask on the CT's grid (found in the CT)"
    )
    one.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="Slicer point list with nasion, inion, left and right porion (found in the CT)",
    )
    one.add_argument(
        "--threshold-hu", type=float, metavar="HU", help="where bone begins (fitted to the CT)"
    )
    one.add_argument(
        "--spacing-mm",
        type=float,
        default=SPACING_MM,
        metavar="MM",
        help=f"between the map's vertices ({SPACING_MM:g})",
    )
    one.add_argument(
        "--target",
        type=point,
        metavar="R,A,S",
        help="of the ultrasound array, mm; write --target=R,A,S if R is negative (the middle of "
        "the intracranial space)",
    )
    one.add_argument(
        "--elements",
        type=Path,
        metavar="CSV",
        help="elements of the array: columns x, y, z in mm, the focus at 0, z up (1,024 on a "
        "hemisphere of 150 mm)",
    )
    one.add_argument(
        "--most-incidence-deg",
        type=float,
        default=MOST_INCIDENCE_DEG,
        metavar="DEG",
        help=f"up to which an element is active ({MOST_INCIDENCE_DEG:g})",
    )
    one.add_argument("--rays", type=Path, metavar="CSV", help="table to write, a row per element")
    one.add_argument("--raw", action="store_true", help="do not compress overlays")


def _add_realness(commands: argparse._SubParsersAction) -> None:
    from .mapfiles import REALNESS_FORMATS

    one = _command(
        commands,
        realness,
        "skullgan realness segments.h5 --model model.safetensors -o why.nrrd -o scores.csv",
    )
    one.add_argument("segments", type=Path, metavar="SEGMENTS", help="segment set (.h5)")
    one.add_argument(
        "--model", type=Path, metavar="MODEL", help="whose discriminator judges (the one in box)"
    )
    endings = "; ".join(f"{', '.join(REALNESS_FORMATS[name])}: {name}" for name in REALNESS_FORMATS)
    one.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help=f"file to write, as often as there are files ({endings})",
    )
    one.add_argument("--overwrite", action="store_true", help="replace files that are there")
    one.add_argument(
        "--method",
        # As realness.METHODS, which would bring torch.
        choices=("positions", "occlusion"),
        default="positions",
        help="how the score is explained (positions); occlusion is a second opinion and slower",
    )
    one.add_argument(
        "--map",
        type=Path,
        metavar="VTP",
        help="map of the CT that the segments were cut from, to lay their scores on",
    )
    _add_device(one)


def _add_import_weights(commands: argparse._SubParsersAction) -> None:
    from .segmentset import HU_RANGE, PIXEL_SPACING_MM

    one = _command(
        commands, import_weights, "skullgan import-weights netG.pth netD.pth -o model.safetensors"
    )
    one.add_argument(
        "weights", nargs=2, type=Path, metavar="WEIGHTS", help="generator's and discriminator's"
    )
    _add_output(one, "model to write (.safetensors)")
    one.add_argument(
        "--hu-range",
        nargs=2,
        type=float,
        default=HU_RANGE,
        metavar=("LOWEST", "HIGHEST"),
        help=f"HU that the networks see as -1 and +1 ({HU_RANGE[0]:g} {HU_RANGE[1]:g})",
    )
    one.add_argument(
        "--spacing-mm",
        type=float,
        default=PIXEL_SPACING_MM,
        metavar="MM",
        help=f"size of a pixel, which the weights do not tell ({PIXEL_SPACING_MM})",
    )
    one.add_argument(
        "--licence", default="", metavar="TEXT", help="under which the weights may be used"
    )


def _add_info(commands: argparse._SubParsersAction) -> None:
    one = _command(commands, info, "skullgan info segments.h5 model.safetensors runs/first")
    one.add_argument("file", nargs="+", type=Path, metavar="FILE")


def _add_demo(commands: argparse._SubParsersAction) -> None:
    one = _command(commands, demo, "skullgan demo -o demo")
    one.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write it all"
    )
    one.add_argument("-n", type=int, default=64, help="number of synthetic segments (64)")
    one.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change the demo recipe"
    )
    _add_device(one)


def _command(
    commands: argparse._SubParsersAction,
    function: Callable[[argparse.Namespace], None],
    example: str,
) -> argparse.ArgumentParser:
    summary = (function.__doc__ or "").strip().splitlines()[0]
    name = function.__name__.rstrip("_").replace("_", "-")  # map_ would hide Python's own
    one = commands.add_parser(name, help=summary, description=summary, epilog=f"Example: {example}")
    one.set_defaults(command=function)
    one.add_argument(
        "--progress",
        choices=progress.STYLES,
        default="auto",
        help="how progress is shown on standard error (a bar on a terminal)",
    )
    return one


def _add_output(one: argparse.ArgumentParser, meaning: str) -> None:
    one.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=meaning)
    one.add_argument("--overwrite", action="store_true", help="replace a file that is there")


def _add_device(one: argparse.ArgumentParser) -> None:
    one.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (auto)")


def _add_seed(one: argparse.ArgumentParser, meaning: str) -> None:
    one.add_argument("--seed", type=int, default=0, help=meaning)


@contextmanager
def _signals_noted() -> Iterator[threading.Event]:
    """Set an event on Ctrl-C and SIGTERM instead of ending at once; a second one ends at once."""
    event = threading.Event()
    before = {}

    def note(number: int, frame: object) -> None:
        event.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    if threading.current_thread() is threading.main_thread():
        before = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _counted(
    title: str, options: argparse.Namespace, interrupted: threading.Event
) -> Iterator[Callable[[int], None]]:
    """Show how many of ``options.n`` are done; telling it raises if the user wants to stop."""
    with progress.shown(title, options.progress) as tell:

        def counted(done: int) -> None:
            tell(done / options.n, f"{done}/{options.n}")
            if interrupted.is_set() and done < options.n:
                raise CancelledError(
                    f"{options.output}: stopped ({title}: {done} of {options.n}); the same command "
                    "with --resume does the rest."
                )

        yield counted


def _generate_into(
    path: Path, options: argparse.Namespace, on_progress: Callable[[int], None]
) -> None:
    """Make the segments that a segment set does not hold yet."""
    import numpy as np

    from . import files, generation, model, resources, segmentset
    from .inference import chosen_precision
    from .networks import chosen_device

    device = chosen_device(options.device)
    model_path = options.model or resources.box_model()
    trained = model.read(model_path, device)
    precision = chosen_precision(options.precision, device, trained.generator.width)
    if options.batch_statistics and options.precision == "auto":
        precision = "fp32"
    # All that the segments follow from; batches and devices round differently.
    origin = {
        "model_sha256": files.sha256(model_path),
        "first_seed": options.seed,
        "segments": options.n,
        "batch_size": options.batch_size,
        "batch_statistics": options.batch_statistics,
        "precision": precision,
        "device": device.type,
    }
    with segmentset.Writer(
        path,
        kind="synthetic",
        pixel_spacing_mm=trained.pixel_spacing_mm,
        hu_range=trained.hu_range,
        resume=options.resume,
    ) as writer:
        for name, needed in origin.items():
            found = writer.source.get(name)
            if len(writer) and found != needed:
                raise BadInputError(
                    f"{path}: was begun with {name} {found}, {needed} was given now; the same "
                    "model and options are needed to resume it."
                )
        seeds = options.seed + np.arange(len(writer), options.n, dtype=np.int64)
        if not len(seeds):
            return
        for batch in generation.generate(
            trained,
            seeds,
            batch_size=options.batch_size,
            precision=precision,
            batch_statistics=options.batch_statistics,
        ):
            writer.append(replace(batch, source={**batch.source, **origin}))
            on_progress(len(writer))


def _refuse_to_generate(
    options: argparse.Namespace, format: str, collected: Path, files: Iterable[Path]
) -> None:
    """Raise if what is there would be lost, or could not be written in the end."""
    from . import export

    if options.resume and options.overwrite:
        raise BadInputError("--resume and --overwrite were given, one of them is needed.")
    apart = collected != options.output
    if apart and collected.exists() and not (options.resume or options.overwrite):
        raise BadInputError(
            f"{collected}: is left of a generation that was interrupted; --resume completes it, "
            "--overwrite begins anew."
        )
    if options.overwrite:
        files = ()
    elif options.resume:  # the files beside the output may be left of the interruption
        files = (options.output,) if apart else ()
    for one in files:
        if one.exists() and not (one.is_dir() and not any(one.iterdir())):
            raise BadInputError(f"{one}: is there already, a new name is needed (or --overwrite).")
    export.check(options.output, format, options.n)


def _refuse_to_overwrite(
    options: argparse.Namespace,
    suffixes: tuple[str, ...] = (".h5", ".hdf5"),
    *,
    going_on: bool = False,
) -> None:
    if options.output.exists() and not (options.overwrite or going_on):
        raise BadInputError(
            f"{options.output}: is there already, a new name is needed (or --overwrite)."
        )
    if options.output.suffix not in suffixes:
        raise BadInputError(f"{options.output}: a name that ends in {suffixes[0]} is needed.")


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInputError(f"--set {text}: KEY=VALUE is needed.")
    return name, value
