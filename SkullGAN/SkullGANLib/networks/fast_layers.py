"""The layers of a generator laid out for speed: the same functions, fewer or better products.

A stride-2, 4 x 4 transposed convolution is four 2 x 2 convolutions on the small grid
(``FourPhases``). In float32 on a CPU one needs 9 products in them where the definition takes 16
(``Karatsuba``), while in bf16 the smallest grids are gathered for matrix products (``Gathered``).
"""

from __future__ import annotations

from threading import Lock
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from .precision import NARROW, has_bf16

_SMALL_GRID = 8
"""Rows and columns up to which a bf16 layer gathers its inputs for matrix products."""

_TAPS_OF_PARITY = ([3, 1], [2, 0])
"""Of a transposed convolution, for even and for odd rows (or columns) of the output."""


class Layer(Protocol):
    """A layer with its weights inside."""

    def __call__(self, x: Tensor) -> Tensor: ...


def upward(
    taps: Tensor, bias: Tensor | None, dtype: torch.dtype, grid: int, rows: int | None = None
) -> Layer:
    """Choose how to compute a stride-2 transposed convolution of a grid of ``rows`` (as many as
    columns if None) x ``grid`` columns, and ReLU where there is a bias."""
    if taps.device.type != "cpu" or taps.shape[2] < NARROW:
        return Transposed(taps, bias, dtype)
    if dtype == torch.float32:
        is_paired = (rows or grid) % 2 == 0
        return Karatsuba(taps, bias, dtype) if is_paired else FourPhases(taps, bias, dtype)
    if grid <= _SMALL_GRID and bias is not None and has_bf16("cpu"):
        return Gathered(taps, bias, dtype)
    return FourPhases(taps, bias, dtype)


