"""Results are written whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.utils import atomic_files
from SkullGANLib.utils.atomic_files import written_aside


def test_the_file_is_there_when_the_block_ends_and_not_before(tmp_path):
    target = tmp_path / "new" / "folder" / "numbers.csv"

    with written_aside(target) as temporary:
        temporary.write_text("1,2,3")
        assert not target.exists()
        assert temporary.parent == target.parent

    assert target.read_text() == "1,2,3"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.h5", ".h5"), ("a.nii.gz", ".nii.gz"), ("plain", ""), ("v1.2.3.tar.gz", ".tar.gz")],
)
def test_the_temporary_name_keeps_the_extension(tmp_path, name, suffix):
    with written_aside(tmp_path / name) as temporary:
        assert temporary.name.endswith(".partial" + suffix)
        temporary.touch()


def write_half_and_raise(target: Path, error: BaseException) -> None:
    with written_aside(target) as temporary:
        temporary.write_text("new, but not")
        raise error


@pytest.mark.parametrize("error", [BadInputError("half-way"), KeyboardInterrupt("half-way")])
def test_a_block_that_raises_or_is_interrupted_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "numbers.csv"
    target.write_text("old")

    with pytest.raises(type(error), match="half-way"):
        write_half_and_raise(target, error)

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_process_that_is_killed_while_writing_leaves_what_was_there(tmp_path):
    target = tmp_path / "numbers.csv"
    target.write_text("old")
    code = (
        "import os, sys\n"
        "from SkullGANLib.utils.atomic_files import written_aside\n"
        "with written_aside(sys.argv[1]) as aside:\n"
        "    aside.write_text('new, but not')\n"
        "    os._exit(9)\n"
    )
    library = ROOT / "SkullGAN"

    done = subprocess.run([sys.executable, "-c", code, str(target)], cwd=library, check=False)

    assert done.returncode == 9
    assert target.read_text() == "old"
    assert not list(tmp_path.glob("*.csv.*"))


def test_a_full_disk_is_named_with_the_file(tmp_path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    target = tmp_path / "numbers.csv"

    def write_to_full_disk() -> None:
        with written_aside(target) as temporary:
            temporary.symlink_to(full)
            temporary.write_text("more than fits")

    sentence = r"numbers\.csv: cannot be written \(No space left on device\)"
    with pytest.raises(OutputError, match=sentence):
        write_to_full_disk()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "taken").write_text("in the way")

    with (
        pytest.raises(OutputError, match=r"numbers\.csv: cannot be written \("),
        written_aside(tmp_path / "taken" / "numbers.csv") as temporary,
    ):
        temporary.touch()


def test_a_target_that_is_a_folder_is_named_and_kept(tmp_path):
    target = tmp_path / "numbers.csv"
    target.mkdir()

    with (
        pytest.raises(OutputError, match=r"numbers\.csv: cannot be written"),
        written_aside(target) as temporary,
    ):
        temporary.write_text("1")

    assert [path.name for path in tmp_path.iterdir()] == ["numbers.csv"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with (
            pytest.raises(OutputError, match="Permission denied"),
            written_aside(tmp_path / "a.csv") as temporary,
        ):
            temporary.touch()
    finally:
        tmp_path.chmod(0o700)


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path):
    target = tmp_path / "numbers.csv"
    target.write_text("old")

    with pytest.raises(OutputError, match="No such file"), written_aside(target):
        pass

    assert target.read_text() == "old"


@pytest.mark.parametrize("stem", ["Schädel größe 頭蓋骨", "with spaces", "x" * 251])
def test_names_in_any_script_and_at_the_file_systems_limit_are_written(tmp_path, stem):
    if os.name == "nt" and len(stem) > 200:
        pytest.skip("Windows limits the whole path")
    target = tmp_path / f"{stem}.csv"

    with written_aside(target) as temporary:
        temporary.write_text("1")

    assert target.read_text() == "1"


def test_what_a_kill_left_behind_goes_with_the_next_writing(tmp_path):
    path = tmp_path / "table.csv"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    beginning = atomic_files.partial_beginning(path).split(".")
    for name in (f".{ended.pid:x}.00000000.partial.csv", f".{ended.pid:x}.00000001.partial"):
        (tmp_path / f".{beginning[1]}.{beginning[2]}{name}").write_text("half")
    others = [tmp_path / f".{beginning[1]}.{beginning[2]}.{os.getpid():x}.00000000.partial.csv"]
    others += [tmp_path / ".0123456789.abcd.1.partial.csv", tmp_path / ".hidden"]
    for other in others:
        other.write_text("somebody's")
    with written_aside(path) as temporary:
        temporary.write_text("whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])


def test_two_folders_change_places_in_one_step_or_not_at_all(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    changed = atomic_files.exchanged(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / ("b" if changed else "a") / "a").exists()
    assert not atomic_files.exchanged(tmp_path / "a", tmp_path / "gone")
