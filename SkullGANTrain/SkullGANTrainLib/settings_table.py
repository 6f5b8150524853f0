"""Every setting of a recipe in a table, to be changed: value, unit, meaning."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import re
from collections.abc import Callable

import qt
from SkullGANGui import warning_colors
from slicer.i18n import tr as _

_ROW_PX = 22


class SettingsTable:
    """Shows the settings of a recipe in a ``QTableWidget`` and takes what the user changes.

    What differs from the recipe is bold, and its tooltip gives the recipe's own value; what cannot
    be is red, and its tooltip says why.

    Args:
        widget: the ``QTableWidget``.
        onChanged: called with what differs from the recipe by now, name to text.
    """

    SETTING, VALUE, UNIT, MEANING = range(4)

    def __init__(
        self, widget: qt.QTableWidget, onChanged: Callable[[dict[str, str]], None]
    ) -> None:
        from SkullGANLib.training import presets, recipe

        self.widget = widget
        self._onChanged = onChanged
        self._recipe = presets.named(presets.DEFAULT)
        self._stale = True
        self._settings: dict[str, str] = {}
        self._filling = False
        self._boxes: dict[str, qt.QComboBox] = {}
        meanings, units, choices = recipe.meanings(), recipe.units(), recipe.choices()
        self.names = [name for name in meanings if name != "name"]
        titles = (_("Setting"), _("Value"), _("Unit"), _("Meaning"))
        widget.setColumnCount(len(titles))
        widget.setHorizontalHeaderLabels(titles)
        widget.setRowCount(len(self.names))
        widget.verticalHeader().setVisible(False)
        widget.verticalHeader().setDefaultSectionSize(_ROW_PX)
        for column, width in ((self.SETTING, 150), (self.VALUE, 66), (self.UNIT, 64)):
            widget.setColumnWidth(column, width)
        widget.horizontalHeader().setStretchLastSection(True)
        for row, name in enumerate(self.names):
            self._put(row, self.SETTING, name.replace("_", " "), meanings[name])
            self._put(row, self.VALUE, "", "", editable=name not in choices)
            self._put(row, self.UNIT, units[name], meanings[name])
            self._put(row, self.MEANING, meanings[name], meanings[name])
            if name in choices:
                self._addBox(row, name, choices[name])
        widget.connect("cellChanged(int,int)", self._onCell)

    def show(self, recipeName: str, settings: dict[str, str]) -> None:
        """Show a recipe with what differs from it."""
        from SkullGANLib.training.presets import named

        chosen = named(recipeName)
        if not self._stale and self._recipe is chosen and settings == self._settings:
            return
        self._recipe, self._settings, self._stale = chosen, dict(settings), False
        self._filling = True
        try:
            for row, name in enumerate(self.names):
                self._showValue(row, name)
        finally:
            self._filling = False

    def set(self, name: str, text: str) -> None:
        """Change a setting, as the user would."""
        if name in self._boxes:
            box = self._boxes[name]
            box.setCurrentIndex(box.findText(text))
        else:
            self.widget.item(self.names.index(name), self.VALUE).setText(text)

    def _showValue(self, row: int, name: str) -> None:
        from SkullGANLib.errors import BadInputError
        from SkullGANLib.training import recipe, setting

        own = setting.as_text(getattr(self._recipe, name))
        text = self._settings.get(name, own)
        tip = recipe.meanings()[name]
        if name in recipe.ranges():
            tip = _("{meaning}\nAllowed: {range}.").format(meaning=tip, range=recipe.ranges()[name])
        if text != own:
            tip = _("{meaning}\nThe recipe has {value}.").format(meaning=tip, value=own)
        problem = ""
        try:
            self._recipe.with_settings({name: text})
        except BadInputError as error:
            problem = str(error)
        item, title = self.widget.item(row, self.VALUE), self.widget.item(row, self.SETTING)
        red = warning_colors.problem(self.widget.palette)
        shown = qt.QBrush(qt.QColor(red)) if problem else None  # None: as the others
        for one in (item, title):
            font = one.font()
            font.setBold(text != own)
            one.setFont(font)
            one.setData(qt.Qt.ForegroundRole, shown)
            one.setToolTip(problem or tip)
        if name in self._boxes:
            box = self._boxes[name]
            box.setCurrentIndex(box.findText(text))
            box.toolTip = tip
        else:
            item.setText(text)

    def _onCell(self, row: int, column: int) -> None:
        if not self._filling and column == self.VALUE:
            text = self.widget.item(row, column).text().strip()
            # As people write lists, such as that of the conditions.
            self._take(self.names[row], re.sub(r"\s*,\s*", ",", text))

    def _take(self, name: str, text: str) -> None:
        from SkullGANLib.training import setting

        own = setting.as_text(getattr(self._recipe, name))
        settings = {**self._settings, name: text}
        # No blank may be in a value: settings are kept as words.
        if not text or " " in text or self._sameValue(name, text, own):
            del settings[name]
        self._onChanged(settings)
        self._stale = True  # so that it is shown as it was taken, also where nothing changed
        self.show(self._recipe.name, settings)

    def _sameValue(self, name: str, text: str, own: str) -> bool:
        from SkullGANLib.errors import BadInputError

        try:
            return not self._recipe.differences(self._recipe.with_settings({name: text}))
        except BadInputError:
            return text == own

    def _addBox(self, row: int, name: str, choices: tuple[str, ...]) -> None:
        box = qt.QComboBox()
        for choice in choices:
            box.addItem(choice)
        self._boxes[name] = box
        self.widget.setCellWidget(row, self.VALUE, box)

        def take(index: int) -> None:
            if not self._filling:
                self._take(name, choices[index])

        box.connect("currentIndexChanged(int)", take)

    def _put(self, row: int, column: int, text: str, tip: str, *, editable: bool = False) -> None:
        item = qt.QTableWidgetItem(text)
        item.setToolTip(tip)
        flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
        item.setFlags(flags | qt.Qt.ItemIsEditable if editable else flags)
        self.widget.setItem(row, column, item)
