"""Stand-ins for the ctk widgets that our panels use."""

# ruff: noqa: N801, N802, N815 - the names are Slicer's and Qt's
from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from .widgets_path import ctkPathLineEdit

Signal, Property = QtCore.Signal, QtCore.Property


_WANTED = "visibilityToParent"
"""CTK's dynamic property: whether a child would be seen if its section were open."""


class _Collapsible:
    """What shows and hides its children, but for those that the panel itself has hidden."""

    _by_itself = False

    def _is_folded(self) -> bool:
        raise NotImplementedError

    def _show_contents(self) -> None:
        """Show or hide all but what the panel itself has hidden, as CTK does."""
        self._by_itself = True
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                wanted = child.property(_WANTED) is not False
                child.setVisible(wanted and not self._is_folded())
        self._by_itself = False
        self.updateGeometry()

    def _watch(self, event: QtCore.QChildEvent) -> None:
        if event.added() and isinstance(event.child(), QtWidgets.QWidget):
            event.child().installEventFilter(self)

    def eventFilter(self, child: QtCore.QObject, event: QtCore.QEvent) -> bool:
        shown = event.type() == QtCore.QEvent.ShowToParent
        if (shown or event.type() == QtCore.QEvent.HideToParent) and not self._by_itself:
            child.setProperty(_WANTED, shown)
            if shown and self._is_folded():
                self._show_contents()
        return False


