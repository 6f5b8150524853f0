"""Training: the rules of the game on numbers known beforehand, and whole short trainings."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from SkullGANLib import model, segmentset, training
from SkullGANLib.errors import BadInputError, CancelledError
from SkullGANLib.generation import generate_set
from SkullGANLib.networks import Discriminator, Generator, initialise
from SkullGANLib.recipe import Recipe, named
from SkullGANLib.run import Run
from SkullGANLib.segmentset import SegmentSet
from SkullGANLib.training import blurred, gate_is_open, train

TINY = replace(
    named("demo"),
    latent_size=8,
    generator_width=8,
    discriminator_width=2,
    batch_size=4,
    epochs=2,
    epoch_segments=12,
    report_every=2,
    snapshot_every=1,
    sample_count=3,
)
"""Six iterations of networks as narrow as they get: below a second."""


def arches(count: int = 10, kind: str = "real") -> SegmentSet:
    """Walls of two bright tables and a darker diploë, each a little lower than the last."""
    rows = np.arange(128)[None, :, None]
    columns = np.arange(128)[None, None, :]
    top = 20 + 0.003 * (columns - 64) ** 2 + np.arange(count)[:, None, None]
    depth = rows - top
    mask = (depth >= 0) & (depth < 16)
    table = (depth < 4) | (depth >= 12)
    hu = np.where(mask, np.where(table, 1600, 700), 0).astype(np.int16)
    return segmentset.without_patient(hu, mask, np.full(count, -1), kind=kind)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Run, list[dict], list[tuple[int, int]]]:
    """A whole tiny training with what its hooks were told."""
    reports, steps = [], []
    run_dir = tmp_path_factory.mktemp("runs") / "tiny"
    train(
        arches(),
        run_dir,
        TINY,
        seed=1,
        on_report=reports.append,
        on_progress=lambda *done: steps.append(done),
        licence="CC0-1.0",
    )
    return Run.open(run_dir), reports, steps


def same_weights(first: Path, second: Path) -> bool:
    a, b = (model.read(path).generator.state_dict() for path in (first, second))
    return all(torch.equal(a[name], b[name]) for name in a)


def test_a_training_leaves_everything_that_the_run_directory_promises(finished):
    run, _, _ = finished
    assert run.recipe() == TINY
    assert run.status().state == "finished"
    assert (run.status().progress, run.status().eta_s) == (1.0, 0.0)
    assert [path.name for path in run.samples()] == [
        "iteration-00000003.png",
        "iteration-00000006.png",
    ]
    assert len(run.checkpoints()) == 2
    assert model.read(run.model_path).architecture["generator_width"] == 8
    assert not [path for path in run.path.rglob("*") if "partial" in path.name]


def test_the_model_says_what_it_was_trained_on(finished):
    trained = model.read(finished[0].model_path)
    assert trained.trained_on["segments"] == 10
    assert trained.trained_on["iterations"] == 6
    assert trained.recipe == json.loads(TINY.to_json())
    assert trained.licence == "CC0-1.0"


def test_the_hooks_are_told_what_the_files_say(finished):
    run, reports, steps = finished
    assert run.events()[0] == reports
    assert steps == [(n, 6) for n in range(1, 7)]


def test_there_is_an_event_for_every_report_and_snapshot(finished):
    assert [event["iteration"] for event in finished[1]] == [2, 3, 4, 6]
    assert [event["epoch"] for event in finished[1]] == [0, 0, 1, 1]


def test_an_event_has_losses_rates_speed_and_memory(finished):
    for event in finished[1]:
        for name in ("generator_loss", "discriminator_loss", "images_per_s", "elapsed_s", "time"):
            assert math.isfinite(event[name])
            assert event[name] > 0
        for name in ("realness_real", "realness_fake", "generator_updates"):
            assert 0 <= event[name] <= 1
        assert 0 < event["generator_learning_rate"] <= TINY.generator_learning_rate * 1.001
        assert event["memory_bytes"] is None or event["memory_bytes"] > 2**20


def test_the_same_seed_gives_the_same_model(finished, tmp_path):
    train(arches(), tmp_path / "again", TINY, seed=1)
    assert same_weights(finished[0].model_path, tmp_path / "again" / "model.safetensors")


def test_another_seed_gives_another_model(finished, tmp_path):
    train(arches(), tmp_path / "other", TINY, seed=2)
    assert not same_weights(finished[0].model_path, tmp_path / "other" / "model.safetensors")


def test_training_leaves_torchs_own_chance_alone(tmp_path):
    before = torch.random.get_rng_state()
    train(arches(), tmp_path / "run", replace(TINY, epochs=1))
    # Building a network draws its first weights from there; the training must not depend on it.
    torch.random.set_rng_state(before)
    torch.rand(10)
    train(arches(), tmp_path / "again", replace(TINY, epochs=1))
    assert same_weights(tmp_path / "run/model.safetensors", tmp_path / "again/model.safetensors")


@pytest.mark.parametrize("stop_after", [2, 3, 5])
def test_a_training_that_was_stopped_and_resumed_ends_at_the_same_weights(
    finished, tmp_path, stop_after
):
    done = []
    with pytest.raises(CancelledError, match=f"after {stop_after} of 6"):
        train(
            arches(),
            tmp_path / "run",
            TINY,
            seed=1,
            on_progress=lambda *n: done.append(n),
            should_stop=lambda: len(done) == stop_after,
        )
    run = Run.open(tmp_path / "run")
    assert run.status().state == "cancelled"
    assert run.model_path.is_file()
    train(arches(), run.path, TINY, seed=1, resume=True)
    assert same_weights(finished[0].model_path, run.model_path)
    assert run.status().state == "finished"
    iterations = [event["iteration"] for event in run.events()[0]]
    assert iterations == sorted(set(iterations))
    assert iterations[-1] == 6


def test_a_training_that_was_killed_goes_on_from_the_last_checkpoint(finished, tmp_path):
    class Killed(BaseException):
        pass

    def kill(done: int, _: int) -> None:
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        train(arches(), tmp_path / "run", TINY, seed=1, on_progress=kill)
    run = Run.open(tmp_path / "run")
    assert run.read_checkpoint().state["iteration"] == 3
    train(arches(), run.path, TINY, seed=1, resume=True)
    assert same_weights(finished[0].model_path, run.model_path)
    assert [event["iteration"] for event in run.events()[0]] == [2, 3, 4, 6]


def test_the_stop_file_ends_a_training(tmp_path):
    run = Run(tmp_path / "run")

    def stop(done: int, _: int) -> None:
        if done == 2:
            run.request_stop()

    with pytest.raises(CancelledError, match="stopped on request"):
        train(arches(), run.path, TINY, on_progress=stop)
    assert run.status().state == "cancelled"
    assert run.read_checkpoint().state["iteration"] == 2
    train(arches(), run.path, TINY, resume=True)
    assert run.status().state == "finished"


def test_going_on_with_other_segments_or_settings_is_refused(tmp_path):
    train(arches(), tmp_path / "run", replace(TINY, epochs=1))
    with pytest.raises(BadInputError, match="other segments"):
        train(arches(9), tmp_path / "run", replace(TINY, epochs=1), resume=True)
    with pytest.raises(BadInputError, match="begun with epochs 1"):
        train(arches(), tmp_path / "run", TINY, resume=True)


def test_losses_that_are_no_numbers_end_the_training_with_a_sentence(tmp_path):
    wild = replace(TINY, generator_learning_rate=1e30, discriminator_learning_rate=1e30, epochs=9)
    with pytest.raises(BadInputError, match="the losses are no numbers any more"):
        train(arches(), tmp_path / "run", replace(wild, update_gate="off"))
    status = Run.open(tmp_path / "run").status()
    assert status.state == "failed"
    assert "lower generator_learning_rate" in status.message


@pytest.mark.parametrize("kind", ["synthetic", "artificial", "control"])
def test_segments_that_are_not_real_are_refused_unless_allowed(tmp_path, kind):
    with pytest.raises(BadInputError, match=f"is {kind}, needed is real"):
        train(arches(kind=kind), tmp_path / "run", TINY)
    assert not (tmp_path / "run").exists()
    train(
        arches(kind=kind),
        tmp_path / "run",
        replace(TINY, epochs=1),
        allowed_kinds=("real", kind),
    )


def test_fewer_segments_than_a_batch_are_refused(tmp_path):
    with pytest.raises(BadInputError, match="3 segments in an epoch and batch_size is 4"):
        train(arches(3), tmp_path / "run", replace(TINY, epoch_segments=0))
    assert not (tmp_path / "run").exists()


def test_fewer_segments_than_a_batch_are_repeated_where_the_recipe_says_how_often(tmp_path):
    train(arches(3), tmp_path / "run", replace(TINY, epochs=1))


def test_an_empty_set_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="There are 0 segments"):
        train(arches()[:0], tmp_path / "run", TINY)


def test_a_device_that_is_not_there_leaves_no_run_behind(tmp_path):
    with pytest.raises(BadInputError, match="The device is 'cuda:77'"):
        train(arches(), tmp_path / "run", TINY, device="cuda:77")
    assert not (tmp_path / "run").exists()


def test_an_epoch_shows_every_segment_once(tmp_path):
    segments = arches(8)
    game = training._Game(
        segments, replace(TINY, epoch_segments=0, flips=False), torch.device("cpu"), 0
    )
    shown = []
    for _ in range(game.batches_per_epoch):
        shown.append(game.next_reals(0))
        game.iteration += 1
    tops = sorted(int((image > -1).any(dim=1).nonzero()[0]) for image in torch.cat(shown)[:, 0])
    assert tops == [20 + n for n in range(8)]


def test_flips_mirror_about_half_of_the_images():
    images = torch.arange(4.0).expand(400, 1, 2, 4)
    mirrored = training._half_mirrored(images, torch.Generator().manual_seed(0))
    assert 160 < (mirrored[:, 0, 0, 0] == 3).sum() < 240
    assert torch.equal(mirrored.sort(dim=3).values, images)


def test_moved_images_are_windows_of_the_image_with_its_edge_repeated():
    image = torch.arange(36.0).reshape(1, 1, 6, 6)
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2), mode="replicate")
    windows = [padded[0, 0, r : r + 6, c : c + 6] for r in range(5) for c in range(5)]
    moved = training._moved(image.expand(60, 1, 6, 6), 2, torch.Generator().manual_seed(0))
    found = {next(n for n, w in enumerate(windows) if torch.equal(w, one[0])) for one in moved}
    assert len(found) > 15


def test_noise_on_what_is_judged_falls_to_nothing():
    recipe = Recipe(judge_noise=0.5)
    images = torch.zeros(4, 1, 128, 128)
    for share_done, deviation in ((0.0, 0.5), (0.4, 0.25), (0.8, 0.0), (1.0, 0.0)):
        judged = training._judged(images, recipe, share_done, torch.Generator().manual_seed(0))
        assert judged.std().item() == pytest.approx(deviation, rel=0.02)


def test_the_blur_is_the_gaussian_of_its_sigma():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    beside = math.exp(-0.5 / 0.8**2)
    centre = 1 / (1 + 2 * beside)
    found = blurred(image, 0.8)[0, 0]
    assert found[2, 2].item() == pytest.approx(centre**2)
    assert found[2, 3].item() == pytest.approx(centre**2 * beside)
    assert found[1, 3].item() == pytest.approx(centre**2 * beside**2)
    assert found.sum().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("epoch", "count"), [(0, 0), (15, 0), (16, 1), (20, 5), (23, 8), (24, 8), (900, 8)]
)
def test_blurred_reals_grow_by_one_an_epoch_to_half_of_the_fakes(epoch, count):
    generated, reals = torch.zeros(16, 1, 8, 8), torch.ones(16, 1, 8, 8)
    fakes = training._with_blurred(generated, reals, named("published"), epoch)
    assert len(fakes) == 16
    assert (fakes.flatten(1).mean(1) > 0.5).sum() == count


@pytest.mark.parametrize(
    ("gate", "epoch", "loss", "last_loss", "is_open"),
    [
        ("off", 50, 5.0, 5.0, True),
        ("below", 50, 5.0, 0.8, True),
        ("below", 50, 0.1, 0.9, False),
        ("below", 50, 0.1, 1.0, False),
        ("above", 50, 1.0, 0.1, True),
        ("above", 50, 0.9, 5.0, False),
        ("above", 50, 0.5, 5.0, False),
        ("above", 9, 0.5, 0.5, True),
        ("above", 10, 0.5, 0.5, False),
    ],
)
def test_the_update_gate_opens_as_its_reading_says(gate, epoch, loss, last_loss, is_open):
    recipe = Recipe(update_gate=gate, update_gate_loss=0.9, update_gate_from_epoch=10)
    found = gate_is_open(recipe, epoch, torch.tensor(loss), torch.tensor(last_loss))
    assert found.item() == float(is_open)


def side(recipe: Recipe, rate: float = 0.1, factor: float = 0.5) -> training._Side:
    torch.manual_seed(0)
    return training._Side(torch.nn.Linear(3, 1), recipe, rate, factor)


def test_a_network_whose_gate_is_closed_stays_as_it_is():
    player = side(Recipe(update_gate="above"))
    before = [p.detach().clone() for p in player.network.parameters()]
    x = torch.ones(1, 3)
    assert player.step(player.network(x).sum() * 0 + 0.5, 0, 0.0).item() == 0
    assert player.step((player.network(x) * 0.01).sum() + 0.1, 0, 0.0).item() == 0
    after = list(player.network.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert player.step((player.network(x) * 0.01).sum() + 5, 0, 0.0).item() == 1
    assert not torch.equal(before[0], after[0])


def test_gated_steps_are_the_steps_of_plain_adam_without_the_closed_ones():
    player = side(Recipe(update_gate="above", plateau_patience=0))
    plain = torch.nn.Linear(3, 1)
    plain.load_state_dict(player.network.state_dict())
    adam = torch.optim.Adam(plain.parameters(), lr=0.1, betas=(0.5, 0.999))
    chance = torch.Generator().manual_seed(0)
    for offset in (2.0, -9.0, 3.0, -9.0, 2.0):
        x = torch.randn(5, 3, generator=chance)
        player.step(player.network(x).square().mean() + offset, 0, 0.0)
        if offset > 0:
            adam.zero_grad()
            plain(x).square().mean().backward()
            adam.step()
    torch.testing.assert_close(player.network.weight, plain.weight)


def test_learning_rates_fall_on_plateaus_as_pytorchs_own_schedule():
    player = side(Recipe(update_gate="off", plateau_patience=3), rate=0.1, factor=0.8)
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1)
    plain = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=0.8, patience=3)
    chance = torch.Generator().manual_seed(4)
    rates = []
    for loss in torch.rand(60, generator=chance).tolist():
        player.step(player.network(torch.ones(1, 3)).sum() * 0 + loss, 0, 0.0)
        plain.step(loss)
        rates.append(adam.param_groups[0]["lr"])
        assert player.rate.item() == pytest.approx(rates[-1])
    assert rates[-1] < 0.03


def test_learning_rates_settle_over_the_last_share_of_the_training():
    recipe = Recipe(settle_share=0.4)
    found = [training._settling(recipe, done) for done in (0.0, 0.6, 0.8, 0.99, 1.0)]
    assert found == pytest.approx([1.0, 1.0, 0.5, 0.05, 0.05])
    assert training._settling(Recipe(), 0.99) == 1.0


def test_the_discriminator_learns_to_tell_noise_from_arches():
    segments = arches()
    judge = Discriminator(4)
    player = training._Side(judge, Recipe(update_gate="off"), 1e-3, 0.5)
    reals = model.from_hu(segments.hu, segments.hu_range)
    chance = torch.Generator().manual_seed(0)
    for _ in range(8):
        fakes = torch.rand(reals.shape, generator=chance) * 2 - 1
        loss = training._cross_entropy(judge(reals), 0.9) + training._cross_entropy(
            judge(fakes), 0.0
        )
        player.step(loss, 0, 0.0)
    assert judge.realness(reals).mean() > 0.7
    assert judge.realness(fakes).mean() < 0.3


def test_the_generator_follows_what_its_judge_likes():
    generator = Generator(latent_size=8, width=8)
    chance = torch.Generator().manual_seed(0)
    initialise(generator, 0.0, chance)
    player = training._Side(generator, Recipe(update_gate="off"), 3e-3, 0.5)
    seen = []
    for _ in range(12):
        images = generator(generator.draw_latent(4, chance=chance), chance=chance)
        upper, lower = images[:, :, :64].mean(), images[:, :, 64:].mean()
        player.step(lower - upper, 0, 0.0)
        seen.append((upper - lower).item())
    assert abs(seen[0]) < 0.1
    assert seen[-1] > 0.3


@pytest.mark.slow
def test_the_generator_learns_that_there_is_nothing_below_the_wall(tmp_path):
    recipe = replace(
        named("demo"),
        generator_width=64,
        discriminator_width=8,
        ema_decay=0.9,
        epochs=9,
        epoch_segments=96,
        snapshot_every=9,
        sample_count=4,
        settle_share=0.0,
    )
    before = train(arches(), tmp_path / "before", replace(recipe, epochs=1, epoch_segments=8))
    after = train(arches(), tmp_path / "after", recipe)
    below = [
        generate_set(made, range(8), wall_threshold_hu=-1).hu[:, 70:].mean()
        for made in (before, after)
    ]
    # Grey before, that is half of the HU range; after 108 iterations 3 to 7 HU with three seeds.
    assert below[0] > 900
    assert below[1] < 200
