"""Whitening: from points with correlated errors to independent ones of variance 1, and generalised least squares on them.

The error is that of `ringdecay.decays.gls`, ``u_k + e_k``: an Ornstein-Uhlenbeck process of variance ``sigma^2`` and correlation
``exp(-|dt| / theta)`` and independent counting noise. With its covariance ``V = L L'`` the innovations of the Kalman filter, over their
standard deviation, are ``L^-1`` times what is filtered; one pass of order n whitens any number of columns.

Source: Harvey (1989), Forecasting, structural time series models and the Kalman filter, sections 3.4 and 7.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringdecay.decays.gls import Floats, Series

# A millionth of the variance as white noise keeps two points at one time apart.
NUGGET = 1e-6


def whiten(series: Series, sigma: Floats, theta: Floats, columns: Floats) -> tuple[Floats, Floats]:
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
    white : ndarray, shape (column, series, point)
        Zero beyond the last valid point, so that sums over points are sums over valid ones.
    log_determinant : ndarray, shape (series,)
        Of the covariance.
    """
    valid, t = series.valid, series.t
    variance = np.asarray(sigma, dtype=float) ** 2
    step = np.where(valid[:, 1:], np.diff(t, axis=1), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = np.where((theta > 0)[:, None], np.exp(-step / np.where(theta > 0, theta, 1.0)[:, None]), 0.0)
    noise = series.noise + NUGGET * variance[:, None]
    out = np.zeros_like(columns)
    mean, p, log_determinant = np.zeros(columns.shape[:2]), variance.copy(), np.zeros(len(variance))
    for k in range(t.shape[1]):
        if k:
            mean *= phi[:, k - 1]
            p = variance + phi[:, k - 1] ** 2 * (p - variance)
        total = p + noise[:, k]
        total = np.where(valid[:, k] & (total > 0), total, 1.0)
        log_determinant += np.log(total)
        innovation = np.where(valid[:, k], columns[:, :, k] - mean, 0.0)
        out[:, :, k] = innovation / np.sqrt(total)
        gain = np.where(valid[:, k], p / total, 0.0)
        mean += gain * innovation
        p = p * (1 - gain)
    return out, log_determinant


@dataclass(frozen=True)
class Solution:
    """Least squares on whitened columns: `values` (series, column), their `covariance` (series, column, column), and `misfit`.

    `misfit` (series,) is the sum of squares of the whitened residual; the covariance takes the error model as known.
    """

    values: Floats
    covariance: Floats
    misfit: Floats


def solve(target: Floats, columns: Floats) -> Solution:
    """Fit whitened columns, shape (column, series, point), to a whitened target, shape (series, point).

    The columns of a series without enough points are not independent; its values are NaN.
    """
    matrix = np.einsum("isk,jsk->sij", columns, columns)
    scale = np.sqrt(np.einsum("sii->si", matrix))
    scale = np.where(scale > 0, scale, 1.0)
    matrix = matrix / scale[:, :, None] / scale[:, None, :]
    # Scaled to a unit diagonal a determinant is between 0 and 1; the nearest to singular that 64 bits can tell apart is far below.
    able = np.linalg.det(matrix) > 1e-12
    matrix = np.where(able[:, None, None], matrix, np.eye(len(columns)))
    inverse = np.linalg.inv(matrix) / scale[:, :, None] / scale[:, None, :]
    inverse[~able] = np.nan
    right = np.einsum("isk,sk->si", columns, target)
    values = np.einsum("sij,sj->si", inverse, right)
    misfit = (target**2).sum(1) - np.einsum("si,si->s", values, right)
    return Solution(values, inverse, misfit)
