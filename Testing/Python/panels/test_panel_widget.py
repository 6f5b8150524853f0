"""What our panels share: a result goes to the section that asked, and a section is one file."""

from __future__ import annotations

import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from SkullGANLib.errors import SkullGANError
from SlicerHost import dialogs


@pytest.fixture
def panel(host):
    return host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")


def wait_for_the_end(host, panel) -> None:
    host.wait_until(lambda: not panel.logic.isWorking())


def working(result):
    yield 0.5
    return result


def failing():
    yield 0.5
    raise SkullGANError("The well is dry.")


def test_a_result_goes_to_the_section_that_asked_though_others_take_its_type(host, panel):
    skull = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Not a skull")
    taken = []
    task = panel.logic.start("Trying", working(skull))
    panel.run(task, on_done=lambda node: taken.append(node) or "It came.")
    assert panel.ui.statusLabel.text == "Trying..."
    wait_for_the_end(host, panel)
    assert taken == [skull]
    assert panel.ui.statusLabel.text == "It came."
    assert panel.node.skull is None


def test_each_task_has_its_own_taker(host, panel):
    for number in range(2):
        task = panel.logic.start("Counting", working(number))
        panel.run(task, on_done=f"Number {{}} of run {number}".format)
        wait_for_the_end(host, panel)
        assert panel.ui.statusLabel.text == f"Number {number} of run {number}"


@pytest.mark.parametrize("sentence", ["", "Given up."])
def test_a_cancelled_task_gives_nothing_to_who_asked(host, panel, sentence):
    taken = []
    task = panel.logic.start("Trying", working(1))
    panel.run(task, on_done=lambda result: taken.append(result) or "", cancelled=sentence)
    panel.ui.cancelButton.click()
    wait_for_the_end(host, panel)
    assert taken == []
    assert panel.ui.statusLabel.text == (sentence or "Cancelled; the scene is as it was.")


def test_a_failed_task_is_shown_and_gives_nothing_to_who_asked(host, panel):
    taken = []
    task = panel.logic.start("Drawing water", failing())
    panel.run(task, on_done=lambda result: taken.append(result) or "")
    wait_for_the_end(host, panel)
    assert taken == []
    assert panel.ui.statusLabel.text == "The well is dry."
    [message] = dialogs.MESSAGES
    assert "The well is dry." in str(message)
    dialogs.MESSAGES.clear()


def test_a_result_may_begin_the_next_task(host, panel):
    def first_done(result: str) -> str:
        panel.run(panel.logic.start("Second", working("both")), on_done=str)
        return result

    panel.run(panel.logic.start("First", working("one")), on_done=first_done)
    host.wait_until(lambda: panel.ui.statusLabel.text == "both")


def test_a_section_is_added_in_one_place(host, panel):
    """A stranger's section: shown, updated and let go of with the panel, without touching it."""
    from SkullGANGui.sections.section import Section

    calls = []

    class Toy(Section):
        def show(self) -> None:
            calls.append(f"show {self.node.number}")

        def update(self, busy: str) -> None:
            calls.append("busy" if busy else "free")

        def forget(self) -> None:
            calls.append("forget")

        def ask(self) -> None:
            self.panel.run(self.logic.start("Asking", working(7)), on_done=self._answered)

        def _answered(self, number: int) -> str:
            self.node.number = number
            return f"The answer is {number}."

    toy = Toy(panel)
    panel.sections = (*panel.sections, toy)
    toy.ask()
    assert calls == ["busy"]
    wait_for_the_end(host, panel)
    assert panel.ui.statusLabel.text == "The answer is 7."
    assert "show 7" in calls
    assert calls[-1] == "free"
    slicer.mrmlScene.Clear(0)
    assert "forget" in calls
