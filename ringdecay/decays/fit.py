"""A decay rate for every storm, probe, energy and L-shell."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.decays.cells import Cut, cut, fit_calibrated, fit_paper, pool_cuts
from ringdecay.decays.floor import instrument_floor
from ringdecay.decays.gls import Floats
from ringdecay.decays.log_flux import Bins, read_bins, rows_in_window
from ringdecay.decays.pooling import Pool
from ringdecay.decays.result import VARIABLES, as_dataset, flag_bits
from ringdecay.decays.windows import Times, days, index_change, index_known_until, storm_windows, to_time
from ringdecay.errors import InputError, unknown
from ringdecay.products import ion_name

logger = logging.getLogger(__name__)

# A main phase takes some hours; in a shorter gap of the index no storm can come and be seen nowhere.
_MAX_INDEX_GAP = np.timedelta64(12, "h")
Mode = Literal["calibrated", "paper"]
MODES: tuple[Mode, ...] = get_args(Mode)
# What a result keeps of what the data say of themselves.
KEPT_ATTRIBUTES = ("product", "ion", "flux", "L_definition", "L_method", "max_MLAT", "time_bin_hours", "excluded", "simulated")


def fit_decays(
    binned: xr.Dataset,
    storms: pd.DataFrame,
    mode: Mode = "calibrated",
    *,
    index: xr.DataArray | None = None,
    start_delay_days: float = 1.0,
    max_days: float = 30.0,
    min_points: int = 5,
    min_samples: int = 2,
    min_counts: float = 5.0,
    floor: xr.DataArray | Literal["auto"] | None = "auto",
    floor_factor: float = 5.0,
    quantity: str = "log_mean_flux",
    confidence: float = 0.95,
    r_max: float = -0.8,
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
    index : xarray.DataArray, optional
        Storm index from `open_index`: a window ends where it is not known for 12 hours, because a storm could hide there, and
        `index_change` is taken from it. Without it the storm table is believed to be whole.
    start_delay_days : float
        Start of the window after the storm's last minimum, days.
    max_days : float
        Longest window, days; it ends earlier at the onset of the next storm.
    min_points : int
        Fewest time bins of a fit. With the error's parameters pooled, intervals of 3 to 7 points were measured to be right; a larger
        number loses the fast decays, which reach their floor within few bins, and biases the mean over storms.
    min_samples : int
        Fewest samples of a bin.
    min_counts : float
        Bins where a line through the series predicts fewer counts are left out in calibrated mode: the log of a smaller Poisson number
        is far from normal.
    floor : DataArray over energy, "auto" or None
        Flux floor of every channel; "auto" looks for it with `instrument_floor`.
    floor_factor : float
        A window ends before the first bin with less than this many times the floor.
    quantity : {"log_mean_flux", "mean_log_flux"}
        What is fitted; the second leaves zeros out and is there for comparison.
    confidence : float
        Of the intervals (two-sided) and the limits (one-sided).
    r_max : float
        Paper mode accepts a fit whose correlation of log flux and time is at most this. The threshold of the published recipes could not
        be read; -0.8 is our choice.

    Returns
    -------
    xarray.Dataset
        Dims storm, probe, energy, L; a variable for each name in `ringdecay.decays.VARIABLES`. Every cell has a result: `flag` says what
        is special about it, and a fit without decay is kept.

    Raises
    ------
    InputError
        If an argument does not make sense, or the data or the storms lack something.
    """
    check_settings(mode, min_points, r_max)
    binned = binned.sortby("time")
    bins = read_bins(binned, min_samples, quantity, half_count=mode == "calibrated")
    floors = _floors(binned, storms, floor, start_delay_days, max_days, min_samples)
    centre = binned["time"].to_numpy().astype("datetime64[ns]")
    if not len(centre):
        raise InputError("the binned data hold no time bin; widen the dates or see why their files were refused")
    half_bin = days(float(binned.attrs.get("time_bin_hours", 0.0)) / 48)
    start, stop = storm_windows(storms, centre[-1] + half_bin, start_delay_days, max_days)
    if index is not None and len(storms):
        stop = np.minimum(stop, index_known_until(index, storms["last_minimum"].to_numpy("datetime64[ns]"), _MAX_INDEX_GAP))
    empty = (stop <= start) | (stop <= centre[0] - half_bin)

    cells = (binned.sizes["probe"], binned.sizes["energy"], binned.sizes["L"])
    levels = np.broadcast_to(floors[None, :, None], cells).ravel()
    fewest = min_counts if mode == "calibrated" else 0.0
    cuts = [_cut_storm(bins, centre, half_bin, start[k], stop[k], levels, floor_factor, fewest) for k in range(len(start))]
    pooled = pool_cuts(cuts, min_points) if mode == "calibrated" else None
    rows = [_fit(c, pooled, min_points, confidence, r_max) for c in cuts]

    shape = (len(start), *cells)
    values = {name: np.stack([row[name] for row in rows]).reshape(shape) for name in rows[0]} if rows else _no_values(shape)
    values["start"], values["stop"] = to_time(values["t_first"], centre[0]), to_time(values["t_last"], centre[0])
    values["flag"] |= flag_bits(no_window=np.broadcast_to(empty[:, None, None, None], shape))
    values["floor"] = np.broadcast_to(floors[None, None, :, None], shape).copy()
    values["index_change"] = np.full(shape, np.nan) if index is None else index_change(index, values["start"], values["stop"])

    attrs: dict[str, Any] = {name: binned.attrs[name] for name in KEPT_ATTRIBUTES if name in binned.attrs}
    attrs |= {
        "title": f"Decay of the {ion_name(binned.attrs)} flux after each storm",
        "units_flux": str(binned["sum_flux"].attrs.get("units", "")),
    }
    attrs |= {"mode": mode, "window": "index", "start_delay_days": start_delay_days, "max_days": max_days, "min_points": min_points}
    attrs |= {"floor_from": "none" if floor is None else "bend of the recoveries" if isinstance(floor, str) else "given"}
    attrs |= {"min_samples": min_samples, "floor_factor": floor_factor, "quantity": quantity, "confidence": confidence}
    attrs |= {"r_max": r_max} if pooled is None else {"min_counts": min_counts} | {f"pool_{k}": v for k, v in asdict(pooled).items()}
    coords: dict[str, Any] = {
        "storm": ("storm", storms["storm"].to_numpy(), {"long_name": "number of the storm in the catalogue"}),
        "onset": ("storm", storms["onset"].to_numpy("datetime64[ns]"), {"long_name": "onset of the storm"}),
        "minimum": ("storm", storms["minimum"].to_numpy("datetime64[ns]"), {"long_name": "time of the lowest index"}),
        "depth": ("storm", storms["depth"].to_numpy(float), {"units": "nT", "long_name": "lowest index"}),
        "storm_class": ("storm", storms["storm_class"].to_numpy(str), {"long_name": "class of the storm by its depth"}),
        "probe": binned["probe"],
        "energy": binned["energy"],
        "L": binned["L"],
    }
    if "L_bounds" in binned.coords:
        coords["L_bounds"] = binned["L_bounds"]
    if not np.isfinite(values["rate"]).any():
        logger.warning("no decay could be fitted: %d storms, %d time bins; see the flags and the table of files", len(storms), len(centre))
    return as_dataset(values, ("storm", "probe", "energy", "L"), coords, attrs)


