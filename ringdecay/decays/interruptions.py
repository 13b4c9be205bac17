"""What ends a window before its time: a new injection, a gap of the data, a probe that comes or goes."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.result import flag_bits
from ringdecay.decays.windows import Times, cell_flags, cell_windows, days, half_bin, in_time_order, windows_of_cells
from ringdecay.errors import InputError

# The main phase of a storm takes hours to a day; a slower fall of the index is not an injection.
FALL_HOURS = 24
_NS = np.timedelta64(1, "ns")
_NEVER = np.iinfo(np.int64).max
_MERGED = "merged"


def interrupted(
    windows: xr.Dataset,
    binned: xr.Dataset,
    index: xr.DataArray | None = None,
    *,
    max_gap_days: float = 3.0,
    injection_dip: float | None = 40.0,
    min_samples: int = 2,
) -> xr.Dataset:
    """End windows where something comes between, for every cell by itself, and say so.

    Three rules, in this order; what was measured before an interruption stays, and the fit says if too few bins are left.

    1. `new_injection`: the index falls by `injection_dip` within 24 hours (`first_injection`). The window ends where the fall begins.
    2. `data_gap`: the cell has no bin of `min_samples` for more than `max_gap_days`. The window ends with the last bin before it. If
       the silence stands at the begin, the window stays, and the flag says that the fit begins late.
    3. `probe_handover`, for the probe "merged" only: an offset between instruments would look like a decay or hide one. A probe is
       present in a cell from the first to the last of its bins between which it is not silent for more than `max_gap_days`, if they
       span more than that. The window ends where a probe that is present at its begin ceases to be, or another comes, more than
       `max_gap_days` from the merged series' own ends.

    Parameters
    ----------
    windows : xarray.Dataset
        `start` and `stop` over storm and, if they differ, probe, energy and L; their `flag` is kept.
    binned : xarray.Dataset
        From `with_merged_probe`; with merged data alone a hand-over cannot be known, and the attribute `handover` says so.
    index : xarray.DataArray, optional
        Storm index from `open_index`; without it no injection is seen.
    max_gap_days : float
        Bins missing at random, as many as 30 %, make such a gap in less than one window of a hundred (bins of an orbit).
    injection_dip : float or None
        nT; None looks for no injection.
    min_samples : int
        A bin of fewer samples is as good as none.

    Returns
    -------
    xarray.Dataset
        `start`, `stop` (datetime64[ns]) and `flag` over storm, probe, energy, L.

    Raises
    ------
    InputError
        If a length or a dip is not positive.
    """
    if not max_gap_days > 0:
        raise InputError(f"max_gap_days must be positive, not {max_gap_days!r}")
    if injection_dip is not None and not injection_dip > 0:
        raise InputError(f"injection_dip must be a positive number of nT or None, not {injection_dip!r}")
    binned = in_time_order(binned)
    start, stop = (cell_windows(windows[name], binned) for name in ("start", "stop"))
    flag = cell_flags(windows, binned)
    fall: Times = np.full(stop.shape, np.datetime64("NaT", "ns"))
    if index is not None and injection_dip is not None:
        fall = first_injection(index, start, stop, injection_dip)
        stop = np.where(np.isnat(fall), stop, fall)
    probes = [str(probe) for probe in binned["probe"].to_numpy()]
    has = (binned["n_samples"].transpose("time", "probe", "energy", "L") >= max(min_samples, 1)).to_numpy()
    centre, half, gap = (
        binned["time"].to_numpy().astype("datetime64[ns]").astype(np.int64),
        half_bin(binned) // _NS,
        days(max_gap_days) // _NS,
    )
    begin, end = centre - half, centre + half
    seen = len(probes) > 1 and _MERGED in probes
    for k in range(len(start)):
        known = ~(np.isnat(start[k]) | np.isnat(stop[k]))
        if not known.any():
            continue
        first, last = (np.where(known, edge[k].astype("datetime64[ns]").astype(np.int64), 0) for edge in (start, stop))
        rows = slice(np.searchsorted(begin, first[known].min()), max(int(np.searchsorted(end, last[known].max(), "right")), 0))
        part = has[rows] & known
        last, silent = _up_to_gap(part, begin[rows], end[rows], first, last, gap)
        handed = np.zeros_like(silent)
        if seen:
            one = probes.index(_MERGED)
            others = [i for i in range(len(probes)) if i != one]
            last[one], handed[one] = _up_to_handover(part[:, one], part[:, others], begin[rows], end[rows], first[one], last[one], gap)
        stop[k] = np.where(known, last.astype("datetime64[ns]"), stop[k])
        # What lies beyond an earlier end did not end the window; NaT equals nothing.
        flag[k] |= flag_bits(new_injection=stop[k] == fall[k], data_gap=silent, probe_handover=handed)
    coords = {name: values for name, values in windows.coords.items() if values.dims == ("storm",)}
    attrs = windows.attrs | {
        "max_gap_days": max_gap_days,
        "injection_dip": "not looked for" if index is None or injection_dip is None else injection_dip,
        "handover": "looked for" if seen else "not known: needs the probes by themselves beside their sum",
    }
    return windows_of_cells(start, stop.astype("datetime64[ns]"), flag, binned, coords, attrs)


def first_injection(index: xr.DataArray, start: Times, stop: Times, dip: float) -> Times:
    """Find where the first injection begins in each of some windows, from the index alone.

    Hourly means of the index, those above zero taken as zero: a positive index is the current of a compressed magnetopause, and its
    end no injection. The first hour that lies `dip` below the highest of the 24 hours before it, all in the window, tells of one; it
    begins at the last hour at that highest value.

    Parameters
    ----------
    index : xarray.DataArray
        From `open_index`, nT; NaN is passed over.
    start, stop : ndarray of datetime64
        Windows of any shape; NaT for none.
    dip : float
        nT, positive.

    Returns
    -------
    ndarray of datetime64[ns]
        Of the windows' shape; NaT where there is no such fall.
    """
    if index.dims != ("time",):
        raise InputError(f"the index must have the dimension time alone, not {index.dims}; give what open_index returns")
    good = np.isfinite(index.to_numpy())
    out = np.full(start.shape, np.datetime64("NaT", "ns"))
    if not good.any() or not start.size:
        return out
    hour = index["time"].to_numpy()[good].astype("datetime64[h]").astype(np.int64)
    first = int(hour.min())
    count = np.bincount(hour - first)
    total = np.bincount(hour - first, weights=index.to_numpy()[good])
    level = np.where(count > 0, np.minimum(total / np.maximum(count, 1), 0.0), np.nan)
    edges = np.stack([start.astype("datetime64[ns]").ravel(), stop.astype("datetime64[ns]").ravel()]).astype(np.int64)
    pairs, own = np.unique(edges, axis=1, return_inverse=True)
    begins = np.full(pairs.shape[1], np.datetime64("NaT", "ns"))
    ns = 3_600_000_000_000
    for k, (a, b) in enumerate(pairs.T):
        if np.isnat(np.array([a, b]).astype("datetime64[ns]")).any() or b <= a:
            continue
        low, high = max(-(-int(a) // ns) - first, 0), int(b) // ns - first
        window = level[low : max(high, low)]
        if not len(window):
            continue
        before = np.concatenate([np.full(FALL_HOURS, -np.inf), np.where(np.isfinite(window), window, -np.inf)])
        past = np.lib.stride_tricks.sliding_window_view(before, FALL_HOURS + 1)
        fallen = np.flatnonzero(past.max(1) - np.where(np.isfinite(window), window, np.inf) >= dip)
        if fallen.size:
            at = int(fallen[0])
            begins[k] = np.datetime64((first + low + at - int(np.argmax(past[at][::-1]))) * ns, "ns")
    return begins[own.ravel()].reshape(start.shape)


def _up_to_gap(
    has: NDArray[np.bool_],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    gap: np.int64,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Stop of each cell's window before its first gap, and whether it has one.

    Parameters
    ----------
    has : ndarray of bool, shape (point, ...)
        Whether a cell has a bin.
    begin, end : ndarray, shape (point,)
        Edges of the bins, nanoseconds.
    start, stop : ndarray
        Windows of the cells.
    gap : int
        Longest silence that is passed over.
    """
    if not len(has):
        return stop, np.zeros(stop.shape, dtype=bool)
    own, previous = _own_and_previous(has, begin, end, start, stop)
    silence = _along(begin, own) - previous
    first = own & (np.cumsum(own, 0) == 1)
    any_bin = own.any(0)
    broken = own & ~first & (silence > gap)
    broke = broken.any(0)
    at = broken.argmax(0)
    last_end = np.where(own, _along(end, own), start).max(0)
    last_end = np.where(any_bin, last_end, stop)
    trailing = ~broke & any_bin & (stop - last_end > gap)
    before = np.take_along_axis(previous, at[None], 0)[0]
    late = (first & (silence > gap)).any(0)
    return np.where(broke, before, np.where(trailing, last_end, stop)), broke | trailing | late


