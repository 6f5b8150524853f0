"""The dialog that asks where segments are to be saved."""

from __future__ import annotations

import pytest
import qt_needed  # noqa: F401
from SkullGANLib.export import Format, registered
from SlicerHost import dialogs

TOY = Format(
    name="toy",
    title="Toy",
    endings=(".toy",),
    description="nothing",
    write=lambda stack, path: None,
)


def test_the_dialog_offers_every_format(host):
    from SkullGANGui.sections import segment_files

    offered = segment_files.fileFilters().split(";;")

    assert offered == [
        "Segment set (*.h5)", "NRRD (*.nrrd)", "NIfTI (*.nii.gz)", "NumPy (*.npy)",
        "MATLAB (*.mat)", "PNG (*.png-folder)", "DICOM (*.dcm-folder)",
    ]  # fmt: skip


def test_one_place_is_enough_for_a_format_to_be_in_the_dialog(host):
    from SkullGANGui.sections import segment_files

    with registered(TOY):
        assert "Toy (*.toy)" in segment_files.fileFilters()
        dialogs.FILE_ANSWERS.append("/somewhere/set.toy")
        assert segment_files.askForSegments("Save", "set.h5") == "/somewhere/set.toy"


@pytest.mark.parametrize(
    ("typed", "path"),
    [("", ""), ("/a/set", "/a/set.h5"), ("/a/set.nii.gz", "/a/set.nii.gz"), ("/a.h5", "/a.h5")],
)
def test_a_name_without_a_known_ending_becomes_a_segment_set(host, typed, path):
    from SkullGANGui.sections import segment_files

    dialogs.FILE_ANSWERS.append(typed)

    assert segment_files.askForSegments("Save", "set.h5") == path
