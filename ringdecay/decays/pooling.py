"""From the likelihood over (theta, sigma) to a rate with an honest error: pooled over series, then averaged within each.

A single recovery of 15 to 60 points says little about its own correlation time, and a standard error that takes the best value as
known is too small. So the parameters of the error are integrated out, not fixed: each series' REML likelihood is multiplied with a
normal distribution of (log theta, log sigma), whose centre and width are estimated from all series of the run (empirical Bayes by
an EM algorithm), and the rate is the mixture of the GLS estimates over the grid.

Sources: Laird and Ware (1982), Biometrics 38, 963 (REML as an integrated likelihood, EM over groups); Kass and Steffey (1989), JASA
84, 717 (empirical Bayes, and why the uncertainty of the pooled values must be added).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ringdecay.decays.gls import CHUNK, Floats, Grid, Line, Series, least_squares, reml_grid

# Correlation times in median spacings: from white (0.2, lag-1 correlation 0.007) to 16 (0.94), even steps in the correlation.
THETA_STEPS = np.array([0.2, 0.4, 0.7, 1.1, 1.8, 3.0, 5.0, 9.0, 16.0])
# Standard deviations of the fluctuation in units of the series' own residual scatter. The likelihood of 60 points is about 0.1 wide
# in log sigma; steps of 0.2 near the peak integrate it to a few percent. Slowly correlated errors need values above 1, series
# dominated by counting noise values far below.
SIGMA_STEPS = np.array([0.05, 0.12, 0.22, 0.34, 0.46, 0.58, 0.7, 0.84, 1.0, 1.2, 1.45, 1.8, 2.3, 3.0, 4.2])
# Series used for the pooling, taken at equal steps through the run: more would add almost no information, because neighbouring
# cells share their fluctuations.
POOL_SERIES = 3000
# A series of fewer points is not asked for its correlation time.
POOL_POINTS = 10
# Shares of the fluctuation's variance that are tried for each probe's own part, and the most series that are asked.
OWN_SHARES = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.55, 0.8])
OWN_SHARE_SERIES = 128


@dataclass(frozen=True)
class Pool:
    """Distribution of the error's parameters over the series of a run, or what stands for it with one series.

    Attributes
    ----------
    spacing : float
        Median time between points, days; the unit of the grid of correlation times.
    scatter : float
        Median variance of the residuals about a straight line.
    log_theta, log_theta_sd, log_sigma, log_sigma_sd : float
        Centre and width of the normal distribution; NaN if nothing could be pooled.
    n_series : int
        Series it comes from; 0 if nothing could be pooled.
    own_share : float
        Share of the fluctuation's variance that is each point's own; found only where two probes are fitted jointly.
    """

    spacing: float
    scatter: float
    log_theta: float = np.nan
    log_theta_sd: float = np.nan
    log_sigma: float = np.nan
    log_sigma_sd: float = np.nan
    n_series: int = 0
    own_share: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """Rate of each series, shape (series,): `rate` +- `se` with `df` degrees of freedom, and the error model behind it.

    `level` is the fitted log flux at t = 0, `rho` the correlation of neighbouring residuals at the series' own median spacing,
    `sigma` and `theta` (days) are the fluctuation's posterior means (theta's is geometric). `offset` +- `offset_se` is the level of
    the second probe less that of the first, `level` then their mean; NaN for points of one probe.
    """

    rate: Floats
    se: Floats
    df: Floats
    level: Floats
    rho: Floats
    sigma: Floats
    theta: Floats
    offset: Floats
    offset_se: Floats


def median_spacing(series: Series) -> Floats:
    """Median time between the points of each series, of two probes those of the same, days, shape (series,); NaN for none."""
    steps = np.where(series.valid[:, 1:], np.diff(series.t, axis=1), np.inf)
    if series.second is not None:
        # One probe after the other; the step from one to the other is none.
        probe = np.where(series.valid, series.second, 2.0)
        order = np.argsort(probe, axis=1, kind="stable")
        probe, t = np.take_along_axis(probe, order, 1), np.take_along_axis(series.t, order, 1)
        steps = np.where((probe[:, 1:] == probe[:, :-1]) & (probe[:, 1:] < 2), np.diff(t, axis=1), np.inf)
    steps = np.sort(steps, axis=1)
    out = np.full(len(series.n), np.nan)
    count = np.isfinite(steps).sum(1)
    some = count > 0
    count = count[some]
    rows = np.flatnonzero(some)
    out[some] = 0.5 * (steps[rows, (count - 1) // 2] + steps[rows, count // 2])
    return out


def pool(series: Series, n_independent: int, fewest: int = 2, own_share: float = 0.0) -> Pool:
    """Distribution of correlation time and size of the fluctuation over the series of a run.

    Parameters
    ----------
    series : Series
        All series of the run with at least 3 points each.
    n_independent : int
        How many of them are independent looks at the fluctuation; the number of storms, since cells of one storm share theirs. The
        uncertainty of the pooled centre, the width over this number, is added to the width.
    fewest : int
        Nothing is pooled from fewer series than this.
    own_share : float
        See `Pool`.
    """
    spacing, line = median_spacing(series), least_squares(series)
    able = np.flatnonzero(series.n >= POOL_POINTS)
    scatter = _centre(line.residual_variance)
    start = Pool(_centre(spacing), scatter, own_share=own_share)
    if len(able) < fewest:
        return start
    able = able[np.linspace(0, len(able) - 1, min(len(able), POOL_SERIES)).round().astype(int)]
    able = able[np.argsort(series.n[able], kind="stable")]
    values, (within_theta, within_sigma), _ = _most_likely(series, able, start)
    k = max(n_independent, 1)
    return replace(
        values,
        log_theta_sd=float(np.sqrt(values.log_theta_sd**2 + (values.log_theta_sd**2 + within_theta) / k)),
        log_sigma_sd=float(np.sqrt(values.log_sigma_sd**2 + (values.log_sigma_sd**2 + within_sigma) / k)),
    )


def _most_likely(series: Series, able: NDArray[np.int64], start: Pool) -> tuple[Pool, tuple[float, float], float]:
    """Find the distribution under which series are most likely (EM), the mean variances within a series, and the log-likelihood."""
    log_theta = np.log(THETA_STEPS * start.spacing)
    likelihoods, nodes, largest = [], [], 0.0
    for first in range(0, len(able), CHUNK):
        part = series.take(able[first : first + CHUNK])
        sigma, grid, _ = _grid(part, start)
        most = grid.log_likelihood.max((0, 1))
        likelihoods.append(grid.log_likelihood - most)
        nodes.append(np.log(sigma))
        largest += float(most.sum())
    likelihood, log_sigma = np.exp(np.concatenate(likelihoods, axis=2)), np.concatenate(nodes, axis=1)
    values = replace(start, log_theta=float(log_theta[3]), log_theta_sd=1.0, log_sigma=0.5 * float(np.log(start.scatter)), log_sigma_sd=0.7)
    values = replace(values, n_series=len(able))
    for _ in range(60):
        posterior = likelihood * np.exp(_log_prior(values, log_sigma))
        # The prior's normalisation over sigma, which the posterior itself has no need of.
        log_likelihood = largest + float(np.log(posterior.sum((0, 1))).sum()) - len(able) * float(np.log(values.log_sigma_sd))
        posterior /= posterior.sum((0, 1))
        theta_weight, sigma_weight = posterior.sum(1), posterior.sum(0)
        mean_theta, sd_theta, within_theta = _moments(theta_weight, log_theta[:, None])
        mean_sigma, sd_sigma, within_sigma = _moments(sigma_weight, log_sigma)
        moved = abs(mean_theta - values.log_theta) + abs(sd_theta - values.log_theta_sd)
        values = replace(
            values, log_theta=mean_theta, log_theta_sd=max(sd_theta, 0.1), log_sigma=mean_sigma, log_sigma_sd=max(sd_sigma, 0.05)
        )
        if moved < 1e-3:
            break
    return values, (within_theta, within_sigma), log_likelihood


def own_share(series: Series, n_independent: int) -> float:
    """Share of the fluctuation's variance that two probes do not have in common, one for the run; 0 if no series has both probes.

    The mean over `OWN_SHARES`, weighted by the REML likelihood of the series under the distribution of (theta, sigma) that fits them best
    at that share. The likelihood of many cells counts as that of `n_independent` of them.
    """
    able = np.flatnonzero(series.n >= POOL_POINTS)
    if series.second is not None:
        able = able[(series.second[able] > 0).any(1)]
    if series.second is None or not len(able):
        return 0.0
    able = able[np.linspace(0, len(able) - 1, min(len(able), OWN_SHARE_SERIES)).round().astype(int)]
    able = able[np.argsort(series.n[able], kind="stable")]
    asked = series.take(able)
    start = Pool(_centre(median_spacing(asked)), _centre(least_squares(asked).residual_variance))
    found = np.array([_most_likely(series, able, replace(start, own_share=float(share)))[2] for share in OWN_SHARES])
    weight = np.exp((found - found.max()) * min(n_independent / len(able), 1.0))
    return float((weight * OWN_SHARES).sum() / weight.sum())


def estimate(series: Series, pooled: Pool) -> Estimate:
    """Rate of every series: the mixture of GLS estimates over the error's parameters.

    The mixture's mean is the rate; its variance and kurtosis give the standard error and the degrees of freedom of the t
    distribution with the same moments.
    """
    out = np.full((9, len(series.n)), np.nan)
    able = np.flatnonzero(series.n >= 3)
    able = able[np.argsort(series.n[able], kind="stable")]
    for first in range(0, len(able), CHUNK):
        which = able[first : first + CHUNK]
        out[:, which] = _estimate_chunk(series.take(which), pooled)
    return Estimate(*out)


def _estimate_chunk(series: Series, pooled: Pool) -> Floats:
    sigma, grid, line = _grid(series, pooled)
    log_posterior = grid.log_likelihood + _log_prior(pooled, np.log(sigma))
    weight = np.exp(log_posterior - log_posterior.max((0, 1)))
    weight /= weight.sum((0, 1))

    def mean(values: Floats) -> Floats:
        total: Floats = (weight * values).sum((0, 1))
        return total

    slope = mean(grid.slope)
    away = (grid.slope - slope) ** 2
    second = mean(grid.slope_variance + away)
    fourth = mean(3 * grid.slope_variance**2 + 6 * grid.slope_variance * away + away**2)
    # A t distribution of df degrees of freedom has excess kurtosis 6 / (df - 4) and variance scale^2 df / (df - 2).
    df = 4 + 6 / np.maximum(fourth / second**2 - 3, 1e-3)
    theta = (THETA_STEPS * pooled.spacing)[:, None, None]
    noise = np.where(series.valid, series.noise, 0.0).sum(1) / series.n
    rho = mean(np.exp(-median_spacing(series) / theta) * ((1 - pooled.own_share) * sigma**2 / (sigma**2 + noise)))
    rate = -(line.slope + slope)
    level = line.mean_y + mean(grid.level) + rate * line.mean_t
    offset = np.full(len(rate), np.nan)
    if series.second is not None:
        two = (line.mean_second > 0) & (line.mean_second < 1)
        more = mean(grid.offset)
        offset = np.where(two, line.offset + more, np.nan)
        # Midway between the probes, not at their mean over the points.
        level = level + np.where(two, (0.5 - line.mean_second) * (line.offset + more), 0.0)
    return np.array(
        [
            rate,
            np.sqrt(second * (df - 2) / df),
            df,
            # `grid.level` is at the mean time of the points, and the slope found there moves it to t = 0.
            level,
            rho,
            np.sqrt(mean(np.broadcast_to(sigma**2, weight.shape))),
            np.exp(mean(np.log(theta))),
            offset,
            np.where(np.isnan(offset), np.nan, np.sqrt(mean(grid.offset_variance + (grid.offset - mean(grid.offset)) ** 2))),
        ]
    )


def _grid(series: Series, pooled: Pool) -> tuple[Floats, Grid, Line]:
    """Nodes of sigma, shape (sigma, series), the grid and the ordinary line that was taken off before, for precision."""
    line = least_squares(series)
    dt = np.where(series.valid, series.t - line.mean_t[:, None], 0.0)
    dy = line.residuals(series)
    second = None if series.second is None else np.where(series.valid, series.second - line.mean_second[:, None], 0.0)
    # Few residuals can be small by luck: the nodes follow them, held by the run's typical scatter with the weight of four points.
    freedom = line.freedom
    scale = np.sqrt((freedom * np.nan_to_num(line.residual_variance) + 4 * pooled.scatter) / (freedom + 4))
    sigma = SIGMA_STEPS[:, None] * np.maximum(scale, 1e-8)
    # A millionth of the variance as white noise keeps two points at one time apart.
    noise = series.noise + 1e-6 * np.maximum(scale, 1e-8)[:, None] ** 2
    centred = Series(dy, dt, noise, series.n, second)
    return sigma, reml_grid(centred, THETA_STEPS * pooled.spacing, sigma, pooled.own_share), line


def _log_prior(pooled: Pool, log_sigma: Floats) -> Floats:
    """Logarithm of the prior weight of every node, broadcast to (theta, sigma, series)."""
    steps = np.log(SIGMA_STEPS)
    width = np.log(np.gradient(steps))[:, None]
    if not pooled.n_series:
        # Nothing is known: even in the lag-1 correlation (as the nodes of theta are) and in log sigma.
        return np.broadcast_to(width, (len(THETA_STEPS), *log_sigma.shape))
    log_theta = np.log(THETA_STEPS * pooled.spacing)
    # The outermost nodes stand for everything beyond them: white noise, and a random walk.
    edges = np.concatenate([[-np.inf], 0.5 * (log_theta[1:] + log_theta[:-1]), [np.inf]])
    mass = np.diff(ndtr((edges - pooled.log_theta) / pooled.log_theta_sd))
    prior: Floats = np.log(mass + 1e-30)[:, None, None] + width - 0.5 * ((log_sigma - pooled.log_sigma) / pooled.log_sigma_sd) ** 2
    return prior


def _moments(weight: Floats, values: Floats) -> tuple[float, float, float]:
    """Mean and standard deviation over all series and nodes, and the mean variance within a series."""
    mean = float((weight * values).sum() / weight.sum())
    own = (weight * values).sum(0)
    within = float((weight * (values - own) ** 2).sum(0).mean())
    return mean, float(np.sqrt((weight * (values - mean) ** 2).sum() / weight.sum())), within


def _centre(values: Floats) -> float:
    """Median of the finite values; 1 if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else 1.0
