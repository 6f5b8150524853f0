"""Tables of the page about what was measured between the sets, from the numbers of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...metrics import METRICS
from ...plots.html import Cell, Table
from ..measures.nearest_neighbors import WAYS
from ..measures.statistics import interval, percent
from ..names import LABELS
from .set_description import describe_ct, plain

_WITH_A_PLACE = (
    "title", "created_by", "settings", "versions", "concerns", "answers", "limitations",
    "reference", "sets", "distances", "tsne", "discriminator", "judges", "learned", "memorization",
    "usefulness", "measures", "paths", "training",
)  # fmt: skip
"""Numbers that the page shows elsewhere."""
_SHORT = 8


def distances_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out how far the radiological metrics of each set are from those of real segments."""
    rows = [
        [
            metric.label,
            LABELS[name],
            f"{one['wasserstein']:.{metric.digits_of_means}f}",
            f"{one['ks']:.3f}",
            f"{one['p_value']:.2g}",
            f"{one['measured'][1]:,}",
        ]
        for metric in METRICS.values()
        for name, by in numbers["distances"].items()
        if (one := by.get(metric.name))
    ]
    if not rows:
        return None
    return Table(
        ("Metric", "Set", "Wasserstein", "Kolmogorov-Smirnov", "p", "n"),
        rows,
        f"Against {LABELS[numbers['reference']].lower()} (real). Wasserstein: mean distance, in "
        "the metric's unit, to move one distribution onto the other. Kolmogorov-Smirnov: 0 for "
        "equal distributions, 1 for such that do not overlap. p takes segments for independent; "
        "those of one patient are not, so that it is too small. SDR depends on the CT. "
        f"{_cts(numbers)}.",
        numbers_from=2,
    )


def two_sample_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out classifier, precision and coverage, and kernel distance of each pair of sets."""
    real = LABELS[numbers["reference"]].lower() if numbers["reference"] else ""
    compared = [(f"{LABELS[name]} against {real}", one) for name, one in numbers["judges"].items()]
    if numbers["learned"]:
        compared.append(("Synthetic against training", numbers["learned"]))
    if not compared:
        return None
    head = ("Compared", "Accuracy", "AUC", "Unseen", "Precision", "Recall", "Density", "Coverage",
            "MMD²", "Fréchet")  # fmt: skip
    rows = [[Cell(label), *_two_sample_cells(one)] for label, one in compared]
    return Table(
        head,
        rows,
        "With 95 % intervals. Unseen: what the classifier is asked about is of patients, or merely "
        "segments, that it has not learned from. Features are named ones (coarse picture, profile "
        "across the wall, outlines, texture, quantiles of HU, metrics), for networks trained on "
        "photographs see gray bone as colored objects. Fréchet's distance, as of FID, in these "
        "features falls with the number of segments: only rows of equally many can be compared.",
        numbers_from=1,
    )


def discriminator_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out what the discriminator judges real, and whether its output is a probability."""
    found = numbers["discriminator"]
    if not found:
        return None
    rows = []
    for name, share in found["share_judged_real"].items():
        calibration, roc = found["calibration"].get(name), found["roc"].get(name)
        measured = [Cell("")] * 5
        if calibration:
            probable = calibration["is_probability"]
            measured = [
                Cell(interval(roc["auc"], ".2f")),
                Cell(f"{calibration['ece']:.3f}"),
                Cell(f"{calibration['p_value']:.2g}"),
                Cell(f"{calibration['brier']:.3f}"),
                Cell("as far as seen" if probable else "no", strong=not probable),
            ]
        rows.append([Cell(LABELS[name]), Cell(percent(share)), *measured])
    real = LABELS[found["roc_against"]].lower() if found["roc_against"] else "real"
    return Table(
        ("Set", "Judged real", f"AUC of {real} against it", "Calibration error", "p", "Brier",
         "Is a probability"),
        rows,
        "Judged real: realness of 0.5 or more. AUC: 0.5 is guessing, 1 tells all. Calibration "
        "error: mean distance of realness and share that is real; p: chance of so much if realness "
        "were that probability. Brier score: 0.25 for always one half, 0 for all known.",
        numbers_from=1,
    )  # fmt: skip


