"""Estimators of a decay rate side by side: each is a function from cut series, the run's error model and a confidence to `Fitted`.

Each standard error is what the method itself says; only `gls` and `exponential_floor` know that neighbouring points fluctuate together,
and the comparison shows what the others' are worth.
"""

from ringdecay.decays.estimators.comparison import comparison_header, estimator_ratios, estimator_table
from ringdecay.decays.estimators.table import COUNTED, ESTIMATORS, Estimator, chosen, compared, estimator_named, names_compared

__all__ = [
    "COUNTED",
    "ESTIMATORS",
    "Estimator",
    "chosen",
    "compared",
    "comparison_header",
    "estimator_named",
    "estimator_ratios",
    "estimator_table",
    "names_compared",
]
