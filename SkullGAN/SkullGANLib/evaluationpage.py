"""The page of an evaluation: what it says in words, tables and figures.

``answers`` says in a few sentences what a reader wants to know first; ``page`` makes the HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np

from . import evaluationfigures, webpage
from .evaluation import SIFT_SEGMENTS, SIFT_TRAINING, Evaluation
from .evaluationfigures import LABELS, METRICS, Picture
from .evaluationsets import MADE, Examined
from .memorization import MOST_BY_SIFT, MOST_TRAINING
from .report import METRIC_LABELS, METRIC_METHODS, QUANTILES, sets_table, summary_row, warnings_of
from .separability import MOST, Estimate

TITLE = "Are the synthetic segments like real ones?"


def answers(sets: Mapping[str, Examined], found: Evaluation) -> list[tuple[str, str]]:
    """Answer what a reader wants to know first, in plain text: questions and answers."""
    return [
        ("Are they like real ones?", _likeness(found)),
        ("Are they copies?", _copying(sets, found)),
        ("Can the discriminator be trusted?", _trust(found)),
        ("Are they of use?", _use(found)),
    ]


def page(
    numbers: Mapping[str, Any],
    answered: Sequence[tuple[str, str]],
    pictures: Mapping[str, Picture],
) -> str:
    """Make the page of ``evaluationreport.numbers_of``, ``answers`` and the figures."""

    def shown(*names: str) -> str:
        return "".join(
            webpage.image(p.path, p.alternative, p.caption)
            for p in (pictures[name] for name in names if name in pictures)
        )

    described = numbers["sets"]
    alerts = "".join(webpage.warning(escape(one)) for one in numbers["concerns"])
    made = ", ".join(LABELS[name].lower() for name in MADE if name in described)
    header = (
        f"<header><h1>{escape(TITLE)}</h1>"
        + (webpage.warning(f"Not from patients: {made}. Not for diagnosis.") if made else "")
        + alerts
        + "</header>"
    )
    listed = "".join(f"<h3>{escape(q)}</h3><p>{escape(a)}</p>" for q, a in answered)
    sections = [
        header,
        webpage.section("In short", listed + _unsaid(numbers["unsaid"])),
        webpage.section(
            "The sets",
            sets_table(_named(described)) + _sampling(numbers) + warnings_of(_named(described))
            + shown("segments"),
        ),
        webpage.section(
            "Radiological metrics",
            shown("metrics") + _distances(numbers) + webpage.details(
                "All metrics, all quantiles", _quantiles(described) + METRIC_METHODS
            ),
        ),
        webpage.section("What the eye may see: t-SNE", shown("tsne") or _nothing()),
        webpage.section(
            "Judges that the GAN never met", (shown("judges") or _nothing()) + _judges(numbers)
        ),
        webpage.section(
            "The discriminator as classifier",
            (shown("discriminator") + _discriminator(numbers))
            if numbers["discriminator"]
            else _nothing(),
        ),
        webpage.section(
            "Memorisation",
            (shown("memorisation", "neighbours-mse", "neighbours-sift") or _nothing())
            + _verdicts(numbers),
        ),
        webpage.section(
            "Use: train on synthetic, test on real",
            (shown("usefulness") or _nothing()) + _useful(numbers),
        ),
        webpage.section("How this was made", _made(numbers)),
        "<footer>Every number on this page is in <code>report.json</code> and "
        "<code>numbers.csv</code>, every segment in <code>segments.csv</code>, every figure in "
        "<code>figures</code> as PNG and SVG.</footer>",
    ]  # fmt: skip
    return webpage.document(TITLE, "\n".join(sections))


def _likeness(found: Evaluation) -> str:
    judged, distances = found.judges.get("synthetic"), found.distances.get("synthetic")
    if judged is None or distances is None:
        return "Not known: a real and a synthetic set are needed."
    real = LABELS[found.reference].lower()
    said = []
    if judged.test:
        said.append(
            f"A classifier that the GAN never met tells synthetic from {real} segments in "
            f"{_percent(judged.test.accuracy)} of cases, where 50 % is guessing"
            f"{_baseline(found)}."
        )
    if judged.fidelity:
        said.append(
            f"{_percent(judged.fidelity.precision)} of the synthetic segments lie where real ones "
            f"do (precision), and {_percent(judged.fidelity.coverage)} of the real ones have a "
            "synthetic one among their like (coverage)."
        )
    if distances:
        name, worst = max(distances.items(), key=lambda one: one[1].ks)
        said.append(
            f"Of the radiological metrics, {METRICS[name][0].split(' (')[0].lower()} differs most: "
            f"by {format(worst.wasserstein, METRICS[name][1])}{METRICS[name][2]} on average "
            f"(Kolmogorov-Smirnov {worst.ks:.2f})."
        )
    return " ".join(said) or "Not known: there are too few segments."


def _baseline(found: Evaluation) -> str:
    both = found.judges.get("train")
    if both is None or both.test is None:
        return ""
    return (
        f"; it tells the two real sets, training and test, apart in {_percent(both.test.accuracy)}"
    )


def _copying(sets: Mapping[str, Examined], found: Evaluation) -> str:
    said = []
    if {"train", "synthetic"} <= sets.keys():
        same = np.isin(sets["synthetic"].digest, sets["train"].digest).sum()
        said.append(
            f"{same:,} of {len(sets['synthetic']):,} synthetic segments equal a training segment "
            "pixel by pixel."
        )
    for way, one in found.memorisation.items():
        if one.verdict is not None:
            verdict = one.verdict
            copies, suspects = len(verdict.copies), len(verdict.suspects)
            found_copies = f"{copies:,} COP{'Y' if copies == 1 else 'IES'}" if copies else "no copy"
            said.append(
                f"By {evaluationfigures.WAYS[way]}: {found_copies} among {verdict.judged:,} looked "
                f"at; {suspects:,} suspect{'s' * (suspects != 1)}, where about "
                f"{verdict.rate * verdict.judged:.1f} are expected by chance (p = "
                f"{verdict.p_value:.2g})."
            )
    if not said:
        return "Not known: a training and a synthetic set are needed."
    if not any(one.verdict for one in found.memorisation.values()):
        said.append("Whether the rest is near is not known: a test set is needed to compare with.")
    return " ".join(said)


def _trust(found: Evaluation) -> str:
    said = found.discriminator
    if said is None:
        return "Not known: no model was given."
    shares = ", ".join(f"{_percent(one)} of {LABELS[n].lower()}" for n, one in said.share.items())
    text = f"It judges as real {shares}. "
    one = said.calibration.get("synthetic")
    if one is None:
        return text + "Whether its output is a probability needs real and synthetic segments."
    return text + _calibrated("synthetic", one)


def _calibrated(name: str, one: Any) -> str:
    against = f"for real against {LABELS[name].lower()} segments"
    reason = f"(it is off by {one.ece:.2f} on average, p = {one.p_value:.2g})"
    if one.is_probability:
        return f"Nothing speaks against reading its output as a probability {against} {reason}."
    return f"Its output must NOT be read as a probability {against} {reason}."


def _use(found: Evaluation) -> str:
    if not found.usefulness:
        return "Not known: a training, a test and a synthetic set of enough segments are needed."
    said = []
    for target, one in found.usefulness.items():
        what = METRIC_LABELS[target][0].split(",")[0]
        said.append(
            f"{what}: learned from {one.trained_on:,} synthetic segments, the error on real ones "
            f"is {_interval(one.ratio, '.2f')} times that of as many real ones; with both together "
            f"{_interval(one.gain, '.2f')} times."
        )
    return " ".join(said)


def _percent(estimate: Estimate | Mapping[str, float]) -> str:
    one = estimate if isinstance(estimate, Mapping) else asdict(estimate)
    return f"{100 * one['value']:.0f} % ({100 * one['low']:.0f} to {100 * one['high']:.0f} %)"


def _interval(estimate: Estimate | Mapping[str, float], digits: str) -> str:
    one = estimate if isinstance(estimate, Mapping) else asdict(estimate)
    value, low, high = (format(one[key], digits) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _stacked(one: Mapping[str, float], digits: str) -> str:
    """An interval below its number, as HTML, for tables of many columns."""
    value, low, high = (format(one[key], digits) for key in ("value", "low", "high"))
    return f"{value}<br><small>{low} to {high}</small>"


def _named(described: Mapping[str, Any]) -> dict[str, Any]:
    return {LABELS[name]: one for name, one in described.items()}


def _nothing() -> str:
    return "<p>Not done; what is missing stands at the top.</p>"


def _unsaid(sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    items = "".join(f"<li>{escape(one)}</li>" for one in sentences)
    return f"<h3>What cannot be said</h3><ul>{items}</ul>"


def _sampling(numbers: Mapping[str, Any]) -> str:
    """Say where not all segments were taken."""
    drawn = [
        f"{one['compared']:,} of {one['segments']:,} of {LABELS[name].lower()}"
        for name, one in numbers["sets"].items()
        if one["compared"] < one["segments"]
    ]
    said = "All segments were measured. "
    if drawn:
        said += f"Compared were, drawn by chance: {', '.join(drawn)}. "
    said += (
        f"What grows with the square of a set&rsquo;s size takes fewer: t-SNE {MOST:,} of all sets "
        f"together, SIFT {min(SIFT_SEGMENTS, MOST_BY_SIFT):,} of a set among "
        f"{min(SIFT_TRAINING, MOST_BY_SIFT):,} training segments, pixel differences among "
        f"{MOST_TRAINING:,}, precision and kernel distance {MOST:,} of each set."
    )
    return f"<p>{said}</p>"


def _distances(numbers: Mapping[str, Any]) -> str:
    rows = [
        [
            METRIC_LABELS[metric][0],
            LABELS[name],
            format(one["wasserstein"], METRIC_LABELS[metric][1]),
            f"{one['ks']:.3f}",
            f"{one['p_value']:.2g}",
            f"{one['measured'][1]:,}",
        ]
        for metric in METRICS
        for name, by in numbers["distances"].items()
        if (one := by.get(metric))
    ]
    if not rows:
        return _nothing()
    return webpage.table(
        ("Metric", "Set", "Wasserstein", "Kolmogorov-Smirnov", "p", "n"),
        rows,
        caption=f"Against {LABELS[numbers['reference']].lower()} (real). Wasserstein: mean "
        "distance, in the metric&rsquo;s unit, to move one distribution onto the other. p takes "
        "segments for independent; those of one patient are not, so that it is too small.",
        numbers_from=2,
    )


def _quantiles(described: Mapping[str, Any]) -> str:
    rows = [
        [label, LABELS[name], *summary_row(one["metrics"][metric], digits)]
        for metric, (label, digits) in METRIC_LABELS.items()
        for name, one in described.items()
    ]
    head = ["Metric", "Set", "n", "Mean ± SD", *(f"{100 * q:g} %" for q in QUANTILES)]
    return webpage.table(head, rows, numbers_from=2)


def _judges(numbers: Mapping[str, Any]) -> str:
    rows = []
    for name, one in numbers["judges"].items():
        test, cover, kernel = one["test"], one["fidelity"], one["kernel"]
        rows.append([
            LABELS[name],
            *([_stacked(test[key], ".2f") for key in ("accuracy", "auc")] if test else ["", ""]),
            ("subjects apart" if test["by_subject"] else "segments") if test else "",
            *(_stacked(cover[key], ".2f") if cover else ""
              for key in ("precision", "recall", "density", "coverage")),
            _stacked(kernel["mmd2"], ".3f") if kernel else "",
        ])  # fmt: skip
    if not rows:
        return ""
    head = ("Set", "Accuracy", "AUC", "Folds by", "Precision", "Recall", "Density", "Coverage",
            "MMD²")  # fmt: skip
    return webpage.table(
        head,
        rows,
        caption=f"Against {LABELS[numbers['reference']].lower()} (real), with 95 % intervals. "
        "Features are named ones (coarse picture, profile, outlines, texture, quantiles, metrics), "
        "for networks trained on photographs see grey bone as coloured objects and their weights "
        "need a download; hence no FID. &ldquo;Subjects apart&rdquo;: no subject was both learned "
        "from and judged.",
        numbers_from=1,
    )


def _discriminator(numbers: Mapping[str, Any]) -> str:
    said = numbers["discriminator"]
    shares = [f"{LABELS[n]} {_percent(share)}" for n, share in said["share_judged_real"].items()]
    lines = [f"<p>Judged real: {', '.join(shares)}.</p>"]
    for name, one in said["calibration"].items():
        verdict = (
            "Nothing speaks against reading the output as a probability"
            if one["is_probability"]
            else "<b>The output must not be read as a probability</b>"
        )
        lines.append(
            f"<p>Real against {LABELS[name].lower()}: AUC "
            f"{_interval(said['roc'][name]['auc'], '.2f')}. {verdict}: expected calibration error "
            f"{one['ece']:.3f} (p = {one['p_value']:.2g}), Brier score {one['brier']:.3f} (0.25 "
            "for always one half).</p>"
        )
    return "".join(lines)


def _verdicts(numbers: Mapping[str, Any]) -> str:
    rows = []
    for way, one in numbers["memorisation"].items():
        verdict = one.get("verdict")
        held_out = one.get("held_out")
        rows.append([
            escape(evaluationfigures.WAYS[way]),
            f"{one['synthetic']['with_neighbour']:,}",
            f"{one['searched']:,} of {one['of']:,}",
            f"{len(verdict['copies']):,}" if verdict else "not known",
            f"{len(verdict['suspects']):,}" if verdict else "not known",
            f"{verdict['rate'] * verdict['judged']:.1f}" if verdict else "",
            f"{verdict['p_value']:.2g}" if verdict else "",
            _number(one["synthetic"]["ratio_quantiles"]["0.5"]),
            _number(held_out["ratio_quantiles"]["0.5"]) if held_out else "",
        ])  # fmt: skip
    if not rows:
        return ""
    head = ("Compared by", "Synthetic", "Among training", "Copies", "Suspects", "Expected", "p",
            "Median ratio", "of held-out")  # fmt: skip
    return webpage.table(
        head,
        rows,
        caption="Also turned left to right and shifted by up to 4 pixels. Suspect: nearer to one "
        "training segment, against the next ones, than all but 1 % of held-out real segments; "
        "expected: so many would be by chance. Copy: a suspect at less than half the distance of "
        "the next ones. Suspects without copies may merely be smoother than real bone.",
        numbers_from=1,
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _useful(numbers: Mapping[str, Any]) -> str:
    rows = [
        [
            METRIC_LABELS[target][0],
            *(_interval(one["error"][what], ".3f") for what in one["error"]),
            _interval(one["ratio"], ".2f"),
            _interval(one["gain"], ".2f"),
            f"{one['trained_on']:,}",
            f"{one['tested_on']:,}",
        ]
        for target, one in numbers["usefulness"].items()
    ]
    if not rows:
        return ""
    head = ("Told", "Real", "Synthetic", "Both", "Guess", "Synthetic / real", "Both / real",
            "Trained on", "Tested on")  # fmt: skip
    return webpage.table(
        head,
        rows,
        caption="Mean absolute error on held-out real segments, and ratios of errors: 1 means "
        "synthetic segments are worth as much as as many real ones, above 1 less. With both "
        "together, below 1 means that they add something.",
        numbers_from=1,
    )


def _made(numbers: Mapping[str, Any]) -> str:
    rows = [
        [escape(key), escape(str(value))]
        for key, value in [*numbers["settings"].items(), *numbers["versions"].items()]
    ]
    return webpage.details("Settings and versions", webpage.table(("What", "Value"), rows))
