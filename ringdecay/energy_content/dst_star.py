"""The part of the storm index that the ring current makes, and how fast it is expected to recover: O'Brien and McPherron (2000).

J. Geophys. Res. 105, 7707: found with hourly Dst and the solar wind of OMNI; SYM-H takes the place of Dst here.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ringdecay.decays.windows import check_index
from ringdecay.errors import InputError

Floats = NDArray[np.float64]

# nT/sqrt(nPa) and nT.
PRESSURE_FACTOR, QUIET_OFFSET = 7.26, 11.0
_NOT_CORRECTED = "none: no dynamic pressure of the solar wind is known, so the currents at the magnetopause are in it"


def pressure_corrected(index: xr.DataArray, Pdyn: xr.DataArray | None = None) -> xr.DataArray:
    """Take the effect of the solar wind's dynamic pressure, and the quiet level, out of Dst or SYM-H.

    Parameters
    ----------
    index : DataArray over time
        Dst or SYM-H, nT, from `open_index`.
    Pdyn : DataArray over time, optional
        Dynamic pressure, nPa, from `open_solar_wind`. A value holds from its time to the next, at most for its usual step.

    Returns
    -------
    DataArray over the times of `index`
        Dst - 7.26 sqrt(Pdyn) + 11, nT, named "Dst*" or "SYM-H*"; NaN where the pressure is not known. Without any pressure the index as it
        is, under its own name. The attribute `pressure_correction` says which.

    Raises
    ------
    InputError
        If `index` is no series in order of time, or not in nT.
    """
    check_index(index)
    unit = index.attrs.get("units", "nT")
    if unit != "nT":
        raise InputError(f"the index beside the energy is Dst or SYM-H in nT, but {index.name} is in {unit}")
    known = None if Pdyn is None else Pdyn.dropna("time")
    if Pdyn is None or known is None or not known.sizes["time"]:
        return index.assign_attrs(pressure_correction=_NOT_CORRECTED)
    time = Pdyn["time"].to_numpy().astype("datetime64[ns]")
    step = np.median(np.diff(time)) if time.size > 1 else np.timedelta64(3_600_000_000_000, "ns")
    if "centre" in str(Pdyn.attrs.get("time_label", "")):
        time = time - step // 2
    at = index["time"].to_numpy().astype("datetime64[ns]")
    last = np.searchsorted(time, at, "right") - 1
    fresh = (last >= 0) & (at - time[np.maximum(last, 0)] < step)
    pressure = np.where(fresh, Pdyn.to_numpy()[np.maximum(last, 0)], np.nan)
    # A pressure below zero is none.
    values = index.to_numpy() - PRESSURE_FACTOR * np.sqrt(np.where(pressure >= 0, pressure, np.nan)) + QUIET_OFFSET
    attrs = index.attrs | {
        "long_name": f"{index.name} without the effect of the solar wind's pressure",
        "pressure_correction": f"- {PRESSURE_FACTOR:g} sqrt(Pdyn) + {QUIET_OFFSET:g} nT (O'Brien and McPherron 2000)",
    }
    return xr.DataArray(values, coords={"time": index["time"]}, dims="time", name=f"{index.name}*", attrs=attrs)


def dst_recovery_rate(Ey: ArrayLike) -> Floats:
    """Rate at which Dst* recovers for an electric field of the solar wind, 1/tau with tau = 2.40 exp(9.74 / (4.69 + VBs)) hours.

    Parameters
    ----------
    Ey : array_like
        -V Bz, mV/m; VBs is its positive part, which a southward field makes.

    Returns
    -------
    ndarray of float64
        1/day: 1.25 (19 hours) without a southward field, and more with one.
    """
    southward = np.maximum(np.asarray(Ey, dtype=np.float64), 0.0)
    return np.asarray(24.0 / (2.40 * np.exp(9.74 / (4.69 + southward))))


def means_between(series: xr.DataArray, begin: NDArray[np.datetime64], end: NDArray[np.datetime64]) -> Floats:
    """Average a series over intervals; NaN where less than half of its values there are known, or it has none.

    Parameters
    ----------
    series : DataArray over time, in order of time
        Values at the begin of what they are the mean of.
    begin, end : ndarray of datetime64, shape (n,)
        Intervals, the end not included.
    """
    time, values = series["time"].to_numpy().astype("datetime64[ns]"), series.to_numpy().astype(np.float64)
    known = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    first, last = (np.searchsorted(time, edge.astype("datetime64[ns]")) for edge in (begin, end))
    n = count[last] - count[first]
    return np.where((n > 0) & (2 * n >= last - first), (total[last] - total[first]) / np.maximum(n, 1), np.nan)
