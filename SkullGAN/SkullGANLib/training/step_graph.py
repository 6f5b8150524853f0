"""Iterations replayed as CUDA graphs: a step's kernels are captured once and then launched as one.

A narrow network's kernels are over sooner than Python has launched them, and a wide one's are many;
a graph is launched in the time of one of them. Steps of each ``StepKind`` have a graph of their
own; all share their memory.

Nothing that a graph gives is trusted unseen. A kind's first steps are done as they are, on the
stream that is captured afterwards, so that compilers and libraries have made all their choices.
Then, and again at its second, fourth, eighth ... replay, the iteration is done three times from the
same state, twice as it is and once by the graph, and compared (see ``step_check``). Where it
differs twice in a row, or capturing fails, the training goes on as it is from that state, and says
so. What is replayed draws the same random numbers, so that a run may be resumed with or without.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from .schedule import StepKind
from .state import TrainingState
from .step import iterate, step
from .step_check import Outcome, apart, farther_than_allowed

WARM_UP = 3
"""Steps of a kind that are done before it is captured, as PyTorch's documentation asks for."""
STRIKES = 2
"""Checks in a row that must fail: one may have met a loss at the update gate's very edge."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Recorder(Protocol):
    """Captures work on a device."""

    def aside(self, work: Callable[[], T]) -> T:
        """Do work where it will be captured, after all that was begun before and before all that
        is begun after."""
        ...

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Capture work without doing it; give what does it, with what its tensors are then."""
        ...


class CudaRecorder:
    """Captures work on a GPU.

    Args:
        device: the GPU.
        generator: of all random numbers in the work.
    """

    def __init__(self, device: torch.device, generator: torch.Generator) -> None:
        self._device, self._generator = device, generator
        self._stream = torch.cuda.Stream(device)
        # One replay after the other: none needs what another left in memory.
        self._pool = torch.cuda.graph_pool_handle()
        self._failed: torch.cuda.CUDAGraph | None = None
        """Kept, for some versions of PyTorch's allocator go on asking it whether it captures."""

    def aside(self, work: Callable[[], T]) -> T:
        here = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            found = work()
        here.wait_stream(self._stream)
        return found

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        # Only this thread may not wait meanwhile: checkpoints are fetched by another.
        captured = torch.cuda.graph(
            graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
        )
        # Entered once more: where a capture fails, PyTorch leaves its stream the current one.
        here = torch.cuda.current_stream(self._device)
        try:
            with torch.cuda.device(self._device), torch.cuda.stream(here), captured:
                work()
        except BaseException:
            self._failed = graph
            raise
        return graph.replay


@dataclass
class _Graph:
    """A captured step: what replays it, and where what it reports is then."""

    replay: Callable[[], None]
    names: tuple[str, ...]
    values: Tensor

    def __call__(self) -> dict[str, Tensor]:
        self.replay()
        # A copy: the next replay writes over it.
        return dict(zip(self.names, self.values.clone().unbind(), strict=True))


@dataclass
class _Kind:
    """The steps of a kind so far."""

    done: int = 0
    replays: int = 0
    strikes: int = 0
    graph: _Graph | None = None

    @property
    def is_checked(self) -> bool:
        """Whether the next replay is compared: the first, second, fourth, eighth ..."""
        return self.graph is None or self.strikes > 0 or (self.replays + 1).bit_count() == 1


