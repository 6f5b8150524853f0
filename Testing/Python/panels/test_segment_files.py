"""The dialog that asks where segments are to be saved."""

from __future__ import annotations

import pytest
import qt_needed  # noqa: F401
from SkullGANLib.export import FORMATS, Format, registered
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

    assert offered == [f"{one.title} (*{one.endings[0]})" for one in FORMATS.values()]
    for one in ("Segment set (*.h5)", "NIfTI (*.nii.gz)", "PNG (*.png-folder)"):
        assert one in offered


def test_one_place_is_enough_for_a_format_to_be_in_the_dialog(host, tmp_path):
    from SkullGANGui.sections import segment_files

    with registered(TOY):
        assert "Toy (*.toy)" in segment_files.fileFilters()
        dialogs.FILE_ANSWERS.append((str(tmp_path / "set"), "Toy (*.toy)"))
        assert segment_files.askForSegments("Save", "set") == str(tmp_path / "set.toy")


@pytest.mark.parametrize(
    ("typed", "chosen", "name"),
    [
        ("set", "Segment set (*.h5)", "set.h5"),
        ("set", "NIfTI (*.nii.gz)", "set.nii.gz"),
        ("set.nii.gz", "Segment set (*.h5)", "set.nii.gz"),
        ("head 1.5 mm", "MATLAB (*.mat)", "head 1.5 mm.mat"),
    ],
)
def test_a_name_without_a_known_ending_gets_that_of_the_chosen_format(
    host, tmp_path, typed, chosen, name
):
    from SkullGANGui.sections import segment_files

    dialogs.FILE_ANSWERS.append((str(tmp_path / typed), chosen))

    assert segment_files.askForSegments("Save", "set") == str(tmp_path / name)


def test_thinking_better_of_it_gives_no_file(host):
    from SkullGANGui.sections import segment_files

    dialogs.FILE_ANSWERS.append("")

    assert segment_files.askForSegments("Save", "set") == ""


@pytest.mark.parametrize("answer", ["Yes", "No"])
@pytest.mark.parametrize(
    ("typed", "chosen", "there"),
    [
        ("set", "Segment set (*.h5)", "set.h5"),
        ("set.h5", "Segment set (*.h5)", "set.h5"),
        ("v1.5", "NRRD (*.nrrd)", "v1.5.nrrd"),
        ("set", "NIfTI (*.nii.gz)", "set-mask.nii.gz"),
    ],
)
def test_no_file_is_replaced_that_the_user_was_not_asked_about_once(
    host, tmp_path, typed, chosen, there, answer
):
    """Whatever the ending comes from; masks and metrics lie in files of their own."""
    from SkullGANGui.sections import segment_files

    (tmp_path / there).touch()
    dialogs.FILE_ANSWERS.append((str(tmp_path / typed), chosen))
    dialogs.ANSWERS.append(answer)

    path = segment_files.askForSegments("Save", "set")

    assert bool(path) == (answer == "Yes")
    assert there in dialogs.ASKED[-1]
    assert not dialogs.ANSWERS


def test_the_next_dialog_begins_where_the_last_one_ended(host, tmp_path):
    from SkullGANGui.sections import segment_files

    dialogs.FILE_ANSWERS.append(str(tmp_path / "set"))
    segment_files.askForSegments("Save", "set")
    dialogs.FILE_ANSWERS.append("elsewhere")  # a name alone: it goes into the dialog's folder

    assert segment_files.askForSegments("Save", "set") == str(tmp_path / "elsewhere.h5")
