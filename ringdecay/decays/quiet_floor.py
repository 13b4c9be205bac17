"""The floor from quiet time: what a channel shows when the last storm was long ago.

Long after a storm a channel of fast decay measures its floor alone. What tells the floor from what is left of the signal: it does not
change in time, it fluctuates no more than its counts, and it is the same at every L-shell and after every storm. Only a level at which
several L-shells stand still after several storms, and below which none falls, is taken for a floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.floor import MIN_SHELLS
from ringdecay.decays.gls import Floats
from ringdecay.decays.log_flux import read_bins
from ringdecay.decays.windows import Times, check_storms, days, half_bin, in_time_order
from ringdecay.errors import InputError

# Shells of one level differ by at most so much, and change by at most so much from the first to the second half of the quiet time,
# besides two standard deviations of their counts.
SAME = 0.15
STILL = 0.10
# And they cover at least this much of L: neighbouring shells have nearly the same flux at the minimum of any profile.
MIN_SPAN = 0.5
# And they do after at least so many storms: a signal may fall to one level everywhere once.
MIN_STORMS = 2
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
    binned = in_time_order(binned)
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
    times = [_QuietTime.of(bins.counts[:, part], bins.exposure[:, part]) for part in parts if len(part) > 1]
    values = np.array([_floor([time.channel(e) for time in times], shells) for e in range(binned.sizes["energy"])])
    attrs = {
        "units": str(binned["sum_flux"].attrs.get("units", "")),
        "long_name": "flux level at which the channel stands still in quiet time (NaN: no floor seen)",
        "quiet_days": quiet_days,
    }
    return xr.DataArray(values, dims="energy", coords={"energy": binned["energy"]}, name="floor", attrs=attrs)


@dataclass(frozen=True)
class _QuietTime:
    """What bins of one quiet time say: arrays of shape (energy, L), or (L,) for one channel.

    Counts and exposure (counts per flux), the log ratio of the flux in the second half to that in the first with its error, and whether
    the bins scatter no more than their counts.
    """

    counts: Floats
    exposure: Floats
    change: Floats
    change_error: Floats
    calm: NDArray[np.bool_]

    @classmethod
    def of(cls, counts: Floats, exposure: Floats) -> _QuietTime:
        """Add up bins of shape (probe, time, energy, L)."""
        known = np.isfinite(counts) & np.isfinite(exposure) & (exposure > 0)
        n, x = np.where(known, counts, 0.0), np.where(known, exposure, 0.0)
        half = n.shape[1] // 2
        n_1, n_2, x_1, x_2 = (each.sum((0, 1)) for each in (n[:, :half], n[:, half:], x[:, :half], x[:, half:]))
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = x * ((n_1 + n_2) / (x_1 + x_2))
            chi_squared = np.where(expected > 0, (n - expected) ** 2 / expected, 0.0).sum((0, 1))
            freedom = np.maximum(known.sum((0, 1)) - 1, 1)
            change = np.log((n_2 / x_2) / (n_1 / x_1))
            change_error = np.sqrt(1 / n_1 + 1 / n_2)
        # Three standard deviations of chi-squared.
        calm = chi_squared <= freedom + 3 * np.sqrt(2 * freedom)
        return cls(n_1 + n_2, x_1 + x_2, change, change_error, calm)

    def channel(self, e: int) -> _QuietTime:
        """Pick one channel."""
        return _QuietTime(self.counts[e], self.exposure[e], self.change[e], self.change_error[e], self.calm[e])


def _floor(times: list[_QuietTime], shells: Floats) -> float:
    """Level of one channel, NaN if it has none."""
    if not times:
        return np.nan
    counts, exposure, change, change_error, calm = (
        np.stack([getattr(time, name) for time in times]) for name in ("counts", "exposure", "change", "change_error", "calm")
    )
    enough = (counts >= MIN_COUNTS) & np.isfinite(change)
    if not enough.any():
        return np.nan
    level = np.where(enough, counts / np.where(enough, exposure, 1.0), np.inf)
    error = 1 / np.sqrt(np.maximum(counts, 1.0))
    lowest = (level * (1 + 2 * error)).min()
    still = enough & calm & (np.abs(change) <= STILL + 2 * change_error)
    same = still & (level * (1 - 2 * error) <= lowest * (1 + SAME))
    members = shells[same.any(0)]
    if len(members) < MIN_SHELLS or np.ptp(members) < MIN_SPAN or same.any(1).sum() < MIN_STORMS:
        return np.nan
    return float(counts[same].sum() / exposure[same].sum())
