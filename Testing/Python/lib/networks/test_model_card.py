"""What a model file says of itself, without torch."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from checkout import ROOT
from examples import conditioned_model, narrow_model, stacking_model
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks import model_file
from SkullGANLib.networks.model_card import ModelCard, read_card
from SkullGANLib.utils import resources


def test_the_bundled_model_says_what_it_learned_from_its_license_and_figures():
    card = read_card(resources.bundled_model())
    assert (card.segments, card.subjects) == (4535, 3)
    assert card.training == (
        "4,535 real segments of 3 subjects (GE LightSpeed Pro 32; Philips; unknown, kernel"
        " BONEPLUS; 1 (sharp); soft, resampled to 1 mm)."
    )
    lines = card.lines()
    assert any(one.startswith("License: Apache-2.0; learned from a public-domain") for one in lines)
    assert "Recipe: cpu, 10,500 iterations" in lines
    assert any(line.startswith("Told from held-out real ones: 84 %") for line in lines)


def test_the_figures_of_the_bundled_model_are_those_of_its_page():
    page = (ROOT / "Resources" / "Models" / "README.md").read_text()
    for _name, value in read_card(resources.bundled_model()).figures[:2]:
        made, seen_not = value.removesuffix(")").split(" (")
        for mean in (made.split(" ±")[0], seen_not.rpartition(": ")[2].split(" ±")[0]):
            assert f"{mean} ±" in page


def test_a_model_is_read_without_torch():
    program = (
        "import sys\n"
        "from SkullGANLib.networks.model_card import read_card\n"
        "from SkullGANLib.utils import resources\n"
        "read_card(resources.bundled_model())\n"
        "assert not {'torch', 'safetensors', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_model_that_says_nothing_is_told_so(tmp_path):
    path = tmp_path / "model.safetensors"
    model_file.write(path, narrow_model())
    card = read_card(path)
    assert card.training == "What it was trained on is not known."
    assert "License: not stated" in card.lines()
    assert card.figures == ()


def test_imported_weights_tell_their_origin(tmp_path):
    card = ModelCard(tmp_path, trained_on={"origin": "imported PyTorch weights"})
    assert card.training == "Not known: imported PyTorch weights."


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no safetensors file"),
        (b"\xff" * 64, "no safetensors file"),
        ((9).to_bytes(8, "little") + b"{ no json", "another or a damaged file"),
        ((2).to_bytes(8, "little") + b"{}", "another or a damaged file"),
        ((2).to_bytes(8, "little") + b"[]", "another or a damaged file"),
    ],
)
def test_other_and_damaged_files_are_named(tmp_path, content, what):
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=f"other.safetensors: is .*{what.split()[-2]}"):
        read_card(path)


def test_a_file_of_another_program_is_told(tmp_path):
    text = json.dumps({"__metadata__": {"format": '"pt"'}}).encode()
    path = tmp_path / "other.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(BadInputError, match="safetensors file of something else"):
        read_card(path)


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(BadInputError, match=r"gone.safetensors: cannot be read"):
        read_card(tmp_path / "gone.safetensors")


def test_a_card_says_for_which_conditions_a_model_can_be_asked(tmp_path):
    path = tmp_path / "model.safetensors"
    model_file.write(path, conditioned_model())
    lines = read_card(path).lines()
    assert "Can be asked for: bone (parietal, temporal), SDR, thickness" in lines
    model_file.write(path, narrow_model())
    assert not any(line.startswith("Can be asked") for line in read_card(path).lines())


def test_a_model_of_stacks_says_what_its_stacks_are_like(tmp_path):
    path = tmp_path / "stacks.safetensors"
    model_file.write(path, stacking_model(3))
    card = read_card(path)
    assert (card.slices, card.depth_step_mm) == (3, 0.9)
    assert "Makes: stacks of 3 slices 0.9 mm apart" in card.lines()
    assert read_card(resources.bundled_model()).stacks == ""
