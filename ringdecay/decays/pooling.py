"""From the likelihood over (theta, sigma) to a rate with an honest error: pooled over series, then averaged within each.

A single recovery of 15 to 60 points says little about its own correlation time, and a standard error that takes the best value as
known is too small. So the parameters of the error are integrated out, not fixed: each series' REML likelihood is multiplied with a
normal distribution of (log theta, log sigma), which is what all series of the run say of the next one, and the rate is the mixture of
the GLS estimates over the grid. That distribution is itself a mixture over the populations that could have given the run's series,
because a hundred short series leave centre and width of theirs open: the best one alone (by an EM algorithm, 60 steps) had theta a third
too short for 1000 series of 12 points with a lag-1 correlation of 0.8, and 95 % intervals that covered 0.90.

Sources: Laird and Ware (1982), Biometrics 38, 963 (REML as an integrated likelihood, populations of series); Kass and Steffey (1989),
JASA 84, 717 (why the uncertainty of the pooled values must be added).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
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
POOL_SERIES = 1000
# A series of fewer points is not asked for its correlation time.
POOL_POINTS = 10
# Shares of the fluctuation's variance that are tried for each probe's own part, and the most series that are asked.
OWN_SHARES = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.55, 0.8])
OWN_SHARE_SERIES = 128
# For the pooling sigma has the same nodes for all series, in units of the run's median residual scatter. The log-likelihood is smooth
# in log sigma and log theta, and a cubic spline gives it in between.
POOL_LOG_SIGMA = np.arange(-3.0, 2.6, 0.25)
FINER = 3
# Widths of the populations that are tried, in log theta and in log sigma.
POOL_WIDTHS = np.array([0.1, 0.2, 0.35, 0.6, 1.0])
# Centres that are tried at first between the outermost nodes, and each time they are narrowed down.
FIRST_CENTRES, CENTRES, NARROWINGS = 14, 9, 2


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
    correlation : float
        Of log theta and log sigma: short series hardly tell a long theta with a large sigma from shorter and smaller ones.
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
    correlation: float = np.nan
    n_series: int = 0
    own_share: float = 0.0


# From series, the scale of the nodes, and nodes of sigma of shape (sigma, series) to the log-likelihood (theta, sigma, series).
Likelihood = Callable[[Series, Pool, Floats], Floats]


@dataclass(frozen=True)
class Estimate:
    """Rate of each series, shape (series,): `rate` +- `se` with `df` degrees of freedom, and the error model behind it.

    `level` is the fitted log flux at t = 0, `rho` the correlation of neighbouring residuals at the series' own median spacing,
    `sigma` and `theta` (days) are the fluctuation's posterior means (theta's is geometric). `offset` is the level of the second of two
    probes less that of the first, `level` then midway between them; NaN where there are not two.
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


def straight_likelihood(series: Series, pooled: Pool, sigma: Floats) -> Floats:
    """Restricted log-likelihood about a line at nodes of sigma, shape (sigma, series), of shape (theta, sigma, series)."""
    return _grid(series, pooled, sigma)[0].log_likelihood


def pool(series: Series, n_independent: int, fewest: int = 2, likelihood: Likelihood = straight_likelihood, own_share: float = 0.0) -> Pool:
    """Distribution of correlation time and size of the fluctuation over the series of a run.

    Parameters
    ----------
    series : Series
        All series of the run with at least 3 points each.
    n_independent : int
        How many of them are independent looks at the fluctuation; the number of storms, since cells of one storm share theirs. The
        likelihood of a population is raised to the power of their share, so that it is as sharp as so many series make it.
    fewest : int
        Nothing is pooled from fewer series than this.
    likelihood : callable
        Likelihood of the error about what is fitted: a line, or another curve.
    own_share : float
        See `Pool`.
    """
    able = np.flatnonzero(series.n >= POOL_POINTS)
    start = Pool(_centre(median_spacing(series)), _centre(least_squares(series).residual_variance), own_share=own_share)
    if len(able) < fewest:
        return start
    return _pooled(series.take(_spread(series, able, POOL_SERIES)), start, likelihood, n_independent)[0]


