"""The colors that Slicer's styles give to panels."""

from __future__ import annotations

from PySide6 import QtGui

_ROLES = ("Window", "Base", "AlternateBase", "Button", "Text", "Highlight", "ToolTipBase")
_COLORS = {
    "light": ("#efefef", "#ffffff", "#f7f7f7", "#efefef", "#000000", "#308cc6", "#ffffdc"),
    "dark": ("#353535", "#2d2d2d", "#3c3c3c", "#353535", "#ffffff", "#2a82da", "#353535"),
}
_DISABLED = {"light": "#bebebe", "dark": "#7f7f7f"}


def palette(theme: str) -> QtGui.QPalette:
    """Give the palette of a theme, "light" or "dark"."""
    colors = dict(zip(_ROLES, map(QtGui.QColor, _COLORS[theme]), strict=True))
    made = QtGui.QPalette(colors["Button"], colors["Window"])
    for name, color in colors.items():
        made.setColor(getattr(QtGui.QPalette, name), color)
    for role in (QtGui.QPalette.WindowText, QtGui.QPalette.ButtonText, QtGui.QPalette.ToolTipText):
        made.setColor(role, colors["Text"])
    for role in (QtGui.QPalette.WindowText, QtGui.QPalette.ButtonText, QtGui.QPalette.Text):
        made.setColor(QtGui.QPalette.Disabled, role, QtGui.QColor(_DISABLED[theme]))
    return made
