"""What all formats have in common: the same bytes again, all or nothing, plain refusals."""

import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from checkout import ROOT
from exported_sets import NAMES, assert_same_stack, make_set
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.export import FORMATS, conversion, format_of, write


@pytest.mark.parametrize(
    ("name", "mask"), [("g.nrrd", "g-mask.seg.nrrd"), ("g.nii.gz", "g-mask.nii.gz")]
)
def test_a_stack_is_read_with_its_voxels_and_its_place(folder, name, mask):
    assert format_of(name).files(folder / name)["mask"] == folder / mask
    assert_same_stack(sitk.ReadImage(str(folder / name)), make_set().hu)
    assert_same_stack(sitk.ReadImage(str(folder / mask)), make_set().mask)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_segments_give_the_same_bytes_in_any_batches(tmp_path, folder, name):
    write(tmp_path / name, [make_set()])

    found = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert found
    for one in found:
        assert one.read_bytes() == (folder / one.relative_to(tmp_path)).read_bytes()


def test_a_folder_of_ours_is_replaced_and_any_other_is_kept(tmp_path):
    write(tmp_path / "out", [make_set(3)], "png")
    write(tmp_path / "out", [make_set(2)], "png")
    assert len(list((tmp_path / "out" / "hu").iterdir())) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["out"]

    (tmp_path / "out" / "thesis.tex").touch()
    with pytest.raises(BadInputError, match=r"out: holds thesis\.tex, which was not written by"):
        write(tmp_path / "out", [make_set(1)], "png")
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="file: is a file, expected the name of a folder"):
        write(tmp_path / "file", [make_set(1)], "dicom")


@pytest.mark.parametrize("name", ["g.h5", *NAMES])
def test_batches_that_fail_leave_nothing_behind(tmp_path, name):
    def failing():
        yield make_set(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / name, failing())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["g.h5", *NAMES])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "taken").write_text("in the way")

    with pytest.raises(OutputError, match=rf"{name}: cannot be written"):
        write(tmp_path / "taken" / name, [make_set(1)])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path):
    code = (
        "import resource, sys\n"
        "from SkullGANLib import errors\n"
        "from SkullGANLib.export import conversion\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "for path in sys.argv[2:]:\n"
        "    try:\n"
        "        conversion.convert(sys.argv[1], path)\n"
        "    except errors.OutputError as error:\n"
        "        print(error)\n"
    )
    (tmp_path / "out").mkdir()
    hu = np.random.default_rng(0).integers(-1000, 2000, (3, 128, 128)).astype(np.int16)
    hdf5.write(tmp_path / "g.h5", make_set(3, hu=hu))
    paths = [tmp_path / "out" / name for name in NAMES]

    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "g.h5", *paths],
        cwd=ROOT / "SkullGAN", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(f"{p}: cannot be written (File too large).\n" for p in paths)
    assert list((tmp_path / "out").iterdir()) == []


def test_no_segments_and_too_many_for_a_format_are_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"g\.npy: was given no segments"):
        write(tmp_path / "g.npy", [])
    with pytest.raises(BadInputError, match=r"at most 32767 go into this format .* \(\.h5\) holds"):
        conversion.check(tmp_path / "g.nii.gz", FORMATS["nifti"], 32_768)
    conversion.check(tmp_path / "g.nrrd", FORMATS["nrrd"], 10**6)
