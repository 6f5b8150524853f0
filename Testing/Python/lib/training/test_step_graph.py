"""Iterations replayed, on tapes that do on a CPU what graphs do on a GPU: the same work on the same
memory. A training that is replayed must be to the bit the one that is not, and must go on where it
cannot be replayed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from examples import TINY, arches, bent_walls, straight_walls
from SkullGANLib.networks import model_file
from SkullGANLib.training import loop, step_graph
from SkullGANLib.training.loop import train
from SkullGANLib.training.presets import named
from SkullGANLib.training.recipe import Recipe
from SkullGANLib.training.run_directory import Run
from SkullGANLib.training.state import TrainingState
from SkullGANLib.training.step import iterate
from SkullGANLib.training.step_check import Outcome
from SkullGANLib.training.step_graph import StepGraphs, iterations, why_not
from tapes import TapeRecorder

CPU = torch.device("cpu")
SMALL = {
    "latent_size": 4,
    "generator_width": 8,
    "generator_channels": "",
    "discriminator_width": 4,
    "discriminator_channels": "",
    "batch_size": 4,
    "quality_count": 0,
    "image_rows": 32,
}
# Every number that changes from iteration to iteration, and the gate, which closes now and then.
ALL_OF_THE_PAPER = replace(
    named("published"),
    **SMALL,
    samples_per_epoch=24,
    epochs=7,
    update_gate_from_epoch=2,
    blurred_from_epoch=1,
    blur_sigma_epochs=4.0,
    plateau_patience=5,
    instance_noise_std=0.1,
    lr_decay_fraction=0.6,
    ema_decay=0.95,
    ada_target=0.6,
)
PAIRS = replace(
    named("fast"),
    **SMALL | {"batch_size": 2},
    minibatch_std=2,
    samples_per_epoch=20,
    epochs=4,
    conditions="thickness",
    precision="fp32",
    compile=False,
)
# The least that has all parts of a training, for what happens where a replay fails.
QUICK = replace(
    PAIRS,
    **{"minibatch_std": 0, "conditions": "", "ada_target": 0.0},
    **{"r1_gamma": 0.0, "r2_gamma": 0.0, "shift_px": 0, "contrast_std": 0.0, "noise_scales": 1},
)


def state_of(recipe: Recipe) -> TrainingState:
    torch.manual_seed(0)
    state = TrainingState(bent_walls(12, 0), recipe, CPU, 3, held_out=bent_walls(6, 1))
    state.schedule.few_kinds = True  # as on a GPU
    return state


def assert_same(one: TrainingState, other: TrainingState) -> None:
    assert one.iteration == other.iteration
    tensors = other.tensors()
    for name, tensor in one.tensors().items():
        assert torch.equal(tensor, tensors[name]), name
    ours, theirs = (s.noise_generator.generator.get_state() for s in (one, other))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("recipe", "iterations", "kinds"),
    [
        (ALL_OF_THE_PAPER, 34, 3),
        (PAIRS, 32, 3),
        (replace(QUICK, precision="bf16"), 8, 1),
    ],
    ids=["all of the paper", "pairs", "bf16"],
)
def test_replayed_iterations_are_to_the_bit_those_that_are_not(recipe, iterations, kinds):
    plain, replayed, notes = state_of(recipe), state_of(recipe), []
    recorder = TapeRecorder(replayed)
    graphs = StepGraphs(replayed, recorder, notes.append)
    updates = set()
    for _ in range(iterations):
        expected, found = iterate(plain), graphs.iterate()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], value) for name, value in expected.items())
        updates.add(expected["discriminator_updates"].item())
    assert_same(replayed, plain)
    assert notes == []
    assert len(recorder.tapes) == kinds
    assert recorder.replays >= iterations - kinds * step_graph.WARM_UP - 6
    assert updates == ({1.0} if recipe.update_gate == "off" else {0.0, 1.0})


def test_a_run_may_be_resumed_with_or_without_replays():
    plain, replayed = state_of(QUICK), state_of(QUICK)
    graphs = StepGraphs(replayed, TapeRecorder(replayed), print)
    for _ in range(7):
        graphs.iterate()
    resumed = state_of(QUICK)
    resumed.restore(replayed.checkpoint(), "run")
    for state in (plain, resumed):
        while state.iteration < 9:
            iterate(state)
    assert_same(resumed, plain)


class Failing(TapeRecorder):
    """Cannot record after so many times."""

    def __init__(self, state: TrainingState, after: int = 0) -> None:
        super().__init__(state)
        self.after = after

    def record(self, work):
        if len(self.tapes) < self.after:
            return super().record(work)
        with torch.no_grad():  # a capture that does harm before it fails
            self.state.generator.conv4.weight.fill_(7.0)
        torch.rand(5, generator=self.state.noise_generator.generator)
        try:
            raise RuntimeError("operation not permitted when stream is capturing\nmore of it")
        except RuntimeError:
            raise RuntimeError("operation failed due to an error during capture")  # noqa: B904


@pytest.mark.parametrize("after", [0, 1])
def test_where_an_iteration_cannot_be_captured_the_training_goes_on_as_it_is(after):
    recipe = replace(QUICK, r1_gamma=0.1, penalty_every=2)  # of two kinds, in turn
    plain, replayed, notes = state_of(recipe), state_of(recipe), []
    graphs = StepGraphs(replayed, Failing(replayed, after), notes.append)
    for _ in range(10):
        expected, found = iterate(plain), graphs.iterate()
        assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert_same(replayed, plain)
    assert notes == [
        "The training goes on without CUDA graphs, and slower: an iteration could not be captured "
        "(operation not permitted when stream is capturing)."
    ]


class Differing(TapeRecorder):
    """Its replays do harm, all or the given ones."""

    def __init__(self, state: TrainingState, harm, which=range(1000)) -> None:
        super().__init__(state)
        self.harm, self.which = harm, which

    def record(self, work):
        replay = super().record(work)

        def harmful() -> None:
            replay()
            if self.replays - 1 in self.which:
                with torch.no_grad():
                    self.harm(self.state)

        return harmful


def harm(state: TrainingState) -> None:
    state.tensors()["average.conv1.weight"].mul_(1.1)


def test_where_replays_differ_the_training_goes_on_as_it_is():
    plain, replayed, notes = state_of(QUICK), state_of(QUICK), []
    graphs = StepGraphs(replayed, Differing(replayed, harm), notes.append)
    for _ in range(7):
        expected, found = iterate(plain), graphs.iterate()
        assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert_same(replayed, plain)
    (note,) = notes
    assert "differs from the iteration itself (average by " in note


def test_a_replay_that_differs_once_is_taken_back_and_the_next_is_compared_again():
    plain, replayed, notes = state_of(QUICK), state_of(QUICK), []
    recorder = Differing(replayed, harm, which=(0,))
    graphs = StepGraphs(replayed, recorder, notes.append)
    for _ in range(8):
        iterate(plain)
        graphs.iterate()
    assert_same(replayed, plain)
    assert notes == []
    assert recorder.replays == 5


def test_a_tensor_that_is_replaced_instead_of_filled_is_found_out_by_a_later_replay():
    recipe = replace(QUICK, epochs=2, lr_decay_fraction=1.0)
    replayed, notes = state_of(recipe), []
    begin = replayed.schedule.begin

    def begun(iteration: int):
        replayed.schedule.learning_rate_factor = replayed.schedule.learning_rate_factor.clone()
        return begin(iteration)

    replayed.schedule.begin = begun
    graphs = StepGraphs(replayed, TapeRecorder(replayed), notes.append)
    for _ in range(8):
        graphs.iterate()
    assert "(rates by " in notes[0]


def test_where_memory_is_not_enough_to_compare_the_training_goes_on_as_it_is(monkeypatch):
    plain, replayed, notes = state_of(QUICK), state_of(QUICK), []

    def lacking(state):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(step_graph.Outcome, "of", lacking)
    graphs = StepGraphs(replayed, TapeRecorder(replayed), notes.append)
    for _ in range(6):
        iterate(plain)
        graphs.iterate()
    assert_same(replayed, plain)
    assert "could not be captured (CUDA out of memory.)" in notes[0]


def test_on_a_cpu_and_in_several_processes_nothing_is_replayed_and_the_log_says_why(caplog):
    caplog.set_level("INFO")
    state = TrainingState(arches(), replace(TINY, cuda_graph=True), CPU, 0)
    iterations(state, print)()
    assert state.iteration == 1
    assert "not replayed as CUDA graphs: there are none on cpu." in caplog.text
    gpu = torch.device("cuda:0")
    assert "several processes" in why_not(gpu, 2)
    assert why_not(gpu, 1) == "" or "cannot capture" in why_not(gpu, 1)


def test_a_run_says_that_it_goes_on_without_graphs(tmp_path, monkeypatch):
    class Recorder(Failing):
        def __init__(self, device, generator) -> None:
            super().__init__(states[0])

    states = []
    play = loop.iterations
    monkeypatch.setattr(loop, "iterations", lambda s, note: states.append(s) or play(s, note))
    monkeypatch.setattr(step_graph, "why_not", lambda device, processes: "")
    monkeypatch.setattr(step_graph, "CudaRecorder", Recorder)
    recipe = replace(TINY, image_rows=32)
    segments = replace(straight_walls(8, 0, row=4), kind="real")
    train(segments, tmp_path / "run", replace(recipe, cuda_graph=True))
    events = Run.open(tmp_path / "run").events()[0]
    notes = [note for event in events for note in event.get("notes", [])]
    assert len(notes) == 1
    assert "without CUDA graphs" in notes[0]
    train(segments, tmp_path / "plain", recipe)
    made, plain = (model_file.read(tmp_path / n / "model.safetensors") for n in ("run", "plain"))
    weights = plain.generator.state_dict()
    assert all(torch.equal(t, weights[n]) for n, t in made.generator.state_dict().items())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "recipe", [ALL_OF_THE_PAPER, PAIRS, QUICK], ids=["paper", "pairs", "quick"]
)
def test_on_a_gpu_fifty_replayed_iterations_are_those_that_are_not(recipe):
    gpu, notes = torch.device("cuda"), []
    recipe = replace(recipe, cuda_graph=True, epochs=20)
    plain, replayed = (
        TrainingState(bent_walls(12, 0), recipe, gpu, 3, held_out=bent_walls(6, 1))
        for _ in range(2)
    )
    before, replay = Outcome.of(plain), iterations(replayed, notes.append)
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        for _ in range(50):
            expected, found = iterate(plain), replay()
    assert notes == []
    ours, theirs = (s.noise_generator.generator.get_state() for s in (replayed, plain))
    assert torch.equal(ours, theirs)
    for name in ("generator_loss", "discriminator_loss", "realness_real", "realness_fake"):
        torch.testing.assert_close(found[name], expected[name], rtol=0.3, atol=0.3)
    # Rounding grows over fifty steps of a game; another game would be as far away as it has come.
    for network in ("generator", "discriminator"):
        names = [n for n in before.tensors if n.startswith(f"{network}.") and "num_" not in n]
        ends, ours = plain.tensors(), replayed.tensors()
        off = sum((ours[n] - ends[n]).square().sum().item() for n in names)
        moved = sum((ends[n] - before.tensors[n]).square().sum().item() for n in names)
        assert off < 0.25 * moved
