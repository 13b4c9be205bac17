"""The floor from quiet time: what a channel shows when the last storm was long ago.

Long after a storm a channel of fast decay measures its floor alone. What tells the floor from what is left of the signal: it does not
change in time, and it is the same at every L-shell. Only a level at which several L-shells stand still, and below which none falls, is
taken for a floor; a quiet flux that still decays, or differs from shell to shell, is not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.decays.floor import MIN_SHELLS
from ringdecay.decays.log_flux import read_bins
from ringdecay.decays.windows import Times, check_storms, days, half_bin
from ringdecay.errors import InputError

# Shells of one level differ by at most so much, and change by at most so much from the first to the second half of the quiet time,
# besides two standard deviations of their counts.
SAME = 0.15
STILL = 0.10
# And they cover at least this much of L: neighbouring shells have nearly the same flux at the minimum of any profile.
MIN_SPAN = 0.5
# Fewest counts of a shell's quiet time.
MIN_COUNTS = 50


def quiet_floor(binned: xr.Dataset, storms: pd.DataFrame, *, quiet_days: float = 10.0, min_samples: int = 2) -> xr.DataArray:
    """Find the flux floor of every energy channel from times without a storm.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux` or `merge_probes`. If it has a probe "merged", only that is used.
    storms : pandas.DataFrame
        Catalogue from `find_storms`.
    quiet_days : float
        Quiet time begins so long after the last minimum of a storm, and ends at the onset of the next. A signal that decays with a time of
        1.5 days falls by a factor of 800 in 10 days; slower channels show their floor only after longer.
    min_samples : int
        Bins of fewer samples are left out.

    Returns
    -------
    xarray.DataArray
        `floor` over energy, in the unit of the flux; NaN where the channel does not stand still at one level.

    Raises
    ------
    InputError
        If the storms lack a column, or `quiet_days` is not positive.
    """
    if not quiet_days > 0:
        raise InputError(f"quiet_days must be positive, not {quiet_days!r}: soon after a storm the flux is signal")
    onset, last = check_storms(storms)
    binned = binned.sortby("time")
    if "merged" in binned["probe"].to_numpy():
        binned = binned.sel(probe=["merged"])
    bins = read_bins(binned, min_samples)
    centre: Times = binned["time"].to_numpy().astype("datetime64[ns]")
    half = half_bin(binned)
    shells = binned["L"].to_numpy()
    # Number of the storm before each bin, or -1 where the bin is not wholly in quiet time.
    before = np.searchsorted(onset, centre + half, side="left") - 1
    quiet = (before >= 0) & (before == np.searchsorted(onset, centre - half, side="right") - 1)
    if len(onset):
        begin: Times = (last + days(quiet_days)).astype("datetime64[ns]")
        quiet &= centre - half >= begin[np.maximum(before, 0)]
    parts = [np.flatnonzero(quiet & (before == k)) for k in range(len(onset))]
    first, second = (
        np.stack([_sums(bins.counts[:, p], bins.exposure[:, p]) for p in (np.array_split(part, 2)[k] for part in parts)])
        if parts
        else np.zeros((0, 2, binned.sizes["energy"], len(shells)))
        for k in range(2)
    )
    values = np.array([_floor(first[:, :, e], second[:, :, e], shells) for e in range(binned.sizes["energy"])])
    attrs = {
        "units": str(binned["sum_flux"].attrs.get("units", "")),
        "long_name": "flux level at which the channel stands still in quiet time (NaN: no floor seen)",
        "quiet_days": quiet_days,
    }
    return xr.DataArray(values, dims="energy", coords={"energy": binned["energy"]}, name="floor", attrs=attrs)


def _sums(counts: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Add up counts and exposure of quiet bins over probe and time, shape (2, energy, L)."""
    known = np.isfinite(counts) & np.isfinite(exposure)
    return np.stack([np.where(known, values, 0.0).sum((0, 1)) for values in (counts, exposure)])


def _floor(first: np.ndarray, second: np.ndarray, shells: np.ndarray) -> float:
    """Level of one channel from the sums (storm, 2, L) of the first and second half of its quiet times."""
    both = first + second
    enough = (both[:, 0] >= MIN_COUNTS) & (first[:, 0] > 0) & (second[:, 0] > 0) & (first[:, 1] > 0) & (second[:, 1] > 0)
    if not enough.any():
        return np.nan
    level, error, early, late = np.full((4, *enough.shape), np.nan)
    level[enough] = both[:, 0][enough] / both[:, 1][enough]
    error[enough] = 1 / np.sqrt(both[:, 0][enough])
    early[enough], late[enough] = (half[:, 0][enough] / half[:, 1][enough] for half in (first, second))
    spread = np.zeros_like(error)
    spread[enough] = np.sqrt(1 / first[:, 0][enough] + 1 / second[:, 0][enough])
    lowest = np.nanmin(level * (1 + 2 * error))
    still = enough & (np.abs(np.log(np.where(enough, late / early, 1.0))) <= STILL + 2 * spread)
    same = still & (level * (1 - 2 * error) <= lowest * (1 + SAME))
    members = shells[same.any(0)]
    if len(members) < MIN_SHELLS or np.ptp(members) < MIN_SPAN:
        return np.nan
    return float(both[:, 0][same].sum() / both[:, 1][same].sum())
