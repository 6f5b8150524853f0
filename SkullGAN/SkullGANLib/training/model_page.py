"""The model card of a training: ``model.md`` beside the model, to be read before anybody uses it.

``ModelPage.write`` fills it in with each model that is kept: what was learned from, recipe and
time, figures of the snapshot, limits. What only people know stands between two marks, and what they
write there stays when the page is written again. Nothing of a patient goes in: subjects by their
pseudonyms, of CTs what their scanners were, and no path.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..data.segment_set import SegmentSet
from ..metrics import cautions
from ..metrics.voxels import describe_voxels
from ..networks.conditions import BONE, QUANTITIES, Conditions
from ..networks.dcgan import trainable_parameters
from ..networks.model_file import Model
from ..utils.atomic_files import written_aside
from .pictures import Pictures
from .presets import PRESETS
from .quality import DISTANCE
from .run_directory import Run
from .setting import as_text

YOURS, END_OF_YOURS = "<!-- yours: begin -->", "<!-- yours: end -->"
_TO_FILL_IN = """\
- **Source and terms of the CTs**: to be filled in (who gave them, under which license or agreement,
  whether weights learned from them may be passed on).
- **Ethics approval and consent**: to be filled in.
- **License of the weights**: {license}.
- **Contact**: to be filled in."""
_FIGURES = {
    DISTANCE: "distance by which the best snapshot is kept (kernel distance + mean KS)",
    "quality_kernel": "squared kernel distance of wall features (0: none)",
    "quality_ks_sdr": "Kolmogorov-Smirnov distance of SDR",
    "quality_ks_thickness": "Kolmogorov-Smirnov distance of thickness",
    "quality_ks_intensity": "Kolmogorov-Smirnov distance of mean intensity",
    "quality_fine_std": "grain, as a share of that of the reals (1: alike)",
    "quality_grid": "grid in the marrow (reals: about 0.04)",
    "diversity": "diversity of the sample grid, as a share of that of the reals (1: alike)",
}
_OF_SCANNERS = ("scanner", "kernel", "kvp", "slice_thickness_mm")
_MOST_NAMED = 20
_FEW_HEADS = 20


class ModelPage:
    """Writes the model card of a run.

    Args:
        run: beside whose model it is.
        segments: what is learned from.
        held_out: reals that are not, if there are any.

    Attributes:
        path: of the card.
    """

    def __init__(
        self, run: Run, segments: SegmentSet | Pictures, held_out: SegmentSet | None
    ) -> None:
        self._run = run
        self.path = run.model_path.with_suffix(".md")
        self._segments = segments
        self._held_out = held_out if held_out is not None and len(held_out) else None
        self._cautions: list[str] | None = None

    def write(self, model: Model, figures: Mapping[str, float] | None = None) -> None:
        """Write the card, or write it again.

        Args:
            model: that was kept.
            figures: of its snapshot, as events name them; None are those in the run's events.

        Raises:
            OutputError: if it cannot be written.
        """
        known = self._figures(model) if figures is None else figures
        sections = {
            "What it is": _what(model),
            "Data": self._data(),
            "Terms": [YOURS, self._yours(model), END_OF_YOURS],
            "Training": self._training(model),
            "Figures": _figures(model, known),
            "Limits": self._limits(model),
        }
        text = "\n\n".join(
            ["# Model card", *(f"## {title}\n\n" + "\n".join(s) for title, s in sections.items())]
        )
        with written_aside(self.path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")

    def _yours(self, model: Model) -> str:
        """Give what people wrote between the marks, or what they are to fill in."""
        try:
            before = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            before = ""
        kept = re.search(f"{re.escape(YOURS)}\n(.*)\n{re.escape(END_OF_YOURS)}", before, re.DOTALL)
        if kept:
            return kept[1]
        return _TO_FILL_IN.format(license=model.license or "not stated, to be filled in")

    def _data(self) -> list[str]:
        segments = self._segments
        if not isinstance(segments, SegmentSet):
            return [f"{len(segments):,} gray pictures, no skull: to begin another training with."]
        lines = ["| bone | learned from | held out |", "|---|---|---|"]
        own, other = (
            Counter(map(str, one.bone if one is not None else ()))
            for one in (segments, self._held_out)
        )
        for bone in sorted(own | other):
            lines.append(f"| {_cell(bone)} | {own[bone]:,} | {other[bone]:,} |")
        lines.append(f"| all | {own.total():,} | {other.total():,} |")
        names = sorted(set(map(str, segments.subject)) - {""})
        shown = ", ".join(map(_cell, names[:_MOST_NAMED])) + ", ..." * (len(names) > _MOST_NAMED)
        lines += ["", f"- **Kind**: {segments.kind}, pixels of {segments.pixel_spacing_mm:g} mm."]
        lines.append(f"- **Subjects** (pseudonyms): {len(names)}{f' ({shown})' if names else ''}.")
        lines.append(f"- **Voxels of the CTs**: {describe_voxels(segments.source)}.")
        for name in _OF_SCANNERS:
            values = list(dict.fromkeys(_values(segments.source, name)))
            if values:
                title = name.replace("_mm", ", mm").replace("_", " ").replace("kvp", "kVp")
                title = title[0].upper() + title[1:] if name != "kvp" else title
                named = "; ".join(map(_cell, values))
                lines.append(f"- **{title}**, as far as the sets name it: {named}.")
        split = segments.source.get("split")
        if isinstance(split, Mapping) and split.get("by"):
            lines.append(f"- **Held out by**: {_cell(str(split['by']))}.")
        return lines

    def _training(self, model: Model) -> list[str]:
        recipe = self._run.recipe()
        preset = PRESETS.get(recipe.name)
        changed = preset.recipe.differences(recipe) if preset else {}
        events, _ = self._run.events()
        seconds = sum(_longest_stretches([float(one.get("elapsed_s", 0)) for one in events]))
        lines = [
            f"- **Recipe**: {recipe.name}"
            + (f", with {', '.join(f'{n}={v}' for n, v in changed.items())}" if changed else "")
            + ".",
            f"- **Iterations**: {model.trained_on.get('iterations', 0):,} of {recipe.batch_size} "
            f"segments, seed {model.trained_on.get('seed')}.",
            f"- **Time**: {_duration(seconds)} of training until the last report.",
        ]
        before = model.trained_on.get("pretrained_on")
        if isinstance(before, Mapping):
            count, of = before.get("segments"), before.get("subjects")
            lines.append(
                f"- **Began with** another model's weights, which had learned from {count} "
                f"{before.get('kind', '')} segments of {of} subjects."
            )
        return [*lines, f"- **Made by**: {model.created_by}.", "", *_all_settings(asdict(recipe))]

    def _limits(self, model: Model) -> list[str]:
        if self._cautions is None:
            own = self._segments
            self._cautions = cautions.of_set(own) if isinstance(own, SegmentSet) else []
        heads = len(set(map(str, self._segments.subject)) - {""})
        few = (
            [
                f"- All variation is that of {heads} {'head' if heads == 1 else 'heads'}: counts "
                "of synthetic segments are no sample size, and say nothing of a population."
            ]
            if heads < _FEW_HEADS
            else []
        )
        judged = [] if self._held_out else ["- Nothing was held out: the figures flatter."]
        return [
            *few,
            *judged,
            "- Not for diagnosis, treatment planning or any clinical decision.",
            "- The discriminator's realness is not calibrated: not a probability.",
            *_limits_of(model.conditions),
            *(f"- {one}" for one in self._cautions),
        ]

    def _figures(self, model: Model) -> dict[str, Any]:
        """What the events say of the snapshot of a model's iteration."""
        events, _ = self._run.events()
        iteration = model.trained_on.get("iterations")
        of = [one for one in events if one.get("iteration") == iteration]
        return dict(of[-1]) if of else {}


