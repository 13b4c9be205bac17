"""Binned flux drawn directly from a simulated world, without files, for statistics over many seeds."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ringdecay.binned import SUMS, Grid, merge_binned
from ringdecay.binned.merge import FILE_COLUMNS, binned_dataset
from ringdecay.errors import InputError
from ringdecay.simulate.instrument import RECORD_SECONDS, omnidirectional_exposure, omnidirectional_factor
from ringdecay.simulate.orbit import PHASE, ephemeris, field_ratio
from ringdecay.simulate.truth import DEFAULT_SEED, ENERGY, PRODUCT, Array, Truth, at_days, log_flux, make_truth


class _Passes(NamedTuple):
    """One row for each crossing of an L bin by a probe within a time bin."""

    time_bin: npt.NDArray[np.int64]  # number in the grid
    L_bin: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    n: Array
    time: npt.NDArray[np.datetime64]  # mean of the samples
    L: Array  # mean of the samples
    log_field_ratio: Array  # mean of log(B_equator / B)


def binned_series(
    truth: Truth | int = DEFAULT_SEED,
    grid: Grid | None = None,
    *,
    probes: tuple[str, ...] = ("a", "b"),
    counting_noise: bool = True,
) -> xr.Dataset:
    """Draw the binned omnidirectional flux that the probes would give, without files.

    The orbit decides which bins have samples, when and at which L and magnetic latitude; the flux of each crossing is taken at the
    mean time and mean L of its samples, and its counts are one Poisson number. Sums over samples that the counts of a crossing do
    not fix (flux squared, zeros, logs) are their expectations, given the counts. Resolved flux (`..._by_pitch_angle`) is not made.

    Parameters
    ----------
    truth : Truth or int
        The world, or the seed of one with the default settings.
    grid : Grid, optional
        The bins, by default those of `ringdecay.bin_flux`. All definitions of L are one in the simulated dipole.
    probes : tuple of str
        Any of "a", "b". A probe's counts do not depend on whether the other is drawn too.
    counting_noise : bool
        Whether counts are drawn; otherwise they are their expectation.

    Returns
    -------
    xarray.Dataset
        Additive sums over (probe, time, L, energy), in the layout of `ringdecay.bin_flux` with an empty table of files.

    Raises
    ------
    InputError
        If a probe is not known, or none is given.
    """
    if not isinstance(truth, Truth):
        truth = make_truth(truth)
    if not set(probes) <= set(PHASE) or not probes:
        raise InputError(f"probes must be among {sorted(PHASE)}, got {probes}.")
    return merge_binned(_series_of_probe(truth, grid or Grid(), probe, counting_noise) for probe in probes)


def _series_of_probe(truth: Truth, grid: Grid, probe: str, counting_noise: bool) -> xr.Dataset:
    passes = _passes(truth.start, truth.days, grid, probe)
    power = truth.pitch_angle_power
    flux = np.exp(log_flux(truth, passes.time, passes.L))
    flux *= omnidirectional_factor(power) * np.exp(0.5 * power * passes.log_field_ratio)[:, None]
    flux += truth.floor
    sample_exposure = omnidirectional_exposure(power)
    n = passes.n[:, None]
    counts = flux * (n * sample_exposure)
    if counting_noise:
        counts = np.random.default_rng([truth.seed, 5, sorted(PHASE).index(probe)]).poisson(counts).astype(np.float64)
    sums = _sums(counts, n, sample_exposure)
    sums["sum_time"] = n * ((passes.time - grid.time_centre(passes.time_bin)) / np.timedelta64(1, "ns") / 1e9)[:, None]

    last = at_days(truth, [truth.days]) - np.timedelta64(1, "ns")
    first_bin, last_bin = (int(grid.time_index(np.atleast_1d(time))[0]) for time in (truth.start, last))
    totals = np.zeros((len(SUMS), last_bin - first_bin + 1, grid.L_edges.size - 1, ENERGY.size))
    for group in range(4):
        # Within a group no cell comes twice, so that plain indexing adds.
        rows = passes.group == group
        for total, name in zip(totals, SUMS, strict=True):
            total[passes.time_bin[rows] - first_bin, passes.L_bin[rows]] += np.broadcast_to(sums[name], counts.shape)[rows]
    no_files = pd.DataFrame(columns=list(FILE_COLUMNS))
    return binned_dataset(totals, None, first_bin, ENERGY, grid, no_files, product=PRODUCT, ion="H+", probe=probe, simulated="yes")


def _sums(counts: Array, n: Array, sample_exposure: Array) -> dict[str, Array]:
    """Add up over the n samples of each crossing whose counts together are `counts`."""
    # Given their sum, the counts of n equal samples are multinomial: E[sum k^2] = N + N (N - 1) / n, P[k = 0] = (1 - 1/n)^N.
    n_zero = np.round(n * np.exp(counts * np.log1p(-1.0 / np.maximum(n, 1.0 + 1e-9)))) * (n > 1) + (n == 1) * (counts == 0)
    n_positive = n - n_zero
    # Mean and variance of the counts of a sample that has some; the log is expanded to second order around the mean.
    squares = counts + np.maximum(counts * (counts - 1.0), 0.0) / n
    mean = np.where(counts > 0, counts, 1.0) / np.maximum(n_positive, 1.0)
    spread = np.clip(squares / np.maximum(n_positive, 1.0) / mean**2 - 1.0, 0.0, 1.0) * (counts > 0)
    log_mean = np.where(counts > 0, np.log(mean / sample_exposure) - spread / 2.0, 0.0)
    return {
        "n_samples": np.broadcast_to(n, counts.shape),
        "n_zero": n_zero,
        "sum_flux": counts / sample_exposure,
        "sum_flux_squared": squares / sample_exposure**2,
        "sum_log_flux": n_positive * log_mean,
        "sum_log_flux_squared": n_positive * (log_mean**2 + spread),
        "counts": counts,
        "exposure": np.broadcast_to(n * sample_exposure, counts.shape),
    }


@lru_cache(maxsize=16)
def _passes(start: np.datetime64, days: float, grid: Grid, probe: str) -> _Passes:
    """Group the records of a probe into crossings; the same for every seed, so kept."""
    seconds = np.arange(RECORD_SECONDS / 2.0, days * 86400.0, RECORD_SECONDS)
    time = start + np.round(seconds * 1e9).astype("timedelta64[ns]")
    where = ephemeris(probe, time)
    n_L = grid.L_edges.size - 1
    L_bin = np.searchsorted(grid.L_edges, where.L, side="right") - 1
    used = (np.abs(where.MLAT) <= grid.max_MLAT) & (L_bin >= 0) & (L_bin < n_L)
    time_bin = grid.time_index(time)
    # Outward and inward, even and odd orbit: a time bin may hold the end of one crossing and the begin of the next.
    group = (where.orbit % 2) * 2 + where.outbound
    key = ((time_bin * n_L + L_bin) * 4 + group)[used]
    unique, row = np.unique(key, return_inverse=True)
    n = np.bincount(row).astype(np.float64)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(row, weights=values[used]) / n)

    return _Passes(
        time_bin=unique // 4 // n_L,
        L_bin=unique // 4 % n_L,
        group=unique % 4,
        n=n,
        time=start + np.round(mean(seconds) * 1e9).astype("timedelta64[ns]"),
        L=mean(where.L),
        log_field_ratio=mean(np.log(field_ratio(where.MLAT))),
    )
