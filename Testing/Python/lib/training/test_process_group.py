"""Several processes that train together: random numbers, batch norm, trainings against one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkout import ROOT
from examples import TINY, arches
from SkullGANLib.data import hdf5
from SkullGANLib.errors import BadInputError
from SkullGANLib.training import process_group
from SkullGANLib.training.loop import train
from SkullGANLib.training.process_group import (
    ALONE,
    ProcessGroup,
    ShardedGenerator,
    synchronize_statistics,
)
from SkullGANLib.training.run_directory import Run
from SkullGANLib.training.start import check_batch
from torch import nn

PATHS = [ROOT / "SkullGAN", ROOT / "Testing", ROOT / "Testing/Python/lib/training"]


def test_processes_that_share_a_batch_generate_what_one_would_generate():
    for generate in (
        lambda generator, count: generator.rand(count, 3),
        lambda generator, count: generator.randn(count, 2, 2),
        lambda generator, count: generator.randint(9, count),
    ):
        whole, first, second = (
            generate(ShardedGenerator(torch.Generator().manual_seed(5), group), 8 // group.size)
            for group in (ALONE, ProcessGroup(0, 2), ProcessGroup(1, 2))
        )
        assert torch.equal(whole, torch.cat([first, second]))


def together(arguments: list[str]) -> subprocess.Popen:
    """Start two processes of Python with these arguments, as ``torchrun`` does."""
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    paths = os.pathsep.join(map(str, PATHS))
    return subprocess.Popen(
        [sys.executable, "-m", *torchrun, sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


EVERYTHING = replace(TINY, ada_target=0.01, plateau_patience=2, report_every=1)
"""Wherever a random number or a mean enters: gates, flips, disturbances, plateaus, averages."""
RELATIVISTIC = replace(
    EVERYTHING,
    **{"loss": "relativistic", "r1_gamma": 0.1, "r2_gamma": 0.1, "penalty_every": 2},
    **{"discriminator_norm": "none", "minibatch_std": 2, "image_rows": 64},
    **{"update_gate": "off", "hide_background": True, "balanced_subjects": True},
    **{"generator_smoothing": True, "contrast_std": 0.05, "quality_count": 4},
    conditions="bone,thickness",
    ada_target=0.0,  # by the signs of logits that are near 0, rounding would decide
)
GAMES = {"adversarial": EVERYTHING, "relativistic": RELATIVISTIC}

SHARED = """
import sys, torch
from pathlib import Path
from SkullGANLib.data import hdf5
from SkullGANLib.training import loop as training
from SkullGANLib.training.process_group import joined
from SkullGANLib.training.recipe import Recipe
from test_process_group import normalized
folder = Path(sys.argv[1])
with joined("cpu") as (group, _):
    torch.save(normalized(group), folder / f"{group.rank}.pt")
    for name in ("adversarial", "relativistic"):
        recipe = Recipe.from_json((folder / f"{name}.json").read_text())
        training.train(hdf5.read(folder / "s.h5"), folder / name, recipe)
