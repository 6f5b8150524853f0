"""The Inception network of FID and KID, for those who have its weights.

``read`` takes the weights that most FID programs for PyTorch use (``pt_inception-2015-12-05``, a
plain state dict) and runs nothing in the file; ``features`` gives what the network makes of
segments. The network is Inception v3 (Szegedy et al. 2016) with what is peculiar to the weights of
FID (Heusel et al. 2017): averages that leave out the border, and a maximum instead of an average
in the last block.

Segments are gray, which is put into all three colors, and are enlarged from 128 to 299 pixels, as
such programs do. Distances can be compared among evaluations by this program, of equally many
segments, hardly with those of others.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..data.segment_set import SegmentSet
from ..errors import BadInputError
from .published_weights import check_values, listed, state_dict_of

FEATURES = 2048
_CLASSES = 1008
"""Rows of the last layer in the weights of FID; those of other Inception v3 have 1,000."""
_SIDE = 299
_AT_ONCE = 32

_Step = str | tuple | list
"""A pooling by its name, a convolution (name, width, kernel[, stride]), or several side by side."""


class InceptionV3(nn.Module):
    """Inception v3 up to its 2,048 features, with the weights' own names.

    21,785,568 trainable parameters; images float32 (N, 3, 299, 299) in [-1, 1] become (N, 2048).
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3, padding=0)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3, padding=0)
        self.Mixed_5b = _Mixed(192, _fine(32))
        self.Mixed_5c = _Mixed(256, _fine(64))
        self.Mixed_5d = _Mixed(288, _fine(64))
        self.Mixed_6a = _Mixed(288, _HALVED)
        self.Mixed_6b = _Mixed(768, _middle(128))
        self.Mixed_6c = _Mixed(768, _middle(160))
        self.Mixed_6d = _Mixed(768, _middle(160))
        self.Mixed_6e = _Mixed(768, _middle(192))
        self.Mixed_7a = _Mixed(768, _HALVED_AGAIN)
        self.Mixed_7b = _Mixed(1280, _coarse("mean"))
        self.Mixed_7c = _Mixed(2048, _coarse("maximum"))

    def forward(self, images: Tensor) -> Tensor:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(_POOLINGS["half"](x)))
        x = _POOLINGS["half"](x)
        for name, block in self.named_children():
            if name.startswith("Mixed"):
                x = block(x)
        return x.mean(dim=(2, 3))


def read(path: str | Path, device: torch.device | str = "cpu") -> InceptionV3:
    """Read the weights of FID's Inception network.

    Raises:
        BadInputError: if the file does not exist, is damaged or no plain state dict, is of another
            network (torchvision's own Inception v3 is another, too), or holds NaN.
    """
    path = Path(path)
    found = state_dict_of(path)
    with torch.device("meta"):
        network = InceptionV3()
    needed = network.state_dict()
    weights = {name: value for name, value in found.items() if not name.startswith("fc.")}
    missing = [name for name in needed.keys() - weights.keys() if not _counts(name)]
    extra = weights.keys() - needed.keys()
    other = len(found["fc.bias"]) != _CLASSES if "fc.bias" in found else False
    if missing or extra or other:
        said = [
            *([f"lacks {listed(missing)}"] if missing else []),
            *([f"has {listed(extra)}"] if extra else []),
            *([f"tells {len(found['fc.bias'])} classes instead of {_CLASSES}"] if other else []),
        ]
        raise BadInputError(
            f"{path}: is not the Inception network of FID: it {' and '.join(said)}; the weights "
            "pt_inception-2015-12-05 are needed."
        )
    check_values(path, weights)
    for name, empty in needed.items():
        value = weights.get(name, torch.zeros((), dtype=torch.int64))  # only a counter can miss
        if value.shape != empty.shape:
            raise BadInputError(
                f"{path}: {name} is {tuple(value.shape)}, needed is {tuple(empty.shape)}."
            )
        weights[name] = value.to(empty.dtype).contiguous()
    network.load_state_dict(weights, assign=True)
    # Channels last: 1.6 times as fast on a CPU.
    return network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)


