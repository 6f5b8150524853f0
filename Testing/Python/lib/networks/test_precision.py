"""The precision is the one asked for, or the faster one of the device."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import torch
from checkout import ROOT
from SkullGANLib.errors import BadInputError
from SkullGANLib.networks import precision
from SkullGANLib.networks.precision import (
    INFERENCE_PRECISIONS,
    PRECISIONS,
    chosen_precision,
    cuda_arithmetic,
    has_bf16,
)


def test_an_unknown_precision_is_refused():
    with pytest.raises(BadInputError, match="is 'fp16', expected one of auto, fp32, bf16, tf32"):
        chosen_precision("fp16", "cpu", 4096)


def test_a_precision_asked_for_is_taken_and_a_narrow_network_stays_in_float32():
    assert chosen_precision("bf16", "cpu", 8) == "bf16"
    assert chosen_precision("fp32", "cpu", 4096) == "fp32"
    assert chosen_precision("auto", "cpu", 256) == "fp32"


def test_bf16_is_chosen_only_where_it_is_computed():
    if chosen_precision("auto", "cpu", 4096) == "bf16":
        assert has_bf16("cpu")


def test_the_choices_are_known_without_torch():
    code = (
        "import sys; from SkullGANLib.networks.precision import PRECISIONS; "
        "sys.exit('torch' in sys.modules)"
    )

    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT / "SkullGAN", check=False).returncode
        == 0
    )
    assert list(PRECISIONS) == ["auto", "fp32", "bf16"]


def on_processor(monkeypatch, *, amx: bool, bf16: bool) -> None:
    monkeypatch.setattr(precision, "_has_matrix_units", lambda device: amx)
    monkeypatch.setattr(precision, "_has_bf16_products", lambda: bf16)


@pytest.mark.parametrize(
    ("amx", "bf16", "inference", "training"),
    [
        (False, False, "fp32", "fp32"), (False, True, "bf16", "fp32"), (True, True, "bf16", "bf16"),
    ],
)  # fmt: skip
def test_auto_is_bf16_where_the_processor_multiplies_in_it(
    amx, bf16, inference, training, monkeypatch
):
    on_processor(monkeypatch, amx=amx, bf16=bf16)
    for width in (512, 4096):
        assert chosen_precision("auto", "cpu", width) == inference
    assert chosen_precision("auto", "cpu", 4096, training=True) == training
    assert chosen_precision("auto", "cpu", 256) == "fp32"


def test_tf32_is_for_cuda_devices_that_have_it_and_for_no_training(monkeypatch):
    with pytest.raises(BadInputError, match="tf32, which cpu does not compute in; expected a"):
        chosen_precision("tf32", "cpu", 4096)
    with pytest.raises(BadInputError, match="is 'tf32', expected one of auto, fp32, bf16"):
        chosen_precision("tf32", "cuda", 4096, training=True)
    on_processor(monkeypatch, amx=True, bf16=False)
    assert chosen_precision("tf32", "cuda", 4096) == "tf32"
    assert list(INFERENCE_PRECISIONS) == ["auto", "fp32", "bf16", "tf32"]


def settings() -> tuple[bool, ...]:
    backends = torch.backends
    return (
        backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32,
        backends.cudnn.benchmark, backends.cudnn.deterministic,
    )  # fmt: skip


def test_cuda_computes_as_promised_and_afterwards_as_before():
    before = settings()
    for name, tf32 in (("fp32", False), ("bf16", False), ("tf32", True)):
        with cuda_arithmetic(name):
            assert settings() == (tf32, tf32, False, True)
            with cuda_arithmetic(name):
                pass
            assert settings() == (tf32, tf32, False, True)
        assert settings() == before


def test_threads_of_another_precision_wait_for_those_within():
    entered, leave, seen = threading.Event(), threading.Event(), []

    def other() -> None:
        entered.set()
        with cuda_arithmetic("tf32"):
            seen.append(settings()[0])

    before = settings()
    thread = threading.Thread(target=other)
    with cuda_arithmetic("fp32"):
        thread.start()
        entered.wait()
        leave.wait(0.1)
        assert not seen
    thread.join()
    assert seen == [True]
    assert settings() == before
