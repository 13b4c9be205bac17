"""The scatter between storms: how far true rates lie apart, beyond what the errors of the fits explain.

A mean is a regression on a constant alone, so everything here takes a design matrix; cells are worked on all at once. With weights
``w = 1 / (v + scatter^2)`` of the fits' variances v, the weighted sum of squares about the fitted line,
``Q(scatter^2) = min_b sum w (y - X b)^2``, falls as the scatter grows, and at the true scatter it follows chi-square with as many degrees
of freedom as there are storms less columns of X (if rates and errors are normal).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from ringdecay.decays.gls import Floats

_NODES = 60


@dataclass(frozen=True)
class Line:
    """Weighted least squares of many cells on one design.

    Attributes
    ----------
    slope : ndarray, shape (column, cell)
        Coefficients; NaN where the storms of a cell cannot tell the columns apart.
    residual : ndarray, shape (storm, cell)
        Zero where a storm does not count.
    inverse : ndarray, shape (cell, column, column)
        Inverse of X' W X.
    """

    slope: Floats
    residual: Floats
    inverse: Floats


def constant(n_storms: int) -> Floats:
    """Give the design of a plain mean, shape (storm, 1)."""
    return np.ones((n_storms, 1))


def weighted_line(values: Floats, weights: Floats, design: Floats) -> Line:
    """Fit a line to every cell.

    Parameters
    ----------
    values, weights : ndarray, shape (storm, cell)
        What is fitted, and its weights; zero where a storm does not count (the value is then not looked at).
    design : ndarray, shape (storm, column)
        The same for every cell.

    Returns
    -------
    Line
    """
    y = np.where(weights > 0, values, 0.0)
    # Relative weights: the Gram matrix then has one scale, whatever the unit, and a cell without storms is told by zero.
    top = weights.max(0, initial=0.0)
    w = weights / np.where(top > 0, top, 1.0)
    columns = design.shape[1]
    pairs = (design[:, :, None] * design[:, None, :]).reshape(len(design), columns**2)
    gram = (w.T @ pairs).reshape(w.shape[1], columns, columns)
    scale = np.sqrt(np.einsum("cpp->cp", gram))
    scale = np.where(scale > 0, scale, 1.0)
    gram = gram / (scale[:, :, None] * scale[:, None, :])
    inverse = _inverse(gram)
    inverse = inverse / (scale[:, :, None] * scale[:, None, :])
    slope = np.einsum("cpq,cq->pc", inverse, (w * y).T @ design)
    residual = np.where(weights > 0, y - design @ slope, 0.0)
    return Line(slope, residual, inverse / np.where(top > 0, top, 1.0)[:, None, None])


def _inverse(gram: Floats) -> Floats:
    """Invert matrices with ones on the diagonal; NaN where columns are the same to eight digits, so that they cannot be told apart."""
    inverse = np.full_like(gram, np.nan)
    if gram.shape[1] == 1:
        able = gram[:, 0, 0] > 0
        inverse[able] = 1 / gram[able]
    elif len(gram):
        able = np.linalg.eigvalsh(gram)[:, 0] > 1e-8
        inverse[able] = np.linalg.inv(gram[able])
    return inverse


def sum_of_squares(values: Floats, variances: Floats, use: NDArray[np.bool_], between: Floats, design: Floats) -> tuple[Floats, Floats]:
    """Weighted sum of squares about the line, and minus its derivative by the variance between storms; both of shape (cell,)."""
    weight = np.where(use, 1 / (np.where(use, variances, 1.0) + between), 0.0)
    terms = weight * weighted_line(values, weight, design).residual ** 2
    return terms.sum(0), (weight * terms).sum(0)


def scatter_where(values: Floats, variances: Floats, use: NDArray[np.bool_], level: Floats, design: Floats | None = None) -> Floats:
    """Variance between storms at which the weighted sum of squares has a given value.

    Parameters
    ----------
    values, variances : ndarray, shape (storm, cell)
        Rates and the variances of their errors (positive).
    use : ndarray of bool, shape (storm, cell)
        Which of them count.
    level : ndarray, shape (cell,)
        The value, positive.
    design : ndarray, shape (storm, column), optional
        Default: a constant.

    Returns
    -------
    ndarray, shape (cell,)
        Zero if the sum of squares is smaller already without scatter; NaN where there are no more storms than columns.
    """
    x = constant(len(values)) if design is None else design
    plain = weighted_line(values, use.astype(float), x)
    known = (use.sum(0) > x.shape[1]) & np.isfinite(plain.slope).all(0)
    level = np.where(known, level, 1.0)
    low = np.zeros(use.shape[1])
    # Q(t) <= (sum of squares about any line) / t.
    high = np.where(known, (plain.residual**2).sum(0) / level, 0.0) * (1 + 1e-9)
    between = low
    # Newton's method on 1/Q, which is linear where all variances are equal, kept within a bracket.
    for _ in range(100):
        q, fall = sum_of_squares(values, variances, use, between, x)
        above = q > level
        low, high = np.where(above, between, low), np.where(above, high, between)
        with np.errstate(invalid="ignore", divide="ignore"):
            step = between + (q / level - 1) * q / fall
        step = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        done = ~known | (np.abs(step - between) <= 1e-12 * high) | (high <= low)
        between = step
        if done.all():
            break
    return np.where(known, between, np.nan)


def paule_mandel(values: Floats, variances: Floats, use: NDArray[np.bool_], design: Floats | None = None) -> Floats:
    """Variance between storms after Paule and Mandel (1982, J. Res. NBS 87, 377), for many cells at once.

    The variance at which the weighted sum of squares equals the number of storms less the number of columns.

    Parameters
    ----------
    values, variances : ndarray, shape (storm, cell)
        Rates and the variances of their errors (positive).
    use : ndarray of bool, shape (storm, cell)
        Which of them count.
    design : ndarray, shape (storm, column), optional
        Default: a constant.

    Returns
    -------
    ndarray, shape (cell,)
        Zero if the errors explain all; NaN where there are no more storms than columns.
    """
    columns = 1 if design is None else design.shape[1]
    return scatter_where(values, variances, use, np.maximum(use.sum(0) - columns, 1.0), design)


def q_profile(values: Floats, variances: Floats, use: NDArray[np.bool_], confidence: float) -> tuple[Floats, Floats]:
    """Interval of the variance between storms by the Q-profile (Viechtbauer 2007, Stat. Med. 26, 37).

    Its ends are where the weighted sum of squares about the mean equals the upper and the lower quantile of chi-square.

    Parameters
    ----------
    values, variances : ndarray, shape (storm, cell)
        Rates and the variances of their errors (positive).
    use : ndarray of bool, shape (storm, cell)
        Which of them count.
    confidence : float
        Of the two-sided interval.

    Returns
    -------
    low, high : ndarray, shape (cell,)
        NaN with fewer than two storms.
    """
    df = np.maximum(use.sum(0) - 1.0, 1.0)
    low, high = (scatter_where(values, variances, use, chdtri(df, p)) for p in (0.5 - confidence / 2, 0.5 + confidence / 2))
    return low, high


def reml(values: Floats, variances: Floats, use: NDArray[np.bool_], design: Floats | None = None) -> Floats:
    """Find the variance between storms of highest restricted likelihood (Viechtbauer 2005, J. Educ. Behav. Stat. 30, 261).

    The likelihood is that of Patterson and Thompson (1971, Biometrika 58, 545) for errors of known variances.

    Parameters
    ----------
    values, variances : ndarray, shape (storm, cell)
        Rates and the variances of their errors (positive).
    use : ndarray of bool, shape (storm, cell)
        Which of them count.
    design : ndarray, shape (storm, column), optional
        Default: a constant.

    Returns
    -------
    ndarray, shape (cell,)
        NaN where there are no more storms than columns.
    """
    x = constant(len(values)) if design is None else design
    plain = weighted_line(values, use.astype(float), x)
    known = (use.sum(0) > x.shape[1]) & np.isfinite(plain.slope).all(0)

    def likelihood(between: Floats) -> Floats:
        variance = np.where(use, np.where(use, variances, 1.0) + between, 1.0)
        line = weighted_line(values, np.where(use, 1 / variance, 0.0), x)
        inverse = np.where(known[:, None, None], line.inverse, np.eye(x.shape[1]))
        out: Floats = -0.5 * (np.log(variance).sum(0) - np.linalg.slogdet(inverse)[1] + (line.residual**2 / variance).sum(0))
        return out

    # The likelihood can have more than one top: first the best of a grid, then golden section between its neighbours.
    most = np.where(known, (plain.residual**2).sum(0), 0.0) + 1e-300
    nodes = np.concatenate([[0.0], np.geomspace(1e-7, 1.0, _NODES)])
    best = np.argmax(np.stack([likelihood(node * most) for node in nodes]), axis=0)
    low, high = nodes[np.maximum(best - 1, 0)] * most, nodes[np.minimum(best + 1, _NODES)] * most
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = likelihood(left), likelihood(right)
    for _ in range(45):
        falls = at_left > at_right
        low, high = np.where(falls, low, left), np.where(falls, right, high)
        new = np.where(falls, high - ratio * (high - low), low + ratio * (high - low))
        at_new = likelihood(new)
        left, right = np.where(falls, new, right), np.where(falls, left, new)
        at_left, at_right = np.where(falls, at_new, at_right), np.where(falls, at_left, at_new)
    found = 0.5 * (low + high)
    zero = likelihood(np.zeros_like(found)) >= likelihood(found)
    return np.where(known, np.where(zero, 0.0, found), np.nan)
