"""The page of an evaluation: answers, figures and tables, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ...plots import html
from ..evaluation import SIFT_SEGMENTS, SIFT_TRAINING
from ..evaluation_set import MADE
from ..measures import tsne
from ..measures.c2st import MOST
from ..measures.nearest_neighbors import MOST_BY_SIFT, MOST_TRAINING
from . import figures
from .answers import interval, percent
from .set_description import (
    METRIC_LABELS,
    METRIC_METHODS,
    QUANTILES,
    ct_of,
    sets_table,
    sources_table,
    summary_row,
    warnings_of,
)
from .figures import LABELS, METRICS, Picture

TITLE = "Are the synthetic segments like real ones?"
_FID_MEANS = (
    "FID and KID are distances in what such a network sees, which is why they are given only where "
    "its weights are: 0 for equal distributions. FID falls with the number of segments, so that "
    "only rows of equally many can be compared, and neither with numbers of other programs."
)
_NO_FID = "FID and KID need the weights of such a network (--inception), which were not given."


def page(numbers: Mapping[str, Any], pictures: Mapping[str, Picture]) -> str:
    """Make the page of ``evaluationreport.numbers_of`` and the figures."""

    def shown(*names: str) -> str:
        return "".join(
            html.image(p.path, p.alternative, p.caption)
            for p in (pictures[name] for name in names if name in pictures)
        )

    described = numbers["sets"]
    alerts = "".join(html.warning(escape(one)) for one in numbers["concerns"])
    made = ", ".join(LABELS[name].lower() for name in MADE if name in described)
    header = (
        f"<header><h1>{escape(TITLE)}</h1>"
        + (html.warning(f"Not from patients: {made}. Not for diagnosis.") if made else "")
        + alerts
        + "</header>"
    )
    listed = "".join(
        f"<h3>{escape(one['question'])}</h3><p><b>{escape(one['short'])}.</b></p>"
        + _list(one["reasons"])
        for one in numbers["answers"]
    )
    sections = [
        header,
        html.section("In short", listed + _unsaid(numbers["unsaid"])),
        html.section(
            "The sets",
            warnings_of(_named(described)) + shown("segments") + sets_table(_named(described))
            + _sampling(numbers)
            + html.details("Where the sets come from", sources_table(_named(described))),
        ),
        html.section(
            "Radiological metrics",
            shown("metrics") + _distances(numbers) + html.details(
                "All metrics, all quantiles", _quantiles(described) + METRIC_METHODS
            ),
        ),
        html.section("What the eye may see: t-SNE", shown("tsne") or _nothing()),
        html.section(
            "Judges that the GAN never met", (shown("judges") or _nothing()) + _judges(numbers)
        ),
        html.section(
            "The discriminator as classifier",
            (shown("discriminator") + _discriminator(numbers))
            if numbers["discriminator"]
            else _nothing(),
        ),
        html.section(
            "Memorization",
            (shown("memorization", "neighbors-mse", "neighbors-sift") or _nothing())
            + _verdicts(numbers),
        ),
        html.section(
            "Use: train on synthetic, test on real",
            (shown("usefulness") or _nothing()) + _useful(numbers),
        ),
        html.section("How this was made", _made(numbers)),
        "<footer>Every number on this page is in <code>report.json</code> and "
        "<code>numbers.csv</code>, every segment in <code>segments.csv</code>, every figure in "
        "<code>figures</code> as PNG and SVG.</footer>",
    ]  # fmt: skip
    return html.document(TITLE, "\n".join(sections))


def _stacked(one: Mapping[str, float], digits: str) -> str:
    """An interval below its number, as HTML, for tables of many columns."""
    value, low, high = (format(one[key], digits) for key in ("value", "low", "high"))
    return f"{value}<br><small>{low} to {high}</small>"


def _named(described: Mapping[str, Any]) -> dict[str, Any]:
    return {LABELS[name]: one for name, one in described.items()}


def _nothing() -> str:
    return "<p>Not done; what is missing stands at the top.</p>"


def _unsaid(sentences: Sequence[str]) -> str:
    return f"<h3>What cannot be said</h3>{_list(sentences)}" if sentences else ""


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences) + "</ul>"


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
        "What grows with the square of a set&rsquo;s size takes fewer: t-SNE "
        f"{tsne.MOST:,} of all sets together, SIFT {min(SIFT_SEGMENTS, MOST_BY_SIFT):,} of "
        f"a set among {min(SIFT_TRAINING, MOST_BY_SIFT):,} training segments, pixel differences "
        f"among {MOST_TRAINING:,}, precision and kernel distance {MOST:,} of each set."
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
    return html.table(
        ("Metric", "Set", "Wasserstein", "Kolmogorov-Smirnov", "p", "n"),
        rows,
        caption=f"Against {LABELS[numbers['reference']].lower()} (real). Wasserstein: mean "
        "distance, in the metric&rsquo;s unit, to move one distribution onto the other. "
        "Kolmogorov-Smirnov: 0 for equal distributions, 1 for such that do not overlap. p takes "
        "segments for independent; those of one patient are not, so that it is too small. "
        f"{_origin(numbers)}",
        numbers_from=2,
    )


def _origin(numbers: Mapping[str, Any]) -> str:
    """Name kernel and slice thickness, without which an SDR means little."""
    said = "; ".join(f"{LABELS[name]}: {ct_of(one)}" for name, one in numbers["sets"].items())
    return f"SDR depends on the CT. {escape(said)}."


def _quantiles(described: Mapping[str, Any]) -> str:
    rows = [
        [label, LABELS[name], *summary_row(one["metrics"][metric], digits)]
        for metric, (label, digits) in METRIC_LABELS.items()
        for name, one in described.items()
    ]
    head = ["Metric", "Set", "n", "Mean ± SD", *(f"{100 * q:g} %" for q in QUANTILES)]
    return html.table(head, rows, numbers_from=2)


def _judges(numbers: Mapping[str, Any]) -> str:
    real = LABELS[numbers["reference"]].lower() if numbers["reference"] else ""
    compared = [(f"{LABELS[name]} against {real}", one) for name, one in numbers["judges"].items()]
    if numbers["learned"]:
        compared.append(("Synthetic against training", numbers["learned"]))
    seen = any(one["fid"] is not None for _, one in compared)
    rows = []
    for label, one in compared:
        test, cover, kernel = one["test"], one["fidelity"], one["kernel"]
        rows.append([
            label,
            *([_stacked(test[key], ".2f") for key in ("accuracy", "auc")] if test else ["", ""]),
            ("patients" if test["by_subject"] else "segments") if test else "",
            *(_stacked(cover[key], ".2f") if cover else ""
              for key in ("precision", "recall", "density", "coverage")),
            _stacked(kernel["mmd2"], ".3f") if kernel else "",
            *(_by_inception(one) if seen else ()),
        ])  # fmt: skip
    if not rows:
        return ""
    head = ["Compared", "Accuracy", "AUC", "Unseen", "Precision", "Recall", "Density", "Coverage",
            "MMD²", *(["FID", "KID"] * seen)]  # fmt: skip
    return html.table(
        head,
        rows,
        caption="With 95 % intervals. Unseen: what the classifier is asked about is of patients, "
        "or merely segments, that it has not learned from. Features are named ones (coarse "
        "picture, profile across the wall, outlines, texture, quantiles of HU, metrics), for "
        "networks trained on photographs see gray bone as colored objects. "
        + (_FID_MEANS if seen else _NO_FID),
        numbers_from=1,
    )


def _by_inception(one: Mapping[str, Any]) -> list[str]:
    return [
        "" if one["fid"] is None else f"{one['fid']:.1f}",
        "" if one["kid"] is None else _stacked(one["kid"]["mmd2"], ".4f"),
    ]


def _discriminator(numbers: Mapping[str, Any]) -> str:
    said = numbers["discriminator"]
    rows = []
    for name, share in said["share_judged_real"].items():
        calibration, roc = said["calibration"].get(name), said["roc"].get(name)
        rows.append([
            LABELS[name],
            percent(share),
            *([interval(roc["auc"], ".2f"), f"{calibration['ece']:.3f}",
               f"{calibration['p_value']:.2g}", f"{calibration['brier']:.3f}",
               "as far as seen" if calibration["is_probability"] else "<b>no</b>"]
              if calibration else [""] * 5),
        ])  # fmt: skip
    real = LABELS[said["roc_against"]].lower() if said["roc_against"] else "real"
    head = ("Set", "Judged real", f"AUC of {real} against it", "Calibration error", "p", "Brier",
            "Is a probability")  # fmt: skip
    return html.table(
        head,
        rows,
        caption="Judged real: realness of 0.5 or more. AUC: 0.5 is guessing, 1 tells all. "
        "Calibration error: mean distance of realness and share that is real; p: chance of so "
        "much if realness were that probability. Brier score: 0.25 for always one half, 0 for "
        "all known.",
        numbers_from=1,
    )


def _verdicts(numbers: Mapping[str, Any]) -> str:
    rows = []
    for way, one in numbers["memorization"].items():
        verdict = one.get("verdict")
        held_out = one.get("held_out")
        rows.append([
            escape(figures.WAYS[way]),
            f"{one['synthetic']['with_neighbor']:,}",
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
    return html.table(
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
            *(_stacked(one["error"][what], ".3f") for what in one["error"]),
            _stacked(one["ratio"], ".2f"),
            _stacked(one["gain"], ".2f"),
            f"{one['trained_on']:,}",
            f"{one['tested_on']:,}",
        ]
        for target, one in numbers["usefulness"].items()
    ]
    if not rows:
        return ""
    head = ("Told", "Real", "Synthetic", "Both", "Guess", "Synthetic / real", "Both / real",
            "Trained on", "Tested on")  # fmt: skip
    return html.table(
        head,
        rows,
        caption="Mean absolute error on held-out real segments, and ratios of errors: 1 means "
        "synthetic segments are worth as much as the same number of real ones, above 1 less. With "
        "both together, below 1 means that they add something. Small numbers: 95 % intervals.",
        numbers_from=1,
    )


def _made(numbers: Mapping[str, Any]) -> str:
    rows = [
        [escape(key), escape(str(value))]
        for key, value in [*numbers["settings"].items(), *numbers["versions"].items()]
    ]
    return html.details("Settings and versions", html.table(("What", "Value"), rows))
