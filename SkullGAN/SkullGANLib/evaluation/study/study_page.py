"""The page that readers answer on: one file that works offline and knows no truth."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np

from ...plots import html
from .blinded_cases import BlindedCases

TITLE = "Real or synthetic?"
FORMAT = "skullgan-study-answers"
FORMAT_VERSION = 1
WINDOW_HU = (1000.0, 2000.0)
"""Center and width at first."""
_TEMPLATES = Path(__file__).parent / "templates"


def study_page(blinded: BlindedCases) -> str:
    """Make the page.

    Args:
        blinded: the cases; of their truth and origin nothing goes in.

    Returns:
        HTML that needs no other file and no network.
    """
    _, rows, columns = blinded.hu.shape
    data: dict[str, Any] = {
        "format": FORMAT,
        "formatVersion": FORMAT_VERSION,
        "study": blinded.study,
        "rows": rows,
        "columns": columns,
        "spacingMm": blinded.pixel_spacing_mm,
        "windowHu": list(WINDOW_HU),
        "cases": [
            {
                "name": case.name,
                "hu": b64encode(np.ascontiguousarray(hu, "<i2").tobytes()).decode("ascii"),
            }
            for case, hu in zip(blinded.cases, blinded.hu, strict=True)
        ],
    }
    template = html.environment(_TEMPLATES).get_template("study.html.j2")
    return template.render(title=TITLE, data=data, count=len(blinded.cases))
