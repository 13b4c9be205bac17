"""What the estimators say of the same fits: a table with a column pair for each, and their ratios to one of them by energy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.decays.gls import Floats
from ringdecay.errors import InputError, unknown
from ringdecay.store import SIMULATED_NOTE, is_simulated

# A normal distribution's standard deviation to both sides of its median, percent.
SPREAD = (15.9, 84.1)


def estimator_table(decays: xr.Dataset, probe: str = "merged") -> pd.DataFrame:
    """Write the rates of all estimators side by side, a row for each storm, energy and L-shell that any of them has a rate for.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays` with `compare`.
    probe : str
        Which probe's fits.

    Returns
    -------
    pandas.DataFrame
        Columns storm, onset, energy (keV), L, n, then rate_<name> and rate_se_<name> (1/day) for each estimator.

    Raises
    ------
    InputError
        If `decays` has no comparison or no such probe.
    """
    chosen = _chosen(decays, probe)
    rate, se = (chosen[f"{name}_by_estimator"].to_numpy() for name in ("rate", "rate_se"))
    where = np.nonzero(np.isfinite(rate).any(0))
    dims = ("storm", "energy", "L")
    columns: dict[str, Any] = {}
    for name in ("storm", "onset", "energy", "L", "n"):
        if name in chosen.variables:
            values = chosen[name]
            columns[name] = values.to_numpy()[tuple(where[dims.index(str(dim))] for dim in values.dims)]
    for k, name in enumerate(chosen["estimator"].to_numpy()):
        columns[f"rate_{name}"], columns[f"rate_se_{name}"] = rate[k][where], se[k][where]
    return pd.DataFrame(columns)


def estimator_ratios(decays: xr.Dataset, probe: str = "merged", reference: str = "gls") -> pd.DataFrame:
    """Compare each estimator's rate, and the width of its interval, with those of one of them; medians by energy.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays` with `compare`.
    probe : str
        Which probe's fits.
    reference : str
        The estimator that the others are compared with. Only fits whose decay it resolves (rate_low > 0) count, because a ratio to a rate
        near zero says nothing.

    Returns
    -------
    pandas.DataFrame
        A row for each energy and estimator: energy (keV), estimator, n (fits that both have), ratio (median of the rate over that of the
        reference), ratio_low and ratio_high (15.9 and 84.1 % of the fits lie below), width (median of the width of the interval over that
        of the reference).

    Raises
    ------
    InputError
        If `decays` has no comparison, no such probe or no such estimator.
    """
    chosen = _chosen(decays, probe)
    names = [str(name) for name in chosen["estimator"].to_numpy()]
    if reference not in names:
        raise unknown("estimator", reference, names)
    rate, low, high = (chosen[f"{name}_by_estimator"].to_numpy() for name in ("rate", "rate_low", "rate_high"))
    base = names.index(reference)
    resolved = low[base] > 0
    rows = []
    for j, energy in enumerate(chosen["energy"].to_numpy()):
        for k, name in enumerate(names):
            both = resolved[:, j] & np.isfinite(rate[k, :, j])
            ratio = rate[k, :, j][both] / rate[base, :, j][both]
            width = (high - low)[k, :, j][both] / (high - low)[base, :, j][both]
            median, *spread = _percentiles(ratio, (50.0, *SPREAD))
            rows.append((energy, name, len(ratio), median, *spread, *_percentiles(width, (50.0,))))
    return pd.DataFrame(rows, columns=["energy", "estimator", "n", "ratio", "ratio_low", "ratio_high", "width"])


def comparison_header(decays: xr.Dataset, title: str) -> list[str]:
    """Say above a table of estimators what it is: title, whether it is simulated, units and how to read it."""
    lines = [SIMULATED_NOTE] if is_simulated(decays) else []
    lines += [title, "read with pandas.read_csv(path, comment='#')"]
    lines += [f"{name}: {decays.attrs[name]}" for name in ("product", "mode", "estimator", "confidence") if name in decays.attrs]
    return [
        *lines,
        "energy in keV, rates and their standard errors in 1/day, times in UTC",
        "a standard error is what the method itself says; only gls and exponential_floor know that neighbouring bins fluctuate together",
        "n counts the bins of the fit that decays.nc holds; poisson and negative_binomial also use bins of few counts and of none",
    ]


def _chosen(decays: xr.Dataset, probe: str) -> xr.Dataset:
    if "rate_by_estimator" not in decays:
        raise InputError("the fits hold no comparison of estimators; call fit_decays with compare=True")
    probes = [str(p) for p in decays["probe"].to_numpy()]
    if probe not in probes:
        raise unknown("probe", probe, probes)
    return decays.isel(probe=probes.index(probe)).transpose("estimator", "storm", "energy", "L", ...)


def _percentiles(values: Floats, which: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(np.percentile(values, which)) if len(values) else (np.nan,) * len(which)
