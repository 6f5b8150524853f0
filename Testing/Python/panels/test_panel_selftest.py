"""What ``Testing/Slicer`` has for a real Slicer, in the host."""

from __future__ import annotations

import unittest

import pytest
import qt_needed  # noqa: F401
import slicer.util
from checkout import ROOT
from SlicerHost.host import Host


def passed(case: type[unittest.TestCase]) -> unittest.TestResult:
    """Run a test case as Slicer's ``slicer.testing.runUnitTest`` does."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun
    assert result.wasSuccessful(), result.errors + result.failures
    return result


@pytest.fixture
def host(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "Testing" / "Slicer"))
    with Host() as host:
        yield host


def test_the_installation_test_passes(host):
    import test_skullgan_installation as tests

    for name in tests.MODULES:
        host.load_module(ROOT / name / f"{name}.py")
    passed(tests.InstallationTest)


def test_panels_are_not_walked_by_ctest_without_the_packages(host, monkeypatch):
    import test_skullgan_panels as tests
    from SkullGANGui import packages

    lacking = packages.Package("skullgan_lacks_this", "lacking", "1 MB")
    monkeypatch.setitem(packages.PACKAGES, lacking.module, lacking)
    monkeypatch.setattr(packages, "EVALUATION", (lacking.module,))
    [(_test, reason)] = passed(tests.PanelsTest).skipped
    assert reason == "lacking are not installed in this Slicer"


@pytest.mark.slow
def test_the_walk_through_the_skullgan_panel_passes(host, capsys):
    import self_test

    host.open_module(ROOT / "SkullGAN" / "SkullGAN.py")
    assert self_test.walk("SkullGAN") == "PASS"
    assert "no-such-model.safetensors: there is no such file" in capsys.readouterr().out


def test_a_walk_names_the_step_that_failed_and_takes_no_further_one(host, capsys):
    import self_test

    taken = []

    def a_good_step(walk):
        taken.append(1)

    def a_bad_step(walk):
        raise AssertionError("the panel is empty")

    answer = self_test.run(None, [a_good_step, a_bad_step, a_good_step])
    assert answer.startswith("FAILED at: a bad step\n")
    assert answer.rstrip().endswith("AssertionError: the panel is empty")
    assert (taken, capsys.readouterr().out) == ([1], "done: a good step\n")


def test_no_message_box_waits_for_somebody_while_panels_are_walked(host, capsys):
    """Messages are printed and questions answered with yes; then all is as before."""
    import self_test

    with self_test.unattended():
        slicer.util.errorDisplay("something is wrong")
        assert slicer.util.confirmYesNoDisplay("Really?")
        assert slicer.util.confirmOkCancelDisplay("Sure?")
    said = [line for line in capsys.readouterr().out.splitlines() if "message: " in line]
    assert said == ["  message: something is wrong", "  message: Really?", "  message: Sure?"]
    slicer.util.errorDisplay("and now?")
    assert host.take_messages() == ["and now?"]
