"""The window of every fit, by one of three sources, and what ends it before its time."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from os import PathLike
from typing import Any, Literal, get_args

import pandas as pd
import xarray as xr

from ringdecay.decays.flux_windows import flux_windows
from ringdecay.decays.interruptions import interrupted
from ringdecay.decays.window_table import read_windows, table_windows
from ringdecay.decays.windows import check_index, index_windows
from ringdecay.errors import InputError, unknown

Source = Literal["index", "flux", "table"]
# Parameters of flux_windows that have a place of their own here.
_GIVEN = ("binned", "storms", "max_days", "max_gap_days")
SOURCES: tuple[Source, ...] = get_args(Source)


def choose_windows(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    index: xr.DataArray | None = None,
    *,
    source: Source = "index",
    start_delay_days: float = 1.0,
    max_days: float = 30.0,
    max_gap_days: float = 3.0,
    injection_dip: float | None = 40.0,
    table: str | PathLike[str] | pd.DataFrame | None = None,
    flux: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Choose the window of every fit and end it where something comes between.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux`; with `with_merged_probe` a hand-over between probes is seen.
    storms : pandas.DataFrame
        Catalogue from `find_storms`.
    index : xarray.DataArray, optional
        Storm index from `open_index`; without it no injection below the storms' threshold is seen.
    source : {"index", "flux", "table"}
        "index": `index_windows`, the flux has no say. "flux": `flux_windows`, where the flux of each cell falls, which selects.
        "table": `table_windows`, the user's own.
    start_delay_days : float
        Days from the last minimum to the start; for "index".
    max_days : float
        Longest window; for "index" and "flux".
    max_gap_days, injection_dip
        As for `interrupted`. In windows from the flux a rise of the flux tells of an injection, not the index.
    table : path-like or DataFrame
        For "table", the CSV file that `read_windows` reads, or its table.
    flux : mapping, optional
        Further settings of `flux_windows`, by name.

    Returns
    -------
    xarray.Dataset
        `start`, `stop` and `flag` over storm, probe, energy, L.

    Raises
    ------
    InputError
        If a setting does not make sense.
    """
    if source not in SOURCES:
        raise unknown("source of windows", source, SOURCES)
    if index is not None:
        check_index(index)
    known = [name for name in signature(flux_windows).parameters if name not in _GIVEN]
    for name in flux or {}:
        if name not in known:
            raise unknown("setting of flux_windows", name, known)
    if source == "index":
        windows = index_windows(binned, storms, index, start_delay_days=start_delay_days, max_days=max_days)
    elif source == "flux":
        windows = flux_windows(binned, storms, max_days=max_days, max_gap_days=max_gap_days, **(flux or {}))
        index = None
    elif table is None:
        raise InputError("windows of your own need a table; name its CSV file")
    else:
        windows = table_windows(binned, storms, table if isinstance(table, pd.DataFrame) else read_windows(table))
    return interrupted(windows, binned, index, max_gap_days=max_gap_days, injection_dip=injection_dip)
