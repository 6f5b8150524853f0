"""Models: what is written is read again, nothing of it is run, and what is no model is refused."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from SkullGANLib.errors import BadInputError, OutputError
from SkullGANLib.networks import model_file
from SkullGANLib.networks.architecture import Architecture
from SkullGANLib.networks.dcgan import Discriminator, Generator, networks
from SkullGANLib.networks.initial_weights import initialize
from SkullGANLib.networks.model_file import Model, from_hu, to_hu


@pytest.fixture(scope="module")
def small() -> Model:
    generator, discriminator = Generator(latent_size=6, width=8), Discriminator(width=2)
    for network in (generator, discriminator):
        initialize(network, 0.0, torch.Generator().manual_seed(0))
    return Model(
        generator=generator.eval(),
        discriminator=discriminator.eval(),
        hu_range=(-100.0, 2000.0),
        pixel_spacing_mm=0.5,
        recipe={"name": "small"},
        trained_on={"segments": 3, "source": {"kernel": "BONEPLUS"}},
        license="CC0-1.0",
    )


@pytest.fixture
def file(small: Model, tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    model_file.write(path, small)
    return path


def content(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(path, framework="pt") as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, file.metadata()


def test_a_model_is_read_as_it_was_written(small, file):
    found = model_file.read(file)
    for part in ("hu_range", "pixel_spacing_mm", "recipe", "trained_on", "license", "architecture"):
        assert getattr(found, part) == getattr(small, part)
    for network in ("generator", "discriminator"):
        before, after = getattr(small, network).state_dict(), getattr(found, network).state_dict()
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_model_that_was_read_makes_and_judges_the_same_images(small, file):
    found = model_file.read(file)
    latent = small.generator.draw_latent(2)
    noise = small.generator.draw_noise(latent)
    with torch.inference_mode():
        images = small.generator(latent, noise)
        assert torch.equal(found.generator(latent, noise), images)
        assert torch.equal(found.discriminator(images), small.discriminator(images))
    assert not found.generator.training
    assert not found.discriminator.training


def test_the_architecture_says_how_to_build_the_networks(small):
    assert small.architecture.to_dict() == {
        "latent_size": 6,
        "generator_width": 8,
        "discriminator_width": 2,
        "image_size": 128,
    }


def test_the_file_holds_tensors_by_network_and_metadata_as_json(file):
    tensors, metadata = content(file)
    assert {name.split(".")[0] for name in tensors} == {"generator", "discriminator"}
    assert json.loads(metadata["hu_range"]) == [-100.0, 2000.0]
    assert json.loads(metadata["format_version"]) == 1
    assert json.loads(metadata["trained_on"])["source"] == {"kernel": "BONEPLUS"}


def test_weights_kept_in_half_precision_are_read_as_float32(file):
    tensors, metadata = content(file)
    halved = {n: t.bfloat16() if t.is_floating_point() else t for n, t in tensors.items()}
    save_file(halved, file, metadata)
    found = model_file.read(file).generator.state_dict()
    assert found["conv1.weight"].dtype == torch.float32
    assert found["main1.1.num_batches_tracked"].dtype == torch.int64


def test_a_model_written_in_half_precision_is_half_as_large_and_its_weights_are_rounded(
    small, file, tmp_path
):
    half = tmp_path / "half.safetensors"
    model_file.write(half, small, dtype=torch.bfloat16)
    stored = {name: t.nbytes for name, t in content(half)[0].items()}
    whole = {name: t.nbytes for name, t in content(file)[0].items()}
    assert stored["generator.conv1.weight"] == whole["generator.conv1.weight"] / 2
    assert stored["generator.conv1.bias"] == whole["generator.conv1.bias"]
    before, after = small.generator.state_dict(), model_file.read(half).generator.state_dict()
    assert torch.equal(after["conv1.weight"], before["conv1.weight"].bfloat16().float())
    assert torch.equal(after["main1.1.running_var"], before["main1.1.running_var"])


def test_a_model_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"nothing\.safetensors: there is no such file"):
        model_file.read(tmp_path / "nothing.safetensors")


def test_a_truncated_model_is_refused(file):
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BadInputError, match=r"model\.safetensors: cannot be read as a model"):
        model_file.read(file)


@pytest.mark.parametrize("junk", [b"", b"\x00" * 64, b"\xff" * 5000, b"hello"])
def test_a_file_of_something_else_is_refused(tmp_path, junk):
    path = tmp_path / "junk.safetensors"
    path.write_bytes(junk)
    with pytest.raises(BadInputError, match=r"junk\.safetensors: cannot be read as a model"):
        model_file.read(path)


def test_a_pickle_is_refused_and_never_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    path = tmp_path / "evil.safetensors"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(BadInputError, match="cannot be read as a model"):
        model_file.read(path)
    assert not (tmp_path / "evil").exists()


def test_safetensors_of_another_program_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"w": torch.zeros(3)}, path, {"format": "pt"})
    with pytest.raises(BadInputError, match="not a SkullGAN model"):
        model_file.read(path)


def changed(path: Path, **metadata: object) -> Path:
    tensors, before = content(path)
    save_file(tensors, path, before | {key: json.dumps(value) for key, value in metadata.items()})
    return path


@pytest.mark.parametrize("version", [3, 0, -1, "1", None, [1]])
def test_a_model_of_another_version_is_refused(file, version):
    with pytest.raises(BadInputError, match=r"of version .*, this program reads up to version 2"):
        model_file.read(changed(file, format_version=version))


@pytest.mark.parametrize(
    "architecture",
    [
        None,
        {},
        {"latent_size": 6, "generator_width": 8, "discriminator_width": 2, "image_size": 256},
        {"latent_size": 6, "generator_width": -8, "discriminator_width": 2, "image_size": 128},
        {"latent_size": 6, "generator_width": 1e9, "discriminator_width": 2, "image_size": 128},
    ],
)
def test_an_architecture_that_cannot_be_built_is_refused(file, architecture):
    with pytest.raises(BadInputError, match="the architecture is"):
        model_file.read(changed(file, architecture=architecture))


def test_tensors_that_do_not_fit_the_architecture_are_refused(file, small):
    wider = small.architecture.to_dict() | {"generator_width": 16}
    with pytest.raises(BadInputError, match=r"generator\.main1.* is \(.*, expected \("):
        model_file.read(changed(file, architecture=wider))


def test_a_missing_tensor_is_named(file):
    tensors, metadata = content(file)
    del tensors["generator.conv4.weight"]
    save_file(tensors, file, metadata)
    with pytest.raises(BadInputError, match=r"lacks generator\.conv4\.weight"):
        model_file.read(file)


def test_a_tensor_too_many_is_named(file):
    tensors, metadata = content(file)
    save_file(tensors | {"generator.conv9.weight": torch.zeros(1)}, file, metadata)
    with pytest.raises(BadInputError, match=r"unknown generator\.conv9\.weight"):
        model_file.read(file)


def test_metadata_that_are_missing_are_named(file):
    tensors, metadata = content(file)
    del metadata["hu_range"]
    save_file(tensors, file, metadata)
    with pytest.raises(BadInputError, match=r"metadata are incomplete.*hu_range"):
        model_file.read(file)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_on_reading(file, bad):
    tensors, metadata = content(file)
    tensors["discriminator.main.14.bias"][0] = bad
    save_file(tensors, file, metadata)
    with pytest.raises(BadInputError, match=r"discriminator\.main\.14\.bias has values that are"):
        model_file.read(file)


def test_weights_that_are_no_numbers_are_not_written(tmp_path):
    generator = Generator(latent_size=6, width=8)
    with torch.no_grad():
        generator.conv1.bias[3] = float("nan")
    path = tmp_path / "model.safetensors"
    path.write_text("before")
    with pytest.raises(BadInputError, match=r"generator\.conv1\.bias"):
        model_file.write(path, Model(generator, Discriminator(2)))
    assert path.read_text() == "before"


def test_a_model_is_not_written_below_a_file(small, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        model_file.write(tmp_path / "file" / "model.safetensors", small)


@pytest.mark.parametrize("hu_range", [(0.0, 0.0), (10.0, -10.0), (0.0, 1e6), (float("nan"), 1.0)])
def test_a_model_with_a_senseless_hu_range_is_refused(small, hu_range):
    with pytest.raises(BadInputError, match="hu_range"):
        Model(small.generator, small.discriminator, hu_range=hu_range)


def test_hu_are_mapped_linearly_and_clipped_to_the_range():
    hu = np.zeros((1, 128, 128), np.int16)
    hu[0, 0, :5] = [-50, 0, 500, 1000, 3000]
    seen = from_hu(hu, (0.0, 1000.0))
    assert seen.shape == (1, 1, 128, 128)
    assert seen[0, 0, 0, :5].tolist() == [-1, -1, 0, 1, 1]


def test_hu_within_the_range_come_back_from_the_network_exactly():
    hu = np.arange(128 * 128, dtype=np.int16).reshape(1, 128, 128) % 2700
    assert np.array_equal(to_hu(from_hu(hu, (0.0, 2734.53)), (0.0, 2734.53)), hu)


def test_a_model_of_stacks_in_depth_comes_back_with_the_distance_of_their_slices(tmp_path):
    shape = Architecture(latent_size=4, generator_width=8, discriminator_width=2, slices=3)
    with pytest.raises(BadInputError, match="depth's step is 0 mm"):
        Model(*networks(shape))
    model_file.write(tmp_path / "model.safetensors", Model(*networks(shape), depth_step_mm=1.2))
    found = model_file.read(tmp_path / "model.safetensors")
    assert (found.slices, str(found.depth)) == (3, "3 slices 1.2 mm apart")
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert file.metadata()["format_version"] == "2"

    hu = np.arange(2 * 3 * 128 * 128, dtype=np.int16).reshape(2, 3, 128, 128) % 1000
    seen = from_hu(hu, (0.0, 1000.0))
    assert seen.shape == (2, 3, 128, 128)
    np.testing.assert_array_equal(to_hu(seen, (0.0, 1000.0)), hu.reshape(6, 128, 128))
