"""The Inception network of FID: the published names and shapes, and nothing else is read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from SkullGANLib import cli
from SkullGANLib.data import hdf5, segment_set
from SkullGANLib.errors import BadInputError
from SkullGANLib.evaluation.report import reader
from SkullGANLib.networks import inception
from SkullGANLib.networks.dcgan import trainable_parameters


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Weights by chance that keep signals about as strong from layer to layer."""
    chance = torch.Generator().manual_seed(0)
    found = inception.InceptionV3().state_dict()
    for name, value in found.items():
        if name.endswith("conv.weight"):
            value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=chance)
    return found


@pytest.fixture(scope="module")
def path(weights, tmp_path_factory):
    """A file as it is published: with the last layer, without the counters."""
    path = tmp_path_factory.mktemp("weights") / "pt_inception.pth"
    published = {name: value for name, value in weights.items() if "num_batches" not in name}
    published |= {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    torch.save(published, path)
    return path


def walls(count: int, seed: int) -> segment_set.SegmentSet:
    chance = np.random.default_rng(seed)
    hu = np.zeros((count, 128, 128), np.int16)
    for one in hu:
        top = chance.integers(5, 20)
        one[top : top + chance.integers(8, 30)] = chance.integers(800, 2000)
    return segment_set.without_patient(hu, hu > 0, np.arange(count), kind="real")


def test_the_network_has_the_published_size_and_names():
    """Inception v3 of 1,000 classes has 23,834,568 without its side branch."""
    with torch.device("meta"):
        network = inception.InceptionV3()
    assert trainable_parameters(network) == 23_834_568 - 1000 * 2049
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes["Conv2d_1a_3x3.conv.weight"] == (32, 3, 3, 3)
    assert shapes["Mixed_5b.branch_pool.conv.weight"] == (32, 192, 1, 1)
    assert shapes["Mixed_6a.branch3x3dbl_3.conv.weight"] == (96, 96, 3, 3)
    assert shapes["Mixed_6e.branch7x7dbl_2.conv.weight"] == (192, 192, 7, 1)
    assert shapes["Mixed_7a.branch7x7x3_4.bn.running_var"] == (192,)
    assert shapes["Mixed_7c.branch3x3dbl_3b.conv.weight"] == (384, 384, 3, 1)
    assert len(shapes) == 94 * 6  # convolutions, each with the five tensors of a batch norm


def test_blocks_have_the_sizes_of_the_paper(weights):
    network = inception.InceptionV3().eval()
    sizes = {}
    for name, block in network.named_children():
        block.register_forward_hook(
            lambda _, __, out, name=name: sizes.update({name: tuple(out.shape[1:])})
        )
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 299, 299)).shape == (1, 2048)
    assert sizes["Conv2d_4a_3x3"] == (192, 71, 71)
    assert (sizes["Mixed_5b"], sizes["Mixed_5d"]) == ((256, 35, 35), (288, 35, 35))
    assert sizes["Mixed_6a"] == sizes["Mixed_6e"] == (768, 17, 17)
    assert (sizes["Mixed_7a"], sizes["Mixed_7c"]) == ((1280, 8, 8), (2048, 8, 8))


def test_averages_leave_out_the_border():
    ones = torch.ones(1, 1, 4, 4)
    assert torch.equal(inception._POOLINGS["mean"](ones), ones)


def test_features_are_those_of_the_weights_in_the_file_and_see_a_difference(path):
    one = walls(2, 0)
    network = inception.read(path)
    found = inception.features(network, one)
    assert found.shape == (2, 2048)
    assert np.abs(found[0] - found[1]).max() > 0.01
    np.testing.assert_allclose(inception.features(network, one[[1]]), found[[1]], atol=1e-4)


@pytest.mark.slow
def test_the_command_reports_fid_and_kid_where_it_is_given_the_weights(path, tmp_path):
    for name, seed in (("train", 0), ("test", 1)):
        hdf5.write(tmp_path / f"{name}.h5", walls(6, seed))
    given = [f"--{name}={tmp_path / name}.h5" for name in ("train", "test")]
    command = ["evaluate", *given, "-o", str(tmp_path / "report"), "--inception", str(path)]

    assert cli.main([*command, "--device", "cpu"]) == 0

    report = reader.read(tmp_path / "report")
    found = report.numbers["judges"]["train"]
    assert found["fid"] > 0
    assert found["kid"]["compared"] == [6, 6]
    assert report.numbers["settings"]["inception"] == "pt_inception.pth"
    page = report.page.read_text("utf-8")
    assert ">FID</th>" in page
    assert f"{found['fid']:.1f}" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: w.pop("Mixed_7c.branch_pool.conv.weight"), "lacks Mixed_7c.branch_pool"),
        (lambda w: w.update({"AuxLogits.fc.bias": torch.zeros(1000)}), "has AuxLogits.fc.bias"),
        (lambda w: w.update({"fc.bias": torch.zeros(1000)}), "1000 classes instead of 1008"),
        (lambda w: w.update({"Conv2d_1a_3x3.bn.bias": torch.zeros(31)}), r"is \(31,\), needed is"),
        (lambda w: w["Conv2d_1a_3x3.bn.bias"].fill_(torch.nan), "NaN or infinite"),
    ],
)
def test_other_weights_are_refused(weights, tmp_path, change, sentence):
    changed = {name: value.clone() for name, value in weights.items()}
    change(changed)
    torch.save(changed, tmp_path / "other.pth")
    with pytest.raises(BadInputError, match=rf"other\.pth.*{sentence}"):
        inception.read(tmp_path / "other.pth")
