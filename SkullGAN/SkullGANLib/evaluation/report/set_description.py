"""The report: what the segments of some sets look like, how they measure, how training went.

``write_report`` writes one HTML page that opens offline and can be mailed, every figure as PNG
beside it, and every number in ``report.json``. The same sets and run give the same bytes.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...data.segment_set import SegmentSet
from ...errors import BadInputError
from ...metrics.radiology import AIR_HU, BONE_HU, FAT_AND_WATER_HU, METRICS, kernel_is_soft, measure
from ...plots import html
from ...plots.charts import write_curves, write_violins
from ...plots.contact_sheet import write_contact_sheet
from ...training.recipe import meanings
from ...training.run_directory import Run
from ...utils.atomic_files import written_aside

_log = logging.getLogger(__name__)

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SHOWN = 32
_VIOLINS = {
    "sdr_peaks": ("Skull density ratio (peaks)", ".2f"),
    "thickness_mm": ("Thickness (mm)", ".1f"),
    "mean_intensity_hu": ("Mean intensity (HU)", ".0f"),
}
METRIC_LABELS = {
    "sdr_peaks": ("SDR, peaks", ".3f"),
    "sdr_outer_peak": ("SDR, outer peak", ".3f"),
    "sdr_central": ("SDR, central", ".3f"),
    "sdr_literal": ("SDR, literal", ".3f"),
    "thickness_mm": ("Thickness, mm", ".2f"),
    "mean_intensity_hu": ("Mean intensity, HU", ".0f"),
}
_KINDS = {
    "real": "cut from head CTs of patients or volunteers",
    "synthetic": "made by a neural network; no patient, not for diagnosis",
    "artificial": "drawn by formula; no patient, not for diagnosis",
    "control": "made by a weaker neural network on purpose; no patient, not for diagnosis",
}
_REALNESS = "Realness given by the discriminator"
_PANELS = {"loss": "Loss", "realness": _REALNESS, "learning_rate": "Learning rate"}
METRIC_METHODS = (
    "<p><b>SDR, thickness.</b> Over 32 columns of a segment (every 4th); columns without bone "
    f"(nothing reaches {BONE_HU:.0f} HU) or through air ({AIR_HU:.0f} HU or less) do not count. "
    "Columns are vertical, as in the SkullGAN paper; where the wall slopes by 25° its thickness "
    "reads 10 % too large.</p>"
    "<p><b>SDR by peaks</b>: the lowest HU of the diploë over the mean of the cortical peaks "
    "outside and inside it; 1 where there is no diploë. <b>Outer peak</b>: the same lowest HU (not "
    "below 0) over the outer peak. <b>Central</b>: the lowest HU of the wall&rsquo;s middle half "
    "over its highest. <b>Literal</b>: the paper&rsquo;s equation 2, lowest over highest HU inside "
    "the mask; it depends on where the mask was cut.</p>"
    "<p><b>Thickness</b>: between the points of half height of the outer and of the inner table, "
    "by interpolation between pixels. <b>Mean intensity</b>: mean HU of a segment&rsquo;s pixels "
    f"above {FAT_AND_WATER_HU:.0f} HU.</p>"
)


def write_report(
    folder: str | Path,
    sets: Mapping[str, SegmentSet],
    *,
    run: str | Path | None = None,
    title: str = "Skull segments: real and synthetic",
) -> Path:
    """Write ``report.html``, its figures as PNG and ``report.json`` into a folder.

    Args:
        folder: made if it is not there; files of the same names in it are replaced.
        sets: segment sets by the name that the page gives them, in the page's order.
        run: the directory of a training (see ``run``) whose curves and last samples are shown.
        title: the page's heading.

    Returns:
        The path of ``report.html``.

    Raises:
        BadInputError: if there is no set, or ``run`` does not hold a run.
        OutputError: if a file cannot be written.
    """
    if not sets:
        raise BadInputError("A report was given no segment set, at least one is needed.")
    folder = Path(folder)
    training = Run.open(run) if run is not None else None
    metrics = {name: measure(segments) for name, segments in sets.items()}
    numbers = {
        "title": title,
        "created_by": f"skullgan {__version__}",
        "sdr_definition": "peaks",
        "sets": {name: describe_set(segments, metrics[name]) for name, segments in sets.items()},
        "training": _training_numbers(training) if training else None,
    }
    figures = _write_figures(folder, sets, metrics, numbers["training"])
    if training and training.samples() and _copy_samples(training.samples()[-1], folder):
        figures["samples"] = folder / "samples.png"
    page = _page(title, numbers, figures)
    write_text(folder / "report.json", json.dumps(finite(numbers), indent=1) + "\n")
    write_text(folder / "report.html", page)
    return folder / "report.html"


def summarize(values: np.ndarray) -> dict[str, Any]:
    """Describe a distribution; values that are NaN are left out and ``n`` counts the others.

    Args:
        values: float64 (N,).

    Returns:
        ``n``, ``mean``, ``sd`` (of a sample: divided by n - 1), ``minimum``, ``maximum`` and
        ``quantiles`` (by their text, as "0.5"); None where n is too small to say.
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    some = values.size > 0
    return {
        "n": int(values.size),
        "mean": float(values.mean()) if some else None,
        "sd": float(values.std(ddof=1)) if values.size > 1 else None,
        "minimum": float(values.min()) if some else None,
        "maximum": float(values.max()) if some else None,
        "quantiles": {str(q): float(np.quantile(values, q)) if some else None for q in QUANTILES},
    }


