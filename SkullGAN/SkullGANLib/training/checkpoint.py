"""Checkpoints: all that a training needs to be resumed, in one file.

One file holds tensors and state, so that they can never be of two moments; safetensors has no code
to run on reading.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInputError
from ..utils.atomic_files import write_tensors
from ..utils.json_text import parse_json

if TYPE_CHECKING:
    from torch import Generator, Tensor

RANDOM_STATE = "chance"
"""Name of the random state in checkpoints, which runs of earlier versions have, too."""


@dataclass(frozen=True)
class Checkpoint:
    """All that is needed to resume a training.

    Attributes:
        tensors: weights, optimizer state and random state, by name.
        state: the rest, anything that JSON can hold; ``state["iteration"]`` is the number of
            iterations so far.
    """

    tensors: dict[str, Tensor]
    state: dict[str, Any]

    def under(self, prefix: str) -> dict[str, Tensor]:
        """Give the tensors whose names begin with a prefix and a dot, by what follows."""
        start = prefix + "."
        of_it = (name for name in self.tensors if name.startswith(start))
        return {name.removeprefix(start): self.tensors[name] for name in of_it}


def fingerprint(hu: np.ndarray) -> str:
    """Give a number by which segments are known again."""
    return hashlib.sha256(np.ascontiguousarray(hu).tobytes()).hexdigest()


def check_fits(
    checkpoint: Checkpoint, hu: np.ndarray, generator: Generator, where: str | Path
) -> None:
    """Check that a checkpoint can be resumed from with these segments on this device.

    Args:
        checkpoint: of a run.
        hu: the segments' HU.
        generator: the random numbers of the training, on its device.
        where: the run directory, for the sentence of an error.

    Raises:
        BadInputError: if it was made with other segments or on another kind of device.
    """
    if checkpoint.state.get("segments") != fingerprint(hu):
        raise BadInputError(
            f"{where}: expected the segments that the run was begun with, found other ones."
        )
    random_state = checkpoint.tensors.get(RANDOM_STATE)
    if random_state is not None and random_state.shape != generator.get_state().shape:
        raise BadInputError(
            f"{where}: was begun on another kind of device than {generator.device.type}, expected "
            "the same --device; or begin a new run from its model (--pretrained)."
        )


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint.

    Raises:
        OutputError: if it cannot be written.
    """
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    write_tensors(path, tensors, {"state": json.dumps(checkpoint.state)})


def read(path: Path) -> Checkpoint:
    """Read a checkpoint; tensors are on the CPU.

    Raises:
        BadInputError: if it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            state = parse_json((file.metadata() or {})["state"], str(path), "a checkpoint")
            if not isinstance(state, dict):
                raise ValueError("no state")
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, state)  # noqa: SIM118 - no mapping
    except (SafetensorError, BadInputError, OSError, ValueError, KeyError) as error:
        raise BadInputError(
            f"{path}: is not a whole checkpoint; remove it to resume from the one before."
        ) from error
