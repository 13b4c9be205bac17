"""Find out what a result is, and summarise it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import xarray as xr

from ringdecay.errors import InputError
from ringdecay.summaries.fits import decays_summary, fit_summary
from ringdecay.summaries.inputs import binned_summary, storms_summary
from ringdecay.summaries.maps import tau_summary
from ringdecay.summaries.page import Summary
from ringdecay.summaries.theory import comparison_summary, prediction_summary

_KNOWN = (
    "a table of storms, binned flux, fits (of a run, of one storm, of one cell, or of fit_decay), lifetimes, a surface, predicted loss "
    "rates, or a comparison with theory"
)
_STORM_COLUMNS = ("storm", "onset", "minimum", "recovery_end", "depth", "storm_class")


def summary(
    result: xr.Dataset | pd.DataFrame,
    *,
    energies: Sequence[float] | None = None,
    L: Sequence[float] | None = None,
    probe: str | None = None,
) -> Summary:
    """Say what a result says: tables for a notebook and a terminal.

    Parameters
    ----------
    result : Dataset or DataFrame
        From `find_storms`, `bin_flux`, `fit_decay`, `fit_decays`, `lifetimes`, `fit_surface`, `tau`, `theory.loss_rate` or
        `compare_with_theory`; also a part of one over energy and L, such as ``decays.sel(storm=3, probe="merged")``.
    energies, L : sequence of float, optional
        Which energies (keV) and L-shells a table shows, the nearest ones. If not given, some evenly spaced ones that have a result;
        the counts are always of all.
    probe : str, optional
        Whose fits, for the fits of a run; "merged" or the first if not given.

    Returns
    -------
    Summary
        A notebook shows it as HTML, `print` as text of about 100 columns. Its parts can be read, too: `title`, `facts`, `tables`. The
        numbers are rounded as their errors allow; the exact ones are in the result, which is not changed.

    Raises
    ------
    InputError
        If `result` is none of these, or has more dimensions than a table.
    """
    if isinstance(result, pd.DataFrame) and set(_STORM_COLUMNS) <= set(result.columns):
        return storms_summary(result)
    if not isinstance(result, xr.Dataset):
        raise InputError(f"summary knows {_KNOWN}; this is a {type(result).__name__}{_columns(result)}")
    if {"n_samples", "sum_flux", "counts"} <= set(result) and {"probe", "time", "L", "energy"} <= set(result.dims):
        return binned_summary(result)
    if "flag" not in result:
        raise InputError(f"summary knows {_KNOWN}; this Dataset has no flag, and is none of them")
    dims = {str(dim) for dim in result["flag"].dims}
    if "storm" in dims and {"rate", "tau", "onset", "depth"} <= set(result.variables) and dims <= {"storm", "probe", "energy", "L"}:
        return decays_summary(result, probe)
    if dims <= {"energy", "L"}:
        if "verdict" in result:
            return comparison_summary(result, energies, L)
        if "lifetime" in result:
            return prediction_summary(result, energies, L)
        if not dims and {"rate", "r2", "n"} <= set(result):
            return fit_summary(result)
        if "tau" in result:
            return tau_summary(result, energies, L)
    said = (
        f"has the dimensions {', '.join(sorted(dims))}; take one value, as by .sel(), of each that is too many"
        if dims
        else "is none of them"
    )
    raise InputError(f"summary knows {_KNOWN}; this Dataset {said}")


def _columns(result: Any) -> str:
    return f" without the columns {', '.join(_STORM_COLUMNS)}" if isinstance(result, pd.DataFrame) else ""
