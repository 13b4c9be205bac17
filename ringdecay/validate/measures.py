"""What is measured of one world: rows of value, Monte-Carlo error and number of trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtrit

from ringdecay.binned import merge_probes
from ringdecay.decays import FLAGS, fit_decay, fit_decays, index_windows
from ringdecay.decays.fit import Mode
from ringdecay.lifetime import lifetimes
from ringdecay.simulate import binned_series, make_truth, storms, truth_dataset
from ringdecay.validate.worlds import Floats, World, draw

# Edges of the ranges of tau in which the simulated archives are summed up, days.
TAU_EDGES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 250.0)
Row = dict[str, Any]


def share(hits: NDArray[Any], clusters: NDArray[Any] | None = None) -> Row:
    """Give a share with its error: binomial, or from the scatter of clusters (what shares fluctuations) about it.

    Parameters
    ----------
    hits : ndarray of bool
        One for each trial.
    clusters : ndarray of int, optional
        To which cluster each trial belongs.
    """
    n = len(hits)
    if not n:
        return {"value": np.nan, "error": np.nan, "trials": 0}
    value = float(np.mean(hits))
    if clusters is None:
        # The share of a success and a failure more, so that 0 of 100 is not taken as surely 0.
        near = (value * n + 1) / (n + 2)
        return {"value": value, "error": float(np.sqrt(near * (1 - near) / n)), "trials": n}
    _, which = np.unique(clusters, return_inverse=True)
    away = np.bincount(which, hits - value)
    groups = len(away)
    # Widened where so few clusters cannot tell their own scatter, so that two errors are always a 95 % interval.
    few = stdtrit(groups - 1, 0.975) / 1.96 if groups > 1 else np.nan
    error = float(few * np.sqrt(groups / max(groups - 1, 1) * (away**2).sum()) / n)
    return {"value": value, "error": error, "trials": n}


def mean_of(values: Floats, clusters: NDArray[Any] | None = None) -> Row:
    """Give a mean with its error, of finite values; of clusters as `share`."""
    finite = np.isfinite(values)
    values = values[finite]
    if clusters is not None:
        return share(values, clusters[finite])
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
    return {"value": float(np.mean(values)) if len(values) else np.nan, "error": error, "trials": len(values)}


def median_of(values: Floats) -> Row:
    """Give a median with its error, pi/2 of the mean's in the variance (normal values)."""
    row = mean_of(values)
    return row | {"value": float(np.nanmedian(values)) if row["trials"] else np.nan, "error": row["error"] * np.sqrt(np.pi / 2)}


def fitted(world: World, seed: tuple[int, ...], mode: Mode, floor: str = "none", **settings: Any) -> tuple[xr.Dataset, Floats]:
    """Draw and fit a world; the fits over (storm, cell), and the rates behind them.

    `floor` is "none" (not looked for), "known" (given), or what `fit_decays` takes; `settings` are more of its keywords.
    """
    drawn = draw(world, seed)
    how: Any = {"none": None, "known": drawn.floor}.get(floor, floor)
    windows = index_windows(drawn.binned, drawn.storms, start_delay_days=0.0, max_days=1e4)
    return fit_decays(drawn.binned, drawn.storms, mode, windows=windows, floor=how, **settings), drawn.rate


def holds(low: Floats, high: Floats, rate: Floats | float) -> NDArray[np.bool_]:
    """Tell which intervals hold a rate, among those that are there."""
    there = np.isfinite(low)
    out: NDArray[np.bool_] = ((low <= rate) & (rate <= high))[there]
    return out


def single_fits(world: World, seed: tuple[int, ...], mode: Mode, runs: int = 1) -> list[Row]:
    """Measure how often intervals of single fits hold the rate; each of `runs` draws pools its own series only."""
    hits, runs_of = [], []
    for run in range(runs):
        fits, rate = fitted(world, (*seed, run), mode)
        low, high = (fits[name].to_numpy()[:, 0, 0] for name in ("rate_low", "rate_high"))
        hits.append(holds(low, high, rate))
        runs_of.append(np.full(len(hits[-1]), run))
    # Fits of one run have their pooled parameters in common.
    return [{"quantity": "coverage"} | share(np.concatenate(hits), np.concatenate(runs_of) if runs > 1 else None)]


def lone_fits(world: World, seed: tuple[int, ...], mode: Mode) -> list[Row]:
    """Measure the intervals of `fit_decay`, given one series at a time, and whether it says that it could not pool."""
    drawn = draw(world, seed)
    binned, n = drawn.binned.isel(probe=0, energy=0), world.bins + 1
    hits, says = [], []
    for storm in range(world.storms):
        rows = binned.isel(time=slice(storm * n + 1, (storm + 1) * n))
        for cell in range(world.cells):
            one = rows.isel(L=cell)
            samples = one["n_samples"].to_numpy()
            there = samples > 0
            t = (np.arange(world.bins) + 0.5) * world.bin_days + np.where(there, one["sum_time"].to_numpy() / samples.clip(1), 0) / 86_400
            flux, counts = one["sum_flux"].to_numpy()[there] / samples[there], one["counts"].to_numpy()[there]
            fit = fit_decay(t[there], flux, counts=counts, mode=mode)
            hits.append(float(fit["rate_low"]) <= drawn.rate[storm, cell] <= float(fit["rate_high"]))
            says.append(bool(int(fit["flag"]) & FLAGS["not_pooled"]))
    rows_out = [{"quantity": "coverage"} | share(np.array(hits))]
    return rows_out + ([{"quantity": "says not_pooled"} | share(np.array(says))] if mode == "calibrated" else [])


