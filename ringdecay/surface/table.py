"""The surface as a table that needs no Python to be used."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from ringdecay.store import SIMULATED_NOTE, is_simulated
from ringdecay.surface.fitting import FLAGS, HOW, VARIABLES

_COLUMNS = ("tau", "tau_low", "tau_high", "tau_limit", "rate", "rate_low", "rate_high", "n_storms", "supported")
_UNITS = {"energy": "keV", "tau": "days", "tau_low": "days", "tau_high": "days", "tau_limit": "days"}


def surface_table(surface: xr.Dataset) -> pd.DataFrame:
    """Write the surface as a long table, a row for each energy and L between data.

    Parameters
    ----------
    surface : Dataset
        From `fit_surface`.

    Returns
    -------
    DataFrame
        Columns energy_keV, L, tau_days, tau_low_days, tau_high_days, tau_limit_days, rate_per_day, rate_low_per_day, rate_high_per_day,
        n_storms, supported. Energies are the slow index. `tau_days` is empty where it is not stated.
    """
    rows = surface.transpose("energy", "L", ...).to_dataframe(dim_order=["energy", "L"]).reset_index()
    rows = rows[(rows["flag"] & FLAGS["no_data"]) == 0].reset_index(drop=True)
    return rows[["energy", "L", *_COLUMNS]].rename(columns={name: _column(name) for name in ("energy", *_COLUMNS)})


def surface_header(surface: xr.Dataset) -> list[str]:
    """Say what the table is, for `write_csv`: whether simulated, range, method, the meaning of each column, how to use it."""
    lines = [SIMULATED_NOTE] if is_simulated(surface) else []
    lines += [str(surface.attrs["title"]), f"stated range: {surface.attrs['range']}"]
    for name in ("product", "flux", "max_MLAT", "L_definition", "probe", "confidence", "storms", "cells", *HOW):
        if name in surface.attrs:
            lines.append(f"{name}: {surface.attrs[name]}")
    lines += ["columns:", "  energy_keV: energy in keV", "  L: L-shell"]
    for name in _COLUMNS:
        lines.append(f"  {_column(name)}: {VARIABLES[name]['long_name']}")
    return [
        *lines,
        "use: interpolate ln tau_days linearly in ln energy_keV and ln L between the four rows around a point, all with supported = 1",
        "empty tau_days: not stated; tau_limit_days is then a one-sided lower limit (inf: not even that the flux falls is known)",
        "read with pandas.read_csv(path, comment='#'); the rows above begin with #, the first without it names the columns",
    ]


def _column(name: str) -> str:
    """Name of a column, its unit included."""
    unit = _UNITS.get(name) or ("per_day" if name.startswith("rate") else "")
    return f"{name}_{unit}" if unit else name
