"""Generalised least squares for a line with an Ornstein-Uhlenbeck error and known counting noise, for many series at once.

The model of one series is ``y_k = level + slope t_k + u_k + e_k``: `u` is stationary with variance ``sigma^2`` and correlation
``exp(-|dt| / theta)``, `e_k` is independent with a known variance. The covariance is that of a first-order state-space model, so
the likelihood, the estimate and its variance come from one Kalman pass over the points (order n) instead of a Cholesky
factorisation (order n^3), exactly and at irregular times. The columns `y`, 1 and `t` go through the same filter; their innovations
are ``L^-1`` times the columns, so the sums below are ``X' V^-1 X`` and ``X' V^-1 y``. Points of two probes have one column more, 1 for
the second probe, whose coefficient is the offset between the probes; all points, whoever made them, see the same `u`.

Source: Harvey (1989), Forecasting, structural time series models and the Kalman filter, sections 3.4 and 7.3 (regression effects in
the filter); Patterson and Thompson (1971), Biometrika 58, 545 (REML).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringdecay.decays.kernels import filter_grid

Floats = NDArray[np.float64]

# Series that one pass handles together: the working arrays of 135 grid nodes then stay in a core's cache.
CHUNK = 64
# Series whose straight lines are fitted together, for the same reason.
LINES = 512
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
    second : ndarray, shape (series, point), optional
        Of two probes' points, 1 for those of the second; 0 throughout where a series has points of one probe only.
    """

    y: Floats
    t: Floats
    noise: Floats
    n: NDArray[np.int64]
    second: Floats | None = None

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which entries are points of a series, shape (series, point)."""
        mask: NDArray[np.bool_] = np.arange(self.y.shape[1]) < self.n[:, None]
        return mask

    def take(self, which: NDArray[np.int64]) -> Series:
        """Pick some of the series, without columns that none of them needs."""
        n = self.n[which]
        width = int(n.max(initial=1))
        second = None if self.second is None else self.second[which, :width]
        return Series(self.y[which, :width], self.t[which, :width], self.noise[which, :width], n, second)


@dataclass(frozen=True)
class Grid:
    """REML log-likelihood and GLS line on a grid of (theta, sigma), each of shape (theta, sigma, series).

    `offset` is the level of the second probe less that of the first; 0 with variance 0 where there is none.
    """

    log_likelihood: Floats
    slope: Floats
    slope_variance: Floats
    level: Floats
    offset: Floats
    offset_variance: Floats


def reml_grid(series: Series, theta: Floats, sigma: Floats, own_share: float = 0.0) -> Grid:
    """Restricted likelihood and GLS line of every series at every node of a grid.

    Parameters
    ----------
    series : Series
        At least 3 points each; all times of a series different unless their noise is positive.
    theta : ndarray, shape (theta,)
        Correlation times, days.
    sigma : ndarray, shape (sigma, series)
        Standard deviations of the fluctuation, each series with its own nodes.
    own_share : float
        Share of the fluctuation's variance that is each point's own (white); the rest is correlated in time.

    Returns
    -------
    Grid
        `slope` per day, `slope_variance` given the node, `level` at t = 0 (of the first probe); the log-likelihood without its constant.
    """
    # Point by point, each point's values of all series side by side.
    valid, noise, t = (np.ascontiguousarray(values.T) for values in (series.valid, series.noise, series.t))
    # The columns of the design, the slope's last, and then the data.
    columns = np.stack([np.ones(t.shape), *([] if series.second is None else [series.second.T]), t, series.y.T])
    step = np.where(valid[1:], np.diff(t, axis=0), 0.0)
    phi = np.ones((len(t), len(theta), t.shape[1]))
    np.exp(-step[:, None, :] / theta[:, None], out=phi[1:])
    variance, own = (1 - own_share) * sigma**2, own_share * sigma**2
    sums = np.zeros((len(columns), len(columns), len(theta), *sigma.shape))
    products = np.ones((len(t) // _LOG_EVERY + 1, *sums.shape[2:]))
    filter_grid(columns, phi, variance, own, noise, valid, _LOG_EVERY, sums, products)
    log_det = np.zeros(products.shape[1:])
    for logs in np.log(products, out=products):
        log_det += logs
    upper = {(i, j): sums[i, j] for i in range(len(columns)) for j in range(i, len(columns))}
    return _solved(upper, log_det)


def _solved(sums: dict[tuple[int, int], Floats], log_det: Floats) -> Grid:
    """Solve the normal equations by elimination; the slope is the last unknown, before the data."""
    data = max(sums)[0]
    pivots = []
    for i in range(data):
        # A column of zeros, the offset of a series of one probe, has the coefficient 0 and no part in the determinant.
        pivots.append(np.where(sums[i, i] > 0, sums[i, i], 1.0))
        for j in range(i + 1, data + 1):
            factor = sums[i, j] / pivots[i]
            for m in range(j, data + 1):
                sums[j, m] -= factor * sums[i, m]
    slope = sums[data - 1, data] / pivots[-1]
    slope_variance = 1 / pivots[-1]
    offset = offset_variance = np.zeros(())
    if data == 3:
        turn = sums[1, 2] / pivots[1]
        offset = sums[1, 3] / pivots[1] - turn * slope
        offset_variance = np.where(sums[1, 1] > 0, 1 / pivots[1], 0.0) + turn**2 * slope_variance
    level = (sums[0, data] - sums[0, data - 1] * slope - (sums[0, 1] * offset if data == 3 else 0.0)) / pivots[0]
    log_likelihood = -0.5 * (log_det + sum(np.log(pivot) for pivot in pivots) + sums[data, data])
    return Grid(log_likelihood, slope, slope_variance, level, *np.broadcast_arrays(offset, offset_variance, slope)[:2])


@dataclass(frozen=True)
class Line:
    """Ordinary least squares of many series; every array has shape (series,).

    `mean_t`, `mean_y` and `mean_second` are the means over the points, `spread_t` the sum of squares of t about its mean (that of each
    probe, where there are two; so is `r`), `offset` the level of the second probe less that of the first, `freedom` the degrees of
    freedom, `residual_variance` the residual sum of squares over them.
    """

    slope: Floats
    mean_t: Floats
    mean_y: Floats
    spread_t: Floats
    residual_variance: Floats
    r: Floats
    offset: Floats
    mean_second: Floats
    freedom: Floats

    @property
    def slope_se(self) -> Floats:
        """Standard error of the slope, with errors that are independent and of one size."""
        with np.errstate(invalid="ignore", divide="ignore"):
            out: Floats = np.sqrt(self.residual_variance / self.spread_t)
        return out

    def residuals(self, series: Series) -> Floats:
        """Give what the line leaves of a series, shape (series, point); 0 beyond its points."""
        left = series.y - self.mean_y[:, None] - self.slope[:, None] * (series.t - self.mean_t[:, None])
        if series.second is not None:
            left = left - self.offset[:, None] * (series.second - self.mean_second[:, None])
        return np.where(series.valid, left, 0.0)


def least_squares(series: Series, weight: Floats | None = None) -> Line:
    """Straight line through each series by least squares, two passes for precision.

    Parameters
    ----------
    series : Series
        The series; those of two probes get a level for each.
    weight : ndarray, shape (series, point), optional
        Weights; equal ones by default.

    Returns
    -------
    Line
        NaN where a series has too few points.
    """
    out = [np.empty(len(series.n)) for _ in fields(Line)]
    for first in range(0, len(series.n), LINES):
        part = slice(first, first + LINES)
        second = None if series.second is None else series.second[part]
        some = Series(series.y[part], series.t[part], series.noise[part], series.n[part], second)
        for whole, found in zip(out, _lines(some, None if weight is None else weight[part]), strict=True):
            whole[part] = found
    return Line(*out)


def _lines(series: Series, weight: Floats | None) -> tuple[Any, ...]:
    """Do what `least_squares` says, for few enough series to stay in the cache; what a `Line` has, in its order."""
    w = series.valid.astype(float)
    if weight is not None:
        w = np.where(series.valid, weight, 0.0)
    offset_t, offset_y, mean_second, freedom = np.zeros(len(w)), np.zeros(len(w)), np.zeros(len(w)), series.n - 2.0
    with np.errstate(invalid="ignore", divide="ignore"):
        total = w.sum(1)
        mean_t, mean_y = (w * series.t).sum(1) / total, (w * series.y).sum(1) / total
        dt, dy = series.t - mean_t[:, None], series.y - mean_y[:, None]
        if series.second is not None:
            mean_second = np.where(total > 0, (w * series.second).sum(1) / total, 0.0)
            ds = series.second - mean_second[:, None]
            s_ss = (w * ds * ds).sum(1)
            offset_t, offset_y = (np.where(s_ss > 0, (w * ds * d).sum(1) / s_ss, 0.0) for d in (dt, dy))
            # What is left after two levels: each probe's times and fluxes about its own mean.
            dt, dy = dt - offset_t[:, None] * ds, dy - offset_y[:, None] * ds
            freedom = freedom - (s_ss > 0)
        s_tt, s_ty, s_yy = (w * dt * dt).sum(1), (w * dt * dy).sum(1), (w * dy * dy).sum(1)
        slope = np.where(series.n >= 2, s_ty / s_tt, np.nan)
        residual = (w * (dy - slope[:, None] * dt) ** 2).sum(1)
        residual_variance = np.where(freedom > 0, residual / freedom, np.nan)
        r = np.where(s_yy > 0, s_ty / np.sqrt(s_tt * s_yy), np.nan)
    return slope, mean_t, mean_y, s_tt, residual_variance, r, offset_y - slope * offset_t, mean_second, freedom
