"""What an array sees in numbers and as a table."""

from __future__ import annotations

import numpy as np
import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.mapping import array_table, transducer


def test_the_numbers_are_those_of_the_rays(head, calvaria):
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0])
    numbers = array_table.numbers_of(found)
    assert numbers["elements"] == numbers["measured"] == numbers["active"] == 1024
    sdr = numbers["scalars"]["sdr_peaks"]
    assert sdr["mean"] == pytest.approx(found.values["sdr_peaks"].mean())
    assert sdr["active"]["mean"] == pytest.approx(sdr["mean"])
    assert sum(sdr["histogram"]["counts"]) == 1024
    assert "25 degrees" in numbers["rule"]


def test_the_table_has_a_row_per_element_and_comes_back(head, calvaria, tmp_path):
    found = transducer.cast(head, calvaria, [0.0, 0.0, 0.0])
    array_table.write_csv(tmp_path / "rays.csv", found)
    lines = (tmp_path / "rays.csv").read_text().splitlines()
    assert len(lines) == 1025
    assert lines[0].startswith("element,x_ras_mm,y_ras_mm,z_ras_mm,sdr_peaks,")
    back = array_table.read_csv(tmp_path / "rays.csv")
    assert back["active"].tolist() == found.active.tolist()
    assert np.allclose(back["incidence_deg"], found.incidence_deg, atol=1e-4, equal_nan=True)
    (tmp_path / "other.csv").write_text("nothing\n")
    with pytest.raises(BadInputError, match=r"other\.csv: cannot be read as the rays"):
        array_table.read_csv(tmp_path / "other.csv")
