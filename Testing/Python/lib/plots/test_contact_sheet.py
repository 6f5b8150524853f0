"""Contact sheets: every segment at its place, in its gray, the same bytes every time."""

import os

import numpy as np
import pytest
from PIL import Image
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.plots import contact_sheet


@pytest.fixture
def wall() -> np.ndarray:
    """Ten segments with a wall in rows 20 to 29 of 100, 200, ..., 1000 HU."""
    hu = np.zeros((10, 128, 128), np.int16)
    hu[:, 20:30] = 100 * np.arange(1, 11)[:, None, None]
    return hu


def tile(sheet: np.ndarray, row: int, column: int, height: int, below: int = 0) -> np.ndarray:
    top, left = 2 + row * (height + below + 2), 2 + column * 130
    return sheet[top : top + height, left : left + 128]


def test_segments_stand_in_rows_in_their_order(wall):
    sheet = contact_sheet.contact_sheet(wall, columns=4, window_hu=(0, 1000), crop=False)

    assert sheet.shape == (2 + 3 * 130, 2 + 4 * 130)
    assert sheet.dtype == np.uint8
    for index in range(10):
        shown = tile(sheet, index // 4, index % 4, 128)
        assert np.all(shown[20:30] == round((index + 1) * 25.5))
        assert np.all(shown[:20] == 0)
        assert np.all(shown[30:] == 0)


def test_by_default_only_rows_in_use_and_four_around_them_are_shown(wall):
    wall[3, 40, 7] = 5

    sheet = contact_sheet.contact_sheet(wall, columns=10)

    assert contact_sheet.used_rows(wall) == slice(16, 45)
    assert sheet.shape == (2 + (45 - 16) + 2, 2 + 10 * 130)


def test_segments_that_are_empty_throughout_are_shown_whole():
    assert contact_sheet.contact_sheet(np.zeros((1, 128, 128), np.int16)).shape == (132, 132)


def test_gray_is_black_below_and_white_above_the_window(wall):
    wall[0, 20], wall[0, 21], wall[0, 22] = -1024, 32767, 500

    shown = tile(contact_sheet.contact_sheet(wall[:1], window_hu=(0, 1000), crop=False), 0, 0, 128)

    assert [int(shown[row, 0]) for row in (20, 21, 22)] == [0, 255, 128]


def test_fewer_segments_than_columns_make_a_narrow_sheet(wall):
    assert contact_sheet.contact_sheet(wall[:1], crop=False).shape == (132, 132)


def test_captions_stand_below_their_segments_and_leave_the_pixels_alone(wall):
    plain = contact_sheet.contact_sheet(wall, columns=5, crop=False)
    captions = ["temporal left"] * 9 + [""]

    sheet = contact_sheet.contact_sheet(wall, columns=5, crop=False, captions=captions)

    for index in range(10):
        row, column = divmod(index, 5)
        at = tile(sheet, row, column, 128, below=14)
        np.testing.assert_array_equal(at, tile(plain, row, column, 128))
        top, left = 2 + row * 144 + 128, 2 + column * 130
        written = sheet[top : top + 14, left : left + 128].max()
        assert (written > 200) == (index < 9)


def test_a_caption_too_long_is_cut_and_one_in_any_script_is_drawn(wall):
    captions = ["x" * 500, "日本語 Schläfenbein", "two\nlines\tand tabs"]

    sheet = contact_sheet.contact_sheet(wall[:3], captions=captions, crop=False)

    assert sheet.shape == (2 + 144, 2 + 3 * 130)
    assert np.all(sheet[:, 130:132] == sheet[0, 0])  # the gap after the first is untouched


def test_a_set_beyond_the_limit_says_in_its_last_tile_how_many_are_left_out(wall):
    many = np.repeat(wall, 300, axis=0)

    sheet = contact_sheet.contact_sheet(many, columns=8, limit=16)

    height = 30 + 4 - 16
    assert sheet.shape == (2 + 2 * (height + 2), 2 + 8 * 130)
    np.testing.assert_array_equal(tile(sheet, 1, 6, height)[4:14], tile(sheet, 0, 0, height)[4:14])
    last = tile(sheet, 1, 7, height)
    assert last.max() > 200  # "2,985 more"
    assert np.median(last) == sheet[0, 0]


def test_a_set_of_exactly_the_limit_is_shown_whole(wall):
    sheet = contact_sheet.contact_sheet(wall, columns=5, limit=10, crop=False)

    assert np.all(tile(sheet, 1, 4, 128)[20:30] == round(1000 * 255 / 2000))


def test_the_file_is_a_gray_png_with_the_sheets_pixels_and_the_same_bytes_again(tmp_path, wall):
    first, second = tmp_path / "für Köln" / "a.png", tmp_path / "b"

    for path in (first, second):
        contact_sheet.write_contact_sheet(
            path, wall, columns=4, captions=[str(i) for i in range(10)]
        )

    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as picture:
        assert (picture.format, picture.mode) == ("PNG", "L")
        expected = contact_sheet.contact_sheet(
            wall, columns=4, captions=[str(i) for i in range(10)]
        )
        np.testing.assert_array_equal(np.asarray(picture), expected)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["b"]


@pytest.mark.parametrize(
    ("hu", "settings", "sentence"),
    [
        (np.zeros((0, 128, 128)), {}, "no segment"),
        (np.zeros((128, 128)), {}, r"\(128, 128\).*\(segments, rows, columns\)"),
        (np.zeros((2, 8, 8)), {"captions": ["one"]}, "1 captions for 2 segments"),
        (np.zeros((2, 8, 8)), {"window_hu": (5, 5)}, r"\(5, 5\) HU"),
        (np.zeros((2, 8, 8)), {"columns": 0}, "0 columns"),
        (np.zeros((2, 8, 8)), {"limit": 0}, "limit of 0"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(tmp_path, hu, settings, sentence):
    with pytest.raises(BadInputError, match=sentence):
        contact_sheet.write_contact_sheet(tmp_path / "sheet.png", hu, **settings)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path, wall):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(OutputError, match=f"file{os.sep}sheet.png".replace("\\", "\\\\")):
        contact_sheet.write_contact_sheet(tmp_path / "file" / "sheet.png", wall)
