"""Moving polynomials along the columns of a cut: its form, without what is finer.

The filter of Savitzky and Golay (Anal. Chem. 36(8), 1964) with a polynomial fitted to the first and
last columns where a window would leave the cut: what ``scipy.signal.savgol_filter`` does. Importing
that takes most of a second, and it fits anew each time; here a filter is one matrix, made once.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..data.segment_set import SIZE


def smooth(values: np.ndarray, window: int, order: int) -> np.ndarray:
    """Give the moving polynomial of values along columns.

    Args:
        values: float (128,).
        window: columns that a polynomial is fitted to; odd, more than ``order``.
        order: of the polynomial.

    Returns:
        float64 (128,).
    """
    return np.asarray(_filter(window, order, 0) @ values)


def slope(values: np.ndarray, window: int, order: int) -> np.ndarray:
    """Give the slope of ``smooth``, per column, float64 (128,)."""
    return np.asarray(_filter(window, order, 1) @ values)


@lru_cache(maxsize=64)
def _filter(window: int, order: int, derivative: int) -> np.ndarray:
    """The matrix (128, 128) that takes values to the moving polynomial's, or to its slope."""
    half = window // 2
    columns = np.arange(SIZE)
    first = np.clip(columns - half, 0, SIZE - window)
    fitted = np.linalg.pinv(np.vander(np.arange(window) - half, order + 1, increasing=True))
    at = np.vander(columns - first - half, order + 1, increasing=True).astype(np.float64)
    if derivative:
        at = np.column_stack([np.zeros(SIZE), at[:, :-1] * np.arange(1, order + 1)])
    whole = np.zeros((SIZE, SIZE))
    whole[columns[:, None], first[:, None] + np.arange(window)] = at @ fitted
    return whole
