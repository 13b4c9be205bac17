"""Decays: a rate for every storm, probe, energy and L-shell, with an interval that knows how well it is known.

`window_choice` says when a fit begins and ends: `windows` from the storm index, `flux_windows` from the flux, `window_table` from the
user, `interruptions` what comes between. `log_flux` is what is fitted, `floor` and `quiet_floor` where an instrument stops seeing; `gls`
and `pooling` are the statistics of lines, `whitening` and `mixture` those of other curves, `error_models` both; `estimators` are the other
ways to a rate (each gives a `fitted`), `cells` applies them, `joint` fits two probes as one, `shape` asks whether it is one exponential
(`curvature`) and what a floor may do (`free_floor`), `run` fits all storms, in pieces that `sharing` hands to Dask, `fit` and `one_series`
are the ways in, `result` and `intervals` what comes out. `residuals` and `probe_ratio` look at fits that are there: what they leave, and
what the two probes say of one storm.
"""

from ringdecay.decays.estimators import ESTIMATORS
from ringdecay.decays.fit import fit_decays
from ringdecay.decays.floor import channel_floor, instrument_floor
from ringdecay.decays.flux_windows import flux_windows
from ringdecay.decays.interruptions import interrupted
from ringdecay.decays.log_flux import FLUX_SUMS
from ringdecay.decays.one_series import fit_decay
from ringdecay.decays.probe_ratio import ProbeRatio, paired_rates, probe_ratio
from ringdecay.decays.quiet_floor import quiet_floor
from ringdecay.decays.residuals import autocorrelation, residual_autocorrelation, residuals
from ringdecay.decays.result import FLAGS, VARIABLES
from ringdecay.decays.window_choice import choose_windows
from ringdecay.decays.window_table import read_windows, table_windows
from ringdecay.decays.windows import index_windows

__all__ = [
    "ESTIMATORS",
    "FLAGS",
    "FLUX_SUMS",
    "VARIABLES",
    "ProbeRatio",
    "autocorrelation",
    "channel_floor",
    "choose_windows",
    "fit_decay",
    "fit_decays",
    "flux_windows",
    "index_windows",
    "instrument_floor",
    "interrupted",
    "paired_rates",
    "probe_ratio",
    "quiet_floor",
    "read_windows",
    "residual_autocorrelation",
    "residuals",
    "table_windows",
]
