"""Whether sets come from one scanner, as far as it was noted."""

from __future__ import annotations

from dataclasses import replace

from examples import arches
from SkullGANLib.evaluation.measures.scanners import noted, other_scanner


def of(source):
    return replace(arches(1), source=source)


def test_what_is_noted_of_single_cts_and_of_lists_is_found():
    assert noted(of({"kernel": ["BONE", "SOFT"]}), "kernel") == {"BONE", "SOFT"}
    assert noted(of({"cts": {"a": {"kernel": "BONE"}, "b": {}}}), "kernel") == {"BONE"}
    assert noted(of({}), "kernel") == set()


def test_another_scanner_or_kernel_is_named_and_what_is_unknown_is_none():
    ge, siemens = of({"scanner": "GE", "kernel": "BONE"}), of({"scanner": "Siemens"})
    assert other_scanner(ge, siemens) == "GE and Siemens"
    assert other_scanner(ge, of({"scanner": "GE", "kernel": "H70"})) == "BONE and H70"
    assert other_scanner(ge, ge) == other_scanner(ge, of({})) == ""