def _training_numbers(run: Run) -> dict[str, Any]:
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


def finite(value: Any) -> Any:
    """Replace what JSON cannot hold, the not-a-number of a training that diverged, by null."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def describe_set(segments: SegmentSet, metrics: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Describe a set, and the distributions of what ``radiology.measure`` gave for it."""
    subjects = {str(subject) for subject in segments.subject} - {""}
    return {
        "kind": segments.kind,
        "segments": len(segments),
        "subjects": len(subjects),
        "bones": counts(segments.bone),
        "sides": counts(segments.side),
        "planes": counts(segments.plane),
        "pixel_spacing_mm": segments.pixel_spacing_mm,
        "hu_range": list(segments.hu_range),
        "source": dict(segments.source),
        "created_by": segments.created_by,
        "metrics": {name: summarize(metrics[name]) for name in METRICS},
    }


def counts(texts: np.ndarray) -> dict[str, int]:
    """Count each text, in the order of the alphabet."""
    return dict(sorted(Counter(str(text) for text in texts).items()))


def _write_figures(
    folder: Path,
    sets: Mapping[str, SegmentSet],
    metrics: Mapping[str, Mapping[str, np.ndarray]],
    training: Mapping[str, Any] | None,
) -> dict[str, Path]:
    """Write the PNGs and give their paths by what they show."""
    figures = {}
    for number, (name, segments) in enumerate(sets.items(), start=1):
        if len(segments):
            path = folder / f"segments-{number}-{_slug(name)}-{segments.kind}.png"
            _write_sheet(path, segments, metrics[name]["sdr_peaks"])
            figures[f"sheet {name}"] = path
    figures["violins"] = folder / "distributions.png"
    write_violins(figures["violins"], metrics, _VIOLINS, limits={"sdr_peaks": 0.40})
    if training is not None and training["curves"]:
        figures["curves"] = folder / "training.png"
        panels = {
            title: {name: (np.array(c["iteration"]), np.array(c["value"])) for name, c in p.items()}
            for title, p in training["curves"].items()
        }
        write_curves(figures["curves"], panels, log_scale={"Learning rate"}, unit={_REALNESS})
    return figures


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "set"


def _write_sheet(path: Path, segments: SegmentSet, ratios: np.ndarray) -> None:
    """Show segments evenly spread through the set, so that every subject has its chance."""
    count = min(_SHOWN, len(segments))
    chosen = np.linspace(0, len(segments) - 1, count).round().astype(int)
    captions = []
    for index in chosen:
        real = segments.kind == "real"
        what = f"{segments.side[index]} {segments.bone[index]}" if real else segments.kind
        ratio = ratios[index]
        captions.append(f"{what} {ratio:.2f}" if np.isfinite(ratio) else f"{what}, no SDR")
    write_contact_sheet(path, segments.hu[chosen], columns=4, captions=captions)


def _copy_samples(source: Path, folder: Path) -> bool:
    """Bring the training's own picture along, small enough to mail; false if it is no picture."""
    from PIL import Image

    try:
        with Image.open(source) as opened:
            picture = opened.convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        _log.warning("%s: is no picture and is left out of the report (%s).", source, error)
        return False
    picture.thumbnail((1100, 1100))
    with written_aside(folder / "samples.png") as temporary:
        picture.save(temporary, format="PNG", compress_level=9)
    return True


