"""What the commands that write segments share: their options, and what is not replaced."""

import pytest
from SkullGANLib.cli.options import Parser
from SkullGANLib.cli.segment_files import add_segments_output, refuse_taken
from SkullGANLib.errors import BadInputError
from SkullGANLib.export import FORMATS


@pytest.mark.parametrize("converting", [True, False])
def test_help_names_every_format_and_the_endings_that_choose_it(converting):
    parser = Parser(prog="any")
    add_segments_output(parser, converting=converting)
    shown = " ".join(parser.format_help().split())
    for name, format in FORMATS.items():
        written = not (converting and format.reads_back)
        assert (f"{name}: {format.description}" in shown) is written
    assert ("(.h5, .nrrd" in shown) != converting
    assert parser.parse_args(["-o", "a.npy", "--format", "npy"]).metrics


def test_a_file_that_is_there_is_named_and_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    refuse_taken([tmp_path / "empty", tmp_path / "new.npy"])
    (tmp_path / "empty" / "thesis.tex").touch()

    with pytest.raises(BadInputError, match="empty: is there already, expected a new name"):
        refuse_taken([tmp_path / "new.npy", tmp_path / "empty"])