"""


def normalized(group: ProcessGroup) -> dict[str, torch.Tensor]:
    """What batch norm does to a batch, with the gradients of a loss that no two pixels share."""
    draw = torch.Generator().manual_seed(0)
    whole, weights = (torch.randn(8, 3, 5, 5, generator=draw) * 2 + 1 for _ in range(2))
    layer = nn.BatchNorm2d(3)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, generator=draw)
    synchronize_statistics(layer, group)
    x = group.own(whole).requires_grad_()
    y = layer(x)
    (y * group.own(weights)).square().mean().backward()
    gradients = [parameter.grad for parameter in layer.parameters()]
    group.mean_(gradients)
    state = {name: t.detach() for name, t in layer.state_dict().items()}
    shares = {"y": y.detach(), "x gradient": x.grad / group.size}
    return {**shares, "weight gradient": gradients[0], "bias gradient": gradients[1], **state}


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """What two processes left that trained together."""
    folder = tmp_path_factory.mktemp("shared")
    for name, recipe in GAMES.items():
        (folder / f"{name}.json").write_text(recipe.to_json())
    hdf5.write(folder / "s.h5", arches())
    process = together(["-c", SHARED, str(folder)])
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    return folder


@pytest.mark.slow
def test_batch_norm_of_two_processes_is_that_of_the_whole_batch(shared):
    whole = normalized(ALONE)
    halves = [torch.load(shared / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    for name in ("y", "x gradient"):
        both = torch.cat([half.pop(name) for half in halves])
        torch.testing.assert_close(both, whole.pop(name))
    for half in halves:
        torch.testing.assert_close(half, whole)


@pytest.mark.slow
@pytest.mark.parametrize("game", GAMES)
def test_two_processes_learn_what_one_learns_with_the_same_batch(shared, tmp_path, game):
    train(arches(), tmp_path / "run", GAMES[game])
    one, two = Run.open(tmp_path / "run"), Run.open(shared / game)
    assert len(one.events()[0]) == len(two.events()[0]) == 6
    for alone, together in zip(one.events()[0], two.events()[0], strict=True):
        for name in ("generator_loss", "discriminator_loss", "realness_real", "realness_fake"):
            # Rounding is all that differs in the first; every later one begins with what it made
            # of the weights.
            later = (
                1e-2 if game == "adversarial" else 5e-2
            )  # whose rates are the same, and decay less
            near = 1e-4 if alone["iteration"] == 1 else later
            assert together[name] == pytest.approx(alone[name], rel=near), alone["iteration"]
        assert together.get("augmentation_strength") == pytest.approx(
            alone.get("augmentation_strength")
        )
    assert [path.name for path in two.samples()] == [path.name for path in one.samples()]
    assert two.status().state == "finished"


@pytest.mark.slow
def test_a_stop_ends_all_processes_together_with_a_checkpoint(tmp_path):
    hdf5.write(tmp_path / "s.h5", arches())
    settings = {**json.loads(TINY.to_json()), "epochs": 5000, "snapshot_every": 5000}
    arguments = ["train", str(tmp_path / "s.h5"), "-o", str(tmp_path / "run"), "--recipe", "demo"]
    for name, value in settings.items():
        arguments += ["--set", f"{name}={value}"]
    process = together(["-m", "SkullGANLib", *arguments, "--device", "cpu"])
    run = Run(tmp_path / "run")
    while not (run.status_path.exists() and run.status().iteration):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)  # which torchrun hands on to all of them
    output = process.communicate(timeout=60)[0]
    assert run.status().state == "cancelled", output
    assert run.read_checkpoint().state["iteration"] == run.status().iteration
    assert not [path for path in run.path.rglob("*") if "partial" in path.name]


def test_a_batch_that_cannot_be_split_evenly_is_refused():
    with pytest.raises(
        BadInputError, match="batch_size is 4 for 3 processes, expected a multiple of 3"
    ):
        check_batch(TINY, ProcessGroup(0, 3))


@pytest.mark.parametrize(
    ("device", "seen", "beside", "own"),
    [
        ("cuda", 4, 4, "cuda:2"),
        ("auto", 4, 4, "cuda:2"),
        ("auto", 0, 4, "auto"),
        ("cuda", 1, 4, "cuda:0"),  # a scheduler shows each process its own
        ("cuda:0", 1, 1, "cuda:0"),
        ("cpu", 4, 4, "cpu"),
    ],
)
def test_each_process_takes_the_gpu_of_its_own_number_or_the_only_one_it_sees(
    monkeypatch, device, seen, beside, own
):
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(beside))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: seen)
    assert process_group._own_gpu(device) == own


def test_one_gpu_named_for_several_processes_is_refused(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(BadInputError, match="'cuda:0' for 2 processes"):
        process_group._own_gpu("cuda:0")
