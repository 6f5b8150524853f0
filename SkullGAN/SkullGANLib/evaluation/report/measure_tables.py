"""Tables of the page about what was measured between the sets, from the numbers of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...metrics import METRICS
from ...plots.html import Cell, Table
from ..measures.nearest_neighbors import WAYS
from ..measures.statistics import interval, percent
from ..measures.tables import ReportTable, TableColumn
from ..names import LABELS
from .set_description import describe_ct, plain

_WITH_A_PLACE = (
    "title", "created_by", "settings", "versions", "concerns", "answers", "limitations",
    "reference", "sets", "distances", "tsne", "discriminator", "judges", "learned", "memorization",
    "usefulness", "measures", "paths", "training", "leakage", "strata", "files", "known_answers",
    "acoustic", "conditions", "study", "depth", "whole_walls",
)  # fmt: skip
"""Numbers that the page shows elsewhere."""
_SHORT = 8
_ONE_IN_HUNDRED = 0.01
_LEARNED_FROM = {
    "real": "Real",
    "synthetic": "Synthetic",
    "both": "Both",
    "augmented": "Augmented",
    "artificial": "Real and artificial",
    "guess": "Guess",
}
_RATIOS = {
    "ratio": "Synthetic / real",
    "gain": "Both / real",
    "augmentation": "Augmented / real",
    "beyond": "Both / augmented",
    "beyond_artificial": "Both / with artificial",
}


def laid_out(given: ReportTable) -> Table:
    """Lay out the table of a judge; intervals stand below their numbers."""
    rows = [[_cell(column, row) for column in given.columns] for row in range(len(given))]
    texts = [column.is_text for column in given.columns]
    # Numbers stand on the right from the first column on behind which there are no texts.
    numbers_from = len(texts) - texts[::-1].index(True) if True in texts else 0
    return Table(
        [column.title for column in given.columns],
        rows,
        given.caption,
        numbers_from=numbers_from if numbers_from < len(texts) else 0,
    )


def _cell(column: TableColumn, row: int) -> Cell:
    note = ""
    if column.has_interval(row):
        note = f"{column.text(row, 'low')} to {column.text(row, 'high')}"
    return Cell(column.text(row), note=note, strong=row in column.marked)


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
        "photographs see gray bone as colored objects. Precision, recall, density and coverage are "
        "of equal numbers of both; equal: what two sets of one distribution give. Fréchet's "
        "distance, as of FID, in these features falls with the number of segments: only rows of "
        "equally many can be compared.",
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
        "Looked for turned, moved, mirrored and scaled in HU. Suspect: nearer to one training "
        f"segment, against the next ones, than {_suspect(numbers)}; expected: so many would be by "
        "chance. Copy: where suspects are more than chance has, one that comes nearer than any "
        "held-out segment and than half the distance of the next ones; and always one that differs "
        "by no more than noise. Suspects without copies may merely be smoother than real bone.",
        numbers_from=1,
    )  # fmt: skip


def _suspect(numbers: Mapping[str, Any]) -> str:
    """Say what suspects are nearer than; 1 % can only be said of a hundred held-out ones."""
    rates = [one["verdict"]["rate"] for one in numbers["memorization"].values()
             if one.get("verdict")]  # fmt: skip
    if rates and max(rates) <= _ONE_IN_HUNDRED:
        return "all but 1 % of held-out real segments"
    return "any held-out real segment, or all but 1 % of them"


def tstr_table(numbers: Mapping[str, Any]) -> Table | None:
    """Lay out the errors of regressors that learned from this or that, on real ones."""
    found = numbers["usefulness"]
    if not found:
        return None
    first = next(iter(found.values()))
    errors = [name for name in _LEARNED_FROM if name in first["error"]]
    ratios = [name for name in _RATIOS if first.get(name)]
    rows: list[list[Cell | str]] = [
        [
            METRICS[target].label,
            *(_stacked(one["error"][name], ".3f") for name in errors),
            *(_stacked(one[name], ".2f") for name in ratios),
            f"{one['trained_on']:,}",
            f"{one['tested_on']:,}",
        ]
        for target, one in found.items()
    ]
    return Table(
        ("Predicted", *(_LEARNED_FROM[name] for name in errors),
         *(_RATIOS[name] for name in ratios), "Trained on", "Tested on"),
        rows,
        "Mean absolute error on held-out real segments after learning from these, and ratios of "
        "errors. Synthetic / real: 1 means that they are worth as much as the same number of real "
        "ones, above 1 less. Both: real and synthetic together. Augmented: the real ones and as "
        "many of them moved and mirrored, which costs nothing. Both / augmented below 1 means that "
        "synthetic segments add more than that. Small numbers: 95 % intervals, which know of the "
        "chance in what was learned from and tested on.",
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
            _beside(cover[key], cover["expected"][key]) if cover else Cell("")
            for key in ("precision", "recall", "density", "coverage")
        ),
        _stacked(kernel["mmd2"], ".3f") if kernel else Cell(""),
        Cell("" if one["frechet"] is None else f"{one['frechet']:.1f}"),
    ]


def _stacked(one: Mapping[str, float], digits: str) -> Cell:
    """An interval below its number, for tables of many columns."""
    value, low, high = (format(one[key], digits) for key in ("value", "low", "high"))
    return Cell(value, note=f"{low} to {high}")


def _beside(one: Mapping[str, float], expected: float) -> Cell:
    """An interval below its number, and what equal distributions give."""
    cell = _stacked(one, ".2f")
    return Cell(cell.text, note=f"{cell.note}\nequal: {expected:.2f}")


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
