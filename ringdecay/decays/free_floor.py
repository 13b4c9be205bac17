"""Exponential plus a floor of the series' own: ``flux = exp(a - rate t) + B`` with an unknown B.

A floor that is not known is a nuisance: it is fitted so that the rate does not depend on it, and what that costs is in the rate's
error. To be fair to series without a floor, `B` may also be negative, where the curve is bent down as much as the same positive `B`
bends it up; if only ``B >= 0`` were allowed, every series that bends up by chance would raise the rate and none would lower it.

The fluctuation belongs to the signal, not to the floor: where the signal is a share `w` of the flux, log flux fluctuates by `w u`. Over
`w` the residuals of log flux have the error of `ringdecay.decays.gls` with the counting noise over ``w^2``; Gauss-Newton steps are
generalised least squares on them. Size and correlation time of the fluctuation are integrated out as for the straight line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringdecay.decays.gls import CHUNK, Floats, Series, least_squares
from ringdecay.decays.mixture import integrate_error
from ringdecay.decays.pooling import Pool
from ringdecay.decays.whitening import normal_equations, solve

STEPS = 12
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


def exponential_floor(series: Series, pooled: Pool) -> FreeFloor:
    """Fit an exponential and a floor to every series.

    Parameters
    ----------
    series : Series
        Log flux, with no floor taken off.
    pooled : Pool
        Error model of the run.

    Returns
    -------
    FreeFloor
        NaN for series of fewer than 5 points. The floor is negative where the series bends down.
    """
    out = np.full((9, len(series.n)), np.nan)
    able = np.flatnonzero(series.n >= 5)
    able = able[np.argsort(series.n[able], kind="stable")]
    for first in range(0, len(able), CHUNK):
        which = able[first : first + CHUNK]
        out[:, which] = _fit_chunk(series.take(which), pooled)
    return FreeFloor(*out)


def _fit_chunk(series: Series, pooled: Pool) -> Floats:
    line = least_squares(series)
    valid = series.valid
    centre = line.mean_y
    y = np.where(valid, series.y - centre[:, None], 0.0)
    dt = np.where(valid, series.t - line.mean_t[:, None], 0.0)
    span = np.abs(dt).max(1)
    x = dt / span[:, None]
    late = valid & (np.arange(y.shape[1]) >= (series.n - LAST_POINTS)[:, None])
    reference = np.exp((late * y).sum(1) / late.sum(1))
    # The first curve: a line through what is left above half of the reference.
    left = np.maximum(np.exp(y) - 0.5 * reference[:, None], 0.2 * np.exp(y))
    share = left / np.exp(y)
    start = least_squares(Series(np.where(valid, np.log(left), 0.0), x, series.noise, series.n), share**2)
    a, b, beta = start.mean_y - start.slope * start.mean_t, start.slope, np.full(len(y), 0.5)
    sigma = np.full(len(y), np.exp(pooled.log_sigma) if pooled.n_series else np.sqrt(pooled.scatter))
    theta = np.full(len(y), np.exp(pooled.log_theta) if pooled.n_series else pooled.spacing)
    for last in (False, True):
        for step in range(STEPS):
            residual, columns, noise = _linearised(series, y, x, reference, a, b, beta)
            both = np.concatenate([residual[None], columns])
            found = solve(normal_equations(Series(y, series.t, noise, series.n), sigma, theta, both)[0])
            change = _within(beta, found.values, found.covariance)
            # No step is longer than one e-fold; the later ones are damped, so that none goes to and fro for ever.
            change *= np.minimum(1.0, 1.0 / np.maximum(np.abs(change).max(0), 1e-12)) * (1.0 if step < STEPS // 2 else 0.7)
            a, b, beta = a + change[0], b + change[1], beta + change[2]
        residual, columns, noise = _linearised(series, y, x, reference, a, b, beta)
        working = Series(y, series.t, noise, series.n)
        values = integrate_error(working, residual, columns, pooled)
        sigma, theta = values.sigma, values.theta
        if last:
            break
    change = _within(beta, values.mean, values.covariance)
    slope = b + change[1]
    return np.array(
        [
            -slope / span,
            values.scale[1] / span,
            values.df[1],
            (beta + change[2]) * reference * np.exp(centre),
            values.scale[2] * reference * np.exp(centre),
            centre + a + change[0] - slope / span * line.mean_t,
            values.rho,
            sigma,
            theta,
        ]
    )


def _within(beta: Floats, change: Floats, covariance: Floats) -> Floats:
    """Keep the floor within its limits; level and slope then change as they do with the floor given at the limit."""
    change = np.nan_to_num(change)
    excess = beta + change[2] - np.clip(beta + change[2], LOWEST, LARGEST)
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.nan_to_num(covariance[:, 2] / covariance[2, 2])
    kept: Floats = change - excess * moved
    return kept


def _linearised(
    series: Series, y: Floats, x: Floats, reference: Floats, a: Floats, b: Floats, beta: Floats
) -> tuple[Floats, Floats, Floats]:
    """Residual and derivatives by (a, b, beta), each over the share of the signal, and the counting noise to go with them."""
    log_signal = np.clip(a[:, None] + b[:, None] * x, -50, 50)
    unit = reference[:, None] * np.exp(-log_signal)
    ratio = beta[:, None] * unit
    size = 1 + np.abs(ratio)
    bend = np.sign(ratio) * np.log(size)
    damp = 1 / (1 + np.maximum(ratio, 0.0))
    by_signal = (1 - ratio / size) / damp
    columns = np.stack([by_signal, by_signal * x, unit / size / damp])
    columns = np.where(series.valid, columns, 0.0)
    residual = np.where(series.valid, (y - log_signal - bend) / damp, 0.0)
    return residual, columns, series.noise / damp**2
