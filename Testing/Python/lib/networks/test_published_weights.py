"""Published weights: two state dicts become a model, and nothing else gets in or is run."""

from __future__ import annotations

import collections
import os
import pickle
from pathlib import Path

import pytest
import torch
from SkullGANLib import cli
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks import model_file, published_weights
from SkullGANLib.networks.dcgan import Discriminator, Generator, trainable_parameters
from SkullGANLib.networks.initial_weights import initialize


@pytest.fixture(scope="module")
def networks() -> dict[str, Generator | Discriminator]:
    made = {"netG": Generator(latent_size=6, width=32), "netD": Discriminator(width=3)}
    for network in made.values():
        initialize(network, 0.0, torch.Generator().manual_seed(1))
    return made


@pytest.fixture
def weights(networks) -> dict[str, dict[str, torch.Tensor]]:
    return {
        name: {key: value.clone() for key, value in network.state_dict().items()}
        for name, network in networks.items()
    }


def saved(folder: Path, weights: dict, **options: object) -> tuple[Path, Path]:
    paths = folder / "netG.pth", folder / "netD.pth"
    for path in paths:
        torch.save(collections.OrderedDict(weights[path.stem]), path, **options)
    return paths


def holds(found: torch.nn.Module, expected: torch.nn.Module) -> bool:
    values = expected.state_dict()
    return all(torch.equal(value, values[name]) for name, value in found.state_dict().items())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_weights_become_a_model_of_the_same_networks(
    networks, weights, tmp_path, zipped, prefix
):
    named = {w: {prefix + name: t for name, t in d.items()} for w, d in weights.items()}
    found = published_weights.read(*saved(tmp_path, named, _use_new_zipfile_serialization=zipped))
    assert holds(found.generator, networks["netG"])
    assert holds(found.discriminator, networks["netD"])
    assert found.architecture.to_dict() == {
        "latent_size": 6,
        "generator_width": 32,
        "discriminator_width": 3,
        "image_size": 128,
    }
    assert found.hu_range == (0.0, 2734.53)
    assert not found.generator.training
    assert "batch statistics" in found.trained_on["batch_norm"]


def test_the_two_files_may_come_in_either_order(networks, weights, tmp_path):
    found = published_weights.read(*reversed(saved(tmp_path, weights)))
    assert holds(found.generator, networks["netG"])


def test_the_names_and_shapes_of_the_publication_are_those_of_the_full_networks():
    with torch.device("meta"):
        full = Generator(), Discriminator()
    assert [trainable_parameters(one) for one in full] == [192_002_304, 11_164_353]
    shapes = {name: tuple(t.shape) for one in full for name, t in one.state_dict().items()}
    assert shapes["main1.0.weight"] == (200, 4096, 4, 4)
    assert shapes["main6.0.weight"] == (256, 128, 4, 4)
    assert shapes["conv4.weight"] == (1, 16, 3, 3)
    assert shapes["main.14.weight"] == (1, 1024, 4, 4)
    assert {"main5.1.running_var", "main.12.num_batches_tracked"} <= shapes.keys()


def test_counters_of_batches_may_be_missing_and_weights_may_be_half_precision(weights, tmp_path):
    old = {
        which: {n: t.half() for n, t in named.items() if not n.endswith("num_batches_tracked")}
        for which, named in weights.items()
    }
    found = published_weights.read(*saved(tmp_path, old)).generator.state_dict()
    assert found["main1.1.num_batches_tracked"] == 0
    assert found["conv1.weight"].dtype == torch.float32


def test_a_pickle_that_runs_code_is_refused_with_one_sentence_and_nothing_is_run(weights, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch '{tmp_path / 'evil'}'",)

    good, _ = saved(tmp_path, weights)
    for evil in (Evil(), weights["netD"] | {"main.0.weight": Evil()}):
        for write in (torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))):
            path = tmp_path / "evil.pth"
            write(evil, path)
            with pytest.raises(BadInputError, match=r"evil\.pth: cannot be read as PyTorch") as e:
                published_weights.read(good, path)
            assert "\n" not in str(e.value)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("junk", [b"", b"\x00" * 64, b"PK\x03\x04" + b"\xff" * 500, b"hello"])
