"""The table of known answers: a row for each set that was made, a column for each judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .tables import ReportTable, TableColumn, by_key

GENUINE = "genuine"
"""The case of real segments as they are."""


def known_answers_table(numbers: Mapping[str, Any]) -> Sequence[ReportTable]:
    """Lay out the numbers of ``known_answers``; no table where there are none."""
    found = numbers.get("known_answers")
    if not found:
        return ()
    names, rows = list(found["cases"]), list(found["cases"].values())
    right = [is_right(name, row) for name, row in zip(names, rows, strict=True)]
    wrong = [place for place, one in enumerate(right) if not one]
    cases = list(zip(names, rows, strict=True))
    columns = [
        TableColumn("Made of your real segments", by_key(rows, "title")),
        TableColumn("Right answer", [_answer(*case) for case in cases]),
        TableColumn("Verdict", [_verdict(*case) for case in cases], marked=wrong),
        TableColumn("Noticed by", [", ".join(row["noticed"]) or "none" for row in rows]),
        TableColumn("Called copies", [_copies(row) for row in rows]),
        _share("Classifier (%)", by_key(rows, "accuracy"), "Accuracy; 50 is guessing"),
        _share("Precision (%)", by_key(rows, "precision", "value"), ""),
        _share("Coverage (%)", by_key(rows, "coverage", "value"), ""),
        TableColumn("Kernel distance", by_key(rows, "kernel", "value")),
        TableColumn(
            "Metrics (KS)",
            by_key(rows, "ks"),
            description="Kolmogorov-Smirnov statistic of the metric that differs most",
        ),
    ]
    if any(row["judged_real"] for row in rows):
        columns.append(_share("Judged real (%)", by_key(rows, "judged_real"), ""))
    expected = rows[0]
    caption = (
        f"Each set has {found['segments']:,} segments, made of your real ones; the judges are "
        "those of this report and were not told which is which. A judge that misses a set here "
        "cannot see such a fault in synthetic segments either; one that notices the first row "
        "cries wolf. "
        "Sets dealt out by chance give a precision of "
        f"{100 * expected['precision']['expected']:.0f} % and a coverage of "
        f"{100 * expected['coverage']['expected']:.0f} %. Noticed: a classifier better than "
        "guessing (95 %), or what 1 in 100 such deals would give."
    )
    return (ReportTable("known_answers", "Known answers", columns, caption),)


def is_right(name: str, case: Mapping[str, Any]) -> bool:
    """Whether the judges together gave the right answer; of copies, half are enough to say yes."""
    if name == GENUINE:
        return not case["noticed"]
    if case["planted"]:
        return bool(2 * case["copies_right"] >= case["planted"])
    return bool(set(case["noticed"]) - {"copies"})


def _answer(name: str, case: Mapping[str, Any]) -> str:
    if name == GENUINE:
        return "no difference, no copy"
    return f"{case['planted']} copies" if case["planted"] else "different"


def _verdict(name: str, case: Mapping[str, Any]) -> str:
    if is_right(name, case):
        return "right"
    if name == GENUINE:
        return "FALSE ALARM"
    return "TOO FEW FOUND" if case["copies_right"] else "MISSED"


def _copies(case: Mapping[str, Any]) -> str:
    if not case["planted"]:
        return f"{case['copies']}"
    wrong = case["copies"] - case["copies_right"]
    return f"{case['copies_right']} of {case['planted']}" + f", {wrong} wrong" * (wrong > 0)


def _share(title: str, values: Sequence[Any], description: str) -> TableColumn:
    return TableColumn(title, values, digits=0, factor=100.0, unit="%", description=description)
