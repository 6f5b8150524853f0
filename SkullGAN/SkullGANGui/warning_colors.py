"""Colors of warnings and problems, to be read on whatever the user's theme has behind them.

Example::

    label.setStyleSheet(f"color: {warning_colors.warning(label.palette)}")
"""

from __future__ import annotations

import qt

READABLE = 4.5
"""Least contrast of text by the Web Content Accessibility Guidelines 2.1, level AA."""

_WARNINGS = ("#92400e", "#fbbf24")
_PROBLEMS = ("#b00020", "#ff9b93")


def warning(palette: qt.QPalette) -> str:
    """Give the color of what is to be noticed, as ``#rrggbb``."""
    return _readable(_WARNINGS, palette)


def problem(palette: qt.QPalette) -> str:
    """Give the color of what is wrong, as ``#rrggbb``."""
    return _readable(_PROBLEMS, palette)


def contrast(one: qt.QColor, other: qt.QColor) -> float:
    """Give the contrast of two colors, 1 to 21, by WCAG 2.1."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def backgrounds(palette: qt.QPalette) -> list[qt.QColor]:
    """Give what text may stand on: the panel, and the rows of lists and tables."""
    roles = (qt.QPalette.Window, qt.QPalette.Base, qt.QPalette.AlternateBase)
    return [palette.color(role) for role in roles]


def _readable(colors: tuple[str, ...], palette: qt.QPalette) -> str:
    behind = backgrounds(palette)
    return max(colors, key=lambda name: min(contrast(qt.QColor(name), one) for one in behind))


def _luminance(color: qt.QColor) -> float:
    parts = (value / 255 for value in (color.red(), color.green(), color.blue()))
    linear = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
