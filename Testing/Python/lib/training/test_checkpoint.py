"""Checkpoints: what is written is read again, and a damaged one is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.training import checkpoint
from SkullGANLib.training.checkpoint import Checkpoint

CONTENT = Checkpoint(
    {"weights": torch.full((2, 3), 7.0), "random": torch.arange(4).byte()},
    {"iteration": 7, "note": "ä"},
)


def test_a_checkpoint_comes_back_with_tensors_and_state(tmp_path):
    checkpoint.write(tmp_path / "c.safetensors", CONTENT)
    found = checkpoint.read(tmp_path / "c.safetensors")
    assert found.state == {"iteration": 7, "note": "ä"}
    assert found.tensors["weights"].tolist() == [[7.0] * 3] * 2
    assert found.tensors["random"].dtype == torch.uint8


@pytest.mark.parametrize("kept", [0, 4, -5])
def test_a_damaged_checkpoint_is_refused_with_its_name(tmp_path, kept):
    path = tmp_path / "iteration-00000003.safetensors"
    checkpoint.write(path, CONTENT)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadInputError, match=r"iteration-00000003\.safetensors: is not a whole"):
        checkpoint.read(path)


def test_a_checkpoint_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        checkpoint.write(tmp_path / "file" / "c.safetensors", CONTENT)


def test_a_checkpoint_fits_the_segments_and_the_kind_of_device_that_it_was_made_on():
    hu, draw = np.zeros((2, 128, 128), np.int16), torch.Generator()
    made = Checkpoint({"chance": draw.get_state()}, {"segments": checkpoint.fingerprint(hu)})
    checkpoint.check_fits(made, hu, draw, "run")
    with pytest.raises(BadInputError, match="run: expected the segments that"):
        checkpoint.check_fits(made, hu + 1, draw, "run")
    made.tensors["chance"] = torch.zeros(16, dtype=torch.uint8)  # as long as a GPU's
    with pytest.raises(BadInputError, match="another kind of device than cpu"):
        checkpoint.check_fits(made, hu, draw, "run")