class ctkCollapsibleButton(_Collapsible, QtWidgets.QAbstractButton):
    """A heading that shows and hides what lies below it."""

    contentsCollapsed = Signal(bool)
    _HEADING_PX = 24

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_collapsed = False
        self.checkable = True
        self.checked = True
        self.setSizePolicy(QtWidgets.QSizePolicy.Preferred, QtWidgets.QSizePolicy.Maximum)
        self.connect("toggled(bool)", lambda on: self._collapse(not on))

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._is_collapsed:
            return
        self._is_collapsed = collapsed
        self.checked = not collapsed
        self._show_contents()
        self.contentsCollapsed.emit(collapsed)

    def _is_folded(self) -> bool:
        return self._is_collapsed

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        self._watch(event)
        super().childEvent(event)

    collapsed = Property(bool, lambda self: self._is_collapsed, _collapse)

    def event(self, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.LayoutRequest and self.layout() is not None:
            self.layout().setContentsMargins(9, self._HEADING_PX + 6, 9, 9)
            self._show_contents()
        return super().event(event)

    def sizeHint(self) -> QtCore.QSize:
        if self._is_collapsed or self.layout() is None:
            return QtCore.QSize(120, self._HEADING_PX)
        return self.layout().sizeHint()

    def minimumSizeHint(self) -> QtCore.QSize:
        """As narrow as its contents may be, and as high as they want to be."""
        hint = self.sizeHint()
        if not self._is_collapsed and self.layout() is not None:
            hint.setWidth(self.layout().minimumSize().width())
        return hint

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        tinted = self.palette.color(QtGui.QPalette.Highlight)
        tinted.setAlpha(48)
        painter.fillRect(0, 0, self.width, self._HEADING_PX, tinted)
        arrow = QtCore.Qt.RightArrow if self._is_collapsed else QtCore.Qt.DownArrow
        option = QtWidgets.QStyleOption()
        option.rect = QtCore.QRect(6, 6, 12, 12)
        element = {
            QtCore.Qt.RightArrow: QtWidgets.QStyle.PE_IndicatorArrowRight,
            QtCore.Qt.DownArrow: QtWidgets.QStyle.PE_IndicatorArrowDown,
        }[arrow]
        self.style().drawPrimitive(element, option, painter)
        painter.drawText(24, 17, self.text)
        painter.end()


class _ArrowForTick(QtWidgets.QProxyStyle):
    """Draws the tick of a group box as an arrow."""

    def drawPrimitive(
        self,
        element: int,
        option: QtWidgets.QStyleOption,
        painter: QtGui.QPainter,
        widget: QtWidgets.QWidget | None = None,
    ) -> None:
        arrows = QtWidgets.QStyle.PE_IndicatorArrowRight, QtWidgets.QStyle.PE_IndicatorArrowDown
        if element == QtWidgets.QStyle.PE_IndicatorCheckBox:
            element = arrows[bool(option.state & QtWidgets.QStyle.State_On)]
        super().drawPrimitive(element, option, painter, widget)


class ctkCollapsibleGroupBox(_Collapsible, QtWidgets.QGroupBox):
    """A framed heading that shows and hides what lies below it."""

    _COLLAPSED_PX, _UNLIMITED_PX = 26, 2**24 - 1

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._own_style = _ArrowForTick()
        self.setStyle(self._own_style)
        self.checkable = True
        self.checked = True
        self.connect("toggled(bool)", self._fold)

    def _is_folded(self) -> bool:
        return not self.checked

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        self._watch(event)
        super().childEvent(event)
        if event.type() == QtCore.QEvent.ChildPolished and event.child().isWidgetType():
            self._show_contents()

    def _fold(self) -> None:
        self.maximumHeight = self._UNLIMITED_PX if self.checked else self._COLLAPSED_PX
        self._show_contents()

    def _collapse(self, collapsed: bool) -> None:
        self.checked = not collapsed

    collapsed = Property(bool, lambda self: not self.checked, _collapse)


class _Numbers(QtWidgets.QWidget):
    """Sliders over numbers: what ctkSliderWidget and ctkRangeWidget have in common.

    The slider has ``_STEPS`` places; the numbers are those of the spin boxes, which have the
    decimals.
    """

    _STEPS = 1000

    def __init__(self, parent: QtWidgets.QWidget | None, boxes: int) -> None:
        super().__init__(parent)
        self._busy = False
        self._tracking = True
        self._boxes = [QtWidgets.QDoubleSpinBox() for _ in range(boxes)]
        for box in self._boxes:
            box.keyboardTracking = False
            box.setRange(0.0, 99.0)

    def setDecimals(self, decimals: int) -> None:
        for box in self._boxes:
            box.decimals = decimals

    def _set_minimum(self, minimum: float) -> None:
        self._set_range(minimum, max(minimum, self._boxes[0].maximum))

    def _set_maximum(self, maximum: float) -> None:
        self._set_range(min(maximum, self._boxes[0].minimum), maximum)

    def _set_range(self, minimum: float, maximum: float) -> None:
        for box in self._boxes:
            box.setRange(minimum, maximum)

    def _place(self, value: float) -> int:
        box = self._boxes[0]
        return round(self._STEPS * (value - box.minimum) / ((box.maximum - box.minimum) or 1.0))

    def _value_at(self, place: int) -> float:
        box = self._boxes[0]
        return box.minimum + place / self._STEPS * (box.maximum - box.minimum)

    def _of_boxes(kind: type, name: str) -> Any:  # noqa: N805 - makes class attributes below
        def setter(self: _Numbers, value: Any) -> None:
            for box in self._boxes:
                setattr(box, name, value)

        return Property(kind, lambda self: getattr(self._boxes[0], name), setter)

    def _set_tracking(self, tracking: bool) -> None:
        self._tracking = tracking

    minimum = Property(float, lambda self: self._boxes[0].minimum, _set_minimum)
    maximum = Property(float, lambda self: self._boxes[0].maximum, _set_maximum)
    decimals = _of_boxes(int, "decimals")
    singleStep = _of_boxes(float, "singleStep")
    prefix = _of_boxes(str, "prefix")
    suffix = _of_boxes(str, "suffix")
    tracking = Property(bool, lambda self: self._tracking, _set_tracking)


class ctkSliderWidget(_Numbers):
    """A slider with a spin box.

    While the slider moves ``valueIsChanging`` tells where it is; ``valueChanged`` does so too, or,
    without ``tracking``, only when it is let go.
    """

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent, boxes=1)
        self._box = self._boxes[0]
        self._said = 0.0
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self._slider.setRange(0, self._STEPS)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._box)
        self._box.connect("valueChanged(double)", self._changed)
        self._slider.connect("sliderMoved(int)", self._moved)
        self._slider.connect("actionTriggered(int)", self._stepped)
        self._slider.connect("sliderReleased()", self._say)

    def setValue(self, value: float) -> None:
        self._box.value = float(value)

    def reset(self) -> None:
        self.setValue(0.0)

    def _moved(self, place: int) -> None:
        self._box.value = self._value_at(place)

    def _stepped(self, _action: int) -> None:
        if not self._slider.sliderDown:
            self._box.value = self._value_at(self._slider.sliderPosition)

    def _changed(self, value: float) -> None:
        self._slider.value = self._place(value)
        self.valueIsChanging.emit(value)
        if self._tracking or not self._slider.sliderDown:
            self._say()

    def _say(self) -> None:
        if self._box.value != self._said:
            self._said = self._box.value
            self.valueChanged.emit(self._said)

    def _set_range(self, minimum: float, maximum: float) -> None:
        super()._set_range(minimum, maximum)
        self._slider.value = self._place(self._box.value)

    value = Property(float, lambda self: self._box.value, setValue)