def means(world: World, seed: tuple[int, ...], mode: Mode) -> list[Row]:
    """Measure the mean over storms, a trial a cell: the coverage of its interval and its bias.

    Paper mode gives no interval; the one tested is its mean e-folding time with the standard error that its scatter implies.
    """
    fits, _ = fitted(world, seed, mode)
    mean = lifetimes(fits).isel(energy=0)
    truth = 1 / world.tau
    if mode == "calibrated":
        low, high, rate = (mean[name].to_numpy() for name in ("rate_low", "rate_high", "rate"))
        hits, bias = holds(low, high, truth), rate / truth - 1
        limits = np.isfinite(mean["tau_limit"].to_numpy()[np.isfinite(low)])
    else:
        tau, sd, n = (mean[name].to_numpy() for name in ("tau", "tau_sd", "n_accepted"))
        half = stdtrit(np.maximum(n - 1, 1), 0.975) * sd / np.sqrt(np.maximum(n, 1))
        hits, bias = holds(tau - half, tau + half, world.tau), 1 / (tau * truth) - 1
        limits = np.zeros(0)
    rows = [{"quantity": "coverage of the mean"} | share(hits), {"quantity": "bias of the mean rate"} | mean_of(bias)]
    return rows + ([{"quantity": "means reported as a limit"} | share(limits)] if len(limits) else [])


def floors(world: World, seed: tuple[int, ...], mode: Mode, settings: Mapping[str, Any]) -> list[Row]:
    """Measure what a floor does to the median rate of the fits that do not say that it is not separable, and how many say so.

    `settings` are keywords of `fitted`. Where the floor is not looked for, the median is that of all fits, whatever they say.
    """
    fits, rate = fitted(world, seed, mode, **settings)
    found, flag = (fits[name].to_numpy()[:, 0, 0] for name in ("rate", "flag"))
    there = np.isfinite(found)
    says = there & (flag & FLAGS["floor_not_separable"] > 0)
    bias = found / rate - 1
    if settings["floor"] == "none":
        judged = [{"quantity": "bias of the median rate, untreated"} | median_of(bias[there])]
    else:
        # Where every fit says so, nothing is claimed and nothing is to be judged.
        judged = [{"quantity": "bias of the median rate"} | median_of(bias[there & ~says])] if (there & ~says).any() else []
    return [*judged, {"quantity": "fitted"} | share(there.ravel()), {"quantity": "flagged floor_not_separable"} | share(says[there])]


def claims(world: World, seed: tuple[int, ...], mode: Mode) -> list[Row]:
    """Measure how often a decay is claimed: the interval lies above zero, or in paper mode the fit is accepted."""
    fits, _ = fitted(world, seed, mode)
    flag, there = (values.to_numpy()[:, 0, 0] for values in (fits["flag"], fits["rate"].notnull()))
    no = FLAGS["not_resolved"] if mode == "calibrated" else FLAGS["not_accepted"]
    return [{"quantity": "decay claimed"} | share((flag & no == 0)[there])]


def mission(seed: int, mode: Mode) -> pd.DataFrame:
    """Fit one simulated archive (150 days, ten storms, both probes, every third L); a row a cell, with what can be counted there."""
    truth = make_truth(seed)
    binned = merge_probes(binned_series(truth)).isel(L=slice(0, None, 3))
    fits = fit_decays(binned, storms(truth), mode)
    mean, single = lifetimes(fits), fits.isel(probe=0)
    known = truth_dataset(truth).sel(L=fits["L"], method="nearest")

    def values(dataset: xr.Dataset, name: str) -> Floats:
        out: Floats = dataset[name].transpose(..., "energy", "L").to_numpy()
        return out

    rate, own = values(known, "population_rate"), values(known, "storm_rate")
    low, high = values(single, "rate_low"), values(single, "rate_high")
    there = np.isfinite(low)
    table = {
        "tau": 1 / rate,
        "storms": np.full(rate.shape, len(there)),
        "fits": there.sum(0),
        "fits_held": ((low <= own) & (own <= high)).sum(0),
        "resolved": (there & (values(single, "flag").astype(int) & FLAGS["not_resolved"] == 0)).sum(0),
        "bias": 1 / (values(mean, "tau") * rate) - 1,
    }
    if mode == "calibrated":
        low, high = values(mean, "rate_low"), values(mean, "rate_high")
        table |= {"means": np.isfinite(low), "means_held": (low <= rate) & (rate <= high), "bias": values(mean, "rate") / rate - 1}
        table |= {"limits": values(mean, "tau_limit") > 0}
    return pd.DataFrame({name: column.ravel() for name, column in table.items()}).assign(seed=seed)
