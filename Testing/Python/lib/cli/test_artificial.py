"""The command artificial: the set, its fit to the real one, and what is left alone."""

import numpy as np
from SkullGANLib import cli
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.data.segment_set import SegmentSet
from SkullGANLib.generation import artificial


def phantoms(*thickness_px: int) -> SegmentSet:
    hu = np.zeros((len(thickness_px), 128, 128), np.int16)
    for one, thickness in zip(hu, thickness_px, strict=True):
        one[10 : 10 + thickness] = 1500
        one[10 + thickness // 3 : 10 + 2 * thickness // 3] = 700
    return segment_set.without_patient(hu, hu > 0, np.zeros(len(hu)), kind="real")


def test_the_command_writes_the_set_and_says_how_well_it_matches(tmp_path, capsys):
    like, output = tmp_path / "like.h5", tmp_path / "art.h5"
    hdf5.write(like, phantoms(16, 18, 20))
    command = ["artificial", "-n", "6", "--like", str(like), "-o", str(output), "--seed", "3"]
    assert cli.main([*command, "--contact-sheet", str(tmp_path / "art.png")]) == 0
    assert "sdr_peaks 0." in capsys.readouterr().out
    found = hdf5.read(output)
    assert np.array_equal(found.hu, artificial.make(phantoms(16, 18, 20), 6, seed=3).hu)
    assert found.source["seeds"] == {"idealized": [3, 5], "unrealistic": [6, 8]}
    assert (tmp_path / "art.png").is_file()
    assert cli.main(command) == 1
    assert "is there already" in capsys.readouterr().err
    assert cli.main(["artificial", "--like", str(output), "-o", str(tmp_path / "b.h5")]) == 1
    assert "art.h5: holds artificial segments, expected real ones" in capsys.readouterr().err
    before = like.read_bytes()
    assert cli.main(["artificial", "--like", str(like), "-o", str(like), "--overwrite"]) == 1
    assert "is the real set that is to be followed" in capsys.readouterr().err
    assert like.read_bytes() == before
    assert cli.main([*command, "--overwrite", "-n", "2"]) == 0
    assert "Fewer than the 3 segments" in capsys.readouterr().out
