"""The precision of inference and training, and which one a device is fast in.

Nothing heavy is imported before a device is asked about, so that recipes and commands may list the
choices.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError

if TYPE_CHECKING:
    import torch

PRECISIONS = {
    "auto": "bf16 where the device is faster in it, else fp32",
    "fp32": "everything in float32",
    "bf16": "the networks' layers in bfloat16; weights, batch statistics, losses and the optimizer "
    "in float32",
}
"""The choices, and what each is."""

INFERENCE_PRECISIONS = {
    **PRECISIONS,
    "tf32": "float32 whose products keep 10 bits of the fraction (TensorFloat-32), on CUDA devices",
}
"""The choices where nothing is trained."""

NARROW = 128
"""Input channels below which products are too small to pay for the additions around them: a layer
of 64 to 32 channels took 0.8 ms as it is, 1.6 by ``fast_layers.Karatsuba``; one of 128 to 64, 0.8
and 0.7."""


_WIDE_ON_CPU, _WIDE_ON_GPU = 4 * NARROW, 8 * NARROW
"""Generators' widths from which bf16 gains. With avx512_bf16 (EPYC, one core) it made 1.15 times
the images a second of fp32 at width 192, 1.41 at 512 and at 1024, 1.79 at 4096."""


def chosen_precision(
    name: str, device: torch.device | str, width: int, *, training: bool = False
) -> str:
    """Turn "auto" into "fp32" or "bf16", whichever is faster there.

    bf16 is chosen on CUDA devices that compute in it, and on CPUs with AMX or AVX-512's bf16
    instructions; not in narrow networks, where arithmetic is the smaller part. A training on a CPU
    takes it with AMX alone, for autocast lays weights out anew at every step.

    Args:
        name: one of ``INFERENCE_PRECISIONS``.
        device: where the network is to run.
        width: of the generator.
        training: whether it is trained there.

    Raises:
        BadInputError: if the name is another one, or the device does not compute in tf32.
    """
    names = PRECISIONS if training else INFERENCE_PRECISIONS
    if name not in names:
        raise BadInputError(f"The precision is {name!r}, expected one of {', '.join(names)}.")
    if name == "tf32" and not (_type_of(device) == "cuda" and _has_matrix_units(device)):
        raise BadInputError(
            f"The precision is tf32, which {device} does not compute in; expected a CUDA device of "
            "compute capability 8.0 or later, or auto, fp32 or bf16."
        )
    if name != "auto":
        return name
    if training or _type_of(device) != "cpu":
        return "bf16" if width >= _WIDE_ON_GPU and _has_matrix_units(device) else "fp32"
    return "bf16" if width >= _WIDE_ON_CPU and computes_in_bf16(device) else "fp32"


class _CudaArithmetic:
    """What CUDA's libraries are told while some threads compute in one precision."""

    def __init__(self) -> None:
        self._threads = 0
        self._precision = ""
        self._before: list[tuple[Any, str, bool]] = []
        self._changed = threading.Condition()

    @contextmanager
    def in_precision(self, precision: str) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._threads or self._precision == precision)
            if not self._threads:
                self._set(precision)
            self._threads += 1
        try:
            yield
        finally:
            with self._changed:
                self._threads -= 1
                if not self._threads:
                    for backend, name, value in self._before:
                        setattr(backend, name, value)
                    self._changed.notify_all()

    def _set(self, precision: str) -> None:
        from torch import backends

        tf32 = precision == "tf32"
        wanted: list[tuple[Any, str, bool]] = [
            (backends.cudnn, "allow_tf32", tf32),
            (backends.cuda.matmul, "allow_tf32", tf32),
            (backends.cudnn, "benchmark", False),
            (backends.cudnn, "deterministic", True),
        ]
        self._precision = precision
        self._before = [(backend, name, getattr(backend, name)) for backend, name, _ in wanted]
        for backend, name, value in wanted:
            setattr(backend, name, value)


_cuda_arithmetic = _CudaArithmetic()


def cuda_arithmetic(precision: str) -> AbstractContextManager[None]:
    """Have CUDA compute in a precision, and the same way each time; afterwards as before.

    cuDNN's default for float32, TF32, keeps 10 bits, and its search for the fastest algorithm
    (benchmark mode) may end otherwise in the next run. The settings are the process's: threads
    that ask for another precision wait until those within have left.
    """
    return _cuda_arithmetic.in_precision(precision)


def has_bf16(device: torch.device | str) -> bool:
    """Tell whether bf16 is more than emulated there; where it is not, it takes forever."""
    import torch

    if torch.device(device).type != "cpu":
        return _has_matrix_units(device)
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def computes_in_bf16(device: torch.device | str) -> bool:
    """Tell whether wide networks run faster in bf16 there: on GPUs with matrix units for it, and on
    CPUs with AMX or avx512_bf16."""
    is_cpu = _type_of(device) == "cpu"
    return _has_matrix_units(device) or (is_cpu and _has_bf16_products())


def _has_matrix_units(device: torch.device | str) -> bool:
    import torch

    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


def _has_bf16_products() -> bool:
    """Tell whether the processor multiplies in bf16, more than emulates it (avx512_bf16)."""
    import torch

    tell = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # not in PyTorch before 2.6
    return tell is not None and has_bf16("cpu") and bool(tell())


def _type_of(device: torch.device | str) -> str:
    import torch

    return torch.device(device).type