class Transposed:
    """A stride-2, 4 x 4 transposed convolution as torch has it, then ReLU where there is a bias."""

    def __init__(self, taps: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self._weight = taps.permute(2, 3, 0, 1).to(dtype, memory_format=torch.channels_last)
        self._bias = None if bias is None else bias.to(dtype)

    def __call__(self, x: Tensor) -> Tensor:
        y = functional.conv_transpose2d(x, self._weight, self._bias, stride=2, padding=1)
        return y if self._bias is None else y.relu_()


class FourPhases:
    """The same as four 2 x 2 convolutions, one for each parity of the output's row and column.

    With output row = 2·input row - 1 + tap, even rows take tap 1 of their own input row and tap 3
    of the one before, odd rows tap 2 of their own and tap 0 of the next. oneDNN gets the weights
    in its own order once; torch would lay them out anew at every call.
    """

    def __init__(self, taps: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self._relu = bias is not None
        self._outputs = taps.shape[3]
        bias = None if bias is None else bias.to(dtype)
        self._phases = [
            [
                _convolution(taps[rows][:, columns].permute(3, 2, 0, 1), bias, dtype, 0)
                for columns in _TAPS_OF_PARITY
            ]
            for rows in _TAPS_OF_PARITY
        ]

    def __call__(self, x: Tensor) -> Tensor:
        count, _, rows, columns = x.shape
        size = (count, self._outputs, 2 * rows, 2 * columns)
        y = x.new_empty(size).contiguous(memory_format=torch.channels_last)
        x = functional.pad(x, (1, 1, 1, 1))
        for r in (0, 1):
            for c in (0, 1):
                around = x[:, :, r : r + rows + 1, c : c + columns + 1]
                y[:, :, r::2, c::2] = self._phases[r][c](around)
        return y.relu_() if self._relu else y


class Gathered:
    """The same with each phase as one matrix product, of the 2 x 2 inputs around each output.

    On the smallest grids oneDNN's convolutions make little of the processor's matrix units: 4096 to
    2048 channels on 4 x 4 of 8 images took 351 ms, this 38; 2048 to 1024 on 8 x 8 took 32 and 26,
    and from 16 x 16 on there is nothing in it.
    """

    def __init__(self, taps: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        self._outputs = taps.shape[3]
        self._bias = bias.to(dtype)
        self._weights = [
            taps[rows][:, columns].flatten(0, 2).t().to(dtype).contiguous()
            for rows in _TAPS_OF_PARITY
            for columns in _TAPS_OF_PARITY
        ]
        self._packed_for = 0

    def __call__(self, x: Tensor) -> Tensor:
        count, _, rows, columns = x.shape
        places = count * rows * columns
        if self._packed_for != places:  # at the first call: images always come so many together
            reorder = torch.ops.mkldnn._reorder_linear_weight
            self._weights = [reorder(weight, places) for weight in self._weights]
            self._packed_for = places
        x = functional.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
        y = x.new_empty(count, rows, 2, columns, 2, self._outputs)
        for phase, weight in enumerate(self._weights):
            r, c = divmod(phase, 2)
            around = [
                x[:, r + i : r + i + rows, c + j : c + j + columns] for i in (0, 1) for j in (0, 1)
            ]
            gathered = torch.cat(around, dim=-1).view(places, -1)
            part = torch.ops.mkldnn._linear_pointwise(gathered, weight, self._bias, "relu", [], "")
            y[:, :, r, :, c] = part.view(count, rows, columns, self._outputs)
        return y.view(count, 2 * rows, 2 * columns, self._outputs).permute(0, 3, 1, 2)


class Karatsuba:
    """The same with 9 products where the definition takes 16, by Karatsuba's identity.

    Two neighboring inputs x0, x1 under two taps a, b give x0·a, x0·b + x1·a and x1·b, and the
    middle one is (x0 + x1)·(a + b) less the two others: 3 products for 4, in rows and in columns.
    So 2 x 2 inputs give 6 x 6 outputs (3 each of two parities), laid every 4 pixels with an overlap
    of 2, as sums of 9 matrix products of all input with all output channels. Rounding stays that of
    a sum of twice the length.
    """

    def __init__(self, taps: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self._bias = bias
        inputs, self._outputs = taps.shape[2:]
        weight = taps.new_empty(3, 3, inputs, 2, 2, self._outputs, dtype=dtype)
        for r in (0, 1):
            for c in (0, 1):
                # Output row = 2·input row - 1 + tap: a parity's two taps lie two apart.
                ours = weight[:, :, :, r, c]
                ours[::2, ::2] = taps[r::2, c::2]
                torch.add(ours[::2, 0], ours[::2, 2], out=ours[::2, 1])
                torch.add(ours[0], ours[2], out=ours[1])
        self._weight = weight.view(9, inputs, -1)

    def __call__(self, x: Tensor) -> Tensor:
        count, inputs, rows, columns = x.shape
        n, m = rows // 2, columns // 2
        pairs = x.permute(0, 2, 3, 1).reshape(count, n, 2, m, 2, inputs)
        left = x.new_empty(3, 3, count, n, m, inputs)
        left[::2, ::2] = pairs.permute(2, 4, 0, 1, 3, 5)
        torch.add(left[::2, 0], left[::2, 2], out=left[::2, 1])
        torch.add(left[0], left[2], out=left[1])
        p = torch.bmm(left.view(9, -1, inputs), self._weight)
        p = p.view(3, 3, count, n, m, 2, 2, self._outputs)
        # Columns, then rows: the middle, and what belongs to the neighbors. Of the six outputs
        # 0 ... 5 of a block, 1 ... 4 are its own, 0 is the one before's 4 and 5 the next one's 1.
        p[:, 1] -= p[:, 0]
        p[:, 1] -= p[:, 2]
        p[:, 2, :, :, :-1, :, 0] += p[:, 0, :, :, 1:, :, 0]
        p[:, 0, :, :, 1:, :, 1] += p[:, 2, :, :, :-1, :, 1]
        y = x.new_empty(count, n, 4, m, 4, self._outputs)
        for column in range(4):
            q = p[:, (column + 1) // 2, :, :, :, :, (column + 1) % 2]
            q[1] -= q[0]
            q[1] -= q[2]
            q[2, :, :-1, :, 0] += q[0, :, 1:, :, 0]
            q[0, :, 1:, :, 1] += q[2, :, :-1, :, 1]
            for row in range(4):
                y[:, :, row, :, column] = q[(row + 1) // 2, :, :, :, (row + 1) % 2]
        y = y.view(count, 2 * rows, 2 * columns, self._outputs).permute(0, 3, 1, 2)
        if self._bias is None:
            return y
        return y.add_(self._bias[:, None, None]).relu_()


def plain(layer: nn.Conv2d, dtype: torch.dtype) -> Layer:
    """Lay out a 3 x 3 convolution of the same grid."""
    bias = None if layer.bias is None else layer.bias.detach().to(dtype)
    return _convolution(layer.weight.detach(), bias, dtype, 1)


def _convolution(weight: Tensor, bias: Tensor | None, dtype: torch.dtype, padding: int) -> Layer:
    weight = weight.to(dtype, memory_format=torch.channels_last)
    if weight.device.type == "cpu" and dtype == torch.bfloat16 and has_bf16("cpu"):
        return Packed(weight, bias, padding)
    return lambda x: functional.conv2d(x, weight, bias, padding=padding)


class Packed:
    """A convolution whose weights oneDNN lays out for itself at the first call, for its size."""

    def __init__(self, weight: Tensor, bias: Tensor | None, padding: int) -> None:
        self._weight, self._bias, self._padding = weight, bias, [padding, padding]
        self._is_packed, self._lock = False, Lock()

    def __call__(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        how = (self._padding, [1, 1], [1, 1], 1)  # and stride, dilation, groups
        with self._lock:
            if not self._is_packed:
                self._weight = torch.ops.mkldnn._reorder_convolution_weight(
                    self._weight, *how, list(x.shape)
                )
                self._is_packed = True
        return torch.ops.mkldnn._convolution_pointwise(
            x, self._weight, self._bias, *how, "none", [], ""
        )
