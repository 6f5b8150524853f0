"""Pictures to pre-train on: squares of known gray, out of folders and zips."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks.model_file import from_hu
from SkullGANLib.training.pictures import read_pictures


def encoded(pixels: np.ndarray, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


def plain(gray: int, height: int = 128, width: int = 128) -> np.ndarray:
    return np.full((height, width), gray, np.uint8)


def only(folder: Path, content: bytes, name: str = "one.png") -> np.ndarray:
    """The one picture that a folder with that file gives."""
    (folder / name).write_bytes(content)
    return read_pictures(folder).hu[0]


@pytest.fixture
def files() -> dict[str, bytes]:
    """Pictures of gray 10, 20, 30 in the order of their names, as CelebA lays them out."""
    names = ("list_attr.csv", "img_align_celeba/000003.png", "img_align_celeba/000001.png",
             "img_align_celeba/000002.png", "img_align_celeba/._000001.png",
             "__MACOSX/img_align_celeba/000004.png")  # fmt: skip
    grays = (0, 30, 10, 20, 0, 0)
    return {name: encoded(plain(gray)) for name, gray in zip(names, grays, strict=True)}


def as_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def as_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("packed", [as_folder, as_zip])
def test_pictures_of_a_folder_or_zip_come_in_the_order_of_their_names(tmp_path, files, packed):
    found = read_pictures(packed(tmp_path / "celeba", files))
    assert found.hu.dtype == np.uint8
    assert found.hu.shape == (3, 128, 128)
    assert found.hu.max(axis=(1, 2)).tolist() == found.hu.min(axis=(1, 2)).tolist() == [10, 20, 30]
    assert found.source == {"pictures": 3, "of": 3, "seed": 0}
    assert found.skipped == ()


def test_networks_see_black_as_minus_one_and_white_as_one(tmp_path):
    files = {"a.png": encoded(plain(0)), "b.png": encoded(plain(255))}
    found = read_pictures(as_folder(tmp_path, files))
    seen = from_hu(found.hu, found.hu_range)
    assert seen[:, 0, 0, 0].tolist() == [-1.0, 1.0]


def test_the_square_in_the_middle_is_used(tmp_path):
    tall = plain(255, 256, 128)
    tall[64:192] = 100
    assert (only(tmp_path, encoded(tall)) == 100).all()
    assert (only(tmp_path, encoded(np.ascontiguousarray(tall.T))) == 100).all()


def test_colors_become_their_luma(tmp_path):
    red = np.zeros((128, 128, 3), np.uint8)
    red[..., 0] = 255
    assert (only(tmp_path, encoded(red)) == round(0.299 * 255)).all()


def test_a_pattern_finer_than_the_result_becomes_its_mean(tmp_path):
    rows, columns = np.indices((256, 256))
    checked = ((rows + columns) % 2 * 255).astype(np.uint8)
    inside = only(tmp_path, encoded(checked))[2:-2, 2:-2]
    assert np.abs(inside - 127.5).max() <= 1


def test_a_photograph_that_lies_on_its_side_is_turned_upright(tmp_path):
    top_white = plain(0)
    top_white[:64] = 255
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown a quarter turn clockwise
    content = encoded(top_white, "JPEG", quality=95, exif=turned)
    found = only(tmp_path, content, "one.jpg")
    assert found[:, 72:].min() > 240
    assert found[:, :56].max() < 15


def huge(side: int) -> bytes:
    """A PNG that says it has so many pixels a side, and has not."""
    content = bytearray(encoded(plain(0)))
    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"nonsense", "cannot be decoded"),
        (b"", "cannot be decoded"),
        (encoded(plain(9), "JPEG")[:300], "cannot be decoded"),
        (encoded(plain(9))[:60], "cannot be decoded"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n", "cannot be decoded"),
        (encoded(plain(9, 127, 300)), "300 x 127, expected at least 128 x 128"),
        (encoded(plain(9).astype(np.uint16)), "pixels of mode I;16, expected 8 bits a channel"),
        (huge(9_000), "9000 x 9000, expected at most 64,000,000 pixels"),
        (huge(40_000), "cannot be decoded"),
    ],
    ids=["text", "empty", "half JPEG", "half PNG", "EPS", "small", "16 bits", "large", "bomb"],
)
@pytest.mark.parametrize("packed", [as_folder, as_zip])
def test_what_cannot_be_used_is_skipped_and_named(tmp_path, packed, content, reason):
    files = {"a.png": encoded(plain(1)), "b/bad.jpg": content, "c.png": encoded(plain(3))}
    found = read_pictures(packed(tmp_path / "pictures", files))
    assert found.hu[:, 0, 0].tolist() == [1, 3]
    (skipped,) = found.skipped
    assert skipped.startswith("b/bad.jpg (")
    assert reason in skipped
    assert found.source == {"pictures": 2, "of": 3, "seed": 0}


def test_a_file_far_too_large_for_a_picture_is_not_read(tmp_path):
    as_folder(tmp_path, {"a.png": encoded(plain(1))})
    with open(tmp_path / "b.png", "wb") as file:
        file.truncate(65 * 2**20)
    assert read_pictures(tmp_path).skipped == ("b.png (65 MiB, expected at most 64)",)


def test_encrypted_pictures_and_those_that_a_zip_damaged_are_skipped(tmp_path):
    path = as_zip(tmp_path / "a.zip", {"a.png": encoded(plain(1)), "b.png": encoded(plain(2))})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # "encrypted", in the directory's entry of the first
    path.write_bytes(content)
    found = read_pictures(path)
    assert found.hu[:, 0, 0].tolist() == [2]
    assert found.skipped == ("a.png (cannot be decoded)",)


def test_a_zip_is_not_unpacked_whatever_its_names_say(tmp_path):
    files = {"/tmp/../a.png": encoded(plain(1)), "/b.png": encoded(plain(2)), "\33[2J.jpg": b""}
    (tmp_path / "inner").mkdir()
    found = read_pictures(as_zip(tmp_path / "inner" / "a.zip", files))
    assert found.hu[:, 0, 0].tolist() == [2]
    assert found.skipped == ("?[2J.jpg (cannot be decoded)",)
    assert [one.name for one in tmp_path.rglob("*")] == ["inner", "a.zip"]


def test_a_zip_that_would_unpack_to_a_hundred_times_its_size_is_refused(tmp_path):
    path = as_zip(tmp_path / "bomb.zip", {"a.png": bytes(70 * 2**20)})
    with pytest.raises(BadInputError, match=r"would unpack to 0\.1 GiB, more than 100 times"):
        read_pictures(path)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "there is no such folder or zip of pictures"),
        (
            lambda path: path.mkdir(),
            "of 0 pictures (.jpg, .jpeg, .png, .bmp, .tif, .tiff, .webp) 0",
        ),
        (lambda path: path.write_bytes(b"PK no zip"), "expected a folder or zip of pictures"),
        (lambda path: as_zip(path, {"a.txt": b""}), "0 can be used; expected at least 4"),
        (
            lambda path: as_folder(path, {"a.png": encoded(plain(1)), "b.png": b"bad"}),
            "of 2 pictures (.jpg, .jpeg, .png, .bmp, .tif, .tiff, .webp) 1 cannot be used "
            "(b.png (cannot be decoded), ...), 1 can be used; expected at least 4.",
        ),
    ],
    ids=["nothing", "empty", "no zip", "no pictures", "too few"],
)
def test_fewer_pictures_than_expected_are_refused_with_the_reason(tmp_path, make, sentence):
    make(tmp_path / "pictures")
    with pytest.raises(BadInputError) as refused:
        read_pictures(tmp_path / "pictures", least=4)
    assert f"{tmp_path / 'pictures'}: " in str(refused.value)
    assert sentence in str(refused.value)


def test_a_limit_chooses_at_random_and_keeps_the_order(tmp_path):
    as_folder(tmp_path, {f"{gray:03}.png": encoded(plain(gray)) for gray in range(40)})
    first, again, other = (
        read_pictures(tmp_path, limit=10, seed=seed).hu[:, 0, 0].tolist() for seed in (1, 1, 2)
    )
    assert first == again == sorted(first)
    assert len(set(first)) == 10
    assert first != other
    assert max(first) > 10
    assert len(read_pictures(tmp_path, limit=100)) == 40
    with pytest.raises(BadInputError, match="limit is 0"):
        read_pictures(tmp_path, limit=0)


def test_progress_counts_the_pictures(tmp_path):
    as_folder(tmp_path, {f"{gray}.png": encoded(plain(gray)) for gray in range(3)})
    reported = []
    read_pictures(tmp_path, on_progress=lambda *counts: reported.append(counts))
    assert reported == [(3, 3)]
