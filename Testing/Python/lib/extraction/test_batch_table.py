"""The table beside a set, and that the two stay in step."""

from dataclasses import replace

import numpy as np
import pytest
from numbered_sets import make_set
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.extraction import batch_table
from SkullGANLib.extraction.batch_table import DONE, FAILED, Book, Row

NAMES = ('größer, "JD".nrrd', "two.nrrd")


def of_ct(pseudonym):
    """Three segments of one CT."""
    found = replace(make_set(3), ct=np.full(3, pseudonym), subject=np.full(3, pseudonym))
    return replace(found, source={"cts": {pseudonym: {"dropped": {}, "segments": 3}}})


@pytest.fixture
def rows():
    return {name: Row(name) for name in NAMES}


def test_what_is_written_is_read_again(rows, tmp_path):
    output = tmp_path / "set.h5"
    cut = rows[NAMES[0]].completed(of_ct("one"))
    with Book(output, rows, {}, 0.45) as book:
        book.enter(replace(cut, seconds=1.5), of_ct("one"))
        book.enter(rows[NAMES[1]].failed("two.nrrd: cannot be read."), None)
    again = batch_table.read_table(batch_table.table_of(output))
    assert again == rows
    assert [row.state for row in again.values()] == [DONE, FAILED]
    assert hdf5.count(output) == again[NAMES[0]].segments == 3


def test_voxels_that_the_set_has_are_not_added_again(rows, tmp_path):
    output = tmp_path / "set.h5"
    with Book(output, rows, {}, 0.45) as book:
        book.enter(rows[NAMES[0]].completed(of_ct("one")), of_ct("one"))
        again = book.enter(rows[NAMES[1]].completed(of_ct("one")), of_ct("one"))
    assert (
        again.sentence == f"two.nrrd: 0 segments (the same voxels as {NAMES[0]}, not added again)"
    )
    assert hdf5.count(output) == 3


def test_the_same_settings_give_the_same_text():
    settings = {"bones": ["temporal", "parietal"], "interval_mm": 3.1}
    turned = {"interval_mm": 3.1, "bones": ("parietal", "temporal", "parietal")}
    assert batch_table.settings_text(settings) == batch_table.settings_text(turned)


@pytest.mark.parametrize("text", ["", "my,own\n1,2\n", "\0\0"])
def test_another_file_is_no_table(text, tmp_path):
    path = tmp_path / "set.csv"
    path.write_text(text)
    with pytest.raises(BadInputError, match="is not the table of a batch"):
        batch_table.read_table(path)


def test_a_table_that_cannot_be_written_is_known_before_the_first_cut(rows, tmp_path):
    (tmp_path / "set.csv").mkdir()
    with pytest.raises(OutputError, match=r"set\.csv: cannot be written"):
        Book(tmp_path / "set.h5", rows, {}, 0.45)


def test_a_set_is_removed_with_its_table(tmp_path):
    for name in ("set.h5", "set.csv", "other.h5"):
        (tmp_path / name).touch()
    batch_table.remove(tmp_path / "set.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["other.h5"]
