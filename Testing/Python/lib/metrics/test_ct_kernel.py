"""Which reconstruction kernels are too soft for SDR."""

import pytest
from SkullGANLib.metrics import kernel_is_soft


@pytest.mark.parametrize(
    ("kernel", "soft"),
    [
        ("BONEPLUS", False), ("Bone Plus", False), ("BONE", False), ("STANDARD", True),
        ("H31s", True), ("H60s", False), ("Hr40f", True), ("B70f", False), ("J30s", True),
        ("FC21", True), ("FC30", False), ("UB", None), ("", None),
    ],
)  # fmt: skip
def test_soft_kernels_are_distinguished_from_sharp_ones(kernel, soft):
    assert kernel_is_soft(kernel) is soft
