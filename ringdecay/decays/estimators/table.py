"""The table of estimators, and all of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ringdecay.decays.cells import Cut, with_interval
from ringdecay.decays.error_models import ErrorModels
from ringdecay.decays.estimators.counts import negative_binomial, poisson
from ringdecay.decays.estimators.lines import exponential_floor, gls, ols, weighted
from ringdecay.decays.estimators.theil_sen import theil_sen
from ringdecay.decays.fitted import Fitted
from ringdecay.decays.gls import Floats
from ringdecay.decays.pooling import Pool
from ringdecay.decays.result import COMPARISON
from ringdecay.errors import unknown

Estimator = Callable[[Cut, Pool, float], Fitted]

ESTIMATORS: Mapping[str, Estimator] = {
    "gls": gls,
    "ols": ols,
    "weighted": weighted,
    "theil_sen": theil_sen,
    "poisson": poisson,
    "negative_binomial": negative_binomial,
    "exponential_floor": exponential_floor,
}


# Those that fit counts and know nothing without.
COUNTED = ("poisson", "negative_binomial")


def estimator_named(name: str) -> Estimator:
    """Give an estimator by its name, or raise InputError that lists the known ones."""
    if name not in ESTIMATORS:
        raise unknown("estimator", name, list(ESTIMATORS))
    return ESTIMATORS[name]


def chosen(name: str, cut: Cut, models: ErrorModels, confidence: float) -> Fitted | None:
    """Fit by the named estimator; None for "gls", which the calibrated fit is by itself."""
    return None if name == "gls" else estimator_named(name)(cut, _model(name, models), confidence)


def _model(name: str, models: ErrorModels) -> Pool:
    """Error model that an estimator is to be given."""
    return models.floor if name == "exponential_floor" else models.line


def names_compared(compare: bool | Sequence[str]) -> tuple[str, ...]:
    """Names of the estimators to compare: all, none, or those given."""
    if isinstance(compare, bool):
        return tuple(ESTIMATORS) if compare else ()
    names = (compare,) if isinstance(compare, str) else tuple(compare)
    for name in names:
        estimator_named(name)
    return names


def compared(
    cut: Cut, models: ErrorModels, names: Sequence[str], known: Mapping[str, Mapping[str, Floats]], min_points: int, confidence: float
) -> dict[str, Floats]:
    """Fit the same series by several estimators.

    Parameters
    ----------
    cut : Cut
        The series.
    models : ErrorModels
        Error models of the run.
    names : sequence of str
        Estimators, keys of `ESTIMATORS`.
    known : mapping of str to mapping
        Results that are there already, by estimator.
    min_points : int
        Fewest points of a fit.
    confidence : float
        Of the two-sided intervals.

    Returns
    -------
    dict of ndarray, shape (estimator, series)
        A value for each name in `ringdecay.decays.result.COMPARISON`; nothing without estimators.
    """
    if not names:
        return {}

    def fit(name: str) -> Mapping[str, Floats]:
        return with_interval(cut, ESTIMATORS[name](cut, _model(name, models), confidence), min_points, confidence)

    found = [known.get(name) or fit(name) for name in names]
    return {name: np.stack([one[name.removesuffix("_by_estimator")] for one in found]) for name in COMPARISON}
