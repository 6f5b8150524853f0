"""The precision of inference and training, and which one a device is fast in.

Nothing heavy is imported before a device is asked about, so that recipes and commands may list the
choices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadInputError

if TYPE_CHECKING:
    import torch

PRECISIONS = {
    "auto": "bf16 where the device has matrix units for it, else fp32",
    "fp32": "everything in float32",
    "bf16": "the networks' layers in bfloat16; weights, batch statistics, losses and the optimizer "
    "in float32",
}
"""The choices, and what each is."""

NARROW = 128
"""Input channels below which products are too small to pay for the additions around them: a layer
of 64 to 32 channels took 0.8 ms as it is, 1.6 by ``fast_layers.Karatsuba``; one of 128 to 64, 0.8
and 0.7."""


def chosen_precision(name: str, device: torch.device | str, width: int) -> str:
    """Turn "auto" into "fp32" or "bf16", whichever is faster there.

    bf16 is chosen on CUDA devices that compute in it, and on CPUs with AMX. AVX-512's bf16
    instructions alone double the float32 rate at best, which the 9 products in place of 16 of the
    float32 path almost make up for; nor is there a gain in narrow networks, where arithmetic is
    the smaller part.

    Args:
        name: "auto", "fp32" or "bf16".
        device: where the network is to run.
        width: of the generator.

    Raises:
        BadInputError: if the name is another one.
    """
    if name not in PRECISIONS:
        raise BadInputError(f"The precision is {name!r}, expected one of {', '.join(PRECISIONS)}.")
    if name != "auto":
        return name
    return "bf16" if width >= 8 * NARROW and _has_matrix_units(device) else "fp32"


def has_bf16(device: torch.device | str) -> bool:
    """Tell whether bf16 is more than emulated there; where it is not, it takes forever."""
    import torch

    if torch.device(device).type != "cpu":
        return _has_matrix_units(device)
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def _has_matrix_units(device: torch.device | str) -> bool:
    import torch

    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()
