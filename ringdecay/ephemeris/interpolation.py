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
    longest = _LONGEST_GAP * np.median(np.diff(known)) / np.timedelta64(1, "s")
    result: dict[str, Any] = {}
    for name, variable in ephemeris.data_vars.items():
        values = interpolate(known, variable.transpose("time", ...).to_numpy(), wanted, longest, 24.0 if name == "MLT" else None)
        result[str(name)] = (("time", *(dim for dim in variable.dims if dim != "time")), values, variable.attrs)
    # The pitch angle is no coordinate here, because a flux that these are given to has one of its own.
    return xr.Dataset(result, coords={"time": wanted}, attrs=ephemeris.attrs | {"pitch_angle": pitch_angle})


def interpolate(
    known: npt.NDArray[np.datetime64],
    values: npt.NDArray[np.float64],
    wanted: npt.NDArray[np.datetime64],
    longest_gap: float,
    period: float | None = None,
) -> npt.NDArray[np.float64]:
    """Interpolate linearly in time.

    Parameters
    ----------
    known : ndarray of datetime64, shape (n,)
        Strictly increasing.
    values : ndarray, shape (n, ...)
        NaN where missing.
    wanted : ndarray of datetime64, shape (m,)
        In any order; NaT is allowed.
    longest_gap : float
        Seconds; between two times further apart nothing is interpolated.
    period : float, optional
        Of values that go round, such as 24 for hours: the shorter way is taken.

    Returns
    -------
    ndarray, shape (m, ...)
        NaN in a gap, between a value and a NaN, and before and behind all values. At a time of `known` its value stands alone.
    """
    result = np.full((wanted.size, *values.shape[1:]), np.nan)
    inside = (wanted >= known[0]) & (wanted <= known[-1]) if known.size else np.zeros(wanted.size, dtype=bool)
    at = wanted[inside].astype("datetime64[ns]").astype(np.int64)
    times = known.astype("datetime64[ns]").astype(np.int64)
    left = np.searchsorted(times, at, side="right") - 1
    right = np.where(times[left] == at, left, left + 1) if at.size else left
    width = times[right] - times[left]
    share = ((at - times[left]) / np.maximum(width, 1)).reshape(-1, *[1] * (values.ndim - 1))
    step = values[right] - values[left]
    if period is not None:
        step = (step + period / 2) % period - period / 2
    between = values[left] + share * step
    between[width > longest_gap * 1e9] = np.nan
    result[inside] = between if period is None else between % period
    return result
