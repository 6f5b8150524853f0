"""Segment sets: what goes in comes out, in a file that any HDF5 reader opens."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from checkout import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from SkullGANLib.data import segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError, OutputError

ARRAYS = ("hu", "mask", "pixel_to_ras", "subject", "bone", "side", "plane", "seed", "ct")


def make_set(count: int = 3, **changes) -> SegmentSet:
    """Segment i has i + 1 in its pixel (20, i), subject "subject-<i>", seed 10 * i."""
    hu = np.zeros((count, 128, 128), np.int16)
    hu[np.arange(count), 20, np.arange(count) % 128] = np.arange(count) + 1
    made = SegmentSet(
        hu=hu,
        mask=(hu != 0).astype(np.uint8),
        pixel_to_ras=np.eye(4) + np.arange(count)[:, None, None],
        subject=np.array([f"subject-{i}" for i in range(count)], dtype=np.str_),
        bone=np.array([segment_set.BONES[i % 4] for i in range(count)], dtype=np.str_),
        side=np.array([segment_set.SIDES[i % 3] for i in range(count)], dtype=np.str_),
        plane=np.array([segment_set.PLANES[i % 4] for i in range(count)], dtype=np.str_),
        seed=10 * np.arange(count),
        ct=np.array([f"ct-{i // 2}" for i in range(count)], dtype=np.str_),
        kind="real",
        source={"kernel": "BONEPLUS", "kvp": 120.0, "scanner": "GE größer"},
    )
    return replace(made, **changes)


def assert_same(found: SegmentSet, expected: SegmentSet) -> None:
    for one in fields(SegmentSet):
        have, need = getattr(found, one.name), getattr(expected, one.name)
        if one.name in ARRAYS:
            np.testing.assert_array_equal(have, need, err_msg=one.name)
        else:
            assert have == need, one.name


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "segments.h5"
    segment_set.write(path, make_set())
    return path


def test_a_set_read_is_the_set_written(tmp_path):
    segments = make_set(5, pixel_spacing_mm=0.5, hu_range=(-100.0, 3000.0), created_by="someone")
    segments.pixel_to_ras[2] = np.nan
    path = tmp_path / "größe 頭" / "with spaces.h5"

    segment_set.write(path, segments)

    found = segment_set.read(path)
    assert_same(found, segments)
    assert found.hu.dtype == np.int16
    assert found.mask.dtype == np.uint8
    assert found.seed.dtype == np.int64


@pytest.mark.parametrize("kind", segment_set.KINDS)
def test_sets_of_no_patient_and_of_no_segment_survive_the_file(tmp_path, kind):
    for count in (0, 2):
        pixels = np.ones((count, 128, 128))
        segments = segment_set.without_patient(pixels, pixels, np.arange(count), kind=kind)
        segment_set.write(tmp_path / "set.h5", segments)
        assert_same(segment_set.read(tmp_path / "set.h5"), segments)
        assert np.isnan(segments.pixel_to_ras).all()


@given(
    subject=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30),
    source=st.dictionaries(
        st.text(max_size=8),
        st.none()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False)
        | st.text(max_size=20)
        | st.lists(st.integers(0, 9), max_size=3),
        max_size=4,
    ),
    low=st.floats(-2000, 0),
    pixel=st.integers(-32768, 32767),
)
@settings(max_examples=40, deadline=None)
def test_whatever_text_and_source_it_holds_it_reads_back(
    tmp_path_factory, subject, source, low, pixel
):
    segments = make_set(1, subject=np.array([subject]), source=source, hu_range=(low, 1.0))
    segments.hu[0, 0, 0] = pixel
    path = tmp_path_factory.mktemp("set") / "set.h5"

    segment_set.write(path, segments)

    assert_same(segment_set.read(path), segments)


def test_the_same_set_gives_the_same_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        segment_set.write(tmp_path / name, make_set(20))

    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_any_hdf5_reader_finds_the_documented_names_and_types(file):
    with h5py.File(file, "r") as opened:
        assert set(opened) == set(ARRAYS)
        found = {name: (opened[name].shape, opened[name].dtype) for name in opened}
        assert found["hu"] == ((3, 128, 128), np.dtype(np.int16))
        assert found["mask"] == ((3, 128, 128), np.dtype(np.uint8))
        assert found["pixel_to_ras"] == ((3, 4, 4), np.dtype(np.float64))
        assert found["seed"] == ((3,), np.dtype(np.int64))
        for name in ("subject", "bone", "side", "plane", "ct"):
            assert found[name][0] == (3,)
            assert h5py.check_string_dtype(opened[name].dtype).encoding == "utf-8"
        assert opened["hu"].chunks == (1, 128, 128)
        assert opened["hu"].compression == "gzip"
        assert opened["hu"][1, 20, 1] == 2
        assert opened["subject"].asstr()[2] == "subject-2"
        attributes = dict(opened.attrs)
        assert set(attributes) == {
            "format", "format_version", "kind", "pixel_spacing_mm", "hu_range", "created_by",
            "source",
        }  # fmt: skip
        assert attributes["format"] == "skullgan-segments"
        assert attributes["format_version"] == 1
        assert attributes["kind"] == "real"
        assert attributes["pixel_spacing_mm"] == 0.45
        np.testing.assert_array_equal(attributes["hu_range"], [0, 2734.53])
        assert json.loads(attributes["source"])["kernel"] == "BONEPLUS"


def test_a_compressed_file_is_much_smaller_than_its_pixels(tmp_path):
    segment_set.write(tmp_path / "set.h5", make_set(100))

    assert (tmp_path / "set.h5").stat().st_size < 100 * 128 * 128 * 3 / 10


def test_appending_adds_at_the_end_and_starts_a_file_that_is_not_there(tmp_path):
    path, whole = tmp_path / "set.h5", make_set(7)

    segment_set.append(path, whole[:3])
    segment_set.append(path, whole[3:])

    assert_same(segment_set.read(path), whole)


def test_appending_what_does_not_fit_leaves_the_file_alone(file):
    before = file.read_bytes()

    with pytest.raises(BadInputError, match=r"differ in pixel_spacing_mm: 0.45 and 0.5"):
        segment_set.append(file, make_set(pixel_spacing_mm=0.5))

    assert file.read_bytes() == before


def test_appending_to_what_is_no_segment_set_leaves_it_alone(tmp_path):
    letter = tmp_path / "letter.h5"
    letter.write_text("Dear reader")

    with pytest.raises(BadInputError, match=r"letter\.h5"):
        segment_set.append(letter, make_set())

    assert letter.read_text() == "Dear reader"


@pytest.mark.parametrize("written", [1, 2, 5, 8])
def test_a_writer_killed_at_any_moment_leaves_the_segments_that_were_there(file, written):
    # The process dies for good (no handler runs) before the given dataset is made.
    code = (
        "import os, sys, h5py\n"
        "from SkullGANLib.data import segment_set as segmentset\n"
        "make, made = h5py.Group.create_dataset, []\n"
        "def dying(*args, **kwargs):\n"
        "    made.append(1)\n"
        "    if len(made) == int(sys.argv[2]):\n"
        "        os._exit(9)\n"
        "    return make(*args, **kwargs)\n"
        "h5py.Group.create_dataset = dying\n"
        "segmentset.append(sys.argv[1], segmentset.read(sys.argv[1]))\n"
    )
    library = ROOT / "SkullGAN"
    command = [sys.executable, "-c", code, str(file), str(written)]

    assert subprocess.run(command, cwd=library, check=False).returncode == 9

    assert_same(segment_set.read(file), make_set())
    segment_set.append(file, make_set())
    assert len(segment_set.read(file)) == 6


def test_a_failing_write_leaves_no_file_behind(tmp_path):
    unwritable = make_set(source={"not": object()})  # which JSON cannot hold

    with pytest.raises(TypeError):
        segment_set.write(tmp_path / "set.h5", unwritable)

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "taken").write_text("in the way")

    with pytest.raises(OutputError, match=r"set\.h5: cannot be written"):
        segment_set.write(tmp_path / "taken" / "set.h5", make_set())


def written_in_batches(path: Path, segments: SegmentSet, ends=(1, 3), **options) -> None:
    with segment_set.Writer(path, kind=segments.kind, **options) as writer:
        for start, end in zip((0, *ends), (*ends, None), strict=True):
            writer.append(segments[start:end])


@pytest.mark.parametrize("commit_every_s", [0, 5, None])
def test_a_writer_gives_the_bytes_of_the_whole_set_whatever_its_batches(tmp_path, commit_every_s):
    segment_set.write(tmp_path / "whole.h5", make_set(8))

    for name, ends in (("a.h5", (1, 3)), ("b.h5", (0, 7)), ("c.h5", ())):
        written_in_batches(tmp_path / name, make_set(8), ends, commit_every_s=commit_every_s)

        assert (tmp_path / name).read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4


DYING = """
import h5py, os, sys
from SkullGANLib.data import segment_set as segmentset
what, moment, whole, path = sys.argv[1:]
holder = h5py.Group if what == "create_dataset" else os
does, calls = getattr(holder, what), []
def dying(*args, **kwargs):
    calls.append(1)
    if len(calls) == int(moment):
        os._exit(9)
    return does(*args, **kwargs)