class StepGraphs:
    """The iterations of a training, replayed where they can be.

    Args:
        state: the training; its tensors must stay the same ones from now on.
        recorder: captures.
        note: told a sentence when the training goes on without graphs.
    """

    def __init__(
        self, state: TrainingState, recorder: Recorder, note: Callable[[str], None]
    ) -> None:
        self._state, self._note = state, note
        self._recorder, self._has_ended = recorder, False
        self._kinds: dict[StepKind, _Kind] = {}

    def iterate(self) -> dict[str, Tensor]:
        """Do one iteration; what is given is ``step``'s."""
        kind = self._kinds.setdefault(self._state.begin_iteration(), _Kind())
        found = self._found(kind)
        self._state.iteration += 1
        return found

    def _found(self, kind: _Kind) -> dict[str, Tensor]:
        if self._has_ended:
            return step(self._state)
        kind.done += 1
        if kind.done <= WARM_UP:
            return self._recorder.aside(partial(_stepped, self._state))
        if kind.graph is None or kind.is_checked:
            return self._checked(kind)
        kind.replays += 1
        return kind.graph()

    def _checked(self, kind: _Kind) -> dict[str, Tensor]:
        """Replay an iteration and compare it with what it is; give what was right."""
        state, recorder, failure, differs = self._state, self._recorder, "", ""
        before: Outcome | None = None
        expected: Outcome | None = None
        try:
            before = Outcome.of(state)
            expected = recorder.aside(lambda: Outcome.of(state, _stepped(state)))
            before.restore(state)
            repeated = apart(state, recorder.aside(partial(_stepped, state)), expected, before)
            before.restore(state)
            if kind.graph is None:
                kind.graph = _recorded(state, recorder)
            found = kind.graph()
            differs = farther_than_allowed(apart(state, found, expected, before), repeated)
        except Exception as error:  # of any of the libraries that a step consists of
            failure = _reason(error)
        if not failure and not differs:
            kind.replays, kind.strikes = kind.replays + 1, 0
            return found
        kind.strikes += 1
        if failure:
            self._end(f"an iteration could not be captured ({failure})")
        elif kind.strikes >= STRIKES:
            self._end(f"a replayed iteration differs from the iteration itself ({differs})")
        if expected is not None:
            expected.restore(state)
            return expected.found
        if before is not None:
            before.restore(state)
            before = None  # it may have been the memory that was not enough
        return step(state)

    def _end(self, reason: str) -> None:
        """Let all further iterations be done as they are."""
        if self._state.device.type == "cuda":
            torch.cuda.synchronize(self._state.device)  # no graph is let go while it is replayed
        self._has_ended = True
        self._kinds.clear()
        self._note(f"The training goes on without CUDA graphs, and slower: {reason}.")


def iterations(
    state: TrainingState, note: Callable[[str], None]
) -> Callable[[], dict[str, Tensor]]:
    """Give what does an iteration of a training: by CUDA graphs, where the recipe asks for them and
    they can be had, which is logged where not.

    Args:
        state: the training.
        note: told a sentence when the training goes on without graphs.
    """
    lack = why_not(state.device, state.group.size) if state.recipe.cuda_graph else ""
    if lack:
        _log.info("Iterations are not replayed as CUDA graphs: %s.", lack)
    if lack or not state.recipe.cuda_graph:
        return partial(iterate, state)
    recorder = CudaRecorder(state.device, state.noise_generator.generator)
    return StepGraphs(state, recorder, note).iterate


def why_not(device: torch.device, processes: int) -> str:
    """Say why iterations are not replayed; empty where they are."""
    if device.type != "cuda":
        return f"there are none on {device.type}"
    if processes > 1:
        return "several processes average their gradients in between"
    if not hasattr(torch.cuda.CUDAGraph, "register_generator_state"):
        return f"PyTorch {torch.__version__} cannot capture random numbers of a generator"
    return ""


def _recorded(state: TrainingState, recorder: Recorder) -> _Graph:
    """Capture the step that was begun."""
    names: tuple[str, ...] = ()
    values: Tensor | None = None

    def work() -> None:
        nonlocal names, values
        names, values = _reported(state)

    replay = recorder.record(work)
    assert values is not None
    return _Graph(replay, names, values)


def _reported(state: TrainingState) -> tuple[tuple[str, ...], Tensor]:
    """Do the step that was begun; give what is reported of it as names and one tensor."""
    found = step(state)
    return tuple(found), torch.stack(list(found.values()))


def _stepped(state: TrainingState) -> dict[str, Tensor]:
    """Do the step that was begun with exactly the work that is captured."""
    names, values = _reported(state)
    return dict(zip(names, values.unbind(), strict=True))


def _reason(error: BaseException) -> str:
    while error.__context__ is not None:  # what a failed capture says in the end is of no help
        error = error.__context__
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else repr(error)
