"""Is it one exponential: a quadratic term and a broken line in log flux, each with the error model of its fit.

Whoever asks whether a series bends must not take the error model of straight fits, which explains every bend as slow fluctuation. So
size and correlation time of the fluctuation are found about a parabola, over the run and for each series, as those of the straight fits
are about a line. False alarms on straight series were measured and are in docs/method.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringdecay.decays.gls import CHUNK, Floats, Series, least_squares
from ringdecay.decays.mixture import column_grid, integrate_error
from ringdecay.decays.pooling import Pool
from ringdecay.decays.whitening import products_of, solve, whiten

# Points that a curvature needs; points that each stage must have, and breaks that are tried.
FEWEST = 5
STAGE_POINTS = 4
MOST_BREAKS = 12


@dataclass(frozen=True)
class Parabola:
    """Curvature (1/day^2, positive where the decay slows down) with standard error and degrees of freedom; shape (series,).

    `sigma` and `theta` are those of the error about the parabola.
    """

    value: Floats
    error: Floats
    df: Floats
    sigma: Floats
    theta: Floats


@dataclass(frozen=True)
class Stages:
    """A fast and a slow stage; every array has shape (series,), NaN where too few points were there to try.

    `fast`, `slow` are rates (1/day) with standard errors; `time` is the break, days; `criterion` is by how much the broken line is better
    than the straight one (BIC of the straight line less that of the broken one).
    """

    fast: Floats
    fast_se: Floats
    slow: Floats
    slow_se: Floats
    time: Floats
    criterion: Floats


def curvature(series: Series, pooled: Pool | None) -> Parabola:
    """Second derivative of log flux in time, by generalised least squares with the error model integrated out.

    The error model is that about a parabola: that of straight fits would take the bend for slow fluctuation.

    Parameters
    ----------
    series : Series
        At least 5 points each for a value.
    pooled : Pool or None
        Error model of the run about parabolas, from `parabola_likelihood`; None for white noise of the series' own size.
    """
    out = np.full((5, len(series.n)), np.nan)
    able = np.flatnonzero(series.n >= FEWEST)
    able = able[np.argsort(series.n[able], kind="stable")]
    for first in range(0, len(able), CHUNK):
        which = able[first : first + CHUNK]
        part = series.take(which)
        dy, columns, half_span = _parabola(part)
        if pooled is None:
            plain = solve(products_of(np.concatenate([dy[None], columns])))
            df = part.n - 3.0
            sigma = np.sqrt(np.maximum(plain.misfit, 0) / df)
            out[:, which] = plain.values[2] / half_span**2, sigma * np.sqrt(plain.covariance[2, 2]) / half_span**2, df, sigma, 0 * sigma
        else:
            found = integrate_error(part, dy, columns, pooled)
            out[:, which] = found.mean[2] / half_span**2, found.scale[2] / half_span**2, found.df[2], found.sigma, found.theta
    return Parabola(*out)


def parabola_likelihood(series: Series, pooled: Pool, sigma: Floats) -> Floats:
    """Restricted log-likelihood about a parabola at nodes of sigma, shape (sigma, series), of shape (theta, sigma, series), for `pool`."""
    dy, columns, _ = _parabola(series)
    return column_grid(series, dy, columns, pooled, sigma)[1]


def two_stages(series: Series, sigma: Floats, theta: Floats, df: Floats) -> Stages:
    """Continuous broken line in log flux, with the break on a grid of times.

    The rates of both stages and the break are means over the breaks tried, weighted with their likelihood; their errors contain the
    break's. Only breaks from fast to slow count for the criterion.

    Parameters
    ----------
    series : Series
        The series.
    sigma, theta, df : ndarray, shape (series,)
        Error model, from `curvature`.
    """
    dy, dt, half_span = _centred(series)
    x = dt / half_span[:, None]
    line = least_squares(series)
    breaks, tried = _breaks(series, x)
    hinges = np.maximum(x - breaks[:, :, None], 0.0)
    white = whiten(series, sigma, theta, np.concatenate([[dy, np.ones_like(x), x], hinges]))
    target, base, hinge = white[0], white[1:3], white[3:]
    straight = solve(products_of(white[:3]))
    # The hinges' part that a straight line cannot make, and what it explains of the target's.
    across = np.einsum("bsk,isk->bis", hinge, base)
    shadow = np.einsum("ijs,bjs->bis", np.nan_to_num(straight.covariance), across)
    left_target = target - np.einsum("is,isk->sk", np.nan_to_num(straight.values), base)
    information = (hinge**2).sum(2) - (shadow * across).sum(1)
    tried &= information > 1e-9
    information = np.where(tried, information, 1.0)
    change = np.where(tried, np.einsum("bsk,sk->bs", hinge, left_target) / information, 0.0)
    gain = np.where(tried, change**2 * information, -np.inf)
    # Of a known error the gain is chi-squared; with few degrees of freedom its tail is that of F, which the logarithm takes off.
    freedom = np.where(np.isfinite(df), df, 1e3)
    gain = (freedom + 1) * np.log1p(np.where(tried, gain, 0.0) / freedom)
    slowing = tried & (change > 0)
    any_tried = tried.any(0)
    best = np.where(slowing, gain, 0.0).max(0)
    criterion = np.where(any_tried, best - 2 * np.log(np.maximum(series.n, 1)), np.nan)

    use = np.where(slowing.any(0), slowing, tried)
    weight = np.where(use, np.exp(0.5 * (gain - np.where(use, gain, 0.0).max(0))), 0.0)
    weight /= np.where(any_tried, weight.sum(0), 1.0)

    def mean(values: Floats, variance: Floats | float = 0.0) -> tuple[Floats, Floats]:
        centre = (weight * values).sum(0)
        return centre, (weight * (variance + (values - centre) ** 2)).sum(0)

    # Slope of the first stage at break b: the straight slope less the hinge's shadow on it.
    first = straight.values[1] - change * shadow[:, 1]
    first_variance = straight.covariance[1, 1] + shadow[:, 1] ** 2 / information
    second, second_variance = first + change, straight.covariance[1, 1] + (1 - shadow[:, 1]) ** 2 / information
    (fast, fast_variance), (slow, slow_variance), (when, _) = mean(first, first_variance), mean(second, second_variance), mean(breaks)

    def known(values: Floats) -> Floats:
        return np.where(any_tried, values, np.nan)

    return Stages(
        known(-line.slope - fast / half_span),
        known(np.sqrt(fast_variance) / half_span),
        known(-line.slope - slow / half_span),
        known(np.sqrt(slow_variance) / half_span),
        known(line.mean_t + when * half_span),
        criterion,
    )


def _breaks(series: Series, x: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Choose breaks midway between two points, shape (break, series), and which of them are to be tried."""
    spare = series.n - 2 * STAGE_POINTS
    number = np.minimum(np.maximum(spare + 1, 0), MOST_BREAKS)
    share = np.arange(MOST_BREAKS)[:, None] / np.maximum(number - 1, 1)
    after = STAGE_POINTS - 1 + np.round(np.minimum(share, 1.0) * np.maximum(spare, 0)).astype(int)
    after = np.minimum(after, max(x.shape[1] - 2, 0))
    rows = np.arange(len(x))
    middle = 0.5 * (x[rows, after] + x[rows, np.minimum(after + 1, x.shape[1] - 1)])
    return middle, np.arange(MOST_BREAKS)[:, None] < number


def _parabola(series: Series) -> tuple[Floats, Floats, Floats]:
    """Log flux less a straight line, the columns 1, x and x^2/2, x the time in half spans, and the half span (days)."""
    dy, dt, half_span = _centred(series)
    x = dt / half_span[:, None]
    return dy, np.where(series.valid, np.stack([np.ones_like(x), x, 0.5 * x**2]), 0.0), half_span


def _centred(series: Series) -> tuple[Floats, Floats, Floats]:
    """Log flux and time less an ordinary straight line and the mean time, and half the span of time; zero beyond the last point."""
    line = least_squares(series)
    dt = np.where(series.valid, series.t - np.nan_to_num(line.mean_t)[:, None], 0.0)
    dy = np.where(series.valid, series.y - np.nan_to_num(line.mean_y)[:, None] - np.nan_to_num(line.slope)[:, None] * dt, 0.0)
    span = np.abs(dt).max(1)
    return dy, dt, np.where(span > 0, span, 1.0)
