"""Windows that the flux chooses: where the daily flux of a cell falls after a storm, in the manner of Claudepierre et al. (2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.floor import instrument_floor
from ringdecay.decays.gls import Floats, Series, least_squares
from ringdecay.decays.log_flux import FLUX_SUMS, Bins, read_bins
from ringdecay.decays.result import flag_bits
from ringdecay.decays.windows import (
    DAY,
    check_storms,
    data_span,
    half_bin,
    in_time_order,
    index_windows,
    storm_coords,
    to_time,
    windows_of_cells,
)
from ringdecay.errors import InputError, unknown


def flux_windows(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    *,
    max_days: float = 30.0,
    max_gap_days: float = 3.0,
    average_days: float = 1.0,
    search_days: float = 3.0,
    rise: float = 0.5,
    min_days: float = 5.0,
    min_points: int = 5,
    min_fall: float = 0.5,
    r_max: float = -0.8,
    floor: xr.DataArray | Literal["auto"] | None = "auto",
    floor_factor: float = 5.0,
    min_samples: int = 2,
) -> xr.Dataset:
    """Find the interval after every storm in which the flux of a cell falls, each cell by itself, from its daily mean flux.

    After the published routine as far as it is known (Claudepierre et al. 2020, 10.1029/2019GL086053: automated, on daily averages,
    exponential decays in every bin of energy and L). Its thresholds could not be read; each is a setting here, with a reason of our own.

    The interval begins on the day of highest flux in the first `search_days` whole days after the storm's last minimum. It ends before
    the first of: the onset of the next storm; `max_days`; a gap (flag `data_gap`); the floor (`floor_reached`); a day that lies `rise`
    above the lowest so far (`new_injection`: the interval ends on that lowest day). It is refused (`not_accepted`, no window) if it is
    shorter than `min_days` or `min_points` days with data, falls by less than `min_fall`, or has a correlation above `r_max`.

    **Selection.** The flux chooses its own window and is judged by it: what is fitted begins on a high day and ends on a low one, and what
    did not fall steadily is left out. Rates from such windows are too high and their intervals too narrow, the more so the slower the
    decay; on flux that does not decay at all they claim decays. They are there for comparison with work that was done in this way.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux`, with or without the probes merged.
    storms : pandas.DataFrame
        Catalogue from `find_storms`; at most one interval for each storm and cell.
    max_days : float
        Longest interval.
    max_gap_days : float
        Longest stretch without a day of data.
    average_days : float
        Length of an average; one day, as published. Bins are counted to the day that holds their centre.
    search_days : float
        Where the begin is sought. Three days, so that particles above 100 keV, which can go on rising after the index has turned,
        have come.
    rise : float
        In ln flux, above the lowest day so far. Daily means scatter by some 0.2, the difference of two by 0.3.
    min_days, min_points : float, int
        Five daily points leave three degrees of freedom.
    min_fall : float
        In ln flux, first day to last. A fall smaller than `rise` cannot be told from what is passed over on the way.
    r_max : float
        Highest correlation of ln flux and time.
    floor : DataArray over energy, "auto" or None
        Flux floor of every channel; "auto" looks for it with `instrument_floor`, in windows that the index chooses.
    floor_factor : float
        The interval ends before the first day with less than this many times the floor.
    min_samples : int
        Fewest samples of a day.

    Returns
    -------
    xarray.Dataset
        `start`, `stop` (datetime64[ns], NaT where there is no interval) and `flag` over storm, probe, energy, L.

    Raises
    ------
    InputError
        If a setting does not make sense, or the data or the storms lack something.
    """
    positive = {"max_days": max_days, "max_gap_days": max_gap_days, "average_days": average_days, "search_days": search_days, "rise": rise}
    for name, value in positive.items():
        if not value > 0:
            raise InputError(f"{name} must be positive, not {value!r}")
    if min_points < 3 or min_days < 0 or min_fall < 0 or not -1 <= r_max <= 0:
        raise InputError(
            f"min_points must be at least 3, min_days and min_fall not negative and r_max between -1 and 0, "
            f"not {min_points}, {min_days}, {min_fall} and {r_max}"
        )
    onset, last_minimum = check_storms(storms)
    binned = in_time_order(binned)
    origin = data_span(binned)[0]
    limits = _daily_levels(binned, storms, floor, floor_factor, min_samples)
    daily, begin, end = _daily(binned, average_days)
    bins = read_bins(daily, min_samples)
    after = (last_minimum - origin) / DAY
    until = np.append((onset[1:] - origin) / DAY, np.inf)
    shape = (len(storms), *(binned.sizes[name] for name in ("probe", "energy", "L")))
    start, stop, flag = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.int32)
    for k in range(len(storms)):
        days = slice(np.searchsorted(begin, after[k]), np.searchsorted(end, min(until[k], after[k] + search_days + max_days), "right"))
        if days.stop <= days.start:
            continue
        rows = Bins(*(np.moveaxis(v[:, days], 1, -1) for v in (bins.log_flux, bins.flux, bins.days, bins.counts, bins.exposure)))
        one = _Days(rows.log_flux, rows.flux, rows.days, begin[days], end[days])
        first, last, ended = _interval(one, after[k] + search_days, limits[:, None], max_days, max_gap_days, rise)
        start[k], stop[k], refused = _judged(one, first, last, min_days, min_points, min_fall, r_max)
        flag[k] = np.where(refused, 0, ended) | flag_bits(not_accepted=refused)
    attrs = {"window": "flux", "max_days": max_days, "average_days": average_days, "search_days": search_days, "rise": rise}
    attrs |= {"min_days": min_days, "min_fall": min_fall, "window_min_points": min_points, "window_r_max": r_max}
    return windows_of_cells(to_time(start, origin), to_time(stop, origin), flag, binned, storm_coords(storms), attrs)


@dataclass(frozen=True)
class _Days:
    """Daily flux of every cell after one storm.

    Attributes
    ----------
    y, flux, t : ndarray, shape (probe, energy, L, day)
        Log flux, flux, and mean time of the samples (days).
    begin, end : ndarray, shape (day,)
        Edges of the days' bins (days).
    """

    y: Floats
    flux: Floats
    t: Floats
    begin: Floats
    end: Floats

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Days with a flux."""
        known: NDArray[np.bool_] = np.isfinite(self.y) & np.isfinite(self.t)
        return known

    @property
    def number(self) -> NDArray[np.int64]:
        """Numbers of the days, from 0."""
        return np.arange(len(self.begin))


def _daily_levels(
    binned: xr.Dataset, storms: pd.DataFrame, floor: xr.DataArray | str | None, floor_factor: float, min_samples: int
) -> Floats:
    """Flux of every channel below which an interval ends, NaN for none."""
    if floor is None:
        return np.full(binned.sizes["energy"], np.nan)
    if isinstance(floor, str):
        if floor != "auto":
            raise unknown("floor", floor, ["auto"])
        floor = instrument_floor(binned, index_windows(binned, storms), min_samples=min_samples)
    levels: Floats = floor_factor * floor.to_numpy().astype(float)
    return levels


def _daily(binned: xr.Dataset, average_days: float) -> tuple[xr.Dataset, Floats, Floats]:
    """Add the sums of the bins of each day; also the edges of the days, those of their bins, in days from the first bin's begin."""
    origin = data_span(binned)[0]
    half = half_bin(binned) / DAY
    centre = (binned["time"].to_numpy().astype("datetime64[ns]") - origin) / DAY
    number, first = np.unique(np.floor(centre / average_days).astype(np.int64), return_index=True)
    middle = np.asarray((number + 0.5) * average_days, dtype=np.float64)
    day = np.repeat(np.arange(len(number)), np.diff(np.append(first, len(centre))))
    for name in FLUX_SUMS:
        if name not in binned or "time" not in binned[name].dims:
            raise InputError(f"the binned data lack {name!r}; give the Dataset that bin_flux returns")
    sums = {name: binned[name].transpose("time", "probe", "energy", "L") for name in FLUX_SUMS}
    shift = xr.DataArray((centre - middle[day]) * 86_400, dims="time", coords={"time": binned["time"]})
    sums["sum_time"] = (sums["sum_time"] + sums["n_samples"] * shift).transpose("time", "probe", "energy", "L")
    added = {name: (("time", "probe", "energy", "L"), np.add.reduceat(values.to_numpy(), first, axis=0)) for name, values in sums.items()}
    coords = {"time": to_time(middle, origin)} | {name: binned[name].to_numpy() for name in ("probe", "energy", "L")}
    last = np.append(first[1:], len(centre)) - 1
    return xr.Dataset(added, coords=coords), centre[first] - half, centre[last] + half


def _interval(
    days: _Days, search_until: float, level: Floats, max_days: float, max_gap_days: float, rise: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """First and last day of the falling flux of every cell (last before first for none), and the flag of what ended it.

    Parameters
    ----------
    days : _Days
        After one storm.
    search_until : float
        Days; the first day ends not later.
    level : ndarray, shape (energy, 1)
        Flux that ends the interval; NaN for none.
    max_days, max_gap_days, rise : float
        As for `flux_windows`.
    """
    number, n = days.number, len(days.number)
    may_begin: NDArray[np.bool_] = days.valid & (days.end <= search_until)
    first = np.where(may_begin, days.y, -np.inf).argmax(-1)
    found = np.asarray(may_begin.any(-1))
    use = days.valid & (number >= first[..., None]) & found[..., None]
    use &= days.end <= (days.begin[first] + max_days)[..., None]
    y = np.where(use, days.y, np.inf)
    lowest = np.minimum.accumulate(y, -1)
    # The day of the lowest flux so far, and the last day with data before each.
    at_lowest = np.maximum.accumulate(np.where(use & (y <= lowest), number, -1), -1)
    latest = np.maximum.accumulate(np.where(use, number, -1), -1)
    before = np.concatenate([np.full((*first.shape, 1), -1), latest[..., :-1]], -1)
    later = use & (before >= 0)

    def earliest(condition: NDArray[np.bool_]) -> NDArray[np.int64]:
        where: NDArray[np.int64] = np.where(condition.any(-1), condition.argmax(-1), n)
        return where

    with np.errstate(invalid="ignore"):
        low = earliest(use & (days.flux < level[..., None]))
        risen = earliest(later & (np.where(use, days.y, -np.inf) > lowest + rise))
    gap = earliest(later & (days.begin - days.end[np.maximum(before, 0)] > max_gap_days))
    event = np.minimum(np.minimum(low, risen), gap)
    within = np.minimum(event, n) - 1
    take = np.maximum(within, 0)[..., None]
    last_before = np.take_along_axis(latest, take, -1)[..., 0]
    lowest_before = np.take_along_axis(at_lowest, take, -1)[..., 0]
    last = np.where(event == risen, lowest_before, last_before)
    last = np.where(event == n, last_before, last)
    last = np.where((within < 0) | ~found, -1, last)
    some = found & (event < n)
    ended = flag_bits(floor_reached=some & (event == low), new_injection=some & (event == risen), data_gap=some & (event == gap))
    return np.where(found, first, 0), last, ended


def _judged(
    days: _Days, first: NDArray[np.int64], last: NDArray[np.int64], min_days: float, min_points: int, min_fall: float, r_max: float
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Start and stop (days) of the intervals that are accepted, NaN for others; and which are refused."""
    use = days.valid & (days.number >= first[..., None]) & (days.number <= last[..., None])
    candidate = use.any(-1)
    n = use.sum(-1)
    flat = use.reshape(-1, use.shape[-1])
    width = np.full(len(flat), flat.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        y, t = (np.where(flat, values.reshape(flat.shape), 0.0) for values in (days.y, days.t))
        line = least_squares(Series(y, t, np.zeros_like(y), width), flat.astype(float))
    r = np.asarray(line.r).reshape(first.shape)
    ends = np.maximum(last, 0)
    fall = np.take_along_axis(days.y, first[..., None], -1)[..., 0] - np.take_along_axis(days.y, ends[..., None], -1)[..., 0]
    length = days.end[ends] - days.begin[first]
    with np.errstate(invalid="ignore"):
        good = candidate & (n >= min_points) & (length >= min_days) & (fall >= min_fall) & (r <= r_max)
    return np.where(good, days.begin[first], np.nan), np.where(good, days.end[ends], np.nan), candidate & ~good
