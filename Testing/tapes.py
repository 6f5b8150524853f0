"""Work on a CPU recorded and replayed as a CUDA graph is: the same operations on the same memory,
with the numbers of the host as they were when it was recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from SkullGANLib.training.state import TrainingState
from SkullGANLib.training.step_check import Outcome
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape(TorchDispatchMode):
    """Notes every operation, those of backward passes and optimizers included."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Callable, tuple, dict, Any]] = []

    def __torch_dispatch__(self, function, types, given=(), named=None):
        made = function(*given, **(named or {}))
        self.done.append((function, given, named or {}, made))
        return made

    @torch.no_grad()
    def replay(self) -> None:
        """Do it all again; no line of the Python that was recorded is run."""
        for function, given, named, made in self.done:
            again = function(*given, **named)
            for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                # What changes or views a tensor that is there has done so.
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class TapeRecorder:
    """Stands in for a GPU's recorder: what it records is done once and taken back."""

    def __init__(self, state: TrainingState) -> None:
        self.state = state
        self.tapes: list[Tape] = []
        self.replays = 0

    def aside(self, work):
        return work()

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        before = Outcome.of(self.state)
        with Tape() as tape:
            work()
        before.restore(self.state)
        self.tapes.append(tape)

        def replay() -> None:
            self.replays += 1
            tape.replay()

        return replay
