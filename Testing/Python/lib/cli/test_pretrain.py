"""``skullgan pretrain``: a training on pictures, another that begins with it, what is refused."""

from __future__ import annotations

import pytest
import torch
from commands import SHORT, in_this_process
from PIL import Image
from SkullGANLib.networks import model_file


def test_a_training_begins_with_what_another_learned_from_pictures(extracted, tmp_path, capsys):
    (tmp_path / "faces").mkdir()
    for gray in range(0, 160, 16):
        Image.new("L", (178, 218), gray).save(tmp_path / f"faces/{gray:03}.jpg")
    (tmp_path / "faces/999.jpg").write_bytes(b"no picture")
    pretrained = tmp_path / "faces-run" / "model.safetensors"
    assert in_this_process(
        "pretrain", tmp_path / "faces", "-o", pretrained.parent, "--recipe", "demo", *SHORT
    ) == 0  # fmt: skip
    printed = capsys.readouterr()
    assert "skipped 999.jpg (cannot be decoded)" in printed.err
    assert "To learn from: 10 pictures, 1 skipped." in printed.out
    command = (
        "train", extracted / "segments.h5", "-o", tmp_path / "run", "--recipe", "demo", *SHORT,
        "--pretrained", pretrained,
    )  # fmt: skip
    assert in_this_process(*command, "--set", "discriminator_width=8") == 1
    assert "has discriminator_width 4, expected 8 as the recipe has" in capsys.readouterr().err
    # Without a rate, what a training begins with is what it ends with.
    still = ("generator_learning_rate=0", "discriminator_learning_rate=0", "ema_decay=0")
    assert in_this_process(*command, *(f"--set={setting}" for setting in still)) == 0
    faces, skulls = (model_file.read(p) for p in (pretrained, tmp_path / "run/model.safetensors"))
    assert skulls.trained_on["pretrained_on"]["kind"] == "pictures"
    assert skulls.trained_on["pretrained_on"]["source"] == {"pictures": 10, "of": 11, "seed": 0}
    assert torch.equal(skulls.generator.conv1.weight, faces.generator.conv1.weight)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("pretrain", "nowhere", "-o", "{out}/run"), "nowhere: there is no such folder or zip"),
        (("pretrain", "{in}/empty", "-o", "{out}/run"), "of 0 pictures"),
        (("pretrain", "{in}/few.zip", "-o", "{out}/run"), "few.zip: expected a folder or zip"),
    ],
)
def test_pictures_that_cannot_be_used_end_with_one_sentence_exit_code_1_and_no_file(
    tmp_path, capsys, tmp_path_factory, arguments, sentence
):
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "empty").mkdir()
    (folder / "few.zip").write_bytes(b"no zip")
    given = [str(one).format(out=tmp_path, **{"in": folder}) for one in arguments]
    assert in_this_process(*given) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())
