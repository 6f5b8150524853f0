"""Say in a few lines what a segment set, a model, a run or a head CT is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import BadInputError

_NO_METRIC = "-"


def describe(path: str | Path) -> str:
    """Describe a file or folder of ours, or a head CT, in lines of ``name  value``.

    Raises:
        BadInputError: if it is none of them, or damaged.
    """
    path = Path(path)
    if (path / "recipe.json").is_file():
        return _lines(_run(path))
    if path.suffix == ".safetensors":
        return _lines(_model(path))
    if path.suffix in (".h5", ".hdf5"):
        return _lines(_segment_set(path))
    if not path.exists():
        raise BadInputError(
            f"{path}: there is no such file, a segment set (.h5), a model (.safetensors), a run "
            "directory or a head CT is needed."
        )
    return _lines(_head_ct(path))


def _segment_set(path: Path) -> dict[str, Any]:
    from . import radiology, segmentset

    segments = segmentset.read(path)
    found: dict[str, Any] = {
        "segment set": f"{len(segments)} segments, {segments.kind}",
        "pixel": f"{segments.pixel_spacing_mm} mm",
        "HU range": f"{segments.hu_range[0]:g} to {segments.hu_range[1]:g} (what networks see)",
    }
    subjects = sorted({subject for subject in segments.subject.tolist() if subject})
    found["subjects"] = f"{len(subjects)} ({_shortened(subjects)})" if subjects else "none"
    if subjects:
        where = Counter(zip(segments.bone.tolist(), segments.side.tolist(), strict=True))
        found["cuts"] = ", ".join(
            f"{bone} {side} {count}" for (bone, side), count in sorted(where.items())
        )
        found["planes"] = _counts(Counter(segments.plane.tolist()))
    if len(segments):
        metrics = radiology.measure(segments)
        found["SDR (peaks)"] = _spread(metrics["sdr_peaks"], ".3f")
        found["thickness"] = _spread(metrics["thickness_mm"], ".2f", " mm")
        found["mean intensity"] = _spread(metrics["mean_intensity_hu"], ".0f", " HU")
    found.update(_source(segments.source))
    found["made by"] = segments.created_by
    return found


def _model(path: Path) -> dict[str, Any]:
    from . import model
    from .networks import trainable_parameters

    found = model.read(path)
    return {
        "model": f"generator of {trainable_parameters(found.generator):,} parameters, "
        f"discriminator of {trainable_parameters(found.discriminator):,}",
        "architecture": _counts(found.architecture),
        "pixel": f"{found.pixel_spacing_mm} mm",
        "HU range": f"{found.hu_range[0]:g} to {found.hu_range[1]:g}",
        "recipe": found.recipe.get("name", "unknown"),
        **{f"trained on {name}": value for name, value in _source(found.trained_on).items()},
        "licence": found.licence or "not stated",
        "made by": found.created_by,
    }


def _run(path: Path) -> dict[str, Any]:
    from .run import Run

    run = Run.open(path)
    found: dict[str, Any] = {"run": f"recipe {run.recipe().name}"}
    status = run.status()
    if status is not None:
        found["state"] = f"{status.state}, {status.progress:.0%}: {status.message}"
        found["iterations"] = f"{status.iteration} of {status.iterations}"
    events, _ = run.events()
    if events:
        found["last report"] = ", ".join(
            f"{name} {value:.4g}" for name, value in events[-1].items() if name != "time"
        )
    found["snapshots"] = len(run.samples())
    found["checkpoints"] = len(run.checkpoints())
    found["result"] = run.model_path.name if run.model_path.exists() else "none yet"
    return found


def _head_ct(path: Path) -> dict[str, Any]:
    from .volume import read_ct

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
        if isinstance(value, Mapping):
            value = _counts(value) or "none"
        elif isinstance(value, list):
            value = "; ".join(_counts(v) if isinstance(v, Mapping) else str(v) for v in value)
        flat[name.replace("_", " ")] = value
    return flat


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(counts.items()))


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
