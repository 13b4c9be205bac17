"""How far the decay times of a few cells depend on choices: the start of the window, the width of the bins, the estimator.

Everything is made from what a run has: the fits with other starts, the sums, which add up to coarser bins, and the estimators that were
fitted side by side. A choice that moves a decay time by more than its interval is one that a reader must be told of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.binned import coarser
from ringdecay.decays import channel_floor, choose_windows, fit_decays
from ringdecay.decays.intervals import inverse
from ringdecay.decays.sharing import kept_workers
from ringdecay.errors import InputError
from ringdecay.lifetime import lifetimes
from ringdecay.tables import nearest

#: Bins that become one, of time and of L; without those that would be longer than a day.
COARSER = ({"time_bins": 2}, {"L_bins": 3}, {"L_bins": 5})
_NEIGHBOURS = 2
_LONGEST_HOURS = 24.0
OWN = "as in the run"


def chosen_cells(dataset: xr.Dataset, energies: Sequence[float], L: Sequence[float], beside: int = 0) -> xr.Dataset:
    """Take the channels and L bins nearest to some values, and so many L bins beside each.

    Parameters
    ----------
    dataset : xarray.Dataset
        Over energy and L: sums, fits or lifetimes.
    energies, L : sequence of float
        keV and L-shells.
    beside : int
        L bins on both sides of each.
    """
    shells = {k + step for k in nearest(dataset["L"].to_numpy(), L) for step in range(-beside, beside + 1)}
    inside = sorted(k for k in shells if 0 <= k < dataset.sizes["L"])
    return dataset.isel(energy=nearest(dataset["energy"].to_numpy(), energies), L=inside)


def sensitivity(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    decays: xr.Dataset,
    delays: xr.Dataset | None = None,
    index: xr.DataArray | None = None,
    *,
    energies: Sequence[float],
    L: Sequence[float],
    probe: str = "merged",
    windows: Mapping[str, Any] | None = None,
    **fit: Any,
) -> xr.Dataset:
    """Average the decays of a few cells over storms, with one choice changed at a time.

    Parameters
    ----------
    binned : xarray.Dataset
        From `with_merged_probe`; only the cells chosen here and two L bins on both sides of them are looked at.
    storms : pandas.DataFrame
        Catalogue from `find_storms`.
    decays : xarray.Dataset
        The run's own fits, from `fit_decays`; with `compare` for the estimators.
    delays : xarray.Dataset, optional
        From `start_delays`.
    index : xarray.DataArray, optional
        Storm index, for the windows in coarser bins.
    energies, L : sequence of float
        keV and L-shells; the nearest channels and bins are taken.
    probe : str
        Whose fits. The fits of `delays` are those of the probe that it was made with.
    windows : mapping, optional
        Settings of `choose_windows`, for the coarser bins.
    **fit
        Settings of `fit_decays`, for the coarser bins. A floor that is to be found is that of the run; a channel without one is fitted with
        straight lines, as in `start_delays`.

    Returns
    -------
    xarray.Dataset
        What `lifetimes` returns, over choice, energy and L; `kind` over choice is "own", "window", "binning" or "estimator".

    Raises
    ------
    InputError
        If there is no such probe, or a setting does not make sense.
    """
    own = chosen_cells(decays, energies, L)
    confidence = float(decays.attrs.get("confidence", 0.95))
    found: list[tuple[str, str, xr.Dataset]] = [("own", OWN, lifetimes(own, probe=probe, confidence=confidence))]
    if delays is not None:
        cells = chosen_cells(delays, energies, L)
        of = str(cells["probe"].to_numpy()[0])
        for k, delay in enumerate(cells["start_delay_days"].to_numpy()):
            mean = lifetimes(cells.isel(start_delay_days=k, drop=True), probe=of, confidence=confidence)
            found.append(("window", f"start {delay:g} d after the minimum", mean))
    if storms.shape[0] and binned.sizes["time"]:
        near = chosen_cells(binned, energies, L, beside=_NEIGHBOURS)
        found += [("binning", *each) for each in _coarser(near, storms, index, own, probe, windows or {}, confidence, fit)]
    for name in own["estimator"].to_numpy() if "rate_by_estimator" in own else []:
        if name != decays.attrs.get("estimator"):
            found.append(("estimator", str(name), lifetimes(_by(own, str(name)), probe=probe, confidence=confidence)))
    return _together(found)


def _coarser(
    near: xr.Dataset,
    storms: pd.DataFrame,
    index: xr.DataArray | None,
    own: xr.Dataset,
    probe: str,
    windows: Mapping[str, Any],
    confidence: float,
    fit: Mapping[str, Any],
) -> list[tuple[str, xr.Dataset]]:
    """Fit the cells in coarser bins."""
    probes = [str(name) for name in near["probe"].to_numpy()]
    if probe not in probes:
        raise InputError(f"coarser bins are made of the data of {', '.join(probes)}, not of {probe!r}")
    settings = {**fit, "compare": False, "two_stages": False, "floor": given_floor(own, fit.get("floor", "auto"))}
    hours = float(near.attrs.get("time_bin_hours", 0.0))
    found = []
    with kept_workers():
        for change in COARSER:
            if hours * change.get("time_bins", 1) > _LONGEST_HOURS:
                continue
            coarse = coarser(near, **change).sel(L=own["L"].to_numpy())
            chosen = choose_windows(coarse, storms, index, **windows).isel(probe=[probes.index(probe)])
            fits = fit_decays(coarse.isel(probe=[probes.index(probe)]), storms, windows=chosen, index=index, **settings)
            longer, wider = f"time bins of {hours * change.get('time_bins', 1):.3g} h", f"L bins of {_width(coarse):.3g}"
            name = longer if "time_bins" in change else wider
            found.append((name, lifetimes(fits, probe=probe, confidence=confidence)))
    return found


def given_floor(decays: xr.Dataset, floor: Any) -> Any:
    """Give the setting of the floor for fits of the same channels in other bins: that which the run found, where one is to be found."""
    return channel_floor(decays) if isinstance(floor, str) and floor != "free" else floor


def _width(binned: xr.Dataset) -> float:
    """Width of the L bins, the widest where they differ."""
    return float(np.diff(binned["L_bounds"].to_numpy()).max(initial=0.0)) if "L_bounds" in binned.coords else np.nan


def _by(decays: xr.Dataset, estimator: str) -> xr.Dataset:
    """Put the rates of one estimator in the place of the run's own."""
    one = decays.sel(estimator=estimator)
    rates = {name: one[f"{name}_by_estimator"].drop_vars("estimator") for name in ("rate", "rate_se", "rate_low", "rate_high")}
    rate = rates["rate"].to_numpy()
    return decays.assign(rates | {"tau": rates["rate"].copy(data=np.where(rate > 0, inverse(rate), np.nan))})


def _together(found: list[tuple[str, str, xr.Dataset]]) -> xr.Dataset:
    kinds, names, means = zip(*found, strict=True)
    bounds = means[0].coords.get("L_bounds")
    parts = [mean.drop_vars("L_bounds", errors="ignore").assign_coords(energy=means[0]["energy"], L=means[0]["L"]) for mean in means]
    choice = pd.Index(list(names), name="choice")
    out: xr.Dataset = xr.concat(parts, dim=choice, combine_attrs="override", coords="minimal", data_vars="all", compat="override")
    out = out.assign_coords(kind=("choice", list(kinds), {"long_name": "what differs from the run's own"}))
    out["choice"].attrs = {"long_name": "what was chosen"}
    out = out if bounds is None else out.assign_coords(L_bounds=bounds)
    return out.assign_attrs(title="Decay times of a few cells, with one choice changed at a time")