def write_text(path: Path, text: str) -> None:
    """Write a text, aside and renamed."""
    with written_aside(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", errors="replace"))


def _page(title: str, numbers: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    described = numbers["sets"]
    sections = [
        _header(title, described),
        html.section(
            "The sets",
            sets_table(described)
            + warnings_of(described)
            + html.details("Where they come from", sources_table(described)),
        ),
        html.section("What the segments look like", _sheets(described, figures)),
        html.section("How they measure", _distributions(described, figures)),
    ]
    if numbers["training"] is not None:
        trained = _training(numbers["training"], figures)
        sections.append(html.section("How the network was trained", trained))
    sections.append(
        f"<footer>Made by {escape(numbers['created_by'])}. Every number on this page is in "
        "<code>report.json</code> beside it.</footer>"
    )
    return html.document(title, "\n".join(sections))


def _header(title: str, described: Mapping[str, Any]) -> str:
    made_up = [name for name, one in described.items() if one["kind"] != "real"]
    warning = ""
    if made_up:
        names = ", ".join(f"<b>{escape(name)}</b>" for name in made_up)
        warning = html.warning(
            f"Not from patients: {names}. These segments were made by a computer. They show "
            "nobody&rsquo;s skull and must not be used for diagnosis."
        )
    return (
        f"<header><h1>{escape(title)}</h1><p>A segment is a cut through the wall of the skull, "
        "128 by 128 pixels in Hounsfield units (HU): the outside of the head is up, the outer "
        "table lies at the top, the diploë below it, the inner table at the bottom.</p>"
        f"{warning}</header>"
    )


def sets_table(described: Mapping[str, Any]) -> str:
    """Lay out in HTML what ``describe_set`` gave for each set."""
    rows = []
    for name, one in described.items():
        places = [
            ", ".join(f"{n:,} {what}" for what, n in one[group].items() if what != "unknown")
            for group in ("bones", "sides", "planes")
        ]
        rows.append([
            escape(name),
            f'<span class="kind {escape(one["kind"])}">{escape(one["kind"])}</span>'
            f"<br><small>{_KINDS[one['kind']]}</small>",
            f"{one['segments']:,}",
            f"{one['subjects']:,}" if one["subjects"] else "none",
            "<br>".join(escape(line) for line in places if line) or "not recorded",
            escape(ct_of(one)),
        ])  # fmt: skip
    head = ("Set", "Kind", "Segments", "Subjects", "Where from in the skull", "CT")
    return html.table(head, rows)


def sources_table(described: Mapping[str, Any]) -> str:
    """Lay out in HTML all that is known of the origin of each set."""
    rows = [[escape(name), _source(one)] for name, one in described.items()]
    return html.table(("Set", "Source"), rows)


def _source(one: Mapping[str, Any]) -> str:
    entries = [
        f"{escape(str(key).replace('_', ' '))}: {escape(_of_cts(key, value))}"
        for key, value in sorted(one["source"].items())
    ]
    return "<br>".join([*entries, f"made by {escape(one['created_by'])}"])


def _of_cts(key: str, value: object) -> str:
    """Say what a source's entry holds; of many CTs their number, the rest is in the JSON."""
    if key == "cts" and isinstance(value, Mapping):
        return f"{len(value):,}, each alone in report.json"
    return plain(value)


def plain(value: object) -> str:
    """Say in plain text what JSON holds."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain(value[key])}" for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def ct_of(one: Mapping[str, Any]) -> str:
    """Name the kernel, slice thickness and pixel size, without which an SDR means little."""
    pixel = f"pixel {one['pixel_spacing_mm']:g} mm"
    source = _with_kernel(one["source"]) or one["source"]
    # Made segments look like those that the network learned from, which their source may name.
    learned = "" if source is one["source"] else "learned from "
    kernel, slices = source.get("kernel"), source.get("slice_thickness_mm")
    if kernel is None and slices is None:
        return f"CT kernel and slice thickness not recorded, {pixel}"
    said = f"kernel {plain(kernel)}" if kernel is not None else "CT kernel not recorded"
    thick = f"{plain(slices)} mm slices" if slices is not None else "slice thickness not recorded"
    return f"{learned}{said}, {thick}, {pixel}"


def _with_kernel(source: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if "kernel" in source:
        return source
    inner = (_with_kernel(value) for value in source.values() if isinstance(value, Mapping))
    return next((found for found in inner if found is not None), None)


def warnings_of(described: Mapping[str, Any]) -> str:
    """Warn in HTML of what makes the metrics of sets less comparable than they look."""
    warnings = []
    for name, one in described.items():
        kernels = (_with_kernel(one["source"]) or {}).get("kernel") or []
        for kernel in kernels if isinstance(kernels, list) else [kernels]:
            if kernel_is_soft(str(kernel)):
                warnings.append(
                    f"<b>{escape(name)}</b> comes from the soft kernel "
                    f"{escape(str(kernel))}, which blurs the diploë into the tables: its SDR is "
                    "not that of a bone kernel."
                )
        unmeasured = one["segments"] - one["metrics"]["thickness_mm"]["n"]
        if unmeasured:
            warnings.append(
                f"{unmeasured:,} of {one['segments']:,} segments of <b>{escape(name)}</b> have no "
                "column of bone without air and are left out of SDR and thickness."
            )
    spacings = {one["pixel_spacing_mm"] for one in described.values()}
    if len(spacings) > 1:
        warnings.append("The sets differ in pixel size; their SDR cannot be compared directly.")
    return "".join(map(html.warning, warnings))


def _sheets(described: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    cells = []
    for name, one in described.items():
        count = min(_SHOWN, one["segments"])
        heading = f"{escape(name)} <small>{escape(one['kind'])}</small>"
        picture = (
            html.image(
                figures[f"sheet {name}"],
                f"{count} {one['kind']} segments of {name}, gray from 0 to 2000 HU",
                f"{count:,} of {one['segments']:,}, evenly through the set. Black 0 HU, white "
                f"2000 HU. The number below each is its SDR (peaks; {escape(ct_of(one))}).",
            )
            if f"sheet {name}" in figures
            else "<p>This set holds no segments.</p>"
        )
        cells.append(f"<div><h3>{heading}</h3>{picture}</div>")
    return f'<div class="sheets">{"".join(cells)}</div>'


def _distributions(described: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    origin = "; ".join(f"{name}: {ct_of(one)}" for name, one in described.items())
    rows = [
        [label, escape(name), *summary_row(one["metrics"][metric], digits)]
        for metric, (label, digits) in METRIC_LABELS.items()
        for name, one in described.items()
    ]
    head = ["Metric", "Set", "n", "Mean ± SD", *(f"{100 * q:g} %" for q in QUANTILES)]
    return (
        html.image(
            figures["violins"],
            "Violins of skull density ratio, thickness and mean intensity for each set",
            "The wider a violin, the more segments have that value. White dot and number: median; "
            "dark bar: the middle half of the segments. Dashed: 0.40, below which treatment with "
            "focused ultrasound is commonly not offered; that limit is for a patient&rsquo;s mean "
            f"over about 1,000 rays, not for one segment. SDR by peaks. {escape(origin)}.",
        )
        + html.table(
            head,
            rows,
            caption="n: segments measured. Per cent: quantiles; 50 % is the median. "
            f"{escape(origin)}.",
            numbers_from=2,
        )
        + html.details("How the numbers are made", METRIC_METHODS)
    )


def summary_row(summary: Mapping[str, Any], digits: str) -> list[str]:
    """Give a summary as cells of a table: n, mean ± SD, quantiles."""
    mean, sd = (_number(summary[key], digits) for key in ("mean", "sd"))
    quantiles = [_number(value, digits) for value in summary["quantiles"].values()]
    return [f"{summary['n']:,}", f"{mean} ± {sd}", *quantiles]


def _number(value: float | None, digits: str) -> str:
    return "none" if value is None else format(value, digits)


def _training(training: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    last = training["last_report"] or {}
    said = [f"State: {training['state']}", f"{training['reports']:,} reports"]
    said += [f"{key} {plain(last[key])}" for key in ("epoch", "iteration") if key in last]
    parts = [f"<p>{escape(', '.join(said))}. {escape(training['message'])}</p>"]
    if "curves" in figures:
        caption = (
            "Generator and discriminator learn against each other: neither loss falls to zero in "
            "a training that goes well."
        )
        if _REALNESS in training["curves"]:
            caption += (
                " Realness is the discriminator&rsquo;s output from 0 (made) to 1 (real), not "
                "calibrated; the nearer the two curves, the harder it finds the difference."
            )
        shown = ", ".join(title.lower() for title in training["curves"])
        alternative = f"Curves over the iterations of training: {shown}"
        parts.append(html.image(figures["curves"], alternative, caption))
    else:
        parts.append("<p>No losses were reported.</p>")
    if "samples" in figures:
        parts.append(
            html.image(
                figures["samples"],
                "Synthetic segments made by the network at its last snapshot",
                "Synthetic segments at the last snapshot of the training, for its fixed seeds.",
            )
        )
    meaning = meanings()
    rows = [
        [escape(key.replace("_", " ")), escape(plain(value)), escape(meaning.get(key, ""))]
        for key, value in training["recipe"].items()
    ]
    recipe = html.table(("Setting", "Value", "Meaning"), rows)
    return "".join([*parts, html.details("Recipe", recipe)])