def _up_to_handover(
    merged: NDArray[np.bool_],
    probes: NDArray[np.bool_],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    gap: np.int64,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Stop of each cell's merged window before the first coming or going of a probe, and whether there is one.

    Parameters
    ----------
    merged : ndarray of bool, shape (point, energy, L)
        Whether the merged cell has a bin.
    probes : ndarray of bool, shape (point, probe, energy, L)
        The same of each probe by itself.
    begin, end, start, stop, gap
        As for `_up_to_gap`.
    """
    if not len(merged):
        return stop, np.zeros(stop.shape, dtype=bool)
    whole = merged & (_along(begin, merged) >= start) & (_along(end, merged) <= stop)
    ends = _along(end, merged)
    first = np.where(whole, _along(begin, merged), _NEVER).min(0)
    last = np.where(whole, ends, start).max(0)
    first = np.minimum(first, last)
    shape = probes.shape[1:]
    own, previous = _own_and_previous(probes, begin, end, np.broadcast_to(start, shape), np.broadcast_to(stop, shape))
    begins = own & ((np.cumsum(own, 0) == 1) | (_along(begin, own) - previous > gap))
    run_begin = np.maximum.accumulate(np.where(begins, _along(begin, own), np.iinfo(np.int64).min), 0)
    # The last bin of a run is the one before the next run's first; seen from the end of time backwards.
    run = np.cumsum(begins, 0)
    point = np.arange(len(own)).reshape(-1, *([1] * (own.ndim - 1)))
    latest = np.full((int(run.max(initial=0)) + 1, *shape), -1)
    for k in range(len(latest)):
        latest[k] = np.where(own & (run == k), point, -1).max(0)
    run_end = end[np.take_along_axis(latest, run, 0)]
    present = own & (run_end - run_begin > gap)
    comes = np.where(present & (run_begin - first > gap), run_begin, _NEVER)
    goes = np.where(present & (last - run_end > gap), run_end, _NEVER)
    event = np.minimum(comes, goes).min((0, 1))
    return np.minimum(stop, event), event < stop


def _own_and_previous(
    has: NDArray[np.bool_], begin: NDArray[np.int64], end: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which bins lie in the window, and the end of the bin before each (the window's start for the first)."""
    own = has & (_along(begin, has) >= start) & (_along(end, has) <= stop)
    reached = np.maximum.accumulate(np.where(own, _along(end, own), start), 0)
    return own, np.concatenate([np.broadcast_to(start, (1, *own.shape[1:])), reached[:-1]])


def _along(values: NDArray[np.int64], like: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Shape values of the points so that they broadcast over the cells."""
    return values.reshape(-1, *([1] * (like.ndim - 1)))