def features(
    network: InceptionV3,
    segments: SegmentSet,
    on_progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Give the network's features of segments, on the device where it is: float64 (N, 2048).

    HU are scaled by the set's range to [0, 1] and clipped to it.
    """
    device = next(network.parameters()).device
    low, high = segments.hu_range
    found = np.empty((len(segments), FEATURES))
    with torch.inference_mode():
        for start in range(0, len(segments), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            gray = torch.from_numpy(segments.hu[part]).to(device, torch.float32)[:, None]
            gray = ((gray - low) / (high - low)).clamp(0, 1)
            size = (_SIDE, _SIDE)
            gray = functional.interpolate(gray, size, mode="bilinear", align_corners=False)
            images = (2 * gray - 1).expand(-1, 3, -1, -1)
            images = images.contiguous(memory_format=torch.channels_last)
            found[part] = network(images).double().cpu().numpy()
            if on_progress:
                on_progress(min(start + _AT_ONCE, len(segments)), len(segments))
    return found


class _Convolution(nn.Module):
    """Convolution, batch norm, ReLU; pads to keep the size unless it halves it."""

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | None = None,
    ) -> None:
        super().__init__()
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        if padding is None:
            padding = tuple(size // 2 for size in kernel) if stride == 1 else 0
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


class _Mixed(nn.Module):
    """Branches that all see the same and whose outputs are stacked."""

    def __init__(self, channels: int, branches: tuple[list[_Step], ...]) -> None:
        super().__init__()
        self._branches = branches
        for branch in branches:
            width = channels
            for step in branch:
                width = self._added(step, width)

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for branch in self._branches:
            y = x
            for step in branch:
                y = self._done(step, y)
            found.append(y)
        return torch.cat(found, dim=1)

    def _added(self, step: _Step, channels: int) -> int:
        """Make the convolutions of a step, and give the channels that it leaves."""
        if isinstance(step, str):
            return channels
        if isinstance(step, list):
            return sum(self._added(each, channels) for each in step)
        name, width, *shape = step
        self.add_module(name, _Convolution(channels, width, *shape))
        return width

    def _done(self, step: _Step, x: Tensor) -> Tensor:
        if isinstance(step, str):
            return _POOLINGS[step](x)
        if isinstance(step, list):
            return torch.cat([self._done(each, x) for each in step], dim=1)
        return self.get_submodule(step[0])(x)


_POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "half": lambda x: functional.max_pool2d(x, 3, 2),
    "maximum": lambda x: functional.max_pool2d(x, 3, 1, 1),
    "mean": lambda x: functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
}

_HALVED = (
    [("branch3x3", 384, 3, 2)],
    [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3, 2)],
    ["half"],
)
_HALVED_AGAIN = (
    [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3, 2)],
    [
        ("branch7x7x3_1", 192, 1),
        ("branch7x7x3_2", 192, (1, 7)),
        ("branch7x7x3_3", 192, (7, 1)),
        ("branch7x7x3_4", 192, 3, 2),
    ],
    ["half"],
)


def _fine(pooled: int) -> tuple[list[_Step], ...]:
    return (
        [("branch1x1", 64, 1)],
        [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
        ["mean", ("branch_pool", pooled, 1)],
    )


def _middle(width: int) -> tuple[list[_Step], ...]:
    return (
        [("branch1x1", 192, 1)],
        [
            ("branch7x7_1", width, 1),
            ("branch7x7_2", width, (1, 7)),
            ("branch7x7_3", 192, (7, 1)),
        ],
        [
            ("branch7x7dbl_1", width, 1),
            ("branch7x7dbl_2", width, (7, 1)),
            ("branch7x7dbl_3", width, (1, 7)),
            ("branch7x7dbl_4", width, (7, 1)),
            ("branch7x7dbl_5", 192, (1, 7)),
        ],
        ["mean", ("branch_pool", 192, 1)],
    )


def _coarse(pooling: str) -> tuple[list[_Step], ...]:
    return (
        [("branch1x1", 320, 1)],
        [
            ("branch3x3_1", 384, 1),
            [("branch3x3_2a", 384, (1, 3)), ("branch3x3_2b", 384, (3, 1))],
        ],
        [
            ("branch3x3dbl_1", 448, 1),
            ("branch3x3dbl_2", 384, 3),
            [("branch3x3dbl_3a", 384, (1, 3)), ("branch3x3dbl_3b", 384, (3, 1))],
        ],
        [pooling, ("branch_pool", 192, 1)],
    )


def _counts(name: str) -> bool:
    """Whether it counts training steps: nothing depends on it, and old files do not have it."""
    return name.endswith("num_batches_tracked")
