"""The mean rate over storms, the usual one for comparison, and what the next storm may bring.

The mean is taken over rates, never over e-folding times: a rate that is uncertain, or below zero by chance, has a mean and an error
like any other, its reciprocal has neither. Fits that found no decay enter as they are.

Weights. The usual weights 1 / (error^2 + scatter^2) fail twice. Recoveries of 5 and of 35 days have errors that differ twentyfold, and
where the scatter between storms is estimated as zero by chance one long recovery is the whole mean, its own deviation from the
population unseen. And fast decays reach their floor early, so that their errors are larger: weights then prefer slow storms, which biases
the mean and its interval (measured, ten storms, scatter of 50 % and errors in proportion to the rate: -4 % and a coverage of 0.88).
Equal weights have neither trouble but let the worst fits decide. So all storms count the same, and only one whose total variance is far
above the median storm's counts less. The variance of the mean comes from the storms' own deviations, not from their standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ringdecay.decays.gls import Floats
from ringdecay.lifetime.fits import Fits
from ringdecay.lifetime.scatter import paule_mandel, reml

# A storm counts less only if its variance, error and scatter together, is more than this many times the median storm's.
VARIANCE_RATIO = 4.0


@dataclass(frozen=True)
class Mean:
    """Means over storms; every array has shape (cell,) but `share`, (storm, cell).

    Attributes
    ----------
    rate, se, df : ndarray
        1/day, its standard error, and the degrees of freedom of its t distribution. NaN without a fit; of one fit its own.
    scatter : ndarray
        Standard deviation between storms, 1/day; NaN with fewer than two fits.
    share : ndarray
        How much each storm counts; adds up to one.
    """

    rate: Floats
    se: Floats
    df: Floats
    scatter: Floats
    share: Floats


def mean_rate(fits: Fits) -> Mean:
    """Average rates over storms, with limited weights.

    Between-storm variance by Paule and Mandel (1982, J. Res. NBS 87, 377); weights 1 / max(T, 4 median T) of the total variances T;
    variance of the mean by the robust estimator of Sidik and Jonkman (2006, Comput. Stat. Data Anal. 50, 3681); Student's t with the
    effective number of storms less one as degrees of freedom. With similar errors this is the plain mean with its t interval.

    Parameters
    ----------
    fits : Fits
        Rates over storms.

    Returns
    -------
    Mean
    """
    k = fits.use.sum(0)
    between = np.where(k > 1, paule_mandel(fits.rate, fits.variance, fits.use), 0.0)
    weight = limited_weights(fits, between)
    x = np.where(fits.use, fits.rate, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = weight / weight.sum(0)
        rate = np.where(k > 0, (share * x).sum(0), np.nan)
        robust = np.sqrt((share**2 * (x - rate) ** 2 / (1 - share)).sum(0))
        effective = 1 / (share**2).sum(0)
    alone = k == 1
    se = np.where(alone, np.where(fits.use, fits.se, 0.0).sum(0), robust)
    df = np.where(alone, np.where(fits.use, fits.df, 0.0).sum(0), np.where(k > 1, effective - 1, np.nan))
    return Mean(rate, se, df, np.where(k > 1, np.sqrt(between), np.nan), share)


def limited_weights(fits: Fits, between: Floats) -> Floats:
    """Give the weights 1 / max(T, 4 median T) of the total variances T = error^2 + scatter^2; shape (storm, cell)."""
    total = np.where(fits.use, fits.variance + between, np.nan)
    weight: Floats = np.where(fits.use, 1 / np.maximum(total, VARIANCE_RATIO * median(total)), 0.0)
    return weight


def hartung_knapp(fits: Fits, confidence: float) -> dict[str, Floats]:
    """Average rates in the usual way: scatter by REML, weights 1 / (error^2 + scatter^2), interval of Hartung and Knapp.

    Parameters
    ----------
    fits : Fits
        Rates over storms.
    confidence : float
        Of the two-sided interval.

    Returns
    -------
    dict
        `rate_reml`, `rate_reml_low`, `rate_reml_high`, `scatter_reml`, each of shape (cell,), NaN with fewer than two storms. The variance
        is sum w (r - mean)^2 / ((K - 1) sum w) with K - 1 degrees of freedom (Hartung and Knapp 2001, Stat. Med. 20, 3875), not
        bounded from below.
    """
    between = reml(fits.rate, fits.variance, fits.use)
    weight = np.where(fits.use & np.isfinite(between), 1 / (fits.variance + np.nan_to_num(between)), 0.0)
    x = np.where(fits.use, fits.rate, 0.0)
    df = fits.use.sum(0) - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = (weight * x).sum(0) / weight.sum(0)
        se = np.sqrt((weight * (x - rate) ** 2).sum(0) / (df * weight.sum(0)))
    half = stdtrit(np.where(df > 0, df, np.nan), 0.5 + confidence / 2) * se
    return {"rate_reml": rate, "rate_reml_low": rate - half, "rate_reml_high": rate + half, "scatter_reml": np.sqrt(between)}


def median(values: Floats) -> Floats:
    """Median over the first axis of what is not NaN; NaN where there is nothing."""
    if not len(values):
        return np.full(values.shape[1:], np.nan)
    k = np.isfinite(values).sum(0)
    ordered = np.sort(values, axis=0)
    low, high = (np.take_along_axis(ordered, np.maximum(i, 0)[None], 0)[0] for i in ((k - 1) // 2, k // 2 - (k == 0)))
    out: Floats = 0.5 * (low + high)
    return out
