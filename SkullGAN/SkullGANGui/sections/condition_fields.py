"""What a model is asked for: a field for each condition that it was trained with."""

# ruff: noqa: N802, N803 - camel case is what Slicer calls and how its modules read
from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SkullGANLib.networks.conditions import Conditions

Asked = dict[str, str | float]
"""By the name that ``networks.conditions`` has; what is not in it is not asked for."""


class ConditionFields:
    """Shows what a model can be asked for, and takes what it is asked for.

    A number is asked for by ticking it, which offers the training set's mean; a bone by choosing
    it. Whatever is not asked for is as in the training set, and says so.

    Args:
        frame: widget with a ``QFormLayout``, for the fields; hidden where there is nothing to ask.
        onAsked: called with everything that is asked for once the user has changed it.
    """

    def __init__(self, frame: qt.QWidget, onAsked: Callable[[Asked], None]) -> None:
        from SkullGANLib.networks.conditions import QUANTITIES

        self._frame, self._onAsked = frame, onAsked
        self._conditions: Conditions | None = None
        self._asked: Asked = {}
        self._showing = False
        self._boneLabel, self.bone = qt.QLabel(_("Bone:")), qt.QComboBox()
        self.bone.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.bone.setMinimumContentsLength(8)
        self.bone.toolTip = _("Bone to make segments of, out of those the model has learned.")
        self.bone.connect("currentIndexChanged(int)", self._onBone)
        frame.layout().addRow(self._boneLabel, self.bone)
        self.boxes: dict[str, qt.QCheckBox] = {}
        self.values: dict[str, qt.QDoubleSpinBox] = {}
        for name, quantity in QUANTITIES.items():
            title = _(quantity.label)
            box, value = qt.QCheckBox(f"{title[:1].upper()}{title[1:]}:"), qt.QDoubleSpinBox()
            box.connect("toggled(bool)", lambda checked, name=name: self._onTicked(name, checked))
            value.connect("valueChanged(double)", lambda new, name=name: self._onValue(name, new))
            value.setDecimals(quantity.digits)
            value.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
            value.setMinimumWidth(90)  # else as wide as the longest text that it may ever show
            frame.layout().addRow(box, value)
            self.boxes[name], self.values[name] = box, value
        frame.visible = False

    def show(self, conditions: Conditions | None, asked: Asked) -> None:
        """Show the conditions of a model, None where it has none, and what it is asked for."""
        self._conditions, self._asked = conditions, asked
        self._frame.visible = conditions is not None
        if conditions is None:
            return
        self._showing = True
        try:
            self._showBones(conditions.bones, asked.get("bone", ""))
            for name in self.boxes:
                self._showNumber(conditions, name, asked.get(name))
        finally:
            self._showing = False

    def _showBones(self, bones: tuple[str, ...], chosen: str | float) -> None:
        for widget in (self._boneLabel, self.bone):
            widget.visible = bool(bones)
        self.bone.clear()
        self.bone.addItem(_("as the training set"), "")
        for bone in bones:
            self.bone.addItem(_(bone), bone)
        self.bone.setCurrentIndex(bones.index(str(chosen)) + 1 if chosen in bones else 0)

    def _showNumber(self, conditions: Conditions, name: str, chosen: str | float | None) -> None:
        from SkullGANLib.networks.conditions import QUANTITIES

        box, value, quantity = self.boxes[name], self.values[name], QUANTITIES[name]
        for widget in (box, value):
            widget.visible = name in conditions.quantities
        if name not in conditions.quantities:
            return
        low, high = conditions.low[name], conditions.high[name]
        unit = f" {quantity.unit}" if quantity.unit else ""
        box.checked = value.enabled = chosen is not None
        # The text stands for the lowest value, which can be asked for, too.
        value.setSpecialValueText("" if chosen is not None else _("as the training set"))
        value.setSuffix(unit)
        value.setSingleStep(_step(high - low, quantity.digits))
        value.setRange(low, high)
        value.setValue(low if chosen is None else float(chosen))
        tip = _(
            "{name} of the segments to make: {low:g} to {high:g}{unit} in the training set, {mean}"
            " on average. Not ticked: as it is there."
        ).format(
            name=f"{_(quantity.label)[:1].upper()}{_(quantity.label)[1:]}",
            low=low,
            high=high,
            unit=unit,
            mean=f"{conditions.mean[name]:.{quantity.digits}f}",
        )
        box.toolTip = value.toolTip = tip

    def _onBone(self, index: int) -> None:
        if not self._showing and index >= 0:
            self._change("bone", self.bone.itemData(index) or None)

    def _onTicked(self, name: str, checked: bool) -> None:
        if not self._showing and self._conditions is not None:
            self._change(
                name, self._rounded(name, self._conditions.mean[name]) if checked else None
            )

    def _onValue(self, name: str, value: float) -> None:
        if not self._showing and self.boxes[name].checked:
            self._change(name, self._rounded(name, value))

    def _change(self, name: str, value: str | float | None) -> None:
        asked = {one: of for one, of in self._asked.items() if one != name}
        if value is not None:
            asked[name] = value
        self._onAsked(asked)

    @staticmethod
    def _rounded(name: str, value: float) -> float:
        from SkullGANLib.networks.conditions import QUANTITIES

        return round(value, QUANTITIES[name].digits)


def conditions_of(given: Mapping[str, object]) -> Conditions | None:
    """Read the conditions of a model's card; None where it has none, or none that can be used."""
    from SkullGANLib.errors import BadInputError
    from SkullGANLib.networks.conditions import Conditions

    try:
        return Conditions.from_dict(given) if given else None
    except BadInputError:
        return None


def possible(conditions: Conditions | None, text: str) -> Asked:
    """Give what is asked for of what a model can be asked for; another one could do more or less.

    Args:
        conditions: of the model; None where it has none.
        text: of the parameter node, as ``as_text`` wrote it.
    """
    from SkullGANLib.errors import BadInputError

    if conditions is None or not text:
        return {}
    try:
        given = json.loads(text)
    except ValueError:
        return {}
    found: Asked = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        try:
            conditions.checked({name: value})
        except (BadInputError, TypeError, ValueError):
            continue
        found[name] = value
    return found


def as_text(asked: Asked) -> str:
    """Write what is asked for as the parameter node keeps it."""
    return json.dumps(asked, sort_keys=True) if asked else ""


def _step(span: float, digits: int) -> float:
    """Give a step of 1, 10, ... or 0.1, 0.01, ... that crosses a range in some dozens."""
    least = 10.0**-digits
    return max(least, 10.0 ** math.floor(math.log10(span / 10))) if span > 0 else least
