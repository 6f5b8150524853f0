"""PNG pictures say what their gray values are."""

import json

import numpy as np
from exported_sets import make_set
from PIL import Image


def test_a_png_holds_hu_shifted_above_zero_and_says_so(folder):
    picture = Image.open(folder / "g.png-folder" / "hu" / "000003.png")

    assert picture.mode == "I;16"
    assert picture.text["Description"] == "synthetic skull segment"
    assert picture.text["Comment"] == "HU = value - 1024"
    np.testing.assert_array_equal(np.asarray(picture).astype(int) - 1024, make_set().hu[3])
    mask = np.asarray(Image.open(folder / "g.png-folder" / "mask" / "000003.png"))
    np.testing.assert_array_equal(mask, 255 * make_set().mask[3])
    index = json.loads((folder / "g.png-folder" / "segments.json").read_text("utf-8"))
    assert (index["kind"], index["hu_offset"]) == ("synthetic", -1024)
    assert index["segments"][3]["file"] == "000003.png"
    assert index["segments"][3]["seed"] == 103
    assert "show no patient" in (folder / "g.png-folder" / "README.txt").read_text("utf-8")