class ctkRangeWidget(_Numbers):
    """Two spin boxes, the ends of a range; the slider with two handles between is not here."""

    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)
    valuesChanged = Signal(float, float)
    rangeChanged = Signal(float, float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent, boxes=2)
        self._said = (0.0, 99.0)
        self._low, self._high = self._boxes
        self._high.value = 99.0
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for box in self._boxes:
            layout.addWidget(box)
            box.connect("valueChanged(double)", self._changed)

    def setValues(self, low: float, high: float) -> None:
        self._busy = True
        self._low.value, self._high.value = min(low, high), max(low, high)
        self._busy = False
        self._changed()

    def setMinimumValue(self, value: float) -> None:
        self.setValues(value, max(value, self._high.value))

    def setMaximumValue(self, value: float) -> None:
        self.setValues(min(value, self._low.value), value)

    def setRange(self, minimum: float, maximum: float) -> None:
        self._set_range(minimum, maximum)

    def reset(self) -> None:
        self.setValues(self._low.minimum, self._low.maximum)

    def _set_range(self, minimum: float, maximum: float) -> None:
        before = (self._low.minimum, self._low.maximum)
        super()._set_range(minimum, maximum)
        if before != (self._low.minimum, self._low.maximum):
            self.rangeChanged.emit(self._low.minimum, self._low.maximum)

    def _changed(self) -> None:
        if self._busy:
            return
        if self._low.value > self._high.value:  # the other end gives way
            self.setValues(self._low.value, self._low.value)
            return
        before, self._said = self._said, (self._low.value, self._high.value)
        if before[0] != self._said[0]:
            self.minimumValueChanged.emit(self._said[0])
        if before[1] != self._said[1]:
            self.maximumValueChanged.emit(self._said[1])
        if before != self._said:
            self.valuesChanged.emit(*self._said)

    minimumValue = Property(float, lambda self: self._low.value, setMinimumValue)
    maximumValue = Property(float, lambda self: self._high.value, setMaximumValue)


class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that says something while nothing is chosen."""

    def _set_text(self, text: str) -> None:
        self.placeholderText = text

    defaultText = Property(str, lambda self: self.placeholderText, _set_text)


class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box that can be told not to come again, which the host forgets."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = ""

    def _set_key(self, key: str) -> None:
        self._key = key

    dontShowAgainSettingsKey = Property(str, lambda self: self._key, _set_key)


CLASSES = (
    ctkCollapsibleButton,
    ctkCollapsibleGroupBox,
    ctkComboBox,
    ctkMessageBox,
    ctkPathLineEdit,
    ctkRangeWidget,
    ctkSliderWidget,
)
