"""Segment sets in files: what goes in comes out, whatever interrupts it."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from checkout import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered_sets import assert_same, make_set
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.errors import BadInputError, OutputError


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "segments.h5"
    hdf5.write(path, make_set())
    return path


def test_a_set_read_is_the_set_written(tmp_path):
    segments = make_set(5, pixel_spacing_mm=0.5, hu_range=(-100.0, 3000.0), created_by="someone")
    segments.pixel_to_ras[2] = np.nan
    path = tmp_path / "größe 頭" / "with spaces.h5"

    hdf5.write(path, segments)

    found = hdf5.read(path)
    assert_same(found, segments)
    assert found.hu.dtype == np.int16
    assert found.mask.dtype == np.uint8
    assert found.seed.dtype == np.int64


@pytest.mark.parametrize("kind", segment_set.KINDS)
def test_sets_of_no_patient_and_of_no_segment_survive_the_file(tmp_path, kind):
    for count in (0, 2):
        pixels = np.ones((count, 128, 128))
        segments = segment_set.without_patient(pixels, pixels, np.arange(count), kind=kind)
        hdf5.write(tmp_path / "set.h5", segments)
        assert_same(hdf5.read(tmp_path / "set.h5"), segments)
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

    hdf5.write(path, segments)

    assert_same(hdf5.read(path), segments)


def test_the_same_set_gives_the_same_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        hdf5.write(tmp_path / name, make_set(20))

    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_appending_adds_at_the_end_and_starts_a_file_that_is_not_there(tmp_path):
    path, whole = tmp_path / "set.h5", make_set(7)

    hdf5.append(path, whole[:3])
    hdf5.append(path, whole[3:])

    assert_same(hdf5.read(path), whole)


def test_appending_what_does_not_fit_leaves_the_file_alone(file):
    before = file.read_bytes()

    with pytest.raises(BadInputError, match=r"differ in pixel_spacing_mm: 0.45 and 0.5"):
        hdf5.append(file, make_set(pixel_spacing_mm=0.5))

    assert file.read_bytes() == before


def test_appending_to_what_is_no_segment_set_leaves_it_alone(tmp_path):
    letter = tmp_path / "letter.h5"
    letter.write_text("Dear reader")

    with pytest.raises(BadInputError, match=r"letter\.h5"):
        hdf5.append(letter, make_set())

    assert letter.read_text() == "Dear reader"


@pytest.mark.parametrize("written", [1, 2, 5, 8])
def test_a_writer_killed_at_any_moment_leaves_the_segments_that_were_there(file, written):
    # The process dies for good (no handler runs) before the given dataset is made.
    code = (
        "import os, sys, h5py\n"
        "from SkullGANLib.data import hdf5\n"
        "make, made = h5py.Group.create_dataset, []\n"
        "def dying(*args, **kwargs):\n"
        "    made.append(1)\n"
        "    if len(made) == int(sys.argv[2]):\n"
        "        os._exit(9)\n"
        "    return make(*args, **kwargs)\n"
        "h5py.Group.create_dataset = dying\n"
        "hdf5.append(sys.argv[1], hdf5.read(sys.argv[1]))\n"
    )
    library = ROOT / "SkullGAN"
    command = [sys.executable, "-c", code, str(file), str(written)]

    assert subprocess.run(command, cwd=library, check=False).returncode == 9

    assert_same(hdf5.read(file), make_set())
    hdf5.append(file, make_set())
    assert len(hdf5.read(file)) == 6


def test_a_failing_write_leaves_no_file_behind(tmp_path):
    unwritable = make_set(source={"not": object()})  # which JSON cannot hold

    with pytest.raises(TypeError):
        hdf5.write(tmp_path / "set.h5", unwritable)

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "taken").write_text("in the way")

    with pytest.raises(OutputError, match=r"set\.h5: cannot be written"):
        hdf5.write(tmp_path / "taken" / "set.h5", make_set())


def written_in_batches(path: Path, segments: SegmentSet, ends=(1, 3), **options) -> None:
    with hdf5.Writer(path, kind=segments.kind, **options) as writer:
        for start, end in zip((0, *ends), (*ends, None), strict=True):
            writer.append(segments[start:end])


@pytest.mark.parametrize("commit_every_s", [0, 5, None])
def test_a_writer_gives_the_bytes_of_the_whole_set_whatever_its_batches(tmp_path, commit_every_s):
    hdf5.write(tmp_path / "whole.h5", make_set(8))

    for name, ends in (("a.h5", (1, 3)), ("b.h5", (0, 7)), ("c.h5", ())):
        written_in_batches(tmp_path / name, make_set(8), ends, commit_every_s=commit_every_s)

        assert (tmp_path / name).read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4


DYING = """
import h5py, os, sys
from SkullGANLib.data import hdf5
what, moment, whole, path = sys.argv[1:]
holder = h5py.Group if what == "create_dataset" else os
does, calls = getattr(holder, what), []
def dying(*args, **kwargs):
    calls.append(1)
    if len(calls) == int(moment):
        os._exit(9)
    return does(*args, **kwargs)
