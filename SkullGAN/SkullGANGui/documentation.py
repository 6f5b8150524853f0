"""Where the documentation is: it comes along with the modules and needs no network."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

_BESIDE = Path(__file__).resolve().parents[1]
_ROOMS = (_BESIDE, _BESIDE.parent)  # Slicer's folder of modules, or the root of a checkout


def link(page: str) -> str:
    """Give a sentence with a link for a module's help; empty if the page did not come along.

    Args:
        page: a file of ``Docs``.
    """
    for room in _ROOMS:
        path = room / "Docs" / page
        if path.is_file():
            text = _('For more information, see the <a href="{url}">documentation</a>.')
            return f"<p>{text.format(url=path.as_uri())}</p>"
    return ""
