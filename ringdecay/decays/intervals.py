"""From a rate with its standard error to intervals, e-folding times and limits."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from ringdecay.decays.gls import Floats
from ringdecay.errors import InputError


def intervals(
    rate: Floats, se: Floats, df: Floats, confidence: float, low: Floats | None = None, high: Floats | None = None
) -> dict[str, Floats]:
    """Two-sided interval of the rate and what follows from it for the e-folding time.

    Parameters
    ----------
    rate, se, df : ndarray
        Rate (1/day), standard error and degrees of freedom; NaN gives NaN.
    confidence : float
        Of the two-sided interval, and of the one-sided limit.
    low, high : ndarray, optional
        Ends of the two-sided interval of a method that has its own; without them, those of Student's t.

    Returns
    -------
    dict
        `rate_low`, `rate_high`; `tau` = 1/rate (NaN where the rate is not positive: there is no e-folding time); `tau_low` =
        1/rate_high and `tau_high` = 1/rate_low (infinite where the bound of the rate is not positive); `tau_limit`, the one-sided
        lower limit on tau, only where rate_low <= 0.
    """
    check_confidence(confidence)
    half = stdtrit(df, 0.5 + confidence / 2) * se
    known = np.isfinite(rate)
    low = rate - half if low is None else np.where(known, low, np.nan)
    high = rate + half if high is None else np.where(known, high, np.nan)
    unresolved = low <= 0
    return {
        "rate_low": low,
        "rate_high": high,
        "tau": np.where(rate > 0, inverse(rate), np.nan),
        "tau_low": inverse(high),
        "tau_high": inverse(low),
        "tau_limit": np.where(unresolved, inverse(rate + stdtrit(df, confidence) * se), np.nan),
    }


def check_confidence(confidence: float) -> None:
    """Raise InputError if a confidence does not make sense."""
    if not 0 < confidence < 1:
        raise InputError(f"confidence must lie between 0 and 1, not {confidence!r}; 0.95 is usual")


def inverse(rate: Floats) -> Floats:
    """1/rate where it is positive, infinite where it is not, NaN where it is not known."""
    with np.errstate(divide="ignore"):
        out: Floats = np.where(rate > 0, 1 / np.where(rate > 0, rate, 1.0), np.where(np.isnan(rate), np.nan, np.inf))
    return out
