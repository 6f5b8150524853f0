"""The command ``info``: what a segment set, a model, a run, a map or a head CT is, in lines."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..anatomy.cut_plan import SIDES
from ..errors import BadInputError
from .options import Commands, command

_OURS = "a segment set (.h5), a model (.safetensors), a map (.vtp)"
_NO_METRIC = "-"
_CTS_SHOWN = 20


def info(options: argparse.Namespace) -> None:
    """Say what a segment set, a model, a run, a map or a head CT is, or what this machine is."""
    if not options.file and not options.system:
        raise BadInputError(f"Expected {_OURS}, a run directory or a head CT, found no file.")
    if options.json:
        found = {str(path): facts(path) for path in options.file}
        if options.system:
            from .system import describe_system

            found["system"] = describe_system()
        print(json.dumps(found, indent=1, ensure_ascii=False, default=str))
        return
    if options.system:
        from .system import describe_system, format_lines

        print(format_lines(describe_system()))
    for number, path in enumerate(options.file):
        if len(options.file) > 1 or options.system:
            print(f"{'' if number == 0 else chr(10)}{path}")
        print(describe(path))


def describe(path: str | Path) -> str:
    """Describe a file or folder of ours, or a head CT, in lines of ``name  value``.

    Raises:
        BadInputError: if it is none of them, or damaged.
    """
    return _lines(facts(path))


def facts(path: str | Path) -> dict[str, Any]:
    """What ``describe`` says, by name; raises as it."""
    path = Path(path)
    try:
        return _facts(path)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as error:
        raise BadInputError(
            f"{path}: says of itself what cannot be understood ({type(error).__name__}: {error}), "
            f"expected {_OURS}, a run directory or a head CT."
        ) from error


def _facts(path: Path) -> dict[str, Any]:
    if (path / "recipe.json").is_file():
        return _run(path)
    if path.suffix == ".safetensors":
        return _model(path)
    if path.suffix in (".h5", ".hdf5"):
        return _segment_set(path)
    if path.suffix == ".vtp":
        return _map(path)
    if path.suffix == ".json" and path.is_file():
        return _map_numbers(path)
    if path.is_dir() and (held := _ours_in(path)):
        return {one.name: _first_line(one) for one in held}
    if not path.exists():
        raise BadInputError(
            f"{path}: there is no such file, expected {_OURS}, a run directory or a head CT."
        )
    try:
        return _head_ct(path)
    except BadInputError as error:
        reason = str(error).rstrip(".")
        raise BadInputError(f"{reason}, or {_OURS} or a run directory.") from error


def add_info(commands: Commands) -> None:
    one = command(commands, info, "skullgan info segments.h5 model.safetensors runs/first")
    one.add_argument("file", nargs="*", type=Path, metavar="FILE", help="or a folder of such files")
    one.add_argument(
        "--system",
        action="store_true",
        help="versions of Python and packages, devices and their memory: for a report of a problem",
    )
    one.add_argument("--json", action="store_true", help="print it as JSON, by file")


def _ours_in(folder: Path) -> list[Path]:
    """The files and runs of ours directly in a folder, by name."""
    return [
        one
        for one in sorted(folder.iterdir())
        if one.suffix in (".h5", ".hdf5", ".safetensors", ".vtp") or (one / "recipe.json").is_file()
    ]


def _first_line(path: Path) -> str:
    """What a file in a folder is, or why it cannot be said; nothing is read whole for it."""
    try:
        if path.suffix in (".h5", ".hdf5"):
            from ..data import hdf5

            return f"segment set, {hdf5.count(path)} {hdf5.read(path, slice(0)).kind} segments"
        if path.suffix == ".safetensors":
            return "model"
        if path.suffix == ".vtp":
            return "map"
        return ", ".join(f"{name} {value}" for name, value in list(_run(path).items())[:2])
    except BadInputError as error:
        return str(error)


def _map(path: Path) -> dict[str, Any]:
    from ..mapping import map_summary, vtp
    from ..metrics.voxels import describe_voxels

    calvaria = vtp.read(path)
    whole = {
        row["metric"]: row
        for row in map_summary.summary(calvaria)
        if row["bone"] == map_summary.ALL
    }
    found: dict[str, Any] = {"map": f"{len(calvaria)} vertices"}
    for metric, row in whole.items():
        mean = _NO_METRIC if row["mean"] is None else f"{row['mean']:.4g} ± {row['sd']:.3g}"
        found[metric] = f"{mean} {row['unit']}".rstrip()
    found["measured in"] = describe_voxels(calvaria.source)
    lost = map_summary.not_measured(calvaria.code)
    found["not measured"] = ", ".join(
        f"{n} {why.replace('_', ' ')}" for why, n in lost.items() if n
    )
    known = ("scanner", "kernel", "kvp", "slice_thickness_mm", "threshold_hu")
    found |= {name: calvaria.source[name] for name in known if name in calvaria.source}
    found["head frame"] = _frame(calvaria.source) or "not known"
    found["caution"] = (
        " ".join(map_summary.caveats(calvaria.source, calvaria.code)) or "nothing known"
    )
    return found | {"made by": calvaria.created_by}


def _map_numbers(path: Path) -> dict[str, Any]:
    """The numbers of a map (.json), as ``skullgan map`` writes them."""
    from ..mapping.head_maps import read_numbers
    from ..mapping.map_summary import ALL

    numbers = read_numbers(path)
    array, source = numbers["array"], numbers["source"]
    found: dict[str, Any] = {"numbers of a map": f"{array['elements']} elements of an array"}
    for row in numbers["summary"]:
        if row["bone"] == ALL and row["mean"] is not None:
            spread = f"{row['mean']:.4g} ± {row['sd']:.3g} {row['unit']}"
            found[row["metric"]] = spread.rstrip()
    found["head frame"] = _frame(source) or "not known"
    found["caution"] = " ".join(numbers["caveats"]) or "nothing known"
    return found | {"made by": numbers["created_by"]}


def _segment_set(path: Path) -> dict[str, Any]:
    from ..data import hdf5
    from ..data.depth import depth_of
    from ..metrics import METRICS, cautions, measure
    from ..metrics.voxels import describe_voxels

    header = hdf5.read(path, slice(0))
    whose: list[np.ndarray] = []
    bones: list[np.ndarray] = []
    where: Counter[tuple[str, str]] = Counter()
    planes: Counter[str] = Counter()
    metrics: dict[str, list[np.ndarray]] = {name: [] for name in METRICS}
    for part in hdf5.iterate(path):
        whose.append(part.subject)
        bones.append(part.bone)
        where.update(zip(part.bone.tolist(), part.side.tolist(), strict=True))
        planes.update(part.plane.tolist())
        for name, values in measure(part).items():
            metrics[name].append(values)
    subjects = np.concatenate(whose) if whose else np.array([], str)
    named = sorted(set(subjects.tolist()) - {""})
    count = sum(planes.values())
    depth = depth_of(header, path)
    stacks = f", in stacks of {depth}" if depth else ""
    found: dict[str, Any] = {
        "segment set": f"{count} segments, {header.kind}{stacks}",
        "pixel": f"{header.pixel_spacing_mm} mm",
        "HU range": f"{header.hu_range[0]:g} to {header.hu_range[1]:g} (what networks see)",
        "subjects": f"{len(named)} ({_shortened(named)})" if named else "none",
    }
    if named:
        found["cuts"] = ", ".join(
            f"{bone} {side} {count}" for (bone, side), count in sorted(where.items())
        )
        found["planes"] = _counts(planes)
    if count:
        whole = {name: np.concatenate(parts) for name, parts in metrics.items()}
        sdr = _spread(whole["sdr_peaks"], ".3f")
        found["SDR (peaks)"] = f"{sdr} ({describe_voxels(header.source)})" if named else sdr
        found["thickness"] = _spread(whole["thickness_mm"], ".2f", " mm")
        found["mean intensity"] = _spread(whole["mean_intensity_hu"], ".0f", " HU")
        if header.kind == "real":
            bone = np.concatenate(bones)
            said = cautions.of_parts(header.source, subjects, bone, whole["sdr_peaks"])
            found["caution"] = " ".join(said) or "nothing known"
    found.update(_source(header.source))
    found["made by"] = header.created_by
    return found


def _model(path: Path) -> dict[str, Any]:
    from ..networks import model_file
    from ..networks.dcgan import trainable_parameters

    found = model_file.read(path)
    return {
        "model": f"generator of {trainable_parameters(found.generator):,} parameters, "
        f"discriminator of {trainable_parameters(found.discriminator):,}",
        "architecture": _counts(found.architecture.to_dict()),
        "pixel": f"{found.pixel_spacing_mm} mm",
        **({"makes": f"stacks of {found.depth}"} if found.depth else {}),
        "HU range": f"{found.hu_range[0]:g} to {found.hu_range[1]:g}",
        "recipe": _recipe(found.recipe),
        **{f"trained on {name}": value for name, value in _source(found.trained_on).items()},
        "license": found.license or "not stated",
        **({"told": found.conditions.describe()} if found.conditions else {}),
        "made by": found.created_by,
    }


def _run(path: Path) -> dict[str, Any]:
    from ..training import monitor
    from ..training.run_directory import Run

    run = Run.open(path)
    found: dict[str, Any] = {"run": f"recipe {_recipe(asdict(run.recipe()))}"}
    status = run.status()
    if status is not None:
        died = monitor.poll(run).state == "died"
        state = "left for dead, no process trains it" if died else status.state
        found["state"] = f"{state}, {status.progress:.0%}: {status.message}"
        found["iterations"] = f"{status.iteration} of {status.iterations}"
    events, _ = run.events()
    if events:
        found["last report"] = ", ".join(
            f"{name} {value:.4g}"
            for name, value in events[-1].items()
            if name != "time" and isinstance(value, (int, float))
        )
    found["snapshots"] = len(run.samples())
    found["checkpoints"] = len(run.checkpoints())
    found["result"] = run.model_path.name if run.model_path.exists() else "none yet"
    if (card := run.model_path.with_suffix(".md")).exists():
        found["model card"] = f"{card.name} (terms are for you to fill in)"
    return found


def _head_ct(path: Path) -> dict[str, Any]:
    from ..ct.volume import read_ct

    ct = read_ct(path)
    slices, rows, columns = ct.hu.shape
    spacing = " x ".join(f"{mm:.4g}" for mm in ct.spacing_mm)
    return {
        "head CT": f"{columns} x {rows} x {slices} voxels of {spacing} mm",
        "HU": f"{ct.hu.min()} to {ct.hu.max()}",
        **_source(ct.source),
    }


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
    flat = {}
    for name, value in source.items():
        if name == "cts" and isinstance(value, Mapping):
            flat.update(_cts(value))
            continue
        if isinstance(value, Mapping):
            value = _counts(value) or "none"
        elif isinstance(value, list):
            value = "; ".join(_counts(v) if isinstance(v, Mapping) else str(v) for v in value)
        flat[name.replace("_", " ")] = value
    return flat


def _cts(cts: Mapping[str, Any]) -> dict[str, str]:
    """What became of the cuts of each CT, and of all together."""
    own = {ct: of if isinstance(of, Mapping) else {} for ct, of in cts.items()}
    total: Counter[str] = Counter()
    for of in own.values():
        total.update(of.get("dropped", {}))
    found = {"CTs": str(len(own)), "dropped": _dropped(total)}
    if len(own) == 1:
        only = next(iter(own.values()))
        found["head frame"] = _frame(only) or "not known"
        if border := _squamosal_border(only):
            found["squama's border"] = border
    else:
        for ct, of in list(own.items())[:_CTS_SHOWN]:
            count, dropped = of.get("segments", "?"), _dropped(of.get("dropped", {}))
            frame = f", frame {_frame(of)}" if _frame(of) else ""
            border = f", squama's border {_squamosal_border(of)}" if _squamosal_border(of) else ""
            found[f"  {ct}"] = f"{count} segments, dropped: {dropped}{frame}{border}"
        if len(own) > _CTS_SHOWN:
            found["  ..."] = f"{len(own) - _CTS_SHOWN} more"
    return found


def _frame(of: Mapping[str, Any]) -> str:
    """Where a CT's head frame is from, and how sure it is; empty if it does not say."""
    frame = of.get("frame")
    if not isinstance(frame, Mapping) or "from" not in frame:
        return ""
    sure = frame.get("certainty")
    return f"from {frame['from']}" + ("" if sure is None else f", certainty {sure:.2f}")


