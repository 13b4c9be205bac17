"""The geomagnetic index that goes with the simulated storms, and the storms as a finder should find them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from scipy.signal import lfilter

from ringdecay.simulate.truth import QUIET_INDEX, Array, Times, Truth, at_days, elapsed_days
from ringdecay.storms import COLUMNS, classify

_NOISE_STD, _NOISE_HOURS, _WHITE_STD = 2.5, 6.0, 0.7  # nT, hours, nT
_END_LEVEL = -15.0  # nT, where a recovery of the index is taken to end (Walach and Grocott 2019)


def storm_profile(truth: Truth, time: Times) -> Array:
    """Compute what the storms add to the index, without noise, in nT.

    Each dip falls smoothly (a cubic step) from its onset to its minimum and recovers exponentially.
    """
    days = elapsed_days(truth, time)
    total = np.zeros(days.shape)
    for storm, onset, minimum, depth in zip(truth.dip_storm, truth.dip_onset, truth.dip_minimum, truth.dip_depth, strict=True):
        x = np.clip((days - onset) / (minimum - onset), 0.0, 1.0)
        since = np.maximum(days - minimum, 0.0) * 24.0 / truth.recovery_hours[storm]
        total += depth * x * x * (3.0 - 2.0 * x) * np.exp(-np.minimum(since, 50.0))
    return total


def index(truth: Truth) -> xr.DataArray:
    """Simulate SYM-H at 5 min, in whole months around the world's time.

    Quiet values are -5 nT with a slow fluctuation of 2.5 nT (6 h) and 0.7 nT of noise; values are whole nT as in the real index.
    Away from storms a few are missing.

    Returns
    -------
    xarray.DataArray
        "SYM-H" over `time` in nT, NaN where missing; in the layout of `ringdecay.open_index`.
    """
    span = at_days(truth, [0.0, truth.days]) - np.array([0, 1], dtype="timedelta64[ns]")
    first, last = span.astype("datetime64[M]")
    time = np.arange(first, last + 1, dtype="datetime64[5m]").astype("datetime64[ns]")
    random = np.random.default_rng([truth.seed, 4])
    step = np.exp(-5.0 / 60.0 / _NOISE_HOURS)
    noise = random.standard_normal(time.size)
    noise[1:] *= np.sqrt(1.0 - step**2)
    slow = _NOISE_STD * lfilter([1.0], [1.0, -step], noise)
    storms = storm_profile(truth, time)
    values = np.round(QUIET_INDEX + storms + slow + _WHITE_STD * random.standard_normal(time.size))
    # About two gaps of an hour a month, never where they would hide a storm.
    gaps = (random.random(time.size) < 2.0 / (30 * 288)).astype(np.float64)
    missing = (np.convolve(gaps, np.ones(12))[: time.size] > 0) & (storms > -1.0)
    values[missing] = np.nan
    return xr.DataArray(
        values,
        coords={"time": time},
        dims="time",
        name="SYM-H",
        attrs={
            "units": "nT",
            "long_name": "SIMULATED SYM-H",
            "source": "simulated",
            "vintage": "unknown",
            "cadence": "5 min",
            "simulated": "yes",
        },
    )


def hourly_mean(sym_h: xr.DataArray) -> xr.DataArray:
    """Average the index over the hour, to whole nT, as a stand-in for Dst; hours without a value are NaN."""
    hours = sym_h.to_numpy().reshape(-1, 12)
    n = np.isfinite(hours).sum(axis=1)
    mean = np.where(n > 0, np.round(np.nansum(hours, axis=1) / np.maximum(n, 1)), np.nan)
    attributes = sym_h.attrs | {"long_name": "SIMULATED Dst", "cadence": "1 h"}
    return xr.DataArray(mean, coords={"time": sym_h["time"].to_numpy()[::12]}, dims="time", name="Dst", attrs=attributes)


def storms(truth: Truth) -> pd.DataFrame:
    """List the storms of the world in the columns of `ringdecay.find_storms`.

    `recovery_end` is where the index without noise rises above -15 nT; the flux goes on decaying until the next onset.

    Returns
    -------
    pandas.DataFrame
        storm, onset, minimum, last_minimum, recovery_end (UTC), depth (nT), storm_class, n_dips, complete.
    """
    last_dip = np.array([np.flatnonzero(truth.dip_storm == k)[-1] for k in range(truth.minimum.size)], dtype=np.int64)
    # At its last minimum a storm of two dips has what is left of the first as well.
    left = np.where(
        truth.last_minimum > truth.minimum,
        (truth.depth - QUIET_INDEX) * np.exp(-(truth.last_minimum - truth.minimum) * 24.0 / truth.recovery_hours),
        0.0,
    )
    at_last = truth.dip_depth[last_dip] + left
    recovery_end = truth.last_minimum + truth.recovery_hours / 24.0 * np.log(at_last / (_END_LEVEL - QUIET_INDEX))
    table = pd.DataFrame(
        {
            "storm": np.arange(1, truth.minimum.size + 1),
            "onset": at_days(truth, truth.onset),
            "minimum": at_days(truth, truth.minimum),
            "last_minimum": at_days(truth, truth.last_minimum),
            "recovery_end": at_days(truth, recovery_end),
            "depth": truth.depth,
            "storm_class": [classify(depth) for depth in truth.depth],
            "n_dips": np.bincount(truth.dip_storm, minlength=truth.minimum.size),
            "complete": recovery_end <= truth.days,
        }
    ).astype(COLUMNS)
    table.attrs["simulated"] = "yes"
    return table
