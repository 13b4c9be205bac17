"""The Theil-Sen line: the median of the slopes between all pairs of points, which a few wild points cannot move."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ringdecay.decays.cells import Cut
from ringdecay.decays.fitted import Fitted
from ringdecay.decays.gls import Floats
from ringdecay.decays.pooling import Pool

# Pairs of points handled together: 16 MB for each working array.
PAIRS = 2_000_000


def theil_sen(cut: Cut, _pooled: Pool, confidence: float) -> Fitted:
    """Median of the pairwise slopes, with Sen's interval by the normal approximation of Kendall's statistic.

    Parameters
    ----------
    cut : Cut
        The series.
    confidence : float
        Of `low` and `high`.

    Returns
    -------
    Fitted
        `low` and `high` are the slopes of the ranks ``(N -+ z sqrt(v)) / 2`` of N slopes, v the variance of Kendall's S with its
        correction for ties. `rate_se` is that of the symmetric t interval of n - 2 degrees of freedom that is as wide. `level` is the
        median of what the line leaves of the log flux. With fewer than 6 points the ranks of a 95 % interval lie beyond the first and
        the last slope, and the interval is the range of the slopes.

    Notes
    -----
    Sen (1968), J. Am. Stat. Assoc. 63, 1379; the variance with ties: Kendall (1970), Rank correlation methods, chapter 4.
    """
    series = cut.series
    z = float(ndtri(0.5 + confidence / 2))
    out = np.full((4, len(series.n)), np.nan)
    for n in np.unique(series.n[series.n >= 3]):
        pairs = np.triu_indices(n, 1)
        rows = np.flatnonzero(series.n == n)
        for part in np.array_split(rows, math.ceil(len(rows) * len(pairs[0]) / PAIRS)):
            out[:, part] = _line(series.t[part, :n], series.y[part, :n], pairs, z)
    slope, level, least, most = out
    df = np.where(series.n >= 3, series.n - 2.0, np.nan)
    se: Floats = (most - least) / 2 / stdtrit(df, 0.5 + confidence / 2)
    return Fitted(-slope, se, df, level, low=-most, high=-least)


def _line(t: Floats, y: Floats, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], z: float) -> Floats:
    """Slope, level at t = 0, and the ends of the slope's interval, of series of one length; shape (4, series)."""
    first, second = pairs
    dt = t[:, second] - t[:, first]
    # Two points at one time have no slope; NaN is sorted to the end.
    slopes = np.sort(np.divide(y[:, second] - y[:, first], dt, out=np.full(dt.shape, np.nan), where=dt > 0), axis=1)
    number = (dt > 0).sum(1)
    slope = 0.5 * (_ranked(slopes, (number - 1) // 2) + _ranked(slopes, number // 2))
    half = z * np.sqrt(np.maximum(_kendall_variance(t, y), 0.0))
    least = _ranked(slopes, np.maximum(np.round((number - half) / 2).astype(int) - 1, 0))
    most = _ranked(slopes, np.minimum(np.round((number + half) / 2).astype(int), number - 1))
    return np.array([slope, np.median(y - slope[:, None] * t, axis=1), least, most])


def _kendall_variance(t: Floats, y: Floats) -> Floats:
    """Variance of Kendall's S: n (n - 1) (2n + 5) / 18 less the same for every group of equal values."""
    n = t.shape[1]
    out = np.full(len(t), n * (n - 1) * (2 * n + 5.0))
    for values in (t, y):
        # A group of k equal values has k members, each of which counts (k - 1) (2k + 5).
        equal = (values[:, :, None] == values[:, None, :]).sum(2)
        out -= ((equal - 1) * (2 * equal + 5)).sum(1)
    variance: Floats = out / 18
    return variance


def _ranked(values: Floats, rank: NDArray[np.int64]) -> Floats:
    return np.take_along_axis(values, np.maximum(rank, 0)[:, None], 1)[:, 0]
