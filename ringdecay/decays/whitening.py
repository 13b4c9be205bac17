"""Whitening: from points with correlated errors to independent ones of variance 1, and generalised least squares on them.

The error is that of `ringdecay.decays.gls`, ``u_k + e_k``: an Ornstein-Uhlenbeck process of variance ``sigma^2`` and correlation
``exp(-|dt| / theta)`` and independent counting noise. With its covariance ``V = L L'`` the innovations of the Kalman filter, over their
standard deviation, are ``L^-1`` times what is filtered; one pass of order n whitens any number of columns.

Source: Harvey (1989), Forecasting, structural time series models and the Kalman filter, sections 3.4 and 7.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from ringdecay.decays.gls import Floats, Series
from ringdecay.decays.kernels import SIDE_BY_SIDE, filter_models

# A millionth of the variance as white noise keeps two points at one time apart.
NUGGET = 1e-6


def whiten(series: Series, sigma: Floats, theta: Floats, columns: Floats) -> Floats:
    """Multiply columns with the inverse of the Cholesky factor of the error's covariance.

    Parameters
    ----------
    series : Series
        Its times and counting noise are used.
    sigma, theta : ndarray, shape (series,)
        Standard deviation and correlation time (days) of the fluctuation; a theta that is NaN or 0 is white noise.
    columns : ndarray, shape (column, series, point)
        What to whiten: the log flux, ones, times, and so on.

    Returns
    -------
    ndarray, shape (column, series, point)
        Zero beyond the last valid point, so that sums over points are sums over valid ones.
    """
    out = np.empty((columns.shape[2], *columns.shape[:2]))
    for k, (innovation, _, inverse) in enumerate(_innovations(series, sigma, theta, columns)):
        out[k] = innovation * np.sqrt(inverse)
    return np.moveaxis(out, 0, 2)


def normal_equations(series: Series, sigma: Floats, theta: Floats, columns: Floats) -> tuple[Floats, Floats]:
    """Add up the products of whitened columns over the points, for many error models at once.

    Parameters
    ----------
    series, columns
        As for `whiten`.
    sigma, theta : ndarray, shape (..., series)
        Error models.

    Returns
    -------
    products : ndarray, shape (column, column, ..., series)
        ``C' V^-1 C``.
    log_determinant : ndarray, shape (..., series)
        Of the covariance.
    """
    number, n = len(columns), series.t.shape[0]
    shape = np.broadcast_shapes(sigma.shape, theta.shape)
    models = [
        np.ascontiguousarray(np.broadcast_to(np.asarray(values, dtype=float), shape)).reshape(prod(shape[:-1]), n)
        for values in (sigma, theta)
    ]
    valid, noise, step, per_day = _steps(series, models[1])
    variance, filtered = models[0] ** 2, np.ascontiguousarray(np.moveaxis(columns, 2, 1))
    products, log_determinant = np.zeros((number, number, *variance.shape)), np.zeros(variance.shape)
    for begin in range(0, n, SIDE_BY_SIDE):
        some = slice(begin, min(begin + SIDE_BY_SIDE, n))
        phi = np.ones((len(valid), *variance[:, some].shape))
        np.exp(step[:, None, some] * per_day[:, some], out=phi[1:])
        phi[1:] *= (models[1][:, some] > 0) | (step[:, None, some] == 0)
        of_block, totals = np.zeros((number, number, *phi.shape[1:])), np.empty(phi.shape)
        blocks = [np.ascontiguousarray(part[..., some]) for part in (filtered, variance, noise, NUGGET * variance, valid)]
        filter_models(blocks[0], phi, *blocks[1:], of_block, totals)
        for logs in np.log(totals, out=totals):
            log_determinant[:, some] += logs
        products[..., some] = of_block
    for i in range(number):
        for j in range(i):
            products[i, j] = products[j, i]
    return products.reshape(number, number, *shape), log_determinant.reshape(shape)


def _steps(series: Series, theta: Floats) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Give the points side by side: which there are, their noise, the steps between them, and the rate of decay of the correlation."""
    valid = np.ascontiguousarray(series.valid.T)
    step = np.where(valid[1:], np.maximum(np.diff(series.t.T, axis=0), 0.0), 0.0)
    correlated = theta > 0
    per_day = np.where(correlated, -1 / np.where(correlated, theta, 1.0), 0.0)
    return valid, np.ascontiguousarray(series.noise.T), step, per_day


