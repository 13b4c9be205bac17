"""Generalised least squares for a line with an Ornstein-Uhlenbeck error and known counting noise, for many series at once.

The model of one series is ``y_k = level + slope t_k + u_k + e_k``: `u` is stationary with variance ``sigma^2`` and correlation
``exp(-|dt| / theta)``, `e_k` is independent with a known variance. The covariance is that of a first-order state-space model, so
the likelihood, the estimate and its variance come from one Kalman pass over the points (order n) instead of a Cholesky
factorisation (order n^3), exactly and at irregular times. The columns `y`, 1 and `t` go through the same filter; their innovations
are ``L^-1`` times the columns, so the sums below are ``X' V^-1 X`` and ``X' V^-1 y``.

Source: Harvey (1989), Forecasting, structural time series models and the Kalman filter, sections 3.4 and 7.3 (regression effects in
the filter); Patterson and Thompson (1971), Biometrika 58, 545 (REML).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Series that one pass handles together: the working arrays of 135 grid nodes then stay in a core's cache.
CHUNK = 64
# The determinant is a product of innovation variances; its logarithm is taken every so many points, before it can underflow.
_LOG_EVERY = 8


@dataclass(frozen=True)
class Series:
    """Many series, each sorted in time and pushed to the left.

    Attributes
    ----------
    y, t, noise : ndarray, shape (series, point)
        Log flux, time (days) and the variance of the counting noise; anything finite beyond the last valid point.
    n : ndarray of int, shape (series,)
        Valid points of each series.
    """

    y: Floats
    t: Floats
    noise: Floats
    n: NDArray[np.int64]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which entries are points of a series, shape (series, point)."""
        mask: NDArray[np.bool_] = np.arange(self.y.shape[1]) < self.n[:, None]
        return mask

    def take(self, which: NDArray[np.int64]) -> Series:
        """Pick some of the series, without columns that none of them needs."""
        n = self.n[which]
        width = int(n.max(initial=1))
        return Series(self.y[which, :width], self.t[which, :width], self.noise[which, :width], n)


@dataclass(frozen=True)
class Grid:
    """REML log-likelihood and GLS line on a grid of (theta, sigma), each of shape (theta, sigma, series)."""

    log_likelihood: Floats
    slope: Floats
    slope_variance: Floats
    level: Floats


def reml_grid(series: Series, theta: Floats, sigma: Floats) -> Grid:
    """Restricted likelihood and GLS line of every series at every node of a grid.

    Parameters
    ----------
    series : Series
        At least 3 points each; all times of a series different unless their noise is positive.
    theta : ndarray, shape (theta,)
        Correlation times, days.
    sigma : ndarray, shape (sigma, series)
        Standard deviations of the fluctuation, each series with its own nodes.

    Returns
    -------
    Grid
        `slope` per day, `slope_variance` given the node, `level` at t = 0; the log-likelihood without its constant.
    """
    shape = (len(theta), *sigma.shape)
    y, t, noise, valid = series.y, series.t, series.noise, series.valid
    weight = valid.astype(float)
    variance = np.ascontiguousarray(np.broadcast_to(sigma**2, shape))
    p = variance.copy()
    m_y, m_1, m_t = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    a_11, a_1t, a_tt, a_1y, a_ty, a_yy = (np.zeros(shape) for _ in range(6))
    log_det, product = np.zeros(shape), np.ones(shape)
    v_y, v_1, v_t, inverse, gain, work = (np.empty(shape) for _ in range(6))
    for k in range(y.shape[1]):
        if k:
            dt = np.where(valid[:, k], t[:, k] - t[:, k - 1], 0.0)
            phi = np.exp(-dt / theta[:, None])[:, None, :]
            for m in (m_y, m_1, m_t):
                np.multiply(m, phi, out=m)
            # P <- sigma^2 + phi^2 (P - sigma^2)
            np.subtract(p, variance, out=p)
            np.multiply(p, phi * phi, out=p)
            np.add(p, variance, out=p)
        np.add(p, noise[:, k], out=inverse)
        np.multiply(product, np.where(valid[:, k], inverse, 1.0), out=product)
        if k % _LOG_EVERY == _LOG_EVERY - 1:
            log_det += np.log(product)
            product.fill(1.0)
        np.divide(weight[:, k], inverse, out=inverse)
        np.multiply(p, inverse, out=gain)
        np.subtract(y[:, k], m_y, out=v_y)
        np.subtract(1.0, m_1, out=v_1)
        np.subtract(t[:, k], m_t, out=v_t)
        for m, v in ((m_y, v_y), (m_1, v_1), (m_t, v_t)):
            np.multiply(gain, v, out=work)
            np.add(m, work, out=m)
        # P <- P (1 - K)
        np.multiply(gain, p, out=work)
        np.subtract(p, work, out=p)
        for first, seconds in ((v_1, ((v_1, a_11), (v_t, a_1t), (v_y, a_1y))), (v_t, ((v_t, a_tt), (v_y, a_ty))), (v_y, ((v_y, a_yy),))):
            np.multiply(first, inverse, out=gain)
            for second, total in seconds:
                np.multiply(gain, second, out=work)
                np.add(total, work, out=total)
    log_det += np.log(product)
    determinant = a_11 * a_tt - a_1t**2
    slope = (a_11 * a_ty - a_1t * a_1y) / determinant
    level = (a_1y - slope * a_1t) / a_11
    misfit = a_yy - level * a_1y - slope * a_ty
    return Grid(-0.5 * (log_det + np.log(determinant) + misfit), slope, a_11 / determinant, level)


@dataclass(frozen=True)
class Line:
    """Ordinary least squares of many series; every array has shape (series,).

    `mean_t` and `mean_y` are the means over the points, `spread_t` the sum of squares of t about its mean, `residual_variance` the
    residual sum of squares over n - 2.
    """

    slope: Floats
    mean_t: Floats
    mean_y: Floats
    spread_t: Floats
    residual_variance: Floats
    r: Floats


def least_squares(series: Series, weight: Floats | None = None) -> Line:
    """Straight line through each series by least squares, two passes for precision.

    Parameters
    ----------
    series : Series
        The series.
    weight : ndarray, shape (series, point), optional
        Weights; equal ones by default.

    Returns
    -------
    Line
        NaN where a series has too few points.
    """
    w = series.valid.astype(float)
    if weight is not None:
        w = np.where(series.valid, weight, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = w.sum(1)
        mean_t, mean_y = (w * series.t).sum(1) / total, (w * series.y).sum(1) / total
        dt, dy = series.t - mean_t[:, None], series.y - mean_y[:, None]
        s_tt, s_ty, s_yy = (w * dt * dt).sum(1), (w * dt * dy).sum(1), (w * dy * dy).sum(1)
        slope = np.where(series.n >= 2, s_ty / s_tt, np.nan)
        residual = (w * (dy - slope[:, None] * dt) ** 2).sum(1)
        residual_variance = np.where(series.n > 2, residual / (series.n - 2), np.nan)
        r = np.where(s_yy > 0, s_ty / np.sqrt(s_tt * s_yy), np.nan)
    return Line(slope, mean_t, mean_y, s_tt, residual_variance, r)
