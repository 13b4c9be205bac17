"""Names, units and flags of what is said over storms."""

from __future__ import annotations

from ringdecay.decays.result import VARIABLES
from ringdecay.lifetime.discoveries import DESCRIBED as DISCOVERIES

FLAGS = {
    "no_fits": 1,
    "single_storm": 2,
    "not_resolved": 4,
    "growth": 8,
    "storms_lost_to_floor": 16,
    "floor_not_separable": 32,
    "coarse_bins": 64,
}

CALIBRATED: dict[str, dict[str, str]] = {
    "rate": {"units": "1/day", "long_name": "mean decay rate over storms (random effects)"},
    "rate_se": {"units": "1/day", "long_name": "standard error of the mean rate, from the deviations of the storms"},
    "df": {"units": "1", "long_name": "degrees of freedom of the interval of the mean rate"},
    "rate_low": VARIABLES["rate_low"],
    "rate_high": VARIABLES["rate_high"],
    "tau": {"units": "days", "long_name": "e-folding time of the mean rate (none where the flux does not fall)"},
    "tau_low": VARIABLES["tau_low"],
    "tau_high": VARIABLES["tau_high"],
    "tau_limit": {"units": "days", "long_name": "one-sided lower limit on the e-folding time, where the mean decay is not resolved"},
    "scatter": {"units": "1/day", "long_name": "standard deviation of the rate between storms, without the errors of the fits"},
    "scatter_low": {"units": "1/day", "long_name": "lower end of the two-sided interval of the scatter"},
    "scatter_high": {"units": "1/day", "long_name": "upper end of the two-sided interval of the scatter"},
    "rate_pred_low": {"units": "1/day", "long_name": "lower end of the prediction interval for the rate of the next storm"},
    "rate_pred_high": {"units": "1/day", "long_name": "upper end of the prediction interval for the rate of the next storm"},
    "tau_pred_low": {"units": "days", "long_name": "lower end of the prediction interval for the e-folding time of the next storm"},
    "tau_pred_high": {
        "units": "days",
        "long_name": "upper end of the prediction interval for the e-folding time of the next storm (infinite: no decay is not excluded)",
    },
    **DISCOVERIES,
    "n_storms": {"units": "1", "long_name": "storms with a fit"},
    "n_resolved": {"units": "1", "long_name": "storms whose decay is resolved"},
    "n_limits": {"units": "1", "long_name": "storms whose decay is not resolved, without those of growing flux"},
    "n_growth": {"units": "1", "long_name": "storms whose flux grows"},
    "n_lost": {"units": "1", "long_name": "storms whose flux was near the floor from the start or fell to it within too few bins"},
    "largest_shift": {"units": "1", "long_name": "largest shift of the mean rate when one storm is left out, in standard errors"},
    "largest_shift_storm": {"long_name": "number of that storm in the catalogue (-1: none)"},
    "rate_reml": {"units": "1/day", "long_name": "for comparison: mean rate with REML scatter and the usual weights"},
    "rate_reml_low": {"units": "1/day", "long_name": "for comparison: lower end of the Hartung-Knapp interval of rate_reml"},
    "rate_reml_high": {"units": "1/day", "long_name": "for comparison: upper end of the Hartung-Knapp interval of rate_reml"},
    "scatter_reml": {"units": "1/day", "long_name": "for comparison: scatter between storms by REML"},
    "rate_boot_low": {"units": "1/day", "long_name": "for comparison: lower end of the bootstrap interval of the rate over storms"},
    "rate_boot_high": {"units": "1/day", "long_name": "for comparison: upper end of the bootstrap interval of the rate over storms"},
    "flag": {"long_name": "what a reader of the lifetime should know"},
}
_COUNTS = ("n_storms", "n_resolved", "n_limits", "n_growth", "n_lost", "flag")
PAPER: dict[str, dict[str, str]] = {
    "tau": {"units": "days", "long_name": "mean e-folding time of the accepted fits (biased to short times)"},
    "tau_sd": {"units": "days", "long_name": "standard deviation of the e-folding times of the accepted fits"},
    "n_accepted": {"units": "1", "long_name": "storms whose fit is accepted"},
    **{name: CALIBRATED[name] for name in _COUNTS},
}
