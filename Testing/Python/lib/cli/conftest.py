import pytest
from commands import SAMPLE, skullgan
from SkullGANLib.networks import dcgan, model_file


@pytest.fixture(scope="session")
def extracted(tmp_path_factory):
    """The folder of one extraction of the sample head, with its contact sheet."""
    folder = tmp_path_factory.mktemp("extracted")
    done = skullgan(
        "extract", SAMPLE, "-o", folder / "segments.h5", "--contact-sheet", folder / "sheet.png",
        "--subject", "A",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A model that nobody trained, quick to run."""
    import torch

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("tiny") / "model.safetensors"
    model_file.write(path, model_file.Model(dcgan.Generator(8, 16), dcgan.Discriminator(4)))
    return path
