"""Dialogs: nobody is there to answer, so the test answers ahead.

A test that expects a dialog appends what the user will do to ``ANSWERS`` (message boxes, input
boxes, menus, a panel's own dialogs) or ``FILE_ANSWERS`` (files and folders). A dialog that
finds no answer raises and names itself, which fails the test. What was asked is kept in ``ASKED``.
A message that has only one button to press needs no answer, but has to be taken by the test with
``Host.take_messages``: one that is left over fails it, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from PySide6 import QtWidgets

FILE_ANSWERS: list[Any] = []
"""What the user does in the next file dialogs, in their order: the path that is typed, or that and
the name filter that is chosen; an empty path cancels. Where a dialog asks before it replaces a
file, ``ANSWERS`` has to have what is said to that."""
ANSWERS: list[Any] = []
"""What the user does in the next dialogs: the name of a message box's button ("Yes"), what an
input box gives, the text of a menu's entry, or a function that gets the dialog, works in it as a
user would and gives what ``exec`` is to return."""
ASKED: list[str] = []
"""The texts of the dialogs that were answered."""
MESSAGES: list[str] = []
"""The texts of messages that had only to be read, until the test takes them."""

_FILES = ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory")
_QUESTIONS = ("question", "information", "warning", "critical")
_INPUTS = ("getText", "getMultiLineText", "getInt", "getDouble", "getItem")
_Box = QtWidgets.QMessageBox


def install() -> None:
    """Give the dialogs of PySide6 these answers, for the whole process."""
    for name in _FILES:
        setattr(QtWidgets.QFileDialog, name, staticmethod(_file_answer(name)))
    for name in _QUESTIONS:
        setattr(_Box, name, staticmethod(_static_question(name)))
    for name in _INPUTS:
        setattr(QtWidgets.QInputDialog, name, staticmethod(_input_answer(name)))
    for kind, answer in (
        (_Box, _answer_box),
        (QtWidgets.QMenu, _answer_menu),
        (QtWidgets.QFileDialog, _answer_file_dialog),
        (QtWidgets.QDialog, _answer_dialog),
    ):
        kind.exec = kind.exec_ = answer


def forget() -> None:
    """Begin anew, for the next test."""
    for left in (FILE_ANSWERS, ANSWERS, ASKED, MESSAGES):
        left.clear()


def _file_answer(name: str) -> Callable[..., Any]:
    """As in PythonQt, and unlike PySide6, the answer comes without the filter that was chosen."""

    def answer(*_arguments: Any, **_options: Any) -> Any:
        given = _next(FILE_ANSWERS, f"QFileDialog.{name}")
        if name == "getSaveFileName" and not _may_replace(given):
            return ""
        return given

    return answer


def _answer_file_dialog(dialog: QtWidgets.QFileDialog) -> int:
    """A dialog object: it adds its default suffix to a name without a dot, then asks."""
    given = _next(FILE_ANSWERS, f"QFileDialog: {dialog.windowTitle}")
    typed, name_filter = (given, "") if isinstance(given, str) else given
    ASKED.append(dialog.windowTitle)
    if name_filter:
        offered = dialog.nameFilters()
        if name_filter not in offered:
            raise ValueError(f"QFileDialog: there is no filter {name_filter!r}, but {offered}")
        dialog.selectNameFilter(name_filter)
        dialog.filterSelected.emit(name_filter)
    if typed:
        dialog.selectFile(typed)
    saves = dialog.acceptMode == QtWidgets.QFileDialog.AcceptSave
    accepted = bool(typed) and (not saves or all(map(_may_replace, dialog.selectedFiles())))
    dialog.done(int(accepted))
    return int(accepted)


def _may_replace(path: str) -> bool:
    """Ask as Qt does before a file is replaced."""
    if not path or not os.path.exists(path):
        return True
    question = f"{path} already exists.\nDo you want to replace it?"
    ASKED.append(question)
    return _next(ANSWERS, question) == "Yes"


def _input_answer(name: str) -> Callable[..., Any]:
    def answer(_parent: Any, title: str, label: str, *_rest: Any, **_options: Any) -> Any:
        given = _next(ANSWERS, f"QInputDialog.{name}: {label}")
        ASKED.append(label)
        return given

    return answer


def _static_question(name: str) -> Callable[..., Any]:
    def ask(
        parent: QtWidgets.QWidget | None, title: str, text: str, buttons: Any = None, *_rest: Any
    ) -> Any:
        box = _Box(parent)
        box.windowTitle, box.text = title, text
        usual = _Box.Yes | _Box.No if name == "question" else _Box.Ok
        box.setStandardButtons(_Box.StandardButton(buttons or usual))
        return _answer_box(box)

    return ask


def _answer_box(box: QtWidgets.QMessageBox) -> int:
    text = "\n".join(part for part in (box.text, box.informativeText) if part)
    buttons = box.buttons() or [box.addButton(_Box.Ok)]
    if len(buttons) == 1:
        MESSAGES.append(text)
        return _press(box, buttons[0])
    answer = _next(ANSWERS, f"QMessageBox: {text}")
    ASKED.append(text)
    if callable(answer):
        return answer(box)
    for button in buttons:
        if answer == button.text.replace("&", ""):
            return _press(box, button)
    there = [button.text for button in buttons]
    raise ValueError(f"QMessageBox: {text}: there is no button {answer!r}, but {there}")


def _press(box: QtWidgets.QMessageBox, button: QtWidgets.QAbstractButton) -> int:
    button.click()
    standard = box.standardButton(button)
    return int(standard) if standard != _Box.NoButton else box.buttons().index(button)


def _answer_menu(menu: QtWidgets.QMenu, *_place: Any) -> Any:
    texts = [action.text for action in menu.actions()]
    answer = _next(ANSWERS, f"QMenu: {texts}")
    for action in menu.actions():
        if action.text.replace("&", "") == answer:
            if not action.enabled:
                raise ValueError(f"QMenu: {answer!r} is disabled")
            action.trigger()
            return action
    raise ValueError(f"QMenu: there is no entry {answer!r}, but {texts}")


def _answer_dialog(dialog: QtWidgets.QDialog) -> int:
    answer = _next(ANSWERS, f"{type(dialog).__name__}: {dialog.windowTitle}")
    ASKED.append(dialog.windowTitle)
    return int(answer(dialog) if callable(answer) else answer)


def _next(answers: list[Any], what: str) -> Any:
    if not answers:
        raise NotImplementedError(f"{what}: the host has nobody to answer; the test has to")
    return answers.pop(0)
