"""Names, units and flags of what a fit says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

FLAGS = {
    "no_window": 1,
    "too_few_points": 2,
    "not_resolved": 4,
    "growth": 8,
    "floor_reached": 16,
    "not_accepted": 32,
    "not_pooled": 64,
    "few_counts": 128,
    "counts_unknown": 256,
    "data_gap": 512,
    "probe_handover": 1024,
    "new_injection": 2048,
    "curved": 4096,
    "two_stages": 8192,
    "floor_fitted": 16384,
    "floor_not_separable": 32768,
    "coarse_bins": 65536,
    "no_estimate": 131072,
}

VARIABLES: dict[str, dict[str, str]] = {
    "rate": {"units": "1/day", "long_name": "decay rate of the flux, minus the slope of its natural log"},
    "rate_se": {"units": "1/day", "long_name": "standard error of the rate"},
    "df": {"units": "1", "long_name": "degrees of freedom of the interval of the rate"},
    "rate_low": {"units": "1/day", "long_name": "lower end of the two-sided interval of the rate"},
    "rate_high": {"units": "1/day", "long_name": "upper end of the two-sided interval of the rate"},
    "tau": {"units": "days", "long_name": "e-folding time, 1/rate (none where the flux does not fall)"},
    "tau_low": {"units": "days", "long_name": "lower end of the two-sided interval of the e-folding time"},
    "tau_high": {"units": "days", "long_name": "upper end of the two-sided interval of the e-folding time (infinite: not resolved)"},
    "tau_limit": {"units": "days", "long_name": "one-sided lower limit on the e-folding time, where decay is not resolved"},
    "n": {"units": "1", "long_name": "number of time bins in the fit"},
    "n_eff": {"units": "1", "long_name": "number of independent bins, n (1 - rho) / (1 + rho)"},
    "rho": {"units": "1", "long_name": "correlation of neighbouring residuals at the median spacing of the bins"},
    "r2": {"units": "1", "long_name": "squared correlation of log flux and time"},
    "sigma": {"units": "1", "long_name": "standard deviation of the fluctuation of log flux about the decay, without counting noise"},
    "theta": {"units": "days", "long_name": "correlation time of the fluctuation of log flux"},
    "log_flux_start": {"units": "1", "long_name": "natural log of the fitted flux at start, above the floor where one is taken off"},
    "probe_offset": {"units": "1", "long_name": "natural log of probe b's flux over probe a's at one time, where both are fitted jointly"},
    "probe_offset_se": {"units": "1", "long_name": "standard error of the probe offset"},
    "start": {"long_name": "mean time of the samples of the first bin in the fit"},
    "stop": {"long_name": "mean time of the samples of the last bin in the fit"},
    "curvature": {"units": "1/day^2", "long_name": "second derivative of the natural log of flux (positive: the decay slows down)"},
    "curvature_se": {"units": "1/day^2", "long_name": "standard error of the curvature"},
    "rate_fast": {"units": "1/day", "long_name": "rate of the first of two stages"},
    "rate_fast_se": {"units": "1/day", "long_name": "standard error of rate_fast"},
    "rate_slow": {"units": "1/day", "long_name": "rate of the second of two stages"},
    "rate_slow_se": {"units": "1/day", "long_name": "standard error of rate_slow"},
    "break_time": {"long_name": "time between the two stages"},
    "delta_criterion": {"units": "1", "long_name": "BIC of one stage less that of two (positive: two stages)"},
    "floor": {"long_name": "flux floor of the channel, or of the fit where floor_fitted (negative: log flux bends down; NaN: none known)"},
    "index_change": {"units": "nT", "long_name": "storm index at stop minus at start, means over 6 hours"},
    "flag": {"long_name": "what a reader of the fit should know"},
}


# A comparison has these besides, over estimator and the dims of the rate.
COMPARISON: dict[str, dict[str, str]] = {
    f"{name}_by_estimator": {"units": "1/day", "long_name": f"{VARIABLES[name]['long_name']}, by each estimator"}
    for name in ("rate", "rate_se", "rate_low", "rate_high")
}


def flag_attrs(flags: Mapping[str, int]) -> dict[str, Any]:
    """CF attributes of a bit mask."""
    return {"flag_masks": np.array(list(flags.values()), dtype=np.int32), "flag_meanings": " ".join(flags)}


def flag_bits(**conditions: Any) -> np.ndarray:
    """Bit mask of named conditions (boolean arrays that broadcast together)."""
    bits = [np.where(condition, FLAGS[name], 0) for name, condition in conditions.items()]
    total: np.ndarray = sum(bits[1:], bits[0])
    return total.astype(np.int32)


def as_dataset(values: Mapping[str, np.ndarray], dims: tuple[str, ...], coords: Mapping[str, Any], attrs: Mapping[str, Any]) -> xr.Dataset:
    """Make the result Dataset, with each variable's attributes; the variables of a comparison are there if `values` has them."""
    variables = {}
    for name, described in VARIABLES.items():
        described_more: dict[str, Any] = dict(described)
        if name == "flag":
            described_more |= flag_attrs(FLAGS)
        elif name == "floor":
            described_more["units"] = attrs.get("units_flux", "unit of the flux given")
        variables[name] = (dims, values[name], described_more)
    for name, described in COMPARISON.items():
        if name in values:
            variables[name] = (("estimator", *dims), values[name], dict(described))
    return xr.Dataset(variables, coords=dict(coords), attrs=dict(attrs))