def check_settings(mode: str, min_points: int, r_max: float) -> None:
    """Raise InputError if a setting does not make sense."""
    if mode not in MODES:
        raise unknown("mode", mode, MODES)
    if min_points < 3:
        raise InputError(f"min_points must be at least 3, not {min_points}: a line through two points has no error")
    if not -1 <= r_max <= 0:
        raise InputError(f"r_max must lie between -1 and 0, not {r_max}: a decay has a negative correlation of log flux and time")


def _floors(
    binned: xr.Dataset, storms: pd.DataFrame, floor: xr.DataArray | str | None, start_delay_days: float, max_days: float, min_samples: int
) -> Floats:
    if floor is None:
        return np.full(binned.sizes["energy"], np.nan)
    if isinstance(floor, str):
        if floor != "auto":
            raise unknown("floor", floor, ["auto"])
        found = instrument_floor(binned, storms, start_delay_days=start_delay_days, max_days=max_days, min_samples=min_samples)
        return found.to_numpy()
    if floor.dims != ("energy",) or floor.sizes["energy"] != binned.sizes["energy"]:
        raise InputError(f"floor must have one value for each of the {binned.sizes['energy']} energies; give a DataArray over energy alone")
    return floor.to_numpy().astype(float)


def _cut_storm(
    bins: Bins,
    centre: Times,
    half_bin: np.timedelta64,
    start: np.datetime64,
    stop: np.datetime64,
    floor: Floats,
    floor_factor: float,
    min_counts: float,
) -> Cut:
    rows, inside = rows_in_window(bins, centre, half_bin, start, stop)
    return cut(rows.log_flux, rows.days, rows.flux, rows.counts, rows.exposure, inside, floor, floor_factor, min_counts)


def _fit(c: Cut, pooled: Pool | None, min_points: int, confidence: float, r_max: float) -> dict[str, np.ndarray]:
    if pooled is None:
        return fit_paper(c, min_points, confidence, r_max)
    return fit_calibrated(c, pooled, min_points, confidence)


def _no_values(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Make the values of a result without any storm."""
    values: dict[str, np.ndarray] = {name: np.zeros(shape) for name in (*VARIABLES, "t_first", "t_last")}
    return values | {"n": np.zeros(shape, dtype=np.int64), "flag": np.zeros(shape, dtype=np.int32)}
