"""What the next storm may bring: an interval for the rate of one storm, not of the mean."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri, ndtr, ndtri

from ringdecay.decays.gls import Floats
from ringdecay.lifetime.fits import Fits
from ringdecay.lifetime.mean import Mean
from ringdecay.lifetime.scatter import scatter_where

_LEVELS = 24
_HALVINGS = 30


def next_storm(fits: Fits, mean: Mean, confidence: float) -> tuple[Floats, Floats]:
    """Prediction interval for the true rate of the next storm.

    The usual interval, mean -+ t_(K-2) sqrt(scatter^2 + se^2) of Higgins, Thompson and Spiegelhalter (2009, J. R. Stat. Soc. A 172, 137),
    takes the scatter as known. Where it is not larger than the errors it is often estimated as zero, and then the interval is far too
    narrow (measured: 0.85 for 0.95). So the scatter is integrated out over its confidence distribution, as Nagashima, Noma and
    Furukawa (2019, Stat. Methods Med. Res. 28, 1689) do: scatter^2 is below s^2 with the probability that chi-square is above Q(s^2).

    Parameters
    ----------
    fits : Fits
        Rates over storms.
    mean : Mean
        Their mean.
    confidence : float
        Of the two-sided interval.

    Returns
    -------
    low, high : ndarray, shape (cell,)
        NaN with fewer than three storms.
    """
    k = fits.use.sum(0)
    rows = np.flatnonzero(k > 2)
    some, share = fits.cells(rows), mean.share[:, rows]
    nodes, weights = np.polynomial.legendre.leggauss(_LEVELS)
    levels, weights = 0.5 + nodes / 2, weights / 2
    squared = np.stack([scatter_where(some.rate, some.variance, some.use, chdtri(k[rows] - 1.0, level)) for level in levels])
    # The storm about the truth and the mean about the truth; of exact rates this gives the t interval of a normal sample.
    sd = np.sqrt(squared * (1 + (share**2).sum(0)) + (share**2 * some.variance).sum(0))
    # The quantile of a mixture lies between those of its parts.
    probability = 0.5 + confidence / 2
    low, high = ndtri(probability) * sd.min(0, initial=np.inf), ndtri(probability) * sd.max(0, initial=0.0)
    for _ in range(_HALVINGS):
        half = 0.5 * (low + high)
        with np.errstate(invalid="ignore", divide="ignore"):
            narrow = weights @ ndtr(half / sd) < probability
        low, high = np.where(narrow, half, low), np.where(narrow, high, half)
    width = np.full(len(k), np.nan)
    width[rows] = 0.5 * (low + high)
    return mean.rate - width, mean.rate + width
