"""A decay rate for every storm, probe, energy and L-shell."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.decays.cells import Cut, cut
from ringdecay.decays.estimators import estimator_named, names_compared
from ringdecay.decays.floor import highest_floor, instrument_floor, known_floor
from ringdecay.decays.gls import Floats
from ringdecay.decays.joint import JOINT, probe_pair, with_joint
from ringdecay.decays.log_flux import bins_of_window, check_sums, read_bins, rows_in_window
from ringdecay.decays.quiet_floor import quiet_floor
from ringdecay.decays.result import COMPARISON, VARIABLES, as_dataset, flag_bits
from ringdecay.decays.run import How, fit_run
from ringdecay.decays.shape import floor_fitting
from ringdecay.decays.sharing import kept_workers
from ringdecay.decays.window_choice import choose_windows
from ringdecay.decays.windows import (
    Times,
    cell_flags,
    cell_windows,
    check_index,
    check_storms,
    check_windows,
    data_span,
    half_bin,
    in_time_order,
    index_change,
    storm_coords,
    to_time,
)
from ringdecay.errors import InputError, unknown
from ringdecay.products import ion_name

logger = logging.getLogger(__name__)

Mode = Literal["calibrated", "paper"]
MODES: tuple[Mode, ...] = get_args(Mode)
# Settings of the floor, and what a result says of them.
FLOOR_FROM = {
    "none": "none",
    "auto": "bend of the recoveries, or of a long one",
    "quiet": "quiet time, or the bend of a long recovery",
    "free": "bend of each recovery",
    "given": "given",
}
# What a result keeps of what the data say of themselves.
KEPT_ATTRIBUTES = ("product", "ion", "flux", "L_definition", "L_method", "max_MLAT", "time_bin_hours", "excluded", "simulated")
# What windows say of themselves.
WINDOW_ATTRIBUTES = (
    "window", "start_delay_days", "max_days", "max_gap_days", "injection_dip", "handover",
    "average_days", "search_days", "rise", "min_days", "min_fall", "window_min_points", "window_r_max",
)  # fmt: skip
# What is kept of all of it where fits are summed up.
SAID_ATTRIBUTES = (*KEPT_ATTRIBUTES, "mode", "estimator", "floor_from", *WINDOW_ATTRIBUTES)


def fit_decays(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    mode: Mode = "calibrated",
    *,
    estimator: str = "gls",
    compare: bool | Sequence[str] = False,
    windows: xr.Dataset | None = None,
    index: xr.DataArray | None = None,
    min_points: int = 5,
    min_samples: int = 2,
    min_counts: float = 5.0,
    floor: xr.DataArray | Literal["auto", "quiet", "free"] | None = "auto",
    floor_factor: float = 5.0,
    two_stages: bool = True,
    quantity: str = "log_mean_flux",
    confidence: float = 0.95,
    r_max: float = -0.8,
    joint: bool = False,
) -> xr.Dataset:
    """Fit the decay of the flux in the recovery of every storm, for every probe, energy and L-shell.

    Parameters
    ----------
    binned : xarray.Dataset
        Sums over (probe, time, L, energy) from `bin_flux`; after `merge_probes`, one fit for both probes (the way to lifetimes).
    storms : pandas.DataFrame
        Catalogue from `find_storms`.
    mode : {"calibrated", "paper"}
        "calibrated": generalised least squares with an Ornstein-Uhlenbeck error and counting noise, the error's parameters pooled over
        the run and integrated out. "paper": ordinary least squares with its own standard error, and a threshold on the correlation.
    estimator : str
        Which of `ringdecay.decays.ESTIMATORS` gives the rate and its errors in calibrated mode: "gls", "ols",
        "weighted", "theil_sen", "poisson", "negative_binomial" or "exponential_floor". Only the errors of the first and the last know that
        neighbouring bins fluctuate together. Paper mode is always "ols".
    compare : bool or sequence of str
        True for the rates of all estimators side by side, or the names of some.
    windows : xarray.Dataset, optional
        When each fit begins and ends, over storm and, if they differ, probe, energy and L; from `choose_windows` with its defaults if not
        given. Their `flag`, if they have one, goes into the result's.
    index : xarray.DataArray, optional
        Storm index from `open_index`, for `index_change`, and for the windows if they are not given.
    min_points : int
        Fewest time bins of a fit. With the error's parameters pooled, intervals of 3 to 7 points were measured to be right; a larger
        number loses the fast decays, which reach their floor within few bins, and biases the mean over storms.
    min_samples : int
        Fewest samples of a bin.
    min_counts : float
        Bins where a line through the series predicts fewer counts are left out in calibrated mode: the log of a smaller Poisson number
        is far from normal.
    floor : DataArray over energy, "auto", "quiet", "free" or None
        Flux floor of every channel. "auto" looks for it with `instrument_floor`, "quiet" with `quiet_floor`. In channels where these see
        none, a fit for which a floor could matter is given a floor of its own if its window is long enough (flag `floor_fitted`). "free"
        gives every fit its own, None gives none. Where a floor is not known and could matter, the flag is `floor_not_separable`.
    floor_factor : float
        A window ends where the flux, as predicted by an exponential above the floor, falls below this many times a known floor.
    two_stages : bool
        Whether a fast and a slow stage are fitted too; `rate` is that of one exponential in any case.
    quantity : {"log_mean_flux", "mean_log_flux"}
        What is fitted; the second leaves zeros out and is there for comparison.
    confidence : float
        Of the intervals (two-sided) and the limits (one-sided).
    r_max : float
        Paper mode accepts a fit whose correlation of log flux and time is at most this. The threshold of the published recipes could not
        be read; -0.8 is our choice.
    joint : bool
        Whether to fit the two probes of the data jointly too, with one rate and an offset between them; the result then has one more
        probe, "joint". It is always generalised least squares with straight lines, whatever `estimator` and `floor` say of floors of the
        fits' own; in paper mode ordinary least squares with two levels, whose offset is not given.

    Returns
    -------
    xarray.Dataset
        Dims storm, probe, energy, L; a variable for each name in `ringdecay.decays.VARIABLES`. Every cell has a result: `flag` says what
        is special about it, and a fit without decay is kept. With `compare` also rate_by_estimator, rate_se_by_estimator,
        rate_low_by_estimator and rate_high_by_estimator, with the dimension estimator before the others.

    Raises
    ------
    InputError
        If an argument does not make sense, or the data or the storms lack something.

    Notes
    -----
    Channels and storms are worked on with `dask.delayed` on the scheduler that is set (``dask.config.set(scheduler="processes")``), and one
    after the other if none is. The result is the same to the last bit on all of them.
    """
    check_settings(mode, min_points, r_max, floor_factor, min_counts)
    estimator_named(estimator)
    names, calibrated = names_compared(compare), mode == "calibrated"
    pair = probe_pair(binned) if joint else None
    check_sums(binned, quantity)
    binned = in_time_order(binned)
    windows = choose_windows(binned, storms, index) if windows is None else windows
    check_storms(storms)
    check_windows(windows, storms)
    if index is not None:
        check_index(index)
    centre = binned["time"].to_numpy().astype("datetime64[ns]")
    start, stop = (cell_windows(windows[name], binned) for name in ("start", "stop"))
    empty = ~(stop > start) | (stop <= data_span(binned)[0])

    cells = (binned.sizes["probe"], binned.sizes["energy"], binned.sizes["L"])
    with kept_workers():
        floors = _floors(binned, storms, windows, floor, min_samples)
        levels = np.broadcast_to(floors[None, :, None], cells).ravel()
        fewest = min_counts if calibrated else 0.0
        reading = {"min_samples": min_samples, "quantity": quantity, "half_count": calibrated}
        cuts = [_cut_storm(binned, centre, start[k], stop[k], levels, floor_factor, fewest, **reading) for k in range(len(start))]
        used = estimator if calibrated else "ols"
        highest = [_highest(binned.isel(energy=[e]), min_samples) for e in range(binned.sizes["energy"])]
        how = How(
            calibrated=calibrated,
            estimator=used,
            compared=names,
            min_points=min_points,
            confidence=confidence,
            r_max=r_max,
            highest_floor=np.broadcast_to(np.array(highest)[None, :, None], cells).ravel(),
            fit_floor=floor_fitting(floor_name(floor), used),
            stages=two_stages,
            bin_days=float(binned.attrs.get("time_bin_hours", 0.0)) / 24,
        )
        found = fit_run(cuts, how, pair, cells[0])

    shape = (len(start), *cells)
    rows = found.own
    values = {name: np.stack([row[name] for row in rows]).reshape(shape) for name in rows[0]} if rows else _no_values(shape)
    values["flag"] |= flag_bits(no_window=empty) | cell_flags(windows, binned)
    probes = [str(name) for name in binned["probe"].to_numpy()]
    if pair is not None:
        values = with_joint(values, found.joint, pair)
        probes = [*probes, JOINT]
    for name, days in (("start", "t_first"), ("stop", "t_last"), ("break_time", "break_time")):
        values[name] = to_time(values[days], centre[0])
    values["index_change"] = (
        np.full(values["rate"].shape, np.nan) if index is None else index_change(index, values["start"], values["stop"])
    )

    if names:
        values |= _side_by_side(found.beside, len(names), shape, joint=pair is not None)

    attrs = _said_of_data(binned)
    attrs |= {"mode": mode, "estimator": used, "min_points": min_points} | windows.attrs
    attrs |= {"floor_from": FLOOR_FROM[floor_name(floor)]}
    attrs |= {"min_samples": min_samples, "floor_factor": floor_factor, "quantity": quantity, "confidence": confidence}
    attrs |= {"min_counts": min_counts} if calibrated else {"r_max": r_max}
    for prefix, pool in (("pool", found.pool), ("joint_pool", found.joint_pool)):
        attrs |= {} if pool is None else {f"{prefix}_{name}": value for name, value in asdict(pool).items()}
    coords: dict[str, Any] = storm_coords(storms) | {name: binned[name] for name in ("energy", "L")}
    coords["probe"] = ("probe", np.array(probes, dtype=object), binned["probe"].attrs)
    if names:
        coords["estimator"] = ("estimator", list(names), {"long_name": "how the rate is estimated"})
    if "L_bounds" in binned.coords:
        coords["L_bounds"] = binned["L_bounds"]
    if not np.isfinite(values["rate"]).any():
        logger.warning("no decay could be fitted: %d storms, %d time bins; see the flags and the table of files", len(storms), len(centre))
    return as_dataset(values, ("storm", "probe", "energy", "L"), coords, attrs)


def check_settings(mode: str, min_points: int, r_max: float, floor_factor: float, min_counts: float) -> None:
    """Raise InputError if a setting does not make sense."""
    if mode not in MODES:
        raise unknown("mode", mode, MODES)
    if min_points < 3:
        raise InputError(f"min_points must be at least 3, not {min_points}: a line through two points has no error")
    if not -1 <= r_max <= 0:
        raise InputError(f"r_max must lie between -1 and 0, not {r_max}: a decay has a negative correlation of log flux and time")
    if not floor_factor >= 1:
        raise InputError(f"floor_factor must be at least 1, not {floor_factor}: a window ends above the floor")
    if not min_counts >= 0:
        raise InputError(f"min_counts must not be negative, not {min_counts}")


def floor_name(floor: xr.DataArray | float | str | None) -> str:
    """Name of a setting of the floor, of those in `FLOOR_FROM`."""
    if isinstance(floor, str):
        if floor not in FLOOR_FROM or floor in ("none", "given"):
            raise unknown("floor", floor, ["auto", "quiet", "free"])
        return floor
    return "none" if floor is None else "given"


def _floors(binned: xr.Dataset, storms: pd.DataFrame, windows: xr.Dataset, floor: xr.DataArray | str | None, min_samples: int) -> Floats:
    if floor is None or floor_name(floor) == "free":
        return np.full(binned.sizes["energy"], np.nan)
    if isinstance(floor, str):
        if floor == "quiet":
            return quiet_floor(binned, storms, min_samples=min_samples).to_numpy()
        return instrument_floor(binned, windows, min_samples=min_samples).to_numpy()
    if not isinstance(floor, xr.DataArray) or floor.dims != ("energy",) or floor.sizes["energy"] != binned.sizes["energy"]:
        raise InputError(f"floor must have one value for each of the {binned.sizes['energy']} energies; give a DataArray over energy alone")
    return known_floor(floor.to_numpy(), floor.shape)


def _cut_storm(
    binned: xr.Dataset, centre: Times, start: Times, stop: Times, floor: Floats, floor_factor: float, min_counts: float, **reading: Any
) -> Cut:
    # Only the window's bins are read: those of all storms at once would be as large as the data.
    half = half_bin(binned)
    window = bins_of_window(centre, half, start, stop)
    bins = read_bins(binned.isel(time=window), origin=centre[0], **reading)
    rows, inside = rows_in_window(bins, centre[window], half, start, stop)
    return cut(rows.log_flux, rows.days, rows.flux, rows.counts, rows.exposure, inside, floor, floor_factor, min_counts)


def _highest(channel: xr.Dataset, min_samples: int) -> float:
    bins = read_bins(channel, min_samples)
    return highest_floor(bins.flux, bins.counts, bins.exposure)


def _side_by_side(beside: list[dict[str, Floats]], number: int, shape: tuple[int, ...], *, joint: bool) -> dict[str, Floats]:
    """Put the comparisons of all storms into arrays of shape (estimator, storm, probe, energy, L)."""
    out = {}
    for name in COMPARISON:
        found = (np.stack([one[name] for one in beside], axis=1) if beside else np.zeros(0)).reshape(number, *shape)
        # The joint fit is by one estimator only.
        out[name] = np.pad(found, [(0, 0), (0, 0), (0, joint), (0, 0), (0, 0)], constant_values=np.nan)
    return out


def _said_of_data(binned: xr.Dataset) -> dict[str, Any]:
    """Attributes of a result that come from the data."""
    kept: dict[str, Any] = {name: binned.attrs[name] for name in KEPT_ATTRIBUTES if name in binned.attrs}
    title = f"Decay of the {ion_name(binned.attrs)} flux after each storm"
    return kept | {"title": title, "units_flux": str(binned["sum_flux"].attrs.get("units", ""))}


def _no_values(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Make the values of a result without any storm."""
    values: dict[str, np.ndarray] = {name: np.zeros(shape) for name in (*VARIABLES, "t_first", "t_last")}
    return values | {"n": np.zeros(shape, dtype=np.int64), "flag": np.zeros(shape, dtype=np.int32)}
