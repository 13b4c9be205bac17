"""How fast the energy decays after each storm, band by band, and beside it the storm index: the same recoveries, fitted alike."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLAGS, VARIABLES, choose_windows
from ringdecay.decays.intervals import intervals
from ringdecay.decays.one_series import fit_values
from ringdecay.decays.result import flag_attrs
from ringdecay.decays.sharing import kept_workers, shared
from ringdecay.decays.windows import check_storms, storm_coords
from ringdecay.energy_content.content import check_made_by
from ringdecay.energy_content.dst_star import dst_recovery_rate, means_between, pressure_corrected
from ringdecay.errors import InputError, unknown
from ringdecay.lifetime.fits import Fits, has_fit, t_variance
from ringdecay.lifetime.mean import mean_rate
from ringdecay.tables import nearest

WINDOWS = ("index_recovery", "flux_decay")
_HOUR = np.timedelta64(3_600_000_000_000, "ns")
_FITTED = ("rate", "rate_se", "df", "rate_low", "rate_high", "tau", "tau_low", "tau_high", "tau_limit", "rho", "r2")
# Series that are one piece of work, about a second.
_TOGETHER = 100
_DIMS = ("window", "storm", "series")
# All that a window from the index can be told.
_SETTINGS = ("start_delay_days", "max_days", "max_gap_days", "injection_dip")


def recovery_windows(binned: xr.Dataset, storms: pd.DataFrame, index: xr.DataArray | None = None, **settings: Any) -> xr.Dataset:
    """Choose two windows for every storm, both from the storm index alone.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux`.
    storms : DataFrame
        From `find_storms`.
    index : DataArray, optional
        From `open_index`.
    **settings
        `start_delay_days`, `max_days`, `max_gap_days` and `injection_dip` of `choose_windows`.

    Returns
    -------
    Dataset
        `start` and `stop` over window and storm. "flux_decay" is the window that the fits of the flux have (of all energies and L taken
        together); "index_recovery" goes from the storm's last minimum to the end of the index's recovery or of the other window,
        whichever is first: after that the index is its own noise.

    Raises
    ------
    InputError
        If a setting or a storm does not make sense.
    """
    for name in settings:
        if name not in _SETTINGS:
            raise unknown("setting of the windows", name, _SETTINGS)
    check_storms(storms)
    if "recovery_end" not in storms:
        raise InputError("the storm table lacks the column 'recovery_end'; give the table that find_storms returns")
    both = binned if "merged" in binned["probe"].to_numpy() else with_merged_probe(binned)
    # One cell: a gap is where no energy and no L has flux.
    everything = both[["n_samples"]].sum(["L", "energy"]).expand_dims(L=[0.0], energy=[0.0]).assign_attrs(both.attrs)
    chosen = choose_windows(everything, storms, index, **settings).sel(probe="merged").isel(energy=0, L=0, drop=True)
    start, stop = (chosen[name].to_numpy().astype("datetime64[ns]") for name in ("start", "stop"))
    last, end = (storms[name].to_numpy("datetime64[ns]") for name in ("last_minimum", "recovery_end"))
    # fmin passes over NaT: a storm whose recovery is not seen to its end.
    edges = {"start": np.stack([last, start]), "stop": np.stack([np.fmin(end, stop), stop])}
    values = {name: (("window", "storm"), edge) for name, edge in edges.items()}
    return xr.Dataset(values, coords=storm_coords(storms) | {"window": list(WINDOWS)}, attrs=chosen.attrs)


def energy_decays(
    content: xr.Dataset,
    windows: xr.Dataset,
    index: xr.DataArray,
    solar_wind: xr.Dataset | None = None,
    *,
    L: Sequence[float] = (3.0, 4.0, 5.0),
    probe: str = "merged",
    min_points: int = 4,
    confidence: float = 0.95,
) -> xr.Dataset:
    """Fit the decay of energy and storm index in every recovery, and average the rates over storms.

    Each is one exponential, by `fit_decay` without a floor. Energies are fitted by time bin, those whose centres lie in the window and
    which do not reach into the next storm; the index hour by hour, and only to the end of its recovery, below zero. Dst from the energy
    is proportional to it and has its rate, as the pressure has that of the energy density.

    Parameters
    ----------
    content : Dataset
        From `energy_content`.
    windows : Dataset
        From `recovery_windows`.
    index : DataArray
        Dst or SYM-H, from `open_index`; corrected for the pressure here.
    solar_wind : Dataset, optional
        From `open_solar_wind`.
    L : sequence of float
        L-shells at which the energy density is fitted; the nearest bins are taken.
    probe : str
        Whose energy.
    min_points : int
        Fewest bins, or hours, of a fit; 3 or more.
    confidence : float
        Of the intervals (two-sided) and the limits (one-sided).

    Returns
    -------
    Dataset
        Over window, storm and series the rate with its interval, tau, counts and flags of `fit_decay`; `n_left_out`, how many values of
        the window have no logarithm; `rate_predicted` of the index after O'Brien and McPherron (2000), the mean over the hours of the
        fit. Storm 0 is the mean over storms (random effects, as for lifetimes), whose `n` counts storms. A series has a `quantity`, a
        `band` and an `L` (NaN: all of them together).

    Raises
    ------
    InputError
        If `content`, `windows` or `solar_wind` is not what it should be from, there is no such probe, or a setting does not make sense.
    """
    check_made_by("energy_content", content, "energy_content", "energy_content_total", "energy_density", "band")
    check_made_by("recovery_windows", windows, "window", "storm", "start", "stop")
    if solar_wind is not None:
        check_made_by("open_solar_wind", solar_wind, "Pdyn", "Ey")
    probes = [str(name) for name in content["probe"].to_numpy()]
    if probe not in probes:
        raise unknown("probe", probe, probes)
    content = content.isel(probe=probes.index(probe))
    corrected = pressure_corrected(index, solar_wind["Pdyn"] if solar_wind is not None else None)
    hours, by_hour = _hourly(corrected)
    names, energies = _energies(content, L)
    names.append((str(corrected.name), "", np.nan))
    centre = content["time"].to_numpy().astype("datetime64[ns]")
    end = content["time_bounds"].transpose("bound", "time").to_numpy()[1].astype("datetime64[ns]")
    expected = np.full(hours.shape, np.nan)
    if solar_wind is not None and solar_wind.sizes["time"]:
        expected = dst_recovery_rate(means_between(solar_wind["Ey"], hours, np.asarray(hours + _HOUR)))

    shape = (windows.sizes["window"], windows.sizes["storm"], len(names))
    out: dict[str, NDArray[Any]] = {name: np.full(shape, np.nan) for name in (*_FITTED, "log_start", "rate_predicted")}
    out |= {name: np.zeros(shape, dtype=np.int32) for name in ("n", "n_left_out", "flag")}
    out |= {name: np.full(shape, np.datetime64("NaT", "ns")) for name in ("start", "stop")}
    edges = [windows[name].transpose("window", "storm").to_numpy().astype("datetime64[ns]") for name in ("start", "stop")]
    # Where the index is no longer that of the storm, and where the next storm or an injection begins, which no bin may reach into.
    recovered, interrupted = (windows["stop"].sel(window=name).to_numpy().astype("datetime64[ns]") for name in WINDOWS)
    pieces = []
    for place in np.ndindex(shape[:2]):
        start, stop = (edge[place] for edge in edges)
        inside = (centre >= start) & (centre <= stop) & (end <= interrupted[place[1]])
        pieces += [_Piece((*place, one), centre[inside], values[inside]) for one, values in enumerate(energies)]
        inside = (hours >= start) & (hours + _HOUR <= min(stop, recovered[place[1]]))
        pieces.append(_Piece((*place, len(names) - 1), hours[inside] + _HOUR // 2, -by_hour[inside]))
        known = inside & (by_hour < 0) & np.isfinite(expected)
        if known.any():
            out["rate_predicted"][(*place, -1)] = expected[known].mean()
    parts = [pieces[first : first + _TOGETHER] for first in range(0, len(pieces), _TOGETHER)]
    with kept_workers():
        found = shared([partial(_fit_all, part, min_points, confidence) for part in parts], "fitting the energy")
    for one, fit in zip(pieces, itertools.chain.from_iterable(found), strict=True):
        for name, value in fit.items():
            out[name][one.place] = value
    out["rate_predicted"][~np.isfinite(out["rate"])] = np.nan
    return _dataset(out, names, content, windows, corrected, probe, confidence)


def _hourly(index: xr.DataArray) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Whole hours, and the mean of the index in each."""
    time = index["time"].to_numpy().astype("datetime64[h]")
    if not time.size:
        return time.astype("datetime64[ns]"), np.empty(0)
    hours = np.arange(time[0], time[-1] + 1).astype("datetime64[ns]")
    return hours, means_between(index, hours, np.asarray(hours + _HOUR))


def _energies(content: xr.Dataset, wanted: Sequence[float]) -> tuple[list[tuple[str, str, float]], list[NDArray[np.float64]]]:
    """Name and give each series of energy over time."""
    bands = [str(name) for name in content["band"].to_numpy()]
    names, series = [("energy_content", "all", np.nan)], [content["energy_content_total"].to_numpy()]
    for band in range(len(bands)):
        names.append(("energy_content", bands[band], np.nan))
        series.append(content["energy_content"].isel(band=band).to_numpy())
    shells = content["L"].to_numpy()
    for row in nearest(shells, wanted):
        for band in range(len(bands)):
            names.append(("energy_density", bands[band], float(shells[row])))
            series.append(content["energy_density"].isel(L=row, band=band).to_numpy())
    return names, series


@dataclass(frozen=True)
class _Piece:
    """A series of a window: where its fit goes, times and values."""

    place: tuple[int, ...]
    time: NDArray[np.datetime64]
    values: NDArray[np.float64]


def _fit_all(pieces: list[_Piece], least: int, sure: float) -> list[dict[str, Any]]:
    """Fit series, each by itself."""
    return [_fit(one.time, one.values, least, sure) for one in pieces]


def _fit(time: NDArray[np.datetime64], values: NDArray[np.float64], least: int, sure: float) -> dict[str, Any]:
    """Fit one series; a value that is not positive has no logarithm and is counted."""
    known = np.isfinite(values)
    used = known & (values > 0)
    out: dict[str, Any] = {"n_left_out": int(known.sum() - used.sum()), "n": int(used.sum())}
    if used.sum() < least:
        return out | {"flag": FLAGS["too_few_points"] if time.size else FLAGS["no_window"]}
    fit = fit_values(time[used], values[used], floor=None, two_stages=False, min_points=least, confidence=sure)
    out |= {name: float(fit[name]) for name in _FITTED}
    # One series cannot be pooled, no floor is asked for and no counts are known: true of all, so it says nothing of one.
    out["flag"] = int(fit["flag"]) & ~(FLAGS["not_pooled"] | FLAGS["counts_unknown"] | FLAGS["floor_not_separable"])
    return out | {"log_start": float(fit["log_flux_start"])} | {name: fit[name].astype("datetime64[ns]") for name in ("start", "stop")}


def _dataset(
    out: dict[str, NDArray[Any]],
    names: list[tuple[str, str, float]],
    content: xr.Dataset,
    windows: xr.Dataset,
    corrected: xr.DataArray,
    probe: str,
    confidence: float,
) -> xr.Dataset:
    described: dict[str, dict[str, Any]] = {name: dict(VARIABLES[name]) for name in _FITTED}
    for words in described.values():
        words["long_name"] = words["long_name"].replace(" of the flux", "").replace("log flux", "the log").replace("the flux", "it")
    described |= {
        "n": {"units": "1", "long_name": "time bins (of the index: hours) in the fit; of the mean: storms with a fit"},
        "n_left_out": {
            "units": "1",
            "long_name": "values in the window that are not positive (of the index: not negative) and have no logarithm",
        },
        "log_start": {"units": "1", "long_name": "natural log of the fitted value (J, keV cm-3 or -nT) at start"},
        "rate_predicted": {
            "units": "1/day",
            "long_name": "rate of O'Brien and McPherron (2000) for the solar wind in the hours of the fit",
        },
        "start": {"long_name": "time of the first value in the fit"},
        "stop": {"long_name": "time of the last value in the fit"},
        "flag": {"long_name": "what a reader of the fit should know", **flag_attrs(FLAGS)},
    }
    mean = _means(out, confidence)
    joined = {name: np.concatenate([mean[name], values], axis=1) for name, values in out.items()}
    attrs: dict[str, Any] = {name: value for name, value in content.attrs.items() if name not in ("title", "min_coverage")}
    attrs |= {name: windows.attrs[name] for name in _SETTINGS if name in windows.attrs}
    attrs |= {
        "title": "Decay of the ring current's energy and of the storm index after each storm",
        "probe": probe,
        "confidence": confidence,
        "index": str(corrected.name),
        "pressure_correction": str(corrected.attrs["pressure_correction"]),
        "windows": "index_recovery: last minimum to the end of the index's recovery; flux_decay: that of the fits of the flux",
        "mean": "storm 0 is the mean of the rates over storms: random effects, limited weights",
    }
    if str(corrected.attrs.get("simulated", "no")) == "yes":
        attrs["simulated"] = "yes"
    storms = windows["storm"].to_numpy()
    coords: dict[str, Any] = {
        "window": ("window", windows["window"].to_numpy(), {"long_name": "which part of the recovery"}),
        "storm": ("storm", np.concatenate([[0], storms]), {"long_name": "number of the storm in the catalogue; 0 is the mean over storms"}),
        "quantity": ("series", np.array([name for name, _, _ in names], dtype=object), {"long_name": "what decays"}),
        "band": ("series", np.array([band for _, band, _ in names], dtype=object), {"long_name": "energy band"}),
        "L": ("series", np.array([shell for _, _, shell in names]), {"long_name": "L-shell (empty: all in the range of the total)"}),
    }
    for name in ("minimum", "depth"):
        values = windows[name].to_numpy()
        nothing = np.array([np.datetime64("NaT", "ns") if values.dtype.kind == "M" else np.nan], dtype=values.dtype)
        coords[name] = ("storm", np.concatenate([nothing, values]), dict(windows[name].attrs))
    return xr.Dataset({name: (_DIMS, joined[name], words) for name, words in described.items()}, coords=coords, attrs=attrs)


def _means(out: dict[str, NDArray[Any]], confidence: float) -> dict[str, NDArray[Any]]:
    """Average the rates over storms, shape (window, 1, series)."""
    shape = (out["n"].shape[0], 1, out["n"].shape[2])
    found: dict[str, NDArray[Any]] = {name: np.full(shape, np.nan) for name in (*_FITTED, "log_start", "rate_predicted")}
    found |= {name: np.zeros(shape, dtype=np.int32) for name in ("n", "n_left_out", "flag")}
    found |= {name: np.full(shape, np.datetime64("NaT", "ns")) for name in ("start", "stop")}
    for window in range(shape[0]):
        rate, se, df = (out[name][window] for name in ("rate", "rate_se", "df"))
        use = has_fit(rate, se)
        if not use.any():
            continue
        mean = mean_rate(Fits(rate, se, df, t_variance(se, df, use), use))
        values = {"rate": mean.rate, "rate_se": mean.se, "df": mean.df}
        values |= intervals(mean.rate, mean.se, mean.df, confidence)
        for name in values.keys() & found.keys():
            found[name][window, 0] = values[name]
        found["n"][window, 0] = use.sum(axis=0)
        predicted = np.where(use, out["rate_predicted"][window], np.nan)
        count = np.isfinite(predicted).sum(axis=0)
        found["rate_predicted"][window, 0] = np.where(count > 0, np.nansum(predicted, axis=0) / np.maximum(count, 1), np.nan)
        low, high = found["rate_low"][window, 0], found["rate_high"][window, 0]
        found["flag"][window, 0] = np.where(low <= 0, FLAGS["not_resolved"], 0) | np.where(high < 0, FLAGS["growth"], 0)
    found["flag"][found["n"] == 0] = FLAGS["no_window"]
    return found