def memorization_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out how many synthetic segments are copies of training segments, or suspected of it."""
    rows = []
    for way, one in numbers["memorization"].items():
        verdict, held_out = one.get("verdict"), one.get("held_out")
        rows.append(
            [
                WAYS[way],
                f"{one['synthetic']['with_neighbor']:,}",
                f"{one['searched']:,} of {one['of']:,}",
                f"{len(verdict['copies']):,}" if verdict else "not known",
                f"{len(verdict['suspects']):,}" if verdict else "not known",
                f"{verdict['rate'] * verdict['judged']:.1f}" if verdict else "",
                f"{verdict['p_value']:.2g}" if verdict else "",
                _ratio(one["synthetic"]["ratio_quantiles"]["0.5"]),
                _ratio(held_out["ratio_quantiles"]["0.5"]) if held_out else "",
            ]
        )
    if not rows:
        return None
    return Table(
        ("Compared by", "Synthetic", "Among training", "Copies", "Suspects", "Expected", "p",
         "Median ratio", "of held-out"),
        rows,
        "Also turned left to right and shifted by up to 4 pixels. Suspect: nearer to one training "
        "segment, against the next ones, than all but 1 % of held-out real segments; expected: so "
        "many would be by chance. Copy: a suspect at less than half the distance of the next ones. "
        "Suspects without copies may merely be smoother than real bone.",
        numbers_from=1,
    )  # fmt: skip


def tstr_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out the errors of networks that learned from synthetic segments, on real ones."""
    rows: list[list[Cell | str]] = [
        [
            METRICS[target].label,
            *(_stacked(one["error"][what], ".3f") for what in one["error"]),
            _stacked(one["ratio"], ".2f"),
            _stacked(one["gain"], ".2f"),
            f"{one['trained_on']:,}",
            f"{one['tested_on']:,}",
        ]
        for target, one in numbers["usefulness"].items()
    ]
    if not rows:
        return None
    return Table(
        ("Predicted", "Real", "Synthetic", "Both", "Guess", "Synthetic / real", "Both / real",
         "Trained on", "Tested on"),
        rows,
        "Mean absolute error on held-out real segments, and ratios of errors: 1 means synthetic "
        "segments are worth as much as the same number of real ones, above 1 less. With both "
        "together, below 1 means that they add something. Small numbers: 95 % intervals.",
        numbers_from=1,
    )  # fmt: skip


def others_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out the numbers of judges that have no table of their own."""
    rows = [
        [" ".join(path).replace("_", " "), value]
        for key, one in numbers.items()
        if key not in _WITH_A_PLACE
        for path, value in _flat(one, (key,))
    ]
    return Table(("What", "Value"), rows) if rows else None


def made_with_table(numbers: Mapping[str, Any]) -> Table:
    """Lay out the settings of the evaluation and the versions of what it was made with."""
    rows = [
        [key, str(value)]
        for key, value in [*numbers["settings"].items(), *numbers["versions"].items()]
    ]
    return Table(("What", "Value"), rows)


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give what is no mapping with the keys on the way to it; a longer list as its length."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif isinstance(value, list) and len(value) > _SHORT:
        yield path, f"{len(value):,} values in report.json"
    else:
        yield path, "none" if value is None else plain(value)


def _cts(numbers: Mapping[str, Any]) -> str:
    return "; ".join(f"{LABELS[name]}: {describe_ct(one)}" for name, one in numbers["sets"].items())


def _two_sample_cells(one: Mapping[str, Any]) -> list[Cell]:
    test, cover, kernel = one["test"], one["fidelity"], one["kernel"]
    return [
        *(_stacked(test[key], ".2f") if test else Cell("") for key in ("accuracy", "auc")),
        Cell(("patients" if test["by_subject"] else "segments") if test else ""),
        *(
            _stacked(cover[key], ".2f") if cover else Cell("")
            for key in ("precision", "recall", "density", "coverage")
        ),
        _stacked(kernel["mmd2"], ".3f") if kernel else Cell(""),
        Cell("" if one["frechet"] is None else f"{one['frechet']:.1f}"),
    ]


def _stacked(one: Mapping[str, float], digits: str) -> Cell:
    """An interval below its number, for tables of many columns."""
    value, low, high = (format(one[key], digits) for key in ("value", "low", "high"))
    return Cell(value, note=f"{low} to {high}")


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
