"""Smooth functions of energy and L: products of B-splines in their logs, with a penalty on their differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

Floats = npt.NDArray[np.float64]

# Splines a direction: with channels a factor 1.22 apart seven cubic ones follow every bend that charge exchange or Coulomb drag have over a
# decade of energy. More of them change nothing, because the penalty decides how smooth the surface is.
MOST_SPLINES = 7


@dataclass(frozen=True)
class Axis:
    """Cubic B-splines on evenly spaced knots over the logs of one coordinate.

    Attributes
    ----------
    knots : ndarray
        In the log of the coordinate.
    degree : int
        3, or less if there are fewer than four different values.
    """

    knots: Floats
    degree: int

    @property
    def size(self) -> int:
        """Number of splines."""
        return len(self.knots) - self.degree - 1

    def basis(self, values: npt.ArrayLike) -> Floats:
        """Give the value of each spline (last axis) at each coordinate; beyond the ends as at the ends."""
        inner = self.knots[self.degree], self.knots[-self.degree - 1]
        out: Floats = BSpline.design_matrix(np.clip(np.log(values), *inner), self.knots, self.degree).toarray()
        return out


def axis_over(values: npt.ArrayLike) -> Axis:
    """Lay splines over the range of positive values; at least two of them must differ."""
    logs = np.unique(np.log(np.asarray(values, dtype=np.float64)))
    size = min(MOST_SPLINES, len(logs))
    degree = min(3, size - 1)
    pieces = size - degree
    step = (logs[-1] - logs[0]) / pieces
    knots = logs[0] + step * np.arange(-degree, pieces + degree + 1)
    # The last inner knot by its own value, so that rounding cannot leave the last coordinate outside.
    knots[-degree - 1] = logs[-1]
    return Axis(knots, degree)


def product_basis(energy: Axis, shells: Axis, energies: npt.ArrayLike, L: npt.ArrayLike) -> Floats:
    """Give the products of the splines at points, shape (point, energy.size * shells.size)."""
    left, right = energy.basis(energies), shells.basis(L)
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def penalties(energy: Axis, shells: Axis) -> tuple[Floats, Floats]:
    """Give the penalties on bends along energy and along L, each a square matrix over the products.

    Second differences of neighbouring coefficients (Eilers and Marx 1996, Stat. Sci. 11, 89). What they leave free is a power law in
    energy and one in L, whose powers may depend on each other; a surface that the data say nothing about is pulled towards such.
    """
    along = [_bends(axis.size) for axis in (energy, shells)]
    return np.asarray(np.kron(along[0], np.eye(shells.size))), np.asarray(np.kron(np.eye(energy.size), along[1]))


def _bends(size: int) -> Floats:
    if size < 3:
        return np.zeros((size, size))
    differences = np.diff(np.eye(size), n=2, axis=0)
    out: Floats = differences.T @ differences
    return out