whole = hdf5.read(whole)
setattr(holder, what, dying)
with hdf5.Writer(path, kind=whole.kind, resume=True) as writer:
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
    hdf5.write(whole, make_set(6))
    library = ROOT / "SkullGAN"
    command = [sys.executable, "-c", DYING, what]

    killed = subprocess.run([*command, str(moment), whole, path], cwd=library, check=False)

    assert killed.returncode == 9
    assert (hdf5.count(path) if path.exists() else None) == kept
    with hdf5.Writer(path, kind="real", resume=True) as writer:
        writer.append(make_set(6)[len(writer) :])
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["killed.h5", "whole.h5"]


def test_an_exception_keeps_what_was_appended_unless_all_or_nothing_was_asked(tmp_path):
    def interrupted(path: Path, commit_every_s: float | None) -> None:
        with hdf5.Writer(path, kind="real", commit_every_s=commit_every_s) as writer:
            for _ in range(2):
                writer.append(make_set(3))
            raise KeyboardInterrupt

    for name, every_s in (("kept.h5", 3600), ("nothing.h5", None)):
        with pytest.raises(KeyboardInterrupt):
            interrupted(tmp_path / name, every_s)
    assert hdf5.count(tmp_path / "kept.h5") == 6
    assert [one.name for one in tmp_path.iterdir()] == ["kept.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_full_disk_is_told_in_a_sentence_and_what_was_committed_stays(tmp_path):
    code = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from SkullGANLib.data import hdf5\n"
        "from SkullGANLib.data.segment_set import without_patient\n"
        "noise = np.random.default_rng(0).integers(-999, 999, (16, 128, 128))\n"
        "batch = without_patient(noise, noise > 0, np.arange(16))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "with hdf5.Writer(sys.argv[1], kind='synthetic') as writer:\n"
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
    assert hdf5.read(path).seed.tolist() == 4 * list(range(16))
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_merges_the_sources_of_what_it_is_given(tmp_path):
    path = tmp_path / "set.h5"
    with hdf5.Writer(path, kind="real", source={"scanner": "GE"}) as writer:
        writer.append(make_set(1, source={"kernel": "BONEPLUS"}))
        writer.append(make_set(1, source={"kernel": "STANDARD"}))
    with hdf5.Writer(path, kind="real", resume=True) as writer:
        writer.append(make_set(1, source={"scanner": "GE"}))

    assert hdf5.read(path).source == {"scanner": "GE", "kernel": ["BONEPLUS", "STANDARD"]}


def test_a_writer_refuses_what_does_not_fit_and_goes_on(tmp_path):
    with hdf5.Writer(tmp_path / "set.h5", kind="real") as writer:
        writer.append(make_set(2))
        with pytest.raises(BadInputError, match="differ in kind: real and control"):
            writer.append(make_set(kind="control"))
        writer.append(make_set(1))

    assert hdf5.count(tmp_path / "set.h5") == 3


@pytest.mark.parametrize("options", [{}, {"chunks": (3, 128, 128)}, {"compression": "lzf"}])
def test_a_set_that_another_program_packed_otherwise_is_continued(file, options):
    with h5py.File(file, "a") as opened:
        for name in ("hu", "mask"):
            pixels = opened[name][...]
            del opened[name]
            opened.create_dataset(name, data=pixels, **options)

    hdf5.append(file, make_set(2))

    whole = hdf5.read(file)
    assert_same(whole[:3], make_set(3))
    assert_same(whole[3:], make_set(2))


def test_a_set_is_read_by_parts(tmp_path):
    whole = make_set(7)
    hdf5.write(tmp_path / "set.h5", whole)

    assert hdf5.count(tmp_path / "set.h5") == 7
    assert_same(hdf5.read(tmp_path / "set.h5", slice(2, 6, 2)), whole[2:6:2])
    assert hdf5.read(tmp_path / "set.h5", slice(0)).source == whole.source
    batches = list(hdf5.iterate(tmp_path / "set.h5", 3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert_same(segment_set.concatenate(batches), whole)
