"""Stand-in for ``ctkPathLineEdit``, with CTK's rules for what is told, and what is remembered."""

# ruff: noqa: N802, N815 - the names are CTK's and Qt's
from __future__ import annotations

import re

from PySide6 import QtCore, QtGui, QtWidgets

Signal, Property = QtCore.Signal, QtCore.Property

_EXTENSION = re.compile(r"\*\.(\w+)")
_MOST_REMEMBERED = 5


class ctkPathLineEdit(QtWidgets.QWidget):  # noqa: N801 - CTK's name
    """A path to type or to browse for.

    ``currentPathChanged`` tells only of paths that the name filters accept; an emptied field, or
    half a name, is told by ``validInputChanged`` once, and then by nothing. ``settingKey`` fills in
    what was remembered last, and only ``addCurrentPathToHistory`` remembers.
    """

    Dirs, Files, Readable, Writable = 0x001, 0x002, 0x010, 0x020  # QDir's numbers

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters = self.Dirs | self.Files | self.Readable
        self._name_filters: list[str] = []
        self._key = ""
        self._valid = False
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QtWidgets.QComboBox()
        self._box.editable = True
        self._box.setInsertPolicy(QtWidgets.QComboBox.NoInsert)
        self._box.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._validator = QtGui.QRegularExpressionValidator(self)
        self._edit = self._box.lineEdit()
        self._edit.setValidator(self._validator)
        self._browse = QtWidgets.QToolButton()
        self._browse.text = "..."
        layout.addWidget(self._box, 1)
        layout.addWidget(self._browse)
        self._set_name_filters([])
        self._edit.connect("textChanged(QString)", self._changed)
        self._browse.connect("clicked()", self.browse)

    def comboBox(self) -> QtWidgets.QComboBox:
        return self._box

    def setCurrentPath(self, path: str) -> None:
        self._edit.setText(path)

    def browse(self) -> None:
        dialog = QtWidgets.QFileDialog  # which the test answers: see dialogs.py
        if not self._filters & self.Files:
            path = dialog.getExistingDirectory(self, "", self.currentPath)
        else:
            ask = "getSaveFileName" if self._filters & self.Writable else "getOpenFileName"
            names = ";;".join(self._name_filters)
            path = getattr(dialog, ask)(self, "", self.currentPath, names)
        if path:
            self.setCurrentPath(path)

    def addCurrentPathToHistory(self) -> None:
        path = self.currentPath
        if not path:
            return
        known = [one for one in self._remembered() if one != path]
        QtCore.QSettings().setValue(self._setting(), [path, *known])
        index = self._box.findText(path)
        if index >= 0:
            self._box.removeItem(index)
        while self._box.count >= _MOST_REMEMBERED:
            self._box.removeItem(self._box.count - 1)
        self._box.insertItem(0, path)
        self._box.setCurrentIndex(0)

    def retrieveHistory(self) -> None:
        path = self.currentPath
        was_blocking = self.blockSignals(True)
        self._box.clear()
        self._box.addItems(self._remembered()[:_MOST_REMEMBERED])
        if path:
            self.setCurrentPath(path)
            self.blockSignals(was_blocking)
        else:
            self.blockSignals(was_blocking)
            self._box.setCurrentIndex(0)

    def _remembered(self) -> list[str]:
        found = QtCore.QSettings().value(self._setting()) or []
        return [found] if isinstance(found, str) else list(found)

    def _setting(self) -> str:
        return f"ctkPathLineEdit/{self._key or self.name}"

    def _changed(self, path: str) -> None:
        was_valid, self._valid = self._valid, self._edit.hasAcceptableInput()
        if self._valid:
            self.currentPathChanged.emit(path)
        if self._valid != was_valid:
            self.validInputChanged.emit(self._valid)

    def _set_filters(self, filters: int) -> None:
        self._filters = filters

    def _set_name_filters(self, filters: list[str]) -> None:
        self._name_filters = list(filters)
        endings = [ending for one in filters for ending in _EXTENSION.findall(one)]
        patterns = "|".join(rf".*\.{ending}?$" for ending in endings)  # CTK's, "?" and all
        pattern = f"({patterns})" if patterns else ".+"
        self._validator.setRegularExpression(QtCore.QRegularExpression(pattern))

    def _set_key(self, key: str) -> None:
        self._key = key
        self.retrieveHistory()

    currentPath = Property(str, lambda self: self._edit.text, setCurrentPath)
    filters = Property(int, lambda self: self._filters, _set_filters)
    nameFilters = Property("QStringList", lambda self: self._name_filters, _set_name_filters)
    settingKey = Property(str, lambda self: self._key, _set_key)