def _squamosal_border(of: Mapping[str, Any]) -> str:
    """Where the parietal bone begins on both sides of a CT, against the height that decides its
    bones; empty if it does not say."""
    border = of.get("squamosal_border_mm")
    if not isinstance(border, Mapping) or "expected" not in border:
        return ""
    sides = []
    for side in SIDES:
        at, agrees = border.get(side), (border.get("agrees") or {}).get(side)
        verdict = "agrees" if agrees else "does not agree"
        sides.append(f"{side} not seen" if at is None else f"{side} {at:.1f} mm ({verdict})")
    return f"{', '.join(sides)}; bones are by height, {border['expected']:.1f} mm"


def _dropped(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items())) or "none"


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} ({_counts(value)})" if isinstance(value, Mapping) else f"{name} {value}"
        for name, value in sorted(counts.items())
    )


def _recipe(settings: Mapping[str, Any]) -> str:
    """The recipe's name, and what was set otherwise than it has it."""
    from ..training.presets import PRESETS
    from ..training.recipe import current_names

    name = str(settings.get("name", "unknown"))
    if name not in PRESETS:
        return name
    own = asdict(PRESETS[name].recipe)
    changed = {k: v for k, v in current_names(settings).items() if v != own.get(k)}
    return f"{name}, with {_counts(changed)}" if changed else name


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _spread(values: np.ndarray, digits: str, unit: str = "") -> str:
    values = values[np.isfinite(values)]
    if values.size == 0:
        return _NO_METRIC
    mean, sd, median = values.mean(), values.std(), np.median(values)
    return f"{mean:{digits}} ± {sd:{digits}}{unit}, median {median:{digits}}{unit}"


def _lines(found: Mapping[str, Any]) -> str:
    width = max(map(len, found))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in found.items())
