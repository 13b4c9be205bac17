"""The smooth mean over storms: penalised least squares on the rates of all cells and storms at once.

    rate(storm, cell) = scale sinh f(energy, L) + deviation

f is a sum of splines. The rates themselves are fitted, not their logs, so that a rate that is uncertain, near zero or below enters as it
is. Well above the scale, f is the log of the rate, so that a hundredfold range is smooth; near zero it is linear, so that the surface
can go through zero and below. (With an exponential in place of the sinh, a run whose slow cells happen to average below zero drags the
log of the surface towards minus infinity, and the limits with it.)
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringdecay.surface.splines import Floats

logger = logging.getLogger(__name__)

# Factors of the penalties that are tried, along energy and along L: from a surface that follows every cell to a power law.
FACTORS = 10.0 ** np.arange(-1, 6, 2)
_MOST_STEPS = 60


@dataclass(frozen=True)
class Data:
    """Rates of cells that have one, in one row a storm.

    Attributes
    ----------
    rate, variance : ndarray, shape (storm, cell)
        1/day and its square; where `use` is False any number.
    use : ndarray of bool, shape (storm, cell)
        Where there is a fit.
    basis : ndarray, shape (cell, spline)
        The splines at the cells.
    scale : float
        Rate (1/day) between the linear and the exponential part of the surface.
    scatter : float
        Standard deviation of the storms' rates in a cell relative to their mean, beyond the errors of the fits.
    """

    rate: Floats
    variance: Floats
    use: npt.NDArray[np.bool_]
    basis: Floats
    scale: float
    scatter: float


@dataclass(frozen=True)
class Smooth:
    """A fitted surface.

    Attributes
    ----------
    coefficients : ndarray, shape (spline,)
        Of the height f.
    weight : ndarray, shape (storm, cell)
        Of each rate; 0 where there is none.
    information : ndarray, shape (spline, spline)
        Of the data: sum of weight * (d rate / d coefficient)^2.
    penalty : ndarray, shape (spline, spline)
        As used, the factors in it.
    """

    coefficients: Floats
    weight: Floats
    information: Floats
    penalty: Floats


def rate_of(height: Floats, scale: float) -> tuple[Floats, Floats]:
    """Rate at a height of the surface, scale * sinh(height), and its derivative by the height."""
    return scale * np.sinh(height), scale * np.cosh(height)


def smooth(data: Data, penalty: Floats, start: Smooth | None = None) -> Smooth:
    """Fit the surface with a given penalty.

    Minimises sum w (rate - surface)^2 + c' penalty c by Gauss-Newton steps. The weight of a rate is 1 / (variance + (scatter surface)^2),
    where no variance counts as less than the median of the cell's storms (see `ringdecay.lifetime`). The weights follow the fit; they
    depend on the surface and not on the single rate, so that low rates do not get more weight for being low.
    """
    limited = np.where(data.use, np.maximum(data.variance, _median(data)), np.inf)
    rate = np.where(data.use, data.rate, 0.0)
    coefficients = _first_guess(data) if start is None else start.coefficients
    for _ in range(_MOST_STEPS):
        mean, growth = rate_of(data.basis @ coefficients, data.scale)
        weight = 1.0 / (limited + (data.scatter * mean) ** 2)
        slope = data.basis * growth[:, None]
        information = (slope * weight.sum(0)[:, None]).T @ slope
        pull = slope.T @ (weight * (rate - mean)).sum(0) - penalty @ coefficients
        change = np.linalg.solve(information + penalty + _ridge(information), pull)
        # A step of more than one is a factor e, and beyond the reach of the linear expansion.
        largest = np.abs(data.basis @ change).max()
        coefficients = coefficients + change / max(1.0, largest)
        if largest < 1e-5:
            break
    else:
        logger.warning("the surface did not settle in %d steps; its last one was %.1e in ln rate", _MOST_STEPS, largest)
    return Smooth(coefficients, weight, information, penalty)


def storms_at(data: Data, fitted: Smooth, basis: Floats) -> tuple[Floats, Floats]:
    """Tell what each storm does to the height of the surface at points.

    Parameters
    ----------
    data, fitted
        The rates and the surface.
    basis : ndarray, shape (point, spline)
        The splines at the points.

    Returns
    -------
    moved : ndarray, shape (storm, point)
        The storm's part of the height, to first order: its deviations from the surface in all cells, times their leverage at the point.
        Their sum over the storms is what the penalty takes back.
    share : ndarray, shape (storm, point)
        By how much the height follows if the storm alone is shifted by the same height in all cells; the sum over storms is 1.
    """
    mean, growth = rate_of(data.basis @ fitted.coefficients, data.scale)
    leverage = growth[:, None] * (data.basis @ np.linalg.solve(bread(fitted), basis.T))
    moved = (fitted.weight * np.where(data.use, data.rate - mean, 0.0)) @ leverage
    share = (fitted.weight * growth) @ leverage
    return moved, share


def height_variance(data: Data, fitted: Smooth, basis: Floats) -> tuple[Floats, Floats]:
    """Variance of the height of the surface at points, and how many storms of equal weight it is worth.

    The storms' own deviations are squared and added, each over (1 - its share), as Sidik and Jonkman do for a mean (2006, Comput. Stat.
    Data Anal. 50, 3681): cells of one storm share their fluctuations, and this asks nothing about how. To it comes what smoothing hides,
    the part of the posterior variance of a penalised spline that is due to the penalty (Nychka 1988, JASA 83, 1134).

    Returns
    -------
    variance, n_storms : ndarray, shape (point,)
    """
    moved, share = storms_at(data, fitted, basis)
    # A share near one, or a negative one, is a point that one storm decides; its number of storms says so.
    between = (moved**2 / (1 - np.clip(share, 0.0, 0.9))).sum(0)
    reach = np.linalg.solve(bread(fitted), basis.T)
    hidden = (reach * (fitted.penalty @ reach)).sum(0)
    return between + hidden, 1 / (share**2).sum(0)


def bread(fitted: Smooth) -> Floats:
    """Second derivative of what `smooth` minimises, halved."""
    return fitted.information + fitted.penalty + _ridge(fitted.information)


def left_out_error(data: Data, fitted: Smooth, judge: Floats) -> float:
    """Error of the surface at storms that it does not know: each storm's rates against the surface of all the others.

    The storms are left out one by one, in one Gauss-Newton step from the surface of all. Cells of a storm share their fluctuations, so
    that leaving out cells instead would take what they share for a feature of the surface. Squares are weighted with `judge`, the same
    for all surfaces that are compared: by its own weights a surface that is too high would seem better than it is.
    """
    mean, growth = rate_of(data.basis @ fitted.coefficients, data.scale)
    slope = data.basis * growth[:, None]
    residual = np.where(data.use, data.rate - mean, 0.0)
    total, whole = 0.0, bread(fitted)
    for weight, own, by in zip(fitted.weight, residual, judge, strict=True):
        left = whole - (slope * weight[:, None]).T @ slope
        moved = np.linalg.solve(left, slope.T @ (weight * own))
        total += float((by * (own + slope @ moved) ** 2).sum())
    return total


def choose(data: Data, bends: tuple[Floats, Floats]) -> tuple[Smooth, tuple[float, float]]:
    """Fit the surface with the penalty that predicts left-out storms best; the second is its factors along energy and L."""
    best: tuple[float, Smooth, tuple[float, float]] | None = None
    judge = smooth(data, FACTORS[0] * (bends[0] + bends[1])).weight
    start = None
    for along_energy in FACTORS[::-1]:
        for along_L in FACTORS[::-1]:
            start = smooth(data, along_energy * bends[0] + along_L * bends[1], start)
            error = left_out_error(data, start, judge)
            if best is None or error < best[0]:
                best = error, start, (float(along_energy), float(along_L))
    assert best is not None
    return best[1], best[2]


def relative_scatter(rate: Floats, variance: Floats, use: npt.NDArray[np.bool_]) -> float:
    """Scatter of the storms' rates relative to the mean of their cell, one for all cells (Paule and Mandel 1982, J. Res. NBS 87, 377).

    The value at which the sum of (rate - mean)^2 / (variance + (scatter mean)^2) is the number of rates less that of cells; zero if it is
    smaller already without scatter. Arrays over (storm, cell).
    """
    count = use.sum(0)
    mean = np.where(use, rate, 0.0).sum(0) / count
    # The square of a mean is too large by the variance of its error.
    level = np.maximum(mean**2 - np.where(use, variance, 0.0).sum(0) / count**2, 0.0)
    squares = np.where(use, (rate - mean) ** 2, 0.0)
    wanted = float((count - 1).sum())

    def excess(scatter: float) -> float:
        return float((squares / np.where(use, variance + scatter**2 * level, 1.0)).sum()) - wanted

    if excess(0.0) <= 0:
        return 0.0
    low, high = 1e-4, 1e2
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return middle


def _first_guess(data: Data) -> Floats:
    """Coefficients to begin with: the splines through the plain means of the cells."""
    rate = np.where(data.use, data.rate, 0.0).sum(0) / data.use.sum(0)
    normal = data.basis.T @ data.basis + 0.1 * np.eye(data.basis.shape[1])
    out: Floats = np.linalg.solve(normal, data.basis.T @ np.arcsinh(rate / data.scale))
    return out


def _median(data: Data) -> Floats:
    """Median variance of each cell's storms; a cell has one at least."""
    return np.asarray(np.nanmedian(np.where(data.use, data.variance, np.nan), axis=0))


def _ridge(information: Floats) -> Floats:
    """So little that it only decides what neither the data nor the penalty does."""
    return np.eye(len(information)) * (1e-9 * float(np.trace(information)) / len(information))
