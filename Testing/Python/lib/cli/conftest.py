import pytest
from commands import SAMPLE, SHORT, skullgan
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


@pytest.fixture(scope="session")
def trained(extracted, tmp_path_factory):
    """A run directory of a training of two iterations."""
    run = tmp_path_factory.mktemp("trained") / "run"
    done = skullgan(
        "train", extracted / "segments.h5", "-o", run, "--recipe", "demo", *SHORT, "--device", "cpu"
    )
    assert done.returncode == 0, done.stderr
    return run