def _innovations(series: Series, sigma: Floats, theta: Floats, columns: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Go through the points: innovations (column, ..., series), their variance, and its inverse, which is 0 where there is no point.

    The arrays given are used again for the next point.
    """
    valid, shape = series.valid.T, np.broadcast_shapes(sigma.shape, theta.shape)
    variance = np.ascontiguousarray(np.broadcast_to(np.asarray(sigma, dtype=float) ** 2, shape))
    nugget = NUGGET * variance
    correlated = theta > 0
    per_day = np.where(correlated, -1 / np.where(correlated, theta, 1.0), 0.0)
    # Point by point, each point's values of all series side by side.
    step = np.where(valid[1:], np.maximum(np.diff(series.t.T, axis=0), 0.0), 0.0)
    noise, weight = np.ascontiguousarray(series.noise.T), np.ascontiguousarray(valid, dtype=float)
    points = np.ascontiguousarray(np.moveaxis(columns, 2, 0)).reshape(len(valid), len(columns), *([1] * (len(shape) - 1)), -1)
    mean, p, innovation = np.zeros((len(columns), *shape)), variance.copy(), np.empty((len(columns), *shape))
    total, inverse, gain = (np.empty(shape) for _ in range(3))
    all_correlated, all_valid = bool(correlated.all()), np.all(valid, axis=1)
    for k in range(len(valid)):
        if k:
            phi = np.exp(step[k - 1] * per_day)
            if not all_correlated:
                phi = phi * (correlated | (step[k - 1] == 0))
            np.multiply(mean, phi, out=mean)
            np.subtract(p, variance, out=p)
            np.multiply(p, phi * phi, out=p)
            np.add(p, variance, out=p)
        np.add(noise[k], nugget, out=total)
        np.add(p, total, out=total)
        if not (all_valid[k] and total.min(initial=np.inf) > 0):
            np.copyto(total, 1.0, where=~(valid[k] & (total > 0)))
        np.divide(weight[k], total, out=inverse)
        np.subtract(points[k], mean, out=innovation)
        yield innovation, total, inverse
        np.multiply(p, inverse, out=gain)
        np.multiply(innovation, gain, out=innovation)
        np.add(mean, innovation, out=mean)
        np.multiply(gain, p, out=gain)
        np.subtract(p, gain, out=p)


@dataclass(frozen=True)
class Solution:
    """Least squares: `values` (column, ..., series) and their `covariance` (column, column, ..., series), given the error model.

    `misfit` (..., series) is the sum of squares of the whitened residual, `log_information` the log determinant of the information. NaN
    where the columns are not independent.
    """

    values: Floats
    covariance: Floats
    misfit: Floats
    log_information: Floats


def solve(products: Floats) -> Solution:
    """Solve normal equations whose first column is the target, shape (1 + column, 1 + column, ..., series)."""
    matrix, right = products[1:, 1:], products[0, 1:]
    covariance, log_information = _inverse(matrix)
    values = np.einsum("ij...,j...->i...", covariance, right)
    return Solution(values, covariance, products[0, 0] - (values * right).sum(0), log_information)


def _inverse(matrix: Floats) -> tuple[Floats, Floats]:
    """Invert positive definite matrices, the indices of the matrix first, by elimination; and their log determinant."""
    size = len(matrix)
    diagonal = np.einsum("ii...->i...", matrix)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    left = matrix / scale[:, None] / scale[None]
    out = np.zeros_like(left)
    for i in range(size):
        out[i, i] = 1.0
    log_determinant = 2 * np.log(scale).sum(0)
    able = np.ones(left.shape[2:], dtype=bool)
    for i in range(size):
        # Of a unit diagonal: what is left of a column that the ones before it nearly make up.
        able &= left[i, i] > 1e-10
        pivot = np.where(able, left[i, i], 1.0)
        log_determinant = log_determinant + np.log(pivot)
        left[i], out[i] = left[i] / pivot, out[i] / pivot
        for j in range(size):
            if j != i:
                factor = left[j, i].copy()
                left[j] -= factor * left[i]
                out[j] -= factor * out[i]
    out /= scale[:, None] * scale[None]
    return np.where(able, out, np.nan), np.where(able, log_determinant, np.nan)


def products_of(white: Floats) -> Floats:
    """Add up the products of columns that are white already, shape (column, series, point), for `solve`."""
    total: Floats = np.einsum("isk,jsk->ijs", white, white)
    return total
