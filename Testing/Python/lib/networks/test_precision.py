"""The precision is the one asked for, or the faster one of the device."""

from __future__ import annotations

import subprocess
import sys

import pytest
from checkout import ROOT
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks.precision import PRECISIONS, chosen_precision, has_bf16


def test_an_unknown_precision_is_refused():
    with pytest.raises(BadInputError, match="is 'fp16', expected one of auto, fp32, bf16"):
        chosen_precision("fp16", "cpu", 4096)


def test_a_precision_asked_for_is_taken_and_a_narrow_network_stays_in_float32():
    assert chosen_precision("bf16", "cpu", 8) == "bf16"
    assert chosen_precision("fp32", "cpu", 4096) == "fp32"
    assert chosen_precision("auto", "cpu", 256) == "fp32"


def test_bf16_is_chosen_only_where_it_is_computed():
    if chosen_precision("auto", "cpu", 4096) == "bf16":
        assert has_bf16("cpu")


def test_the_choices_are_known_without_torch():
    code = (
        "import sys; from SkullGANLib.networks.precision import PRECISIONS; "
        "sys.exit('torch' in sys.modules)"
    )

    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT / "SkullGAN", check=False).returncode
        == 0
    )
    assert list(PRECISIONS) == ["auto", "fp32", "bf16"]
