"""Pictures that know nothing of what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_face

if TYPE_CHECKING:
    from .charts import write_curves as write_curves
    from .charts import write_figure as write_figure
    from .charts import write_violins as write_violins
    from .colormaps import diverging as diverging
    from .colormaps import sequential as sequential
    from .contact_sheet import write_contact_sheet as write_contact_sheet

__all__ = [
    "diverging",
    "sequential",
    "write_contact_sheet",
    "write_curves",
    "write_figure",
    "write_violins",
]

_HOMES = {
    "write_curves": "charts",
    "write_figure": "charts",
    "write_violins": "charts",
    "diverging": "colormaps",
    "sequential": "colormaps",
    "write_contact_sheet": "contact_sheet",
}

__getattr__, __dir__ = lazy_face(__name__, _HOMES)
