"""Devices by their names."""

from __future__ import annotations

import pytest
import torch
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks.devices import chosen_device


def test_the_cpu_is_always_a_device():
    assert chosen_device("cpu") == torch.device("cpu")
    assert chosen_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(BadInputError, match=f"The device is '{name}'"):
        chosen_device(name)