whole = segmentset.read(whole)
setattr(holder, what, dying)
with segmentset.Writer(path, kind=whole.kind, resume=True) as writer:
    for row in range(len(writer), len(whole)):
        writer.append(whole[row : row + 1])
        writer.commit()
"""


@pytest.mark.parametrize(
    ("what", "moment", "kept"),
    [("create_dataset", 2, None), ("create_dataset", 16, 1), ("replace", 3, 2), ("fsync", 4, 3)],
)
def test_a_writer_killed_at_any_moment_is_resumed_to_the_same_bytes(tmp_path, what, moment, kept):
    whole, path = tmp_path / "whole.h5", tmp_path / "killed.h5"
    segment_set.write(whole, make_set(6))
    library = ROOT / "SkullGAN"
    command = [sys.executable, "-c", DYING, what]

    killed = subprocess.run([*command, str(moment), whole, path], cwd=library, check=False)

    assert killed.returncode == 9
    assert (segment_set.count(path) if path.exists() else None) == kept
    with segment_set.Writer(path, kind="real", resume=True) as writer:
        writer.append(make_set(6)[len(writer) :])
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["killed.h5", "whole.h5"]


def test_an_exception_keeps_what_was_appended_unless_all_or_nothing_was_asked(tmp_path):
    def interrupted(path: Path, commit_every_s: float | None) -> None:
        with segment_set.Writer(path, kind="real", commit_every_s=commit_every_s) as writer:
            for _ in range(2):
                writer.append(make_set(3))
            raise KeyboardInterrupt

    for name, every_s in (("kept.h5", 3600), ("nothing.h5", None)):
        with pytest.raises(KeyboardInterrupt):
            interrupted(tmp_path / name, every_s)
    assert segment_set.count(tmp_path / "kept.h5") == 6
    assert [one.name for one in tmp_path.iterdir()] == ["kept.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_full_disk_is_told_in_a_sentence_and_what_was_committed_stays(tmp_path):
    code = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from SkullGANLib.data import segment_set as segmentset\n"
        "noise = np.random.default_rng(0).integers(-999, 999, (16, 128, 128))\n"
        "batch = segmentset.without_patient(noise, noise > 0, np.arange(16))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "with segmentset.Writer(sys.argv[1], kind='synthetic') as writer:\n"
        "    while True:\n"
        "        writer.append(batch)\n"
        "        writer.commit()\n"
    )
    path = tmp_path / "set.h5"
    library = ROOT / "SkullGAN"

    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=library, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1  # and not by a signal: HDF5 would crash
    assert "OutputError" in done.stderr
    assert "set.h5: cannot be written (File too large)" in done.stderr
    assert segment_set.read(path).seed.tolist() == 4 * list(range(16))
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_is_larger_than_the_room_that_is_reserved_for_it(tmp_path, monkeypatch):
    reserved = []
    monkeypatch.setattr(segment_set, "_reserve", lambda folder, size: reserved.append(size))
    noise = np.random.default_rng(0).integers(0, 1000, (300, 128, 128)).astype(np.int16)
    long = np.array(["größer" * 400] * 300)
    for segments in (
        make_set(0), make_set(1), make_set(1000), make_set(300, hu=noise),
        make_set(300, subject=long, ct=long), make_set(1, source={"long": "x" * 100_000}),
    ):  # fmt: skip
        segment_set.write(tmp_path / "set.h5", segments)

        assert (tmp_path / "set.h5").stat().st_size <= reserved[-1]


def test_a_writer_merges_the_sources_of_what_it_is_given(tmp_path):
    path = tmp_path / "set.h5"
    with segment_set.Writer(path, kind="real", source={"scanner": "GE"}) as writer:
        writer.append(make_set(1, source={"kernel": "BONEPLUS"}))
        writer.append(make_set(1, source={"kernel": "STANDARD"}))
    with segment_set.Writer(path, kind="real", resume=True) as writer:
        writer.append(make_set(1, source={"scanner": "GE"}))

    assert segment_set.read(path).source == {"scanner": "GE", "kernel": ["BONEPLUS", "STANDARD"]}


def test_a_writer_refuses_what_does_not_fit_and_goes_on(tmp_path):
    with segment_set.Writer(tmp_path / "set.h5", kind="real") as writer:
        writer.append(make_set(2))
        with pytest.raises(BadInputError, match="differ in kind: real and control"):
            writer.append(make_set(kind="control"))
        writer.append(make_set(1))

    assert segment_set.count(tmp_path / "set.h5") == 3


@pytest.mark.parametrize("options", [{}, {"chunks": (3, 128, 128)}, {"compression": "lzf"}])
def test_a_set_that_another_program_packed_otherwise_is_continued(file, options):
    with h5py.File(file, "a") as opened:
        for name in ("hu", "mask"):
            pixels = opened[name][...]
            del opened[name]
            opened.create_dataset(name, data=pixels, **options)

    segment_set.append(file, make_set(2))

    whole = segment_set.read(file)
    assert_same(whole[:3], make_set(3))
    assert_same(whole[3:], make_set(2))


def test_a_set_is_read_by_parts(tmp_path):
    whole = make_set(7)
    segment_set.write(tmp_path / "set.h5", whole)

    assert segment_set.count(tmp_path / "set.h5") == 7
    assert_same(segment_set.read(tmp_path / "set.h5", slice(2, 6, 2)), whole[2:6:2])
    assert segment_set.read(tmp_path / "set.h5", slice(0)).source == whole.source
    batches = list(segment_set.iterate(tmp_path / "set.h5", 3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert_same(segment_set.concatenate(batches), whole)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        BadInputError, match=r"nowhere\.h5: there is no such file.*\(\.h5\) is needed"
    ):
        segment_set.read(tmp_path / "nowhere.h5")


def test_a_folder_is_not_a_segment_set(tmp_path):
    with pytest.raises(BadInputError, match="there is no such file"):
        segment_set.read(tmp_path)


@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_named(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        segment_set.read(file)


@given(content=st.binary(max_size=400))
@settings(max_examples=40, deadline=None)
def test_random_bytes_are_refused_with_the_files_name(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("random") / "random.h5"
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=r"random\.h5: cannot be read as a segment set"):
        segment_set.read(path)


@given(place=st.floats(0, 1), value=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_file_with_a_changed_byte_is_read_or_refused_but_never_crashes(
    tmp_path_factory, place, value
):
    folder = tmp_path_factory.mktemp("changed")
    path = folder / "changed.h5"
    segment_set.write(path, make_set(2))
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] = value
    path.write_bytes(content)

    refusal = ""
    try:
        found = segment_set.read(path)
    except BadInputError as error:
        refusal = str(error)
    shutil.rmtree(folder)  # 150 of them

    assert "changed.h5" in refusal if refusal else found.hu.shape == (2, 128, 128)


def test_another_hdf5_file_is_refused_with_its_format(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as other:
        other["hu"] = np.zeros((1, 128, 128))
    with pytest.raises(BadInputError, match=r"other\.h5: .*format None.*'skullgan-segments'"):
        segment_set.read(path)

    with h5py.File(path, "a") as other:
        other.attrs["format"] = "weather"
    with pytest.raises(BadInputError, match=r"other\.h5: .*format 'weather'"):
        segment_set.read(path)


def test_a_later_version_asks_for_a_newer_program(file):
    with h5py.File(file, "a") as opened:
        opened.attrs["format_version"] = 2

    with pytest.raises(BadInputError, match=r"segments\.h5: .*version 2.*up to version 1; a newer"):
        segment_set.read(file)


def test_a_file_from_before_cts_were_named_is_read_with_empty_ones(file):
    with h5py.File(file, "a") as opened:
        del opened["ct"]

    assert_same(segment_set.read(file), make_set(ct=np.full(3, "")))
    segment_set.append(file, make_set())
    assert segment_set.read(file).ct.tolist() == ["", "", "", "ct-0", "ct-0", "ct-1"]


@pytest.mark.parametrize("name", ARRAYS[:-1])
def test_a_missing_part_is_named(file, name):
    with h5py.File(file, "a") as opened:
        del opened[name]

    with pytest.raises(BadInputError, match=rf"segments\.h5: .*incomplete.*{name}"):
        segment_set.read(file)


@pytest.mark.parametrize(
    "name", ["kind", "pixel_spacing_mm", "hu_range", "source", "created_by", "format_version"]
)
def test_a_missing_attribute_is_named(file, name):
    with h5py.File(file, "a") as opened:
        del opened.attrs[name]

    with pytest.raises(BadInputError, match=rf"segments\.h5: .*{name}"):
        segment_set.read(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "imaginary"), ("pixel_spacing_mm", "wide"), ("hu_range", 5.0), ("source", "{"),
        ("source", "[1, 2]"), ("format_version", "one"), ("hu_range", [0.0, 1.0, 2.0]),
        ("pixel_spacing_mm", 0.0), ("pixel_spacing_mm", -0.45), ("pixel_spacing_mm", float("nan")),
        ("hu_range", [3.0, 3.0]),
    ],
)  # fmt: skip
def test_an_attribute_that_makes_no_sense_is_refused_with_the_files_name(file, name, value):
    with h5py.File(file, "a") as opened:
        opened.attrs[name] = value

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        segment_set.read(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hu", np.zeros((3, 64, 64), np.int16)), ("mask", np.zeros((2, 128, 128), np.uint8)),
        ("subject", np.arange(3)), ("seed", np.zeros(5, np.int64)), ("bone", np.zeros((3, 2))),
        ("hu", np.full((3, 128, 128), np.nan)), ("hu", np.zeros((3, 128, 128), "S3")),
        ("pixel_to_ras", np.zeros((3, 4, 4), "S3")), ("seed", np.full(3, 0.5)),
    ],
)  # fmt: skip
def test_a_part_of_another_shape_or_type_is_refused_with_the_files_name(file, name, value):
    with h5py.File(file, "a") as opened:
        del opened[name]
        opened[name] = value

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        segment_set.read(file)


def test_a_group_in_place_of_a_dataset_is_refused(file):
    with h5py.File(file, "a") as opened:
        del opened["hu"]
        opened.create_group("hu")

    with pytest.raises(BadInputError, match=r"segments\.h5"):
        segment_set.read(file)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hu": np.zeros((3, 128, 64))}, r"hu is \(3, 128, 64\), needed is \(3, 128, 128\)"),
        ({"seed": np.zeros(2)}, r"seed is \(2,\), needed is \(3,\)"),
        ({"bone": np.array(["temporal", "femur", "parietal"])}, "bone is 'femur', needed is one"),
        ({"side": np.array(["left", "left", "up"])}, "side is 'up'"),
        ({"plane": np.array(["axial", "flat", "axial"])}, "plane is 'flat'"),
        ({"kind": "fake"}, "kind is 'fake'"),
        ({"pixel_spacing_mm": 0}, "pixel_spacing_mm is 0, more than 0"),
        ({"hu_range": (5, 5)}, r"hu_range is \(5, 5\), needed are two HU"),
        ({"source": "a CT"}, "source is 'a CT'"),
    ],
)
def test_a_set_that_does_not_fit_together_is_refused(changes, sentence):
    with pytest.raises(BadInputError, match=sentence):
        make_set(**changes)


def test_indexing_takes_the_same_segments_of_every_part():
    segments = make_set(6)

    for index in (slice(1, 4), [5, 0], np.array([True, False] * 3), np.array([2])):
        chosen = segments[index]
        order = np.arange(6)[index]
        assert len(chosen) == len(order)
        assert list(chosen.subject) == [f"subject-{i}" for i in order]
        assert list(chosen.seed) == [10 * i for i in order]
        assert [chosen.hu[k, 20, i] for k, i in enumerate(order)] == [i + 1 for i in order]


def test_joined_sets_keep_the_order_and_merge_their_sources():
    first = make_set(2, source={"kernel": "BONEPLUS", "kvp": 120})
    second = make_set(1, source={"kernel": "EDGE", "kvp": 120, "scanner": "X"})
    third = make_set(1, source={"kernel": "BONEPLUS"})

    joined = segment_set.concatenate([first, second, third])

    assert list(joined.subject) == ["subject-0", "subject-1", "subject-0", "subject-0"]
    assert joined.source == {"kernel": ["BONEPLUS", "EDGE"], "kvp": 120, "scanner": "X"}


def test_joining_nothing_or_sets_of_two_kinds_is_refused():
    with pytest.raises(BadInputError, match="at least one is needed"):
        segment_set.concatenate([])
    with pytest.raises(BadInputError, match="differ in kind: real and control"):
        segment_set.concatenate([make_set(), make_set(kind="control")])


def test_importing_segment_sets_brings_no_heavy_library():
    code = (
        "import sys, SkullGANLib, SkullGANLib.data.segment_set; "
        "sys.exit(bool({'torch', 'SimpleITK', 'cv2', 'sklearn', 'h5py'} & set(sys.modules)))"
    )
    library = ROOT / "SkullGAN"
    done = subprocess.run([sys.executable, "-c", code], cwd=library, check=False, env=os.environ)
    assert done.returncode == 0