def _what(model: Model) -> list[str]:
    generator, discriminator = map(trainable_parameters, (model.generator, model.discriminator))
    low, high = model.hu_range
    lines = [
        f"Synthetic skull segments of 128 x 128 pixels of {model.pixel_spacing_mm:g} mm, "
        f"{low:g} to {high:g} HU, by a generator of {generator:,} parameters; beside it its "
        f"discriminator of {discriminator:,}."
    ]
    if model.conditions:
        lines += ["", "It can be asked for:", *_askable(model.conditions)]
    return lines


def _askable(conditions: Conditions) -> list[str]:
    lines = []
    for name in conditions.names:
        if name == BONE:
            lines.append(f"- bone: {', '.join(map(_cell, conditions.bones))} (`--bone`)")
            continue
        one = QUANTITIES[name]
        low, high = conditions.low[name], conditions.high[name]
        lines.append(
            f"- {one.label}: {f'{low:g} to {high:g} {one.unit}'.rstrip()} (`{one.option} VALUE`)"
        )
    return lines


def _limits_of(conditions: Conditions | None) -> list[str]:
    if conditions is None:
        return []
    return [
        "- What is asked for is met on average, not by every segment: measure them, or select. "
        "Towards the ends of a range there were few to learn from."
    ]


def _figures(model: Model, figures: Mapping[str, float]) -> list[str]:
    rows = [(title, figures[name]) for name, title in _FIGURES.items() if name in figures]
    rows += [
        (f"correlation of asked and measured {QUANTITIES[name].label}", figures[key])
        for name in (model.conditions.quantities if model.conditions else ())
        if (key := f"condition_{name}") in figures
    ]
    if not rows:
        return ["None were measured: `skullgan evaluate` does."]
    chosen = model.trained_on.get("chosen_by_distance")
    against = chosen.get("against") if isinstance(chosen, Mapping) else None
    return [
        f"Of the snapshot that is kept{f', against {against}' if against else ''}:",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {title} | {value:.3g} |" for title, value in rows),
        "",
        "The distances compare snapshots of one training; `skullgan evaluate` says what they are "
        "worth.",
    ]


def _all_settings(recipe: Mapping[str, Any]) -> list[str]:
    settings = ", ".join(f"{n}={as_text(v)}" for n, v in recipe.items() if n != "name")
    return ["<details><summary>All settings</summary>", "", _cell(settings), "", "</details>"]


def _values(source: Mapping[str, Any], name: str) -> list[str]:
    """What a source says under a name, of all and of each CT."""
    found = []
    for one in (source, *cautions.cts_of(source).values()):
        value = one.get(name)
        values: Sequence[Any] = value if isinstance(value, list) else [value]
        found += [f"{each:g}" if isinstance(each, float) else str(each) for each in values if each]
    return found


def _longest_stretches(elapsed_s: Sequence[float]) -> list[float]:
    """Seconds of each stretch of a training: resumed, it counts from 0 again."""
    counted = np.asarray(elapsed_s)
    ends = np.append(counted[1:] < counted[:-1], True) if len(counted) else np.empty(0, bool)
    return [float(one) for one in counted[ends]]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _cell(text: str) -> str:
    """A text out of a file as Markdown shows it, and no more."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", plain)
