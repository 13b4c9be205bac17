"""Where a model holds, and what is given outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
"""What the functions of this room give."""


@dataclass(frozen=True)
class Range:
    """Closed range of the argument in which a model holds.

    Parameters
    ----------
    low, high : float
        The ends, in the unit of the argument.
    """

    low: float
    high: float

    def excludes(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Tell where `x` is outside; NaN is not outside, because it is no value at all."""
        x = np.asarray(x, dtype=np.float64)
        return (x < self.low) | (x > self.high)

    def keep(self, values: ArrayLike, x: ArrayLike, *, extrapolate: bool) -> Floats:
        """Give `values`, with NaN where `x` is outside unless `extrapolate` is true."""
        values = np.asarray(values, dtype=np.float64)
        return values if extrapolate else np.where(self.excludes(x), np.nan, values)


def positive(x: ArrayLike) -> Floats:
    """Give `x` as float64 with NaN for what is not above zero or infinite, where no formula of this room means anything."""
    x = np.asarray(x, dtype=np.float64)
    return np.where((x > 0.0) & (x < np.inf), x, np.nan)
