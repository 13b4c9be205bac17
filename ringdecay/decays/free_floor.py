"""Exponential plus a floor of the series' own: ``flux = exp(a - rate t) + B`` with an unknown B.

A floor that is not known is a nuisance: it is fitted so that the rate does not depend on it, and what that costs is in the rate's
error. To be fair to series without a floor, `B` may also be negative, where the curve is bent down as much as the same positive `B`
bends it up; if only ``B >= 0`` were allowed, every series that bends up by chance would raise the rate and none would lower it.

The fluctuation belongs to the signal, not to the floor: where the signal is a share `w` of the flux, log flux fluctuates by `w u`. Over
`w` the residuals of log flux have the error of `ringdecay.decays.gls` with the counting noise over ``w^2``; Gauss-Newton steps are
generalised least squares on them. Size and correlation time of the fluctuation are integrated out as for the straight line.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ringdecay.decays.gls import CHUNK, Floats, Series, least_squares
from ringdecay.decays.mixture import Mixture, column_grid, integrate_error
from ringdecay.decays.pooling import Pool
from ringdecay.decays.whitening import normal_equations, solve

STEPS = 12
# Series whose steps are made together: with one error model each their arrays are small.
BLOCK = 16 * CHUNK
# Limits of the floor in units of the geometric mean of the last points; a floor of 1 would be reached by them all.
LOWEST, LARGEST = -0.7, 1.3
LAST_POINTS = 4


@dataclass(frozen=True)
class FreeFloor:
    """Rate (1/day) with standard error and degrees of freedom, floor and its standard error in the flux's unit; shape (series,).

    `level` is the log of the fitted signal at t = 0; `sigma`, `theta` and `rho` are as in `ringdecay.decays.pooling.Estimate`.
    """

    rate: Floats
    rate_se: Floats
    df: Floats
    floor: Floats
    floor_se: Floats
    level: Floats
    rho: Floats
    sigma: Floats
    theta: Floats


def with_floor(signal: Floats, floor: Floats | float) -> Floats:
    """Flux of a signal on a floor: their sum, or for a negative floor what bends the log of the signal down as much as the sum bends it up.

    Parameters
    ----------
    signal : ndarray
        Positive.
    floor : ndarray or float
        In the signal's unit.
    """
    bent = 1 + np.abs(floor) / signal
    return np.where(np.asarray(floor) < 0, signal / bent, signal * bent)


def fit_free_floor(series: Series, pooled: Pool) -> FreeFloor:
    """Fit an exponential and a floor to every series.

    Parameters
    ----------
    series : Series
        Log flux, with no floor taken off.
    pooled : Pool
        Error model of the run; best that about such curves, from `floor_likelihood`, for the fluctuation of log flux is less where a floor
        makes a part of it.

    Returns
    -------
    FreeFloor
        NaN for series of fewer than 5 points. The floor is negative where the series bends down.
    """
    out = np.full((9, len(series.n)), np.nan)
    span = np.where(series.valid, series.t, -np.inf).max(1, initial=-np.inf) - series.t[:, 0]
    able = np.flatnonzero((series.n >= 5) & (span > 0))
    able = able[np.argsort(series.n[able], kind="stable")]
    for first in range(0, len(able), BLOCK):
        which = able[first : first + BLOCK]
        out[:, which] = _fit_block([series.take(which[k : k + CHUNK]) for k in range(0, len(which), CHUNK)], pooled)
    return FreeFloor(*out)


def floor_likelihood(series: Series, pooled: Pool, sigma: Floats) -> Floats:
    """Restricted log-likelihood about an exponential and a floor at nodes of sigma, shape (sigma, series), for `pool`."""
    start = _start(series)
    size, theta = np.full(len(series.n), np.sqrt(pooled.scatter)), np.full(len(series.n), pooled.spacing)
    working, residual, columns = _linearised(start, _gauss_newton(start, (start.a, start.b, start.beta), size, theta))
    return column_grid(working, residual, columns, pooled, sigma)[1]


def _fit_block(chunks: list[Series], pooled: Pool) -> Floats:
    """Fit chunks of series, each small enough for a grid of error models; steps with one error model a series go for all together."""
    starts = [_start(chunk) for chunk in chunks]
    start, last = _together(starts), np.cumsum([len(chunk.n) for chunk in chunks])[:-1]
    sigma = np.full(len(start.a), np.exp(pooled.log_sigma) if pooled.n_series else np.sqrt(pooled.scatter))
    theta = np.full(len(start.a), np.exp(pooled.log_theta) if pooled.n_series else pooled.spacing)
    curve: Curve = (start.a, start.b, start.beta)
    # The second time with the series' own error model.
    for _ in range(2):
        curve = _gauss_newton(start, curve, sigma, theta)
        of_chunks = zip(*(np.split(values, last) for values in curve), strict=True)
        mixtures = [integrate_error(*_linearised(one, of_chunk), pooled) for one, of_chunk in zip(starts, of_chunks, strict=True)]
        found = Mixture(*(np.concatenate([getattr(each, one.name) for each in mixtures], axis=-1) for one in fields(Mixture)))
        sigma, theta = found.sigma, found.theta
    a, b, beta = curve
    change = _within(beta, found.mean, found.covariance)
    slope, unit = (b + change[1]) / start.span, start.reference * np.exp(start.mean_y)
    return np.array(
        [
            -slope,
            found.scale[1] / start.span,
            found.df[1],
            (beta + change[2]) * unit,
            found.scale[2] * unit,
            start.mean_y + a + change[0] - slope * start.mean_t,
            found.rho,
            sigma,
            theta,
        ]
    )


@dataclass(frozen=True)
class _Start:
    """Series about their means, with time in half spans, and a first curve: log signal `a + b x`, floor `beta` times `reference`."""

    series: Series
    y: Floats
    x: Floats
    mean_y: Floats
    mean_t: Floats
    span: Floats
    reference: Floats
    a: Floats
    b: Floats
    beta: Floats


def _start(series: Series) -> _Start:
    line = least_squares(series)
    valid = series.valid
    y = np.where(valid, series.y - line.mean_y[:, None], 0.0)
    dt = np.where(valid, series.t - line.mean_t[:, None], 0.0)
    span = np.abs(dt).max(1)
    x = dt / span[:, None]
    late = valid & (np.arange(y.shape[1]) >= (series.n - LAST_POINTS)[:, None])
    reference = np.exp((late * y).sum(1) / late.sum(1))
    # A line through what is left above half of the reference, with the weights of the shares.
    share = np.maximum(1 - 0.5 * reference[:, None] * np.exp(-y), 0.2)
    first = least_squares(Series(np.where(valid, y + np.log(share), 0.0), x, series.noise, series.n), share**2)
    a = first.mean_y - first.slope * first.mean_t
    return _Start(series, y, x, line.mean_y, line.mean_t, span, reference, a, first.slope, np.full(len(y), 0.5))


def _together(starts: list[_Start]) -> _Start:
    """Put chunks one after the other, the short ones filled up with zeros, which are no points."""
    width = max(one.y.shape[1] for one in starts)

    def joined(parts: list[Floats]) -> Floats:
        return np.concatenate([np.pad(part, [(0, 0), (0, width - part.shape[1])] if part.ndim > 1 else 0) for part in parts])

    y, t, noise = (joined([getattr(one.series, name) for one in starts]) for name in ("y", "t", "noise"))
    series = Series(y, t, noise, np.concatenate([one.series.n for one in starts]))
    names = [one.name for one in fields(_Start) if one.name != "series"]
    return _Start(series, *(joined([getattr(one, name) for one in starts]) for name in names))


Curve = tuple[Floats, Floats, Floats]


def _gauss_newton(start: _Start, curve: Curve, sigma: Floats, theta: Floats) -> Curve:
    """Improve level, slope and floor with a given error model."""
    a, b, beta = curve
    for step in range(STEPS):
        working, residual, columns = _linearised(start, (a, b, beta))
        found = solve(normal_equations(working, sigma, theta, np.concatenate([residual[None], columns]))[0])
        change = _within(beta, found.values, found.covariance)
        # No step is longer than one e-fold; the later ones are damped, so that none goes to and fro for ever.
        change *= np.minimum(1.0, 1.0 / np.maximum(np.abs(change).max(0), 1e-12)) * (1.0 if step < STEPS // 2 else 0.7)
        a, b, beta = a + change[0], b + change[1], beta + change[2]
    return a, b, beta


def _within(beta: Floats, change: Floats, covariance: Floats) -> Floats:
    """Keep the floor within its limits; level and slope then change as they do with the floor given at the limit."""
    change = np.nan_to_num(change)
    excess = beta + change[2] - np.clip(beta + change[2], LOWEST, LARGEST)
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.nan_to_num(covariance[:, 2] / covariance[2, 2])
    kept: Floats = change - excess * moved
    return kept


def _linearised(start: _Start, curve: Curve) -> tuple[Series, Floats, Floats]:
    """Residual and derivatives by level, slope and floor, over the share of the signal, and the series with the noise to go with them."""
    a, b, beta = curve
    log_signal = np.clip(a[:, None] + b[:, None] * start.x, -50, 50)
    unit = start.reference[:, None] * np.exp(-log_signal)
    ratio = beta[:, None] * unit
    size = 1 + np.abs(ratio)
    share = 1 / (1 + np.maximum(ratio, 0.0))
    by_signal = (1 - ratio / size) / share
    valid = start.series.valid
    columns = np.where(valid, np.stack([by_signal, by_signal * start.x, unit / size / share]), 0.0)
    residual = np.where(valid, (start.y - log_signal - np.sign(ratio) * np.log(size)) / share, 0.0)
    return Series(start.y, start.series.t, start.series.noise / share**2, start.series.n), residual, columns
