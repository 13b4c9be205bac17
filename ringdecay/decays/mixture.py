"""Linear fits of any columns with the size and correlation time of the error integrated out.

What `ringdecay.decays.pooling.estimate` does for a straight line, for columns that differ from series to series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringdecay.decays.gls import Floats, Series
from ringdecay.decays.pooling import SIGMA_STEPS, THETA_STEPS, Pool, log_prior, median_spacing
from ringdecay.decays.whitening import Solution, normal_equations, products_of, solve


@dataclass(frozen=True)
class Mixture:
    """Values of the columns and the error model behind them.

    Attributes
    ----------
    mean, scale, df : ndarray, shape (column, series)
        Mean, scale and degrees of freedom of the t distribution with the moments of the mixture.
    covariance : ndarray, shape (column, column, series)
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


def column_grid(
    series: Series, target: Floats, columns: Floats, pooled: Pool, sigma: Floats | None = None
) -> tuple[Floats, Floats, Solution]:
    """Fit columns to a target by generalised least squares at every node of (theta, sigma).

    Parameters
    ----------
    series : Series
        Its times and counting noise are used; more points than columns each.
    target : ndarray, shape (series, point)
        Zero beyond the last valid point, as the columns.
    columns : ndarray, shape (column, series, point)
        What is fitted.
    pooled : Pool
        Where the nodes lie.
    sigma : ndarray, shape (sigma, series), optional
        Nodes of sigma, if they are not to be the series' own.

    Returns
    -------
    sigma : ndarray, shape (sigma, series)
        Nodes; the series' own follow the residuals about an unweighted fit, held by the run's typical scatter as for the straight line.
    log_likelihood : ndarray, shape (theta, sigma, series)
        Restricted likelihood.
    found : Solution
        Over (theta, sigma, series).
    """
    both = np.concatenate([target[None], columns])
    if sigma is None:
        freedom = np.maximum(series.n - len(columns), 1)
        left = np.nan_to_num(np.maximum(solve(products_of(both)).misfit, 0))
        sigma = SIGMA_STEPS[:, None] * np.maximum(np.sqrt((left + 4 * pooled.scatter) / (freedom + 4)), 1e-8)
    theta = (THETA_STEPS * pooled.spacing)[:, None, None]
    products, log_determinant = normal_equations(series, sigma[None], theta, both)
    found = solve(products)
    log_likelihood = -0.5 * (log_determinant + found.log_information + found.misfit)
    return sigma, np.where(np.isfinite(log_likelihood), log_likelihood, -1e300), found


def integrate_error(series: Series, target: Floats, columns: Floats, pooled: Pool) -> Mixture:
    """Average the fits of `column_grid` over the nodes, with the run's distribution of the error's parameters; arguments as there."""
    sigma, log_likelihood, found = column_grid(series, target, columns, pooled)
    log_posterior = log_likelihood + log_prior(pooled, np.log(sigma))
    weight = np.exp(log_posterior - log_posterior.max((0, 1)))
    weight /= weight.sum((0, 1))

    def mean(values: Floats) -> Floats:
        total: Floats = (weight * np.where(weight > 0, values, 0.0)).sum((-3, -2))
        return total

    centre = mean(found.values)
    away = (found.values - centre[:, None, None]) ** 2
    variance = np.einsum("ii...->i...", found.covariance)
    second = mean(variance + away)
    fourth = mean(3 * variance**2 + 6 * variance * away + away**2)
    df = 4 + 6 / np.maximum(fourth / second**2 - 3, 1e-3)
    theta = (THETA_STEPS * pooled.spacing)[:, None, None]
    noise = np.where(series.valid, series.noise, 0.0).sum(1) / series.n
    return Mixture(
        centre,
        np.sqrt(second * (df - 2) / df),
        df,
        mean(found.covariance),
        mean(np.exp(-median_spacing(series) / theta) * (sigma**2 / (sigma**2 + noise))),
        np.sqrt(mean(np.broadcast_to(sigma**2, weight.shape))),
        np.exp(mean(np.log(theta))),
    )
