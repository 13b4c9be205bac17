"""Straight lines through log flux by least squares: plain, weighted, and with the error model of the run."""

from __future__ import annotations

import numpy as np

from ringdecay.decays.cells import Cut
from ringdecay.decays.error_models import separable
from ringdecay.decays.fitted import Fitted
from ringdecay.decays.free_floor import fit_free_floor
from ringdecay.decays.gls import Floats, Series, least_squares
from ringdecay.decays.pooling import Pool, estimate

# The excess scatter is found to a part in 10^8 within so many steps; five are usual.
ITERATIONS = 30
# Series handled together, so that the working arrays stay in the cache.
CHUNK = 1024
# White noise, in units of the residual variance, that keeps the weight of a point of unknown counting noise finite.
LEAST_NOISE = 1e-6


def ols(cut: Cut, _pooled: Pool, _confidence: float) -> Fitted:
    """Ordinary least squares: every point the same weight, errors independent and of one unknown size.

    Parameters
    ----------
    cut : Cut
        The series.

    Returns
    -------
    Fitted
        The standard error is ``sqrt(residual variance / sum (t - mean t)^2)`` with n - 2 degrees of freedom.
    """
    series = cut.series
    line = least_squares(series)
    values = np.array([-line.slope, line.slope_se, series.n - 2.0, line.mean_y - line.slope * line.mean_t])
    return Fitted(*np.where(series.n >= 3, values, np.nan))


def weighted(cut: Cut, _pooled: Pool, _confidence: float) -> Fitted:
    """Weighted least squares: the variance of a point is its counting noise plus an excess scatter common to the series.

    Parameters
    ----------
    cut : Cut
        The series.

    Returns
    -------
    Fitted
        The standard error is ``1 / sqrt(sum w (t - mean t)^2)`` with the weights w taken as known, with n - 2 degrees of freedom.
    """
    series = cut.series
    out = np.full((4, len(series.n)), np.nan)
    able = np.flatnonzero(series.n >= 3)
    able = able[np.argsort(series.n[able], kind="stable")]
    for first in range(0, len(able), CHUNK):
        which = able[first : first + CHUNK]
        part = series.take(which)
        line = least_squares(part, weights(part))
        with np.errstate(divide="ignore"):
            se = 1 / np.sqrt(line.spread_t)
        out[:, which] = -line.slope, se, part.n - 2.0, line.mean_y - line.slope * line.mean_t
    return Fitted(*out)


def gls(cut: Cut, pooled: Pool, _confidence: float) -> Fitted:
    """Generalised least squares with an Ornstein-Uhlenbeck error and counting noise, the calibrated estimator (see `pooling`).

    Parameters
    ----------
    cut : Cut
        The series.
    pooled : Pool
        Distribution of the error's parameters over the run.
    """
    found = estimate(cut.series, pooled)
    return Fitted(found.rate, found.se, found.df, found.level)


def exponential_floor(cut: Cut, pooled: Pool, _confidence: float) -> Fitted:
    """Exponential and a floor of the series' own, with the error model of `gls` (see `free_floor`).

    Parameters
    ----------
    cut : Cut
        The series; a floor that is known is taken off before.
    pooled : Pool
        Error model of the run.

    Returns
    -------
    Fitted
        NaN for series too short to tell a floor from the decay (`error_models.separable`); `level` is that of the signal above the floor.
    """
    series, line = cut.series, least_squares(cut.series)
    last = series.t[np.arange(len(series.n)), np.maximum(series.n - 1, 0)]
    able = np.flatnonzero(separable({"n": series.n, "rate": -line.slope, "t_first": series.t[:, 0], "t_last": last}))
    found = fit_free_floor(series.take(able), pooled)
    known = np.isfinite(found.rate) & np.isfinite(found.rate_se)
    out = np.full((5, len(series.n)), np.nan)
    out[:, able[known]] = np.array([found.rate, found.rate_se, found.df, found.level, found.floor])[:, known]
    rate, se, df, level, floor = out
    return Fitted(rate, se, df, level, floor=floor)


def weights(series: Series) -> Floats:
    """Weights 1 / (counting noise + excess) of series with at least 3 points each, shape (series, point); zero beyond the last point.

    The excess is the one at which the weighted sum of squares about the weighted line equals its degrees of freedom, ``sum w r^2 =
    n - 2``, or 0 if counting alone explains more (Paule and Mandel 1982, J. Res. NBS 87, 377, with a line in place of the mean). It is
    found by Newton steps on the reciprocal of that sum, which is linear in the excess where all noise is the same.
    """
    plain = least_squares(series)
    freedom = series.n - 2.0
    # Exact data have no scatter at all; any common weight then gives the same line.
    variance = np.maximum(plain.residual_variance, 1e-20)
    noise = series.noise + LEAST_NOISE * variance[:, None]
    excess = variance
    for _ in range(ITERATIONS):
        weight = np.where(series.valid, 1 / (noise + excess[:, None]), 0.0)
        line = least_squares(series, weight)
        # The residual variance of a line with weights is the weighted one.
        total = line.residual_variance * freedom
        residual = series.y - line.mean_y[:, None] - line.slope[:, None] * (series.t - line.mean_t[:, None])
        steepness = np.where(series.valid, weight**2 * residual**2, 0.0).sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            step = np.where(steepness > 0, total * (total - freedom) / freedom / steepness, 0.0)
        new = np.maximum(excess + np.nan_to_num(step), 0.0)
        moved = np.abs(new - excess) > 1e-8 * (new + LEAST_NOISE * variance)
        excess = new
        if not moved.any():
            break
    out: Floats = np.where(series.valid, 1 / (noise + excess[:, None]), 0.0)
    return out
