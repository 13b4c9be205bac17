"""Observed loss beside the predicted: what charge exchange and Coulomb drag explain of the rates of a run, cell by cell and as a whole.

`compare_with_theory` is the whole. It is made of `predicted_rates`, the prediction for the cells of a run, with the spectrum that the run
itself shows (`spectral_index`) and the Kp of its windows (`highest_kp`); of `compare_cells`, which says of every cell the ratio and what it
means; and of `fit_factors`, which fits rate = a (charge exchange) + b (Coulomb drag) to all storms and cells, and to those of each L.
`with_prediction` puts the prediction beside lifetimes.
"""

from ringdecay.beside_theory.comparison import FLAGS, VERDICTS, compare_cells, compare_with_theory
from ringdecay.beside_theory.factors import FACTOR_FLAGS, fit_factors
from ringdecay.beside_theory.prediction import highest_kp, predicted_rates, with_prediction
from ringdecay.beside_theory.spectrum import ASSUMED, spectral_index
from ringdecay.beside_theory.table import comparison_header, comparison_table, factor_header, factor_table

__all__ = [
    "ASSUMED",
    "FACTOR_FLAGS",
    "FLAGS",
    "VERDICTS",
    "compare_cells",
    "compare_with_theory",
    "comparison_header",
    "comparison_table",
    "factor_header",
    "factor_table",
    "fit_factors",
    "highest_kp",
    "predicted_rates",
    "spectral_index",
    "with_prediction",
]
