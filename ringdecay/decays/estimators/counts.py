"""Regression on the counts themselves, so that bins of zero and of few counts say what they know.

The counts of bin k have the mean ``mu_k = X_k (exp(level - rate t_k) + floor)``, X the exposure (counts per flux). Fisher scoring solves
for level and rate: weighted least squares of a working variable, again and again (McCullagh and Nelder 1989, Generalized linear models,
section 2.5). Without a floor this is a log-linear model with the exposure as offset; a floor is added to the mean, not taken off
the data, so that nothing can become negative.

What is estimated depends on the variance alone, through the weights: `poisson` takes it as proportional to the mean, `negative_binomial`
as the mean plus ``alpha (X exp(level - rate t))^2``, the fluctuation of the flux itself. Counts of a bin run into the thousands, and
then the second is nearer the truth: the first believes the earliest bins almost alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringdecay.decays.cells import Counted, Cut
from ringdecay.decays.fitted import Fitted
from ringdecay.decays.gls import Floats, Series, least_squares
from ringdecay.decays.pooling import Pool

ITERATIONS = 100
# The log of the signal may move by so much in one step at any point, which keeps the scoring from running away.
LONGEST_STEP = 3.0
# Converged: the log of the signal, and alpha relative to itself, move by less than this.
CLOSE = 1e-9
# Series handled together, so that the working arrays stay in the cache.
CHUNK = 1024


def poisson(cut: Cut, _pooled: Pool, _confidence: float) -> Fitted:
    """Poisson regression with a log link, the exposure as offset and the floor as a known addition; quasi-Poisson errors.

    Parameters
    ----------
    cut : Cut
        The series; its counts are used.

    Returns
    -------
    Fitted
        The standard error is that of the Poisson likelihood times the root of Pearson's chi square over its n - 2 degrees of freedom
        (Wedderburn 1974, Biometrika 61, 439). NaN where the counts have no maximum of the likelihood, for instance because only the first
        bin has any.
    """
    return _regression(cut, overdispersed=False)


def negative_binomial(cut: Cut, _pooled: Pool, _confidence: float) -> Fitted:
    """Negative-binomial regression with a log link, the exposure as offset and the floor as a known addition.

    Parameters
    ----------
    cut : Cut
        The series; its counts are used.

    Returns
    -------
    Fitted
        The dispersion alpha is the one at which Pearson's chi square equals its n - 2 degrees of freedom, or 0 (Breslow 1984, Appl.
        Stat. 33, 38): the likelihood's own is too small for short series, because it does not count the two parameters of the line. The
        standard error is that of the Fisher information with alpha taken as known, used with n - 2 degrees of freedom.
    """
    return _regression(cut, overdispersed=True)


@dataclass(frozen=True)
class _Point:
    """Where the scoring stands: mean, its derivative to the log of the signal (the signal's counts), and variance."""

    mean: Floats
    signal: Floats
    variance: Floats


def _regression(cut: Cut, *, overdispersed: bool) -> Fitted:
    counted = cut.counted
    out = np.full((3, len(counted.n)), np.nan)
    able = np.flatnonzero(counted.n >= 3)
    able = able[np.argsort(counted.n[able], kind="stable")]
    for first in range(0, len(able), CHUNK):
        which = able[first : first + CHUNK]
        n = counted.n[which]
        width = int(n.max())
        part = Counted(counted.t[which, :width], counted.counts[which, :width], counted.exposure[which, :width], n)
        out[:, which] = _scoring(part, np.nan_to_num(cut.floor[which]), overdispersed=overdispersed)
    rate, se, level = out
    return Fitted(rate, se, np.where(np.isfinite(rate), counted.n - 2.0, np.nan), level, counted=True)


def _scoring(counted: Counted, floor: Floats, *, overdispersed: bool) -> Floats:
    """Rate, standard error and level at t = 0 of series with at least 3 points each; shape (3, series)."""
    valid = np.arange(counted.t.shape[1]) < counted.n[:, None]
    exposure, counts = np.where(valid, counted.exposure, 1.0), np.where(valid, counted.counts, 0.0)
    freedom = (counted.n - 2).astype(np.float64)
    level, slope, mean_t = _start(counts, exposure, floor, counted)
    t = np.where(valid, counted.t - mean_t[:, None], 0.0)
    alpha = np.zeros(len(freedom))
    done = np.zeros(len(freedom), dtype=bool)
    for _ in range(ITERATIONS):
        point = _at(level, slope, alpha, t, exposure, floor)
        weight = np.where(valid, point.signal**2 / point.variance, 0.0)
        working = (counts - point.mean) / point.signal
        s_1, s_t, s_tt = weight.sum(1), (weight * t).sum(1), (weight * t * t).sum(1)
        g_1, g_t = (weight * working).sum(1), (weight * working * t).sum(1)
        determinant = s_1 * s_tt - s_t**2
        with np.errstate(invalid="ignore", divide="ignore"):
            d_slope = (s_1 * g_t - s_t * g_1) / determinant
            d_level = (g_1 - d_slope * s_t) / s_1
            moved = np.where(valid, np.abs(d_level[:, None] + d_slope[:, None] * t), 0.0).max(1)
            part = np.minimum(1.0, LONGEST_STEP / moved)
        level, slope = _moved(level, part * d_level), _moved(slope, part * d_slope)
        close = moved < CLOSE
        if overdispersed:
            new = _next_alpha(alpha, _at(level, slope, alpha, t, exposure, floor), counts, valid, freedom)
            close &= np.abs(new - alpha) <= 10 * CLOSE * (new + 1e-12)
            alpha = new
        done = close
        if done.all():
            break
    point = _at(level, slope, alpha, t, exposure, floor)
    weight = np.where(valid, point.signal**2 / point.variance, 0.0)
    s_1, s_t, s_tt = weight.sum(1), (weight * t).sum(1), (weight * t * t).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.sqrt(s_1 / (s_1 * s_tt - s_t**2))
        if not overdispersed:
            se = se * np.sqrt(_pearson(point, counts, valid) / freedom)
    return np.where(done, np.array([-slope, se, level - slope * mean_t]), np.nan)


def _start(counts: Floats, exposure: Floats, floor: Floats, counted: Counted) -> tuple[Floats, Floats, Floats]:
    """Level at the mean time, slope, and the mean time to begin with, from a line through the log of the flux above the floor."""
    flux = (counts + 0.5) / exposure
    above = np.maximum(flux - floor[:, None], 0.1 * flux)
    line = least_squares(Series(np.log(above), counted.t, np.zeros_like(flux), counted.n), counts + 0.5)
    return line.mean_y, np.nan_to_num(line.slope), line.mean_t


def _at(level: Floats, slope: Floats, alpha: Floats, t: Floats, exposure: Floats, floor: Floats) -> _Point:
    # Far beyond any flux; a series without a maximum runs off to there, and is then seen not to converge.
    signal = exposure * np.exp(np.clip(level[:, None] + slope[:, None] * t, -300.0, 300.0))
    mean = signal + exposure * floor[:, None]
    return _Point(mean, signal, mean + alpha[:, None] * signal**2)


def _moved(value: Floats, step: Floats) -> Floats:
    return value + np.where(np.isfinite(step), step, 0.0)


def _pearson(point: _Point, counts: Floats, valid: NDArray[np.bool_]) -> Floats:
    total: Floats = np.where(valid, (counts - point.mean) ** 2 / point.variance, 0.0).sum(1)
    return total


def _next_alpha(alpha: Floats, point: _Point, counts: Floats, valid: NDArray[np.bool_], freedom: Floats) -> Floats:
    """One Newton step on the reciprocal of Pearson's chi square, which is almost linear in alpha."""
    total = _pearson(point, counts, valid)
    steepness = np.where(valid, ((counts - point.mean) * point.signal / point.variance) ** 2, 0.0).sum(1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        step = total * (total - freedom) / freedom / steepness
    return np.maximum(_moved(alpha, step), 0.0)
