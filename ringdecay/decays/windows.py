"""When a fit begins and ends: chosen from the storm index alone, so that the flux does not choose its own window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.gls import Floats
from ringdecay.decays.result import FLAGS, flag_attrs
from ringdecay.errors import InputError

Times = NDArray[np.datetime64]
DAY = np.timedelta64(86_400_000_000_000, "ns")
# A main phase takes some hours; in a shorter gap of the index no storm can come and be seen nowhere.
_MAX_INDEX_GAP = np.timedelta64(12, "h")
# Days; a century and more would leave the range of datetime64[ns].
_LONGEST = 36_525
STORM_COLUMNS = ("storm", "onset", "minimum", "last_minimum", "depth", "storm_class")


def index_windows(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    index: xr.DataArray | None = None,
    *,
    start_delay_days: float = 1.0,
    max_days: float = 30.0,
) -> xr.Dataset:
    """Choose the window of every storm's recovery from the storm index alone.

    A window starts `start_delay_days` after the last minimum of the storm, and stops at the first of: the onset of the next storm,
    `max_days` after the start, the end of the data, the last value of the index before a gap of 12 hours (a storm could hide there).
    A storm that begins before another one's start leaves it an empty window (stop not after start).

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux`; only its span of time is used.
    storms : pandas.DataFrame
        Catalogue from `find_storms`, sorted by time.
    index : xarray.DataArray, optional
        Storm index from `open_index`. Without it the storm table is believed to be whole.
    start_delay_days, max_days : float
        Days.

    Returns
    -------
    xarray.Dataset
        `start` and `stop` (datetime64[ns]) over storm; the coordinates of the storms.

    Raises
    ------
    InputError
        If a column is missing, the storms are not in order of time, or the data hold no time bin.
    """
    onset, last = check_storms(storms)
    if not (max_days > 0 and np.isfinite(start_delay_days)):
        raise InputError(f"max_days must be positive and start_delay_days a number, not {max_days!r} and {start_delay_days!r}")
    start = last + days(start_delay_days)
    stop = np.minimum(start + days(max_days), data_span(binned)[1])
    stop[:-1] = np.minimum(stop[:-1], onset[1:])
    if index is not None and len(storms):
        stop = np.minimum(stop, index_known_until(index, last, _MAX_INDEX_GAP))
    attrs = {"window": "index", "start_delay_days": start_delay_days, "max_days": max_days}
    edges = {"start": ("storm", start.astype("datetime64[ns]")), "stop": ("storm", stop.astype("datetime64[ns]"))}
    return xr.Dataset(edges, coords=storm_coords(storms), attrs=attrs)


def check_storms(storms: pd.DataFrame) -> tuple[Times, Times]:
    """Give onset and last minimum of every storm, shape (storm,), of a table that can be used.

    Raises
    ------
    InputError
        If a column is missing, or the storms are not in order of time.
    """
    if not isinstance(storms, pd.DataFrame):
        raise InputError(f"the storms must be the table that find_storms returns, not a {type(storms).__name__}")
    missing = [name for name in STORM_COLUMNS if name not in storms.columns]
    if missing:
        raise InputError(f"the storm table lacks the column {missing[0]!r}; give the table that find_storms returns")
    onset = storms["onset"].to_numpy("datetime64[ns]")
    last = storms["last_minimum"].to_numpy("datetime64[ns]")
    if np.isnat(onset).any() or np.isnat(last).any() or (np.diff(onset) <= np.timedelta64(0, "ns")).any():
        raise InputError(
            "the storms must be in order of their onset, each with an onset and a last_minimum; sort the table and drop doubles"
        )
    if (last < onset).any():
        raise InputError(f"storm {storms['storm'].to_numpy()[np.argmax(last < onset)]} has its last_minimum before its onset")
    if not storms["storm"].is_unique:
        raise InputError("two storms have the same number; give each its own in the column storm")
    return onset, last


def data_span(binned: xr.Dataset) -> tuple[np.datetime64, np.datetime64]:
    """Begin of the first and end of the last time bin.

    Raises
    ------
    InputError
        If there is no time bin.
    """
    centre = binned["time"].to_numpy().astype("datetime64[ns]")
    if not len(centre):
        raise InputError("the binned data hold no time bin; widen the dates or see why their files were refused")
    half = half_bin(binned)
    return centre.min() - half, centre.max() + half


def in_time_order(binned: xr.Dataset) -> xr.Dataset:
    """Sort by time, without a copy of what is sorted already."""
    time = binned["time"].to_numpy()
    return binned if (time[1:] >= time[:-1]).all() else binned.sortby("time")


def half_bin(binned: xr.Dataset) -> np.timedelta64:
    """Half the width of a time bin."""
    return days(float(binned.attrs.get("time_bin_hours", 0.0)) / 48)


def windows_of_cells(
    start: Times, stop: Times, flag: NDArray[np.int32], binned: xr.Dataset, coords: Mapping[Any, Any], attrs: Mapping[Any, Any]
) -> xr.Dataset:
    """Make the Dataset of windows over storm, probe, energy, L; `coords` are those of the storms, `attrs` say how they were chosen."""
    dims = ("storm", "probe", "energy", "L")
    described = {"long_name": "what ended the window", **flag_attrs(FLAGS)}
    values = {"start": (dims, start), "stop": (dims, stop), "flag": (dims, flag, described)}
    return xr.Dataset(values, coords=dict(coords) | {name: binned[name] for name in dims[1:]}, attrs=dict(attrs))


def cell_windows(edge: xr.DataArray, binned: xr.Dataset) -> Times:
    """Spread the starts or stops of windows over every cell, shape (storm, probe, energy, L); NaT for a cell they lack."""
    return _over_cells(edge, binned, np.datetime64("NaT", "ns")).astype("datetime64[ns]")


def cell_flags(windows: xr.Dataset, binned: xr.Dataset) -> NDArray[np.int32]:
    """Spread the flags of windows over every cell, shape (storm, probe, energy, L); 0 where they have none."""
    flag = windows["flag"] if "flag" in windows else xr.zeros_like(windows["start"], dtype=np.int32)
    return _over_cells(flag, binned, 0).astype(np.int32)


def _over_cells(values: xr.DataArray, binned: xr.Dataset, lacking: Any) -> NDArray[Any]:
    named = [dim for dim in values.dims if dim != "storm"]
    values = values.reindex({dim: binned[dim] for dim in named}, fill_value=lacking)
    sizes = {dim: binned.sizes[dim] for dim in ("probe", "energy", "L")}
    full = values.expand_dims({dim: size for dim, size in sizes.items() if dim not in named}).transpose("storm", *sizes)
    return np.array(full.to_numpy())


def storm_coords(storms: pd.DataFrame) -> dict[str, Any]:
    """Coordinates of a result over storms."""
    return {
        "storm": ("storm", storms["storm"].to_numpy(), {"long_name": "number of the storm in the catalogue"}),
        "onset": ("storm", storms["onset"].to_numpy("datetime64[ns]"), {"long_name": "onset of the storm"}),
        "minimum": ("storm", storms["minimum"].to_numpy("datetime64[ns]"), {"long_name": "time of the lowest index"}),
        "depth": ("storm", storms["depth"].to_numpy(float), {"units": "nT", "long_name": "lowest index"}),
        "storm_class": ("storm", storms["storm_class"].to_numpy(str), {"long_name": "class of the storm by its depth"}),
    }


def check_index(index: xr.DataArray) -> None:
    """Raise InputError if a storm index is not a series in order of time."""
    if not isinstance(index, xr.DataArray) or index.dims != ("time",):
        found = index.dims if isinstance(index, xr.DataArray) else type(index).__name__
        raise InputError(f"the index must be a DataArray over time alone, not {found}; give what open_index returns")
    if (np.diff(index["time"].to_numpy().astype("datetime64[ns]")) < np.timedelta64(0, "ns")).any():
        raise InputError("the index is not in order of time; sort it with sortby('time')")


def check_windows(windows: xr.Dataset, storms: pd.DataFrame) -> None:
    """Raise InputError if windows are not those of the storms."""
    if not {"start", "stop"} <= set(windows) or any("storm" not in windows[name].dims for name in ("start", "stop")):
        raise InputError("the windows must have start and stop over storm; give what choose_windows returns")
    if not np.array_equal(windows["storm"].to_numpy(), storms["storm"].to_numpy()):
        raise InputError("the windows are of other storms than the table; choose them with the same table")


def index_known_until(index: xr.DataArray, after: Times, max_gap: np.timedelta64) -> Times:
    """Tell until when an index is known without a gap, from each of some times on.

    Where the index is not known a storm could hide, so no window may reach there.

    Parameters
    ----------
    index : DataArray
        From `open_index`; NaN is not known.
    after : ndarray of datetime64[ns], shape (storm,)
        Where to begin.
    max_gap : timedelta64
        Longest gap that is passed over.

    Returns
    -------
    ndarray of datetime64[ns], shape (storm,)
        The last known time before the first longer gap; `after` itself where the index is not known there.
    """
    known = index["time"].to_numpy()[np.isfinite(index.to_numpy())].astype("datetime64[ns]")
    if not known.size:
        return after.copy()
    ends = np.append(known[:-1][np.diff(known) > max_gap], known[-1])
    first = np.minimum(np.searchsorted(ends, after), len(ends) - 1)
    return np.where(ends[first] >= after, ends[first], after)


def days(number: float) -> np.timedelta64:
    """Make a time difference of a number of days, to the nanosecond; InputError if it is no number or beyond what a time can hold."""
    if not abs(number) <= _LONGEST:
        raise InputError(f"{number} days is no length of a window, a delay or a gap; at most {_LONGEST} are possible")
    return np.timedelta64(round(number * 86_400e9), "ns")


def to_time(t: Floats, origin: np.datetime64) -> Times:
    """Give days from an origin as datetime64[ns]; NaN as NaT."""
    out = np.full(t.shape, np.datetime64("NaT", "ns"))
    some = np.isfinite(t)
    out[some] = origin.astype("datetime64[ns]") + np.round(t[some] * 86_400e9).astype("timedelta64[ns]")
    return out


def first_below(values: Floats, valid: NDArray[np.bool_], threshold: Floats) -> NDArray[np.int64]:
    """Index of the first valid value below a threshold in each row, the row's length if there is none.

    Parameters
    ----------
    values, valid : ndarray, shape (series, point)
        In order of time.
    threshold : ndarray, shape (series,)
        NaN for none.
    """
    below = valid & (values < threshold[:, None])
    index: NDArray[np.int64] = np.where(below.any(1), below.argmax(1), values.shape[1])
    return index


def index_change(index: xr.DataArray, start: Times, stop: Times, hours: float = 3.0) -> Floats:
    """Change of the storm index over windows: its mean around `stop` minus its mean around `start`.

    Parameters
    ----------
    index : xarray.DataArray
        From `open_index`, nT.
    start, stop : ndarray of datetime64[ns]
        Any shape; NaT gives NaN.
    hours : float
        Half the width of the interval of each mean.

    Returns
    -------
    ndarray
        nT; NaN where the index has no value around either time.
    """
    check_index(index)
    times = index["time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    values = index.to_numpy().astype(float)
    good = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(good, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(good)])
    half = days(hours / 24).astype(np.int64)

    def mean(at: Times) -> Floats:
        ns = at.astype("datetime64[ns]").astype(np.int64)
        first, last = (
            np.searchsorted(times, np.where(np.isnat(at), 0, ns) - half),
            np.searchsorted(times, np.where(np.isnat(at), 0, ns) + half, "right"),
        )
        n = count[last] - count[first]
        out: Floats = np.where((n > 0) & ~np.isnat(at), (total[last] - total[first]) / np.maximum(n, 1), np.nan)
        return out

    return mean(stop) - mean(start)
