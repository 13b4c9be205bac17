"""Coordinates of an ephemeris at the times of records."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.errors import InputError

# Over how many steps of the ephemeris a value is interpolated; in a longer gap nothing is known.
_LONGEST_GAP = 3.0


def at_times(ephemeris: xr.Dataset, time: npt.ArrayLike, pitch_angle: float = 90.0) -> xr.Dataset:
    """Interpolate an ephemeris linearly to the times of records.

    Parameters
    ----------
    ephemeris : Dataset
        From `open_ephemeris`.
    time : array-like of datetime64, shape (n,)
        UTC, in any order.
    pitch_angle : float
        Local pitch angle, degrees, at which L*, I and K are taken; linear between those of the ephemeris and the same for 180 degrees
        less it.

    Returns
    -------
    Dataset
        The variables of the ephemeris over `time`. NaN outside of the ephemeris, between values more than three of its usual steps
        apart, between a value and a NaN, and outside of its pitch angles. `MLT` goes the short way round midnight. The attribute
        `pitch_angle` is that asked for.

    Raises
    ------
    InputError
        If the pitch angle is not between 0 and 180 degrees or the ephemeris has fewer than two times.
    """
    if not 0 <= pitch_angle <= 180:
        raise InputError(f"pitch_angle must be from 0 to 180 degrees, not {pitch_angle:g}")
    if "pitch_angle" in ephemeris.dims:
        ephemeris = ephemeris.interp(pitch_angle=min(pitch_angle, 180.0 - pitch_angle))
    known = ephemeris["time"].to_numpy().astype("datetime64[ns]")
    if known.size < 2:
        raise InputError("the ephemeris has fewer than two times; nothing can be interpolated")
    wanted = np.asarray(time, dtype="datetime64[ns]")
    steps = np.diff(known)
    after = np.clip(np.searchsorted(known, wanted, side="right"), 1, known.size - 1)
    step = steps[after - 1]
    weight = (wanted - known[after - 1]) / step
    with np.errstate(invalid="ignore"):
        between = (weight > 0) & (weight < 1) & (step <= _LONGEST_GAP * np.median(steps))
    weight = np.where(between | (weight == 0) | (weight == 1), weight, np.nan)
    result: dict[str, Any] = {}
    for name, variable in ephemeris.data_vars.items():
        before = variable.transpose("time", ...).to_numpy()
        change = before[after] - before[after - 1]
        if name == "MLT":
            change = np.mod(change + 12.0, 24.0) - 12.0
        factor = weight.reshape(-1, *[1] * (before.ndim - 1))
        values = np.where(factor == 0, before[after - 1], np.where(factor == 1, before[after], before[after - 1] + factor * change))
        dims = ("time", *(dim for dim in variable.dims if dim != "time"))
        result[str(name)] = (dims, np.mod(values, 24.0) if name == "MLT" else values, variable.attrs)
    # The pitch angle is no coordinate here, because a flux that these are given to has one of its own.
    return xr.Dataset(result, coords={"time": wanted}, attrs=ephemeris.attrs | {"pitch_angle": pitch_angle})
