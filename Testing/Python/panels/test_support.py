"""What every panel has at its end: log, versions and packages."""

from __future__ import annotations

import numpy as np
import pytest
import qt_needed  # noqa: F401
import slicer
from checkout import ROOT
from SkullGANLib.ct.volume import HeadCT
from SkullGANScene.nodes import volumes
from SlicerHost import dialogs


@pytest.fixture
def packages(host):
    """The module, which only Slicer, or who stands in for it, can import."""
    from SkullGANGui import packages

    return packages


@pytest.fixture
def panel(host):
    return host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")


def select(panel, requirement: str) -> None:
    table = panel.support.ui.packagesTable
    names = [table.item(row, 0).text() for row in range(table.rowCount)]
    table.setCurrentCell(names.index(requirement), 0)


def test_the_log_holds_what_a_job_said_and_how_it_ended(host, panel):
    volumes.add_ct(host.scene, HeadCT(np.zeros((20, 20, 20), np.int16), np.eye(4)), "Small")
    panel.enter()
    panel.ui.extractButton.click()
    host.wait_until(lambda: not panel.logic.isWorking())
    [message] = host.take_messages()
    text = panel.support.log.text
    assert "  Extracting segments from Small...\n" in text
    assert "    skullgan: " in text  # the child's own line
    assert text.rstrip().endswith(message.partition("\n\n")[2])


def test_log_and_versions_are_copied_together(host, panel):
    ui = panel.support.ui
    ui.supportSection.collapsed = False
    host.wait_until(lambda: "Device cpu: " in ui.versionsText.toPlainText())
    assert ui.versionsText.toPlainText().startswith(f"Slicer: {slicer.app.majorVersion}.")
    assert "\ntorch: " in ui.versionsText.toPlainText()
    panel.support.log.say("One thing\nand its reason")
    ui.copyLogButton.click()
    copied = slicer.app.clipboard().text()
    assert copied.startswith(ui.versionsText.toPlainText())
    assert copied.endswith("  One thing\n    and its reason\n")
    ui.clearLogButton.click()
    assert panel.support.log.text == ""


def test_devices_are_not_looked_for_before_the_section_is_opened(panel):
    assert panel.support._child is None
    assert panel.support.ui.versionsText.toPlainText() == ""


def test_every_package_is_listed_with_its_version(panel, packages):
    table = panel.support.ui.packagesTable
    listed = {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount)}
    assert listed["h5py"] == packages.version(packages.PACKAGES["h5py"])
    assert set(listed) == {one.requirement for one in packages.PACKAGES.values()}


def test_a_package_is_installed_again_after_a_question_and_can_then_be_removed(
    host, panel, packages
):
    ui = panel.support.ui
    select(panel, "h5py")
    assert not ui.removePackageButton.enabled
    assert "was not installed for SkullGAN" in ui.removePackageButton.toolTip
    dialogs.ANSWERS.append("OK")
    ui.installPackageButton.click()
    assert "h5py (5 MB)" in dialogs.ASKED[-1]
    assert host.packages.installed == ["h5py"]
    assert ui.removePackageButton.enabled
    dialogs.ANSWERS.append("Cancel")
    ui.removePackageButton.click()
    assert host.packages.removed == []
    dialogs.ANSWERS.append("OK")
    ui.removePackageButton.click()
    assert host.packages.removed == ["h5py"]
    assert packages.installedForUs() == []
    assert "h5py was removed." in panel.support.log.text


def test_a_failing_pip_is_told_in_a_sentence(host, panel, packages):
    select(panel, "tqdm")
    host.packages.failing = True
    dialogs.ANSWERS.append("OK")
    panel.support.ui.installPackageButton.click()
    [message] = host.take_messages()
    assert "tqdm could not be installed (CalledProcessError)" in message
    assert packages.installedForUs() == []


def test_torch_is_left_to_the_extension_that_brings_it(panel):
    select(panel, "torch")
    for button in (panel.support.ui.installPackageButton, panel.support.ui.removePackageButton):
        assert not button.enabled
        assert "PyTorch Util" in button.toolTip


def test_what_was_asked_for_when_it_was_needed_may_be_removed_later(packages, monkeypatch):
    left_out = packages.Package("skullgan_lacks_this", "lacking", "1 MB")
    monkeypatch.setitem(packages.PACKAGES, left_out.module, left_out)
    lacking = iter([[left_out], []])  # before and after it was installed
    monkeypatch.setattr(packages, "missing", lambda modules: next(lacking))
    dialogs.ANSWERS.append("OK")
    packages.ensure((left_out.module,), "A test")
    assert packages.installedForUs() == ["lacking"]


def test_a_looking_child_ends_with_the_panel(host, panel):
    panel.support.look()
    child = panel.support._child
    panel.support.stop()
    assert child.state == "cancelled"
