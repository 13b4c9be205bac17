"""How the rate depends on when after the storm a fit begins, beside the change of the storm index over the same time.

In recovery the magnetic field rises again. Particles that keep their invariants gain energy and move inward with it, so that the flux
at a fixed energy and L rises though no particle was added (the Dst effect), and fast losses come first. A rate that does not depend on
the start is free of both; one that changes with it, along with `index_change`, is not, and a reader must be able to see that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.decays import choose_windows, fit_decays, instrument_floor
from ringdecay.decays.sharing import kept_workers
from ringdecay.errors import InputError, unknown
from ringdecay.lifetime import lifetimes

DELAYS = (0.5, 1.0, 2.0, 3.0)
_DAY_NS = 86_400e9
_DESCRIBED = {"units": "days", "long_name": "days from the storm's last minimum to the begin of the window"}


def start_delays(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    index: xr.DataArray | None = None,
    delays: Sequence[float] = DELAYS,
    *,
    probe: str = "merged",
    start_delay_days: float = 1.0,
    max_days: float = 30.0,
    max_gap_days: float = 3.0,
    injection_dip: float | None = 40.0,
    **fit: Any,
) -> xr.Dataset:
    """Fit every storm's decay with several starts and one end.

    The windows are those of `choose_windows` from the index; only their starts are moved, so that nothing but the start differs. The
    floor of each channel is looked for once; a channel without one is fitted with straight lines, whatever their length.

    Parameters
    ----------
    binned : xarray.Dataset
        From `with_merged_probe`.
    storms : pandas.DataFrame
        Catalogue from `find_storms`.
    index : xarray.DataArray, optional
        Storm index from `open_index`; without it `index_change` is not known.
    delays : sequence of float
        Days from the last minimum to the start.
    probe : str
        Whose flux.
    start_delay_days, max_days, max_gap_days, injection_dip
        As for `choose_windows`; they fix the end of the windows.
    **fit
        Further settings of `fit_decays`.

    Returns
    -------
    xarray.Dataset
        What `fit_decays` returns, over start_delay_days, storm, probe (one), energy, L.

    Raises
    ------
    InputError
        If no delay is given, one is negative or given twice, or there is no such probe.
    """
    if not len(delays) or len(set(delays)) < len(delays) or min(delays) < 0:
        raise InputError(f"the start delays to compare must be different numbers of days, not negative, and not {tuple(delays)}")
    probes = [str(name) for name in binned["probe"].to_numpy()]
    if probe not in probes:
        raise unknown("probe", probe, probes)
    windows = choose_windows(
        binned,
        storms,
        index,
        start_delay_days=start_delay_days,
        max_days=max_days,
        max_gap_days=max_gap_days,
        injection_dip=injection_dip,
    )
    # All probes were needed to see a hand-over; one is fitted.
    one = binned.isel(probe=[probes.index(probe)])
    windows = windows.isel(probe=[probes.index(probe)])
    # Of the rates only; what else a fit can say is asked of the run's own.
    fit |= {"compare": False, "two_stages": False}
    floor = fit.pop("floor", "auto")
    looked_for = isinstance(floor, str) and floor == "auto"
    begin = xr.DataArray(storms["last_minimum"].to_numpy("datetime64[ns]"), dims="storm")
    found = []
    with kept_workers():
        if looked_for:
            floor = instrument_floor(one, windows, min_samples=fit.get("min_samples", 2))
        for delay in delays:
            moved = windows.assign(start=(begin + np.timedelta64(round(delay * _DAY_NS), "ns")).broadcast_like(windows["start"]))
            found.append(fit_decays(one, storms, windows=moved, index=index, floor=floor, **fit))
    axis = pd.Index([float(delay) for delay in delays], name="start_delay_days")
    result = xr.concat(found, dim=axis, combine_attrs="override", coords="minimal", data_vars="all", compat="override")
    result["start_delay_days"].attrs = dict(_DESCRIBED)
    # What is true of one delay only.
    own = ("start_delay_days", *(name for name in result.attrs if str(name).startswith("pool_")))
    result.attrs = {name: value for name, value in result.attrs.items() if name not in own}
    if looked_for:
        result.attrs["floor_from"] = "bend of the recoveries"
    return result


def delay_lifetimes(delays: xr.Dataset) -> xr.Dataset:
    """Average the rates of every cell over storms, for each start delay.

    Parameters
    ----------
    delays : xarray.Dataset
        From `start_delays`.

    Returns
    -------
    xarray.Dataset
        What `lifetimes` returns, over start_delay_days, energy, L; and `index_change`, its mean over the storms with a fit.
    """
    if "start_delay_days" not in delays.dims:
        raise InputError("give the Dataset that start_delays returns; this one has no dimension start_delay_days")
    probe, confidence = str(delays["probe"].to_numpy()[0]), float(delays.attrs["confidence"])
    parts = [
        lifetimes(delays.isel(start_delay_days=k), probe=probe, confidence=confidence) for k in range(delays.sizes["start_delay_days"])
    ]
    result = xr.concat(
        [part.drop_vars("start_delay_days", errors="ignore") for part in parts],
        dim=delays["start_delay_days"],
        combine_attrs="override",
        coords="minimal",
        data_vars="all",
        compat="override",
    )
    change = delays["index_change"].isel(probe=0, drop=True).where(delays["rate"].isel(probe=0, drop=True).notnull())
    result["index_change"] = change.mean("storm").transpose("start_delay_days", "energy", "L")
    result["index_change"].attrs = {"units": "nT", "long_name": "storm index at stop minus at start, mean over the storms with a fit"}
    return result.assign_attrs(title=f"{parts[0].attrs['title']}, by the start of the fit")
