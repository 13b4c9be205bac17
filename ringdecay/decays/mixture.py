"""Linear fits of any columns with the size and correlation time of the error integrated out.

What `ringdecay.decays.pooling.estimate` does for a straight line, for columns that differ from series to series; slower by a factor of
five, because nothing is shared between the nodes of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringdecay.decays.gls import Floats, Series
from ringdecay.decays.pooling import SIGMA_STEPS, THETA_STEPS, Pool, _log_prior, median_spacing
from ringdecay.decays.whitening import solve, whiten


@dataclass(frozen=True)
class Mixture:
    """Values of the columns and the error model behind them.

    Attributes
    ----------
    mean, scale, df : ndarray, shape (series, column)
        Mean, scale and degrees of freedom of the t distribution with the moments of the mixture.
    covariance : ndarray, shape (series, column, column)
        Mean covariance given the error's parameters.
    rho, sigma, theta : ndarray, shape (series,)
        As in `ringdecay.decays.pooling.Estimate`.
    """

    mean: Floats
    scale: Floats
    df: Floats
    covariance: Floats
    rho: Floats
    sigma: Floats
    theta: Floats


def integrate_error(series: Series, target: Floats, columns: Floats, pooled: Pool) -> Mixture:
    """Fit columns to a target by generalised least squares at every node of the error's parameters, and average.

    Parameters
    ----------
    series : Series
        Its times and counting noise are used; more points than columns each.
    target : ndarray, shape (series, point)
        Zero beyond the last valid point, as the columns.
    columns : ndarray, shape (column, series, point)
        What is fitted.
    pooled : Pool
        Distribution of the parameters over the run.
    """
    number, p = len(series.n), len(columns)
    # The nodes follow the residuals about an unweighted fit, held by the run's typical scatter as for the straight line.
    freedom = np.maximum(series.n - p, 1)
    left = np.nan_to_num(np.maximum(solve(target, columns).misfit, 0))
    sigma = SIGMA_STEPS[:, None] * np.maximum(np.sqrt((left + 4 * pooled.scatter) / (freedom + 4)), 1e-8)
    theta = THETA_STEPS * pooled.spacing
    nodes = (len(theta), len(sigma), number)
    times = len(theta) * len(sigma)
    y, t, noise = (np.tile(values, (times, 1)) for values in (target, series.t, series.noise))
    every = Series(y, t, noise, np.tile(series.n, times))
    all_sigma = np.broadcast_to(sigma, nodes).ravel()
    all_theta = np.broadcast_to(theta[:, None, None], nodes).ravel()
    white, log_determinant = whiten(every, all_sigma, all_theta, np.tile(np.concatenate([target[None], columns]), (1, times, 1)))
    found = solve(white[0], white[1:])
    able = np.isfinite(found.misfit)
    covariance = np.where(able[:, None, None], found.covariance, np.eye(p))
    log_likelihood = -0.5 * (log_determinant - np.linalg.slogdet(covariance)[1] + found.misfit)
    log_posterior = np.where(able, log_likelihood, -1e300).reshape(nodes) + _log_prior(pooled, np.log(sigma))
    weight = np.exp(log_posterior - log_posterior.max((0, 1)))
    weight = (weight / weight.sum((0, 1))).reshape(times, number)

    def mean(values: Floats) -> Floats:
        total: Floats = np.einsum("gs,gs...->s...", weight, values.reshape(times, number, *values.shape[1:]))
        return total

    values = np.where(able[:, None], found.values, 0.0)
    centre = mean(values)
    away = (values - np.tile(centre, (times, 1))) ** 2
    variance = np.einsum("sii->si", covariance)
    second = mean(variance + away)
    fourth = mean(3 * variance**2 + 6 * variance * away + away**2)
    df = 4 + 6 / np.maximum(fourth / second**2 - 3, 1e-3)
    mean_noise = np.tile(np.where(series.valid, series.noise, 0.0).sum(1) / series.n, times)
    spacing = np.tile(median_spacing(series), times)
    some = able.reshape(times, number).any(0)
    nowhere = np.where(some, 1.0, np.nan)
    return Mixture(
        centre * nowhere[:, None],
        np.sqrt(second * (df - 2) / df),
        df,
        mean(covariance),
        mean(np.exp(-spacing / all_theta) * all_sigma**2 / (all_sigma**2 + mean_noise)),
        np.sqrt(mean(all_sigma**2)),
        np.exp(mean(np.log(all_theta))),
    )
