"""Decays: a rate for every storm, probe, energy and L-shell, with an interval that knows how well it is known.

`windows` says when a fit begins and ends, `log_flux` what is fitted, `floor` and `quiet_floor` where an instrument stops seeing; `gls` and
`pooling` are the statistics, `estimators` the other ways to a rate, `cells` applies them, `shape` asks whether it is one exponential
(`curvature`) and what a floor may do (`free_floor`), `fit` and `one_series` are the ways in.
"""

from ringdecay.decays.estimators import ESTIMATORS
from ringdecay.decays.fit import fit_decays
from ringdecay.decays.floor import instrument_floor
from ringdecay.decays.one_series import fit_decay
from ringdecay.decays.quiet_floor import quiet_floor
from ringdecay.decays.result import FLAGS, VARIABLES
from ringdecay.decays.windows import index_windows

__all__ = ["ESTIMATORS", "FLAGS", "VARIABLES", "fit_decay", "fit_decays", "index_windows", "instrument_floor", "quiet_floor"]