def test_a_file_of_something_else_is_refused(weights, tmp_path, junk):
    good, bad = saved(tmp_path, weights)
    bad.write_bytes(junk)
    with pytest.raises(BadInputError, match=r"netD\.pth: cannot be read as PyTorch weights"):
        published_weights.read(good, bad)


def test_truncated_weights_are_refused(weights, tmp_path):
    good, bad = saved(tmp_path, weights)
    good.write_bytes(good.read_bytes()[:-300])
    with pytest.raises(BadInputError, match=r"netG\.pth: cannot be read as PyTorch weights"):
        published_weights.read(good, bad)


def without(named: dict, *names: str) -> dict:
    return {name: value for name, value in named.items() if name not in names}


@pytest.mark.parametrize(
    ("which", "change", "sentence"),
    [
        ("netG", lambda d: without(d, "conv4.weight"), r"lacks conv4\.weight \(1 in all\)"),
        ("netG", lambda d: d | {"conv9.bias": torch.ones(1)}, r"has conv9\.bias \(1 in all\)"),
        ("netD", lambda d: {k: d[k] for k in ["main.0.bias"]}, r", \.\.\. \(\d\d in all\)"),
        ("netD", lambda d: {"fc.weight": torch.ones(2)}, r"holds fc\.weight \(1 in all\)"),
        ("netD", lambda d: {}, "holds nothing"),
        ("netD", lambda d: [1, 2], "holds a list"),
        ("netD", lambda d: d["main.0.bias"], "holds a Tensor"),
        ("netG", lambda d: d | {"conv1.bias": torch.ones(5)}, r"conv1\.bias is \(5,\), expected"),
        ("netG", lambda d: d | {"main1.0.weight": torch.ones(3)}, r"main1\.0\.weight is \(3,\)"),
        ("netG", lambda d: d | {"conv1.bias": d["conv1.bias"].int()}, r"conv1\.bias is int32"),
        ("netG", lambda d: d | {"conv1.bias": d["conv1.bias"] * torch.nan}, "NaN or infinite"),
        ("netG", lambda d: d | {"conv1.bias": d["conv1.bias"].double() + 1e300}, "NaN or infinite"),
        ("netG", lambda d: d | {"conv1.bias": 3}, r"conv1\.bias is no plain tensor"),
        ("netG", lambda d: d | {"conv1.bias": d["conv1.bias"].to_sparse()}, "no plain tensor"),
    ],
)
def test_anything_but_these_networks_is_refused_saying_why(
    weights, tmp_path, which, change, sentence
):
    saved(tmp_path, weights)
    torch.save(change(weights[which]), tmp_path / f"{which}.pth")
    with pytest.raises(BadInputError, match=sentence) as error:
        published_weights.read(tmp_path / "netG.pth", tmp_path / "netD.pth")
    assert f"{which}.pth" in str(error.value)


def test_two_files_of_the_same_network_are_refused(weights, tmp_path):
    first, second = saved(tmp_path, {"netG": weights["netD"], "netD": weights["netD"]})
    for pair in ((first, second), (second, second)):
        with pytest.raises(BadInputError, match="both hold a discriminator"):
            published_weights.read(*pair)


def test_the_command_writes_a_model_and_keeps_one_that_is_there(weights, tmp_path, capsys):
    output = tmp_path / "model.safetensors"
    command = ["import-weights", *map(str, saved(tmp_path, weights)), "-o", str(output)]
    options = ["--hu-range", "-100", "2000", "--license", "MIT", "--spacing-mm", "0.5"]
    assert cli.main(command + options) == 0
    found = model_file.read(output)
    assert (found.hu_range, found.license, found.pixel_spacing_mm) == ((-100, 2000), "MIT", 0.5)
    before = output.read_bytes()
    assert cli.main(command) == 1
    assert "is there already" in capsys.readouterr().err
    assert output.read_bytes() == before
    assert cli.main([*command, "--overwrite"]) == 0
    assert model_file.read(output).hu_range == (0.0, 2734.53)
