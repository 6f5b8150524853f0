"""The errors that VTK reports beside its return values."""

from __future__ import annotations

import pytest
import vtk
from SkullGANScene.nodes.vtk_errors import heard_errors


def report(sentence: str) -> None:
    vtk.vtkOutputWindow.GetInstance().DisplayErrorText(sentence)


def test_errors_are_heard_in_their_order_and_on_one_line_each():
    with heard_errors() as errors:
        report("the disk\n  is full")
        report("no such file")
    assert errors == ["the disk is full", "no such file"]


def test_a_reader_that_finds_no_file_is_heard(tmp_path):
    with heard_errors() as errors:
        reader = vtk.vtkXMLPolyDataReader()
        reader.SetFileName(str(tmp_path / "gone.vtp"))
        reader.Update()
    assert len(errors) >= 1
    assert "gone.vtp" in errors[0]


def test_nothing_is_heard_once_the_block_is_left_even_by_an_exception():
    with heard_errors() as outer:
        with pytest.raises(ValueError, match="left"), heard_errors() as errors:
            raise ValueError("left")
        report("later")
    assert errors == []
    assert outer == ["later"]
