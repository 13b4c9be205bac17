"""What every estimator of a decay rate hands back."""

from __future__ import annotations

from dataclasses import dataclass

from ringdecay.decays.gls import Floats


@dataclass(frozen=True)
class Fitted:
    """Decay of many series by one estimator; every array has shape (series,), NaN where the estimator has no answer.

    Attributes
    ----------
    rate, rate_se, df : ndarray
        Rate (1/day), its standard error as the method itself gives it, and the degrees of freedom of its t interval.
    level : ndarray
        Fitted log flux at t = 0.
    low, high : ndarray, optional
        Two-sided interval of the rate where the method has one of its own; without it, that of Student's t.
    counted : bool
        Whether the counts were fitted (zeros and bins of few counts included) and not the log flux.
    floor : ndarray, optional
        Floor of the series' own, of an estimator that fits one; above the floor that is known, where there is one.
    """

    rate: Floats
    rate_se: Floats
    df: Floats
    level: Floats
    low: Floats | None = None
    high: Floats | None = None
    counted: bool = False
    floor: Floats | None = None