def _spread(series: Series, able: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Take at most so many series at equal steps, the short ones first."""
    able = able[np.linspace(0, len(able) - 1, min(len(able), most)).round().astype(int)]
    out: NDArray[np.int64] = able[np.argsort(series.n[able], kind="stable")]
    return out


def _pooled(series: Series, start: Pool, likelihood: Likelihood, n_independent: int) -> tuple[Pool, float]:
    """Pool series, and give the log-likelihood of the most likely population too."""
    # The same nodes of sigma for every series, so that the likelihood of any population of them is a matrix product.
    coarse_sigma = 0.5 * np.log(max(start.scatter, 1e-16)) + POOL_LOG_SIGMA
    found = []
    for first in range(0, len(series.n), CHUNK):
        part = series.take(np.arange(first, min(first + CHUNK, len(series.n))))
        found.append(likelihood(part, start, np.broadcast_to(np.exp(coarse_sigma)[:, None], (len(coarse_sigma), len(part.n)))))
    log_theta, log_likelihood = _finer(np.log(THETA_STEPS * start.spacing), np.concatenate(found, axis=2), 0)
    log_sigma, log_likelihood = _finer(coarse_sigma, log_likelihood, 1)
    highest = log_likelihood.max((0, 1))
    # Nothing below e^-100 of the highest: products with numbers near the smallest there are would be slow.
    given = np.exp(np.maximum(log_likelihood - highest, -100.0))
    trust = min(n_independent / len(series.n), 1.0)
    population, most = _population(given, log_theta, log_sigma, start, trust)
    return population, most + float(highest.sum())


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
    asked = series.take(_spread(series, able, OWN_SHARE_SERIES))
    start = Pool(_centre(median_spacing(asked)), _centre(least_squares(asked).residual_variance))
    found = np.array(
        [_pooled(asked, replace(start, own_share=float(share)), straight_likelihood, n_independent)[1] for share in OWN_SHARES]
    )
    weight = np.exp((found - found.max()) * min(n_independent / len(asked.n), 1.0))
    return float((weight * OWN_SHARES).sum() / weight.sum())


def _finer(nodes: Floats, values: Floats, axis: int) -> tuple[Floats, Floats]:
    """Nodes and values in between by cubic splines along an axis."""
    at = np.interp(np.arange(FINER * (len(nodes) - 1) + 1) / FINER, np.arange(len(nodes)), nodes)
    return at, CubicSpline(nodes, values, axis=axis)(at)


def _population(likelihood: Floats, log_theta: Floats, log_sigma: Floats, start: Pool, trust: float) -> tuple[Pool, float]:
    """Distribution of the error's parameters, its own uncertainty in it, from the likelihood of shape (theta, sigma, series).

    Normal populations on a grid of centres and widths are weighed by the likelihood that they give to all series together, raised to
    the power `trust`; mean and covariance of their mixture are what is known of the next series. Given with it is the
    highest log-likelihood.
    """
    theta_centres = np.interp(np.linspace(0, 1, FIRST_CENTRES), np.linspace(0, 1, len(log_theta)), log_theta)
    sigma_centres = np.linspace(log_sigma[0], log_sigma[-1], FIRST_CENTRES)
    for narrowing in range(NARROWINGS + 1):
        theta, theta_width = _pairs(theta_centres, POOL_WIDTHS)
        sigma, sigma_width = _pairs(sigma_centres, POOL_WIDTHS)
        of_theta = _masses(log_theta[:, None], theta, theta_width)
        of_sigma = _masses(log_sigma[:, None], sigma, sigma_width)
        given_theta = np.tensordot(of_theta, likelihood, (0, 0))
        log_weight = np.stack([np.log(of_sigma.T @ one).sum(1) for one in given_theta], axis=1)
        weight = np.exp(trust * (log_weight - log_weight.max()))
        weight /= weight.sum()
        by_sigma, by_theta = weight.sum(1), weight.sum(0)
        mean_theta, mean_sigma = by_theta @ theta, by_sigma @ sigma
        var_theta, var_sigma = by_theta @ (theta - mean_theta) ** 2, by_sigma @ (sigma - mean_sigma) ** 2
        if narrowing < NARROWINGS:
            theta_centres = _around(mean_theta, var_theta, theta_centres)
            sigma_centres = _around(mean_sigma, var_sigma, sigma_centres)
    together = (sigma - mean_sigma) @ weight @ (theta - mean_theta)
    theta_sd, sigma_sd = np.sqrt(var_theta + by_theta @ theta_width**2), np.sqrt(var_sigma + by_sigma @ sigma_width**2)
    population = replace(
        start,
        log_theta=float(mean_theta),
        log_theta_sd=float(theta_sd),
        log_sigma=float(mean_sigma),
        log_sigma_sd=float(sigma_sd),
        correlation=float(together / (theta_sd * sigma_sd)),
        n_series=likelihood.shape[2],
    )
    return population, float(log_weight.max())


def _around(mean: float, variance: float, centres: Floats) -> Floats:
    """Centres that hold what is left of the ones before, three standard deviations or one and a half of their steps on both sides."""
    near = int(np.argmin(np.abs(centres - mean)))
    step = np.diff(centres)[min(near, len(centres) - 2)]
    half = max(3 * np.sqrt(variance), 1.5 * step)
    return np.linspace(max(mean - half, centres[0]), min(mean + half, centres[-1]), CENTRES)


def _pairs(centres: Floats, widths: Floats) -> tuple[Floats, Floats]:
    """Every centre with every width, each of shape (pair,)."""
    return np.repeat(centres, len(widths)), np.tile(widths, len(centres))


def _masses(nodes: Floats, centres: Floats | float, widths: Floats | float) -> Floats:
    """Share of normal distributions that each node stands for, shape (node, distribution).

    What lies between two nodes goes to both, the more the nearer, as if what is averaged were linear between them: a distribution
    narrower than the steps does not snap to one node. The outermost nodes stand for all beyond them.

    Parameters
    ----------
    nodes : ndarray, shape (node, ...)
        Rising.
    centres, widths : ndarray
        What broadcasts with a node's shape.
    """
    away = (centres - nodes) / widths
    # Mean of what a distribution has above each node, max(x - node, 0).
    above = widths * (away * ndtr(away) + np.exp(-0.5 * away**2) / np.sqrt(2 * np.pi))
    step = np.diff(nodes, axis=0)
    passed = (above[:-1] - above[1:]) / step
    whole = np.ones_like(passed[:1])
    out: Floats = -np.diff(np.concatenate([whole, passed, 0 * whole]), axis=0)
    return np.maximum(out, 1e-30)


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
    sigma = _own_sigma(series, pooled)
    grid, line = _grid(series, pooled, sigma)
    log_posterior = grid.log_likelihood + log_prior(pooled, np.log(sigma))
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


def _own_sigma(series: Series, pooled: Pool) -> Floats:
    """Nodes of sigma for each series, shape (sigma, series)."""
    # Few residuals can be small by luck: the nodes follow them, held by the run's typical scatter with the weight of four points.
    line = least_squares(series)
    scale = np.sqrt((line.freedom * np.nan_to_num(line.residual_variance) + 4 * pooled.scatter) / (line.freedom + 4))
    out: Floats = SIGMA_STEPS[:, None] * np.maximum(scale, 1e-8)
    return out


def _grid(series: Series, pooled: Pool, sigma: Floats) -> tuple[Grid, Line]:
    """Give the grid over THETA_STEPS and `sigma` (sigma, series), and the ordinary line that was taken off before, for precision."""
    line = least_squares(series)
    dt = np.where(series.valid, series.t - line.mean_t[:, None], 0.0)
    second = None if series.second is None else np.where(series.valid, series.second - line.mean_second[:, None], 0.0)
    # A millionth of the variance as white noise keeps two points at one time apart.
    noise = series.noise + 1e-6 * np.maximum(np.nan_to_num(line.residual_variance), max(pooled.scatter, 1e-16))[:, None]
    centred = Series(line.residuals(series), dt, noise, series.n, second)
    return reml_grid(centred, THETA_STEPS * pooled.spacing, sigma, pooled.own_share), line


def log_prior(pooled: Pool, log_sigma: Floats) -> Floats:
    """Logarithm of the prior weight of every node, broadcast to (theta, sigma, series)."""
    steps = np.log(SIGMA_STEPS)
    width = np.log(np.gradient(steps))[:, None]
    if not pooled.n_series:
        # Nothing is known: even in the lag-1 correlation (as the nodes of theta are) and in log sigma.
        return np.broadcast_to(width, (len(THETA_STEPS), *log_sigma.shape))
    log_theta = np.log(THETA_STEPS * pooled.spacing)
    mass = _masses(log_theta, pooled.log_theta, pooled.log_theta_sd)
    # Sigma given theta.
    slope = pooled.correlation * pooled.log_sigma_sd / pooled.log_theta_sd
    centre = pooled.log_sigma + slope * (log_theta - pooled.log_theta)
    width = max(pooled.log_sigma_sd * np.sqrt(1 - pooled.correlation**2), 0.05)
    given = _masses(log_sigma[:, None], centre[:, None], width)
    prior: Floats = np.log(mass)[:, None, None] + np.log(np.moveaxis(given, 0, 1))
    return prior


def _centre(values: Floats) -> float:
    """Median of the finite values; 1 if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else 1.0
