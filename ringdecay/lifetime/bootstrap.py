"""A bootstrap over storms, as a check of the interval of the mean that assumes no shape of the scatter."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, stdtrit

from ringdecay.decays.gls import Floats
from ringdecay.lifetime.fits import Fits
from ringdecay.lifetime.mean import Mean

_CELLS_AT_ONCE = 2000


def bootstrap_interval(fits: Fits, mean: Mean, confidence: float, *, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Give the expanded percentile interval of the mean rate from storms drawn with replacement.

    The same storms are drawn for all cells, and each keeps the weight that it has in the mean. A plain percentile interval of few storms is
    too narrow twice over: the resampled means vary with the variance (n - 1)/n, and percentiles are those of a normal, not of a t
    distribution. Both are mended by taking the percentile of level Phi(-sqrt(n / (n - 1)) t) instead of Phi(-z), where t is the quantile
    with n - 1 degrees of freedom and n the effective number of storms (Hesterberg 2015, Am. Stat. 69, 371).

    Parameters
    ----------
    fits : Fits
        Rates over storms.
    mean : Mean
        Their mean.
    confidence : float
        Of the two-sided interval.
    resamples : int
        How many times the storms are drawn.
    seed : int
        Of the draws.

    Returns
    -------
    low, high : ndarray, shape (cell,)
        NaN with fewer than two storms. They lie between the lowest and the highest rate.
    """
    n_storms, n_cells = fits.rate.shape
    drawn = np.random.default_rng(seed).multinomial(n_storms, np.full(n_storms, 1 / n_storms), resamples).astype(float)
    able = fits.use.sum(0) > 1
    with np.errstate(invalid="ignore"):
        t = stdtrit(np.where(able, mean.df, np.nan), 0.5 + confidence / 2)
        tail = ndtr(-np.sqrt((mean.df + 1) / mean.df) * t)
    ends = np.full((2, n_cells), np.nan)
    for first in range(0, n_cells, _CELLS_AT_ONCE):
        part = slice(first, first + _CELLS_AT_ONCE)
        share = np.where(able[part], mean.share[:, part], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.sort((drawn @ (share * np.where(fits.use[:, part], fits.rate[:, part], 0.0))) / (drawn @ share), axis=0)
        # A draw without any storm that has a fit in the cell says nothing; it is sorted to the end as NaN.
        said = np.isfinite(means).sum(0)
        for end, level in enumerate((tail[part], 1 - tail[part])):
            place = np.where(able[part], level, 0.0) * np.maximum(said - 1, 0)
            below = np.floor(place).astype(int)
            above = np.minimum(below + 1, np.maximum(said - 1, 0))
            low, high = (np.take_along_axis(means, i[None], 0)[0] for i in (below, above))
            ends[end, part] = np.where(able[part], low + (place - below) * (high - low), np.nan)
    return ends[0], ends[1]
