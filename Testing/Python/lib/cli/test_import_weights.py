"""The command that makes a model of published weights: its options reach the model."""

from __future__ import annotations

import pytest
import torch
from SkullGANLib import cli
from SkullGANLib.networks import dcgan, model_file


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> list[str]:
    """Untrained networks of Table 1, as the authors' code would save them."""
    paths, folder = [], tmp_path_factory.mktemp("weights")
    for name, network in (("netG", dcgan.Generator()), ("netD", dcgan.Discriminator())):
        state = {key: value.clone() for key, value in network.state_dict().items()}
        torch.save(state, folder / f"{name}.pth")
        paths.append(str(folder / f"{name}.pth"))
    return paths


def test_range_license_and_pixel_size_reach_the_model(weights, tmp_path, capsys):
    output = tmp_path / "model.safetensors"
    options = ["--hu-range", "-100", "2000", "--licence", "MIT", "--spacing-mm", "0.5"]

    assert cli.main(["import-weights", *weights, "-o", str(output), *options]) == 0

    found = model_file.read(output)
    assert (found.hu_range, found.license, found.pixel_spacing_mm) == ((-100, 2000), "MIT", 0.5)
    assert "generator of " in capsys.readouterr().out


def test_a_model_that_is_there_is_kept(weights, tmp_path, capsys):
    (tmp_path / "model.safetensors").write_text("precious")

    assert cli.main(["import-weights", *weights, "-o", str(tmp_path / "model.safetensors")]) == 1

    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "model.safetensors").read_text() == "precious"
