"""Binned flux drawn directly from a simulated world, without files, for statistics over many seeds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.errors import InputError
from ringdecay.simulate.instrument import RECORD_SECONDS, omnidirectional_exposure, omnidirectional_factor
from ringdecay.simulate.orbit import PERIOD_HOURS, PHASE, ephemeris, field_ratio
from ringdecay.simulate.truth import DEFAULT_SEED, ENERGY, Array, Truth, log_flux, make_truth

_WIDTH = 0.1  # of an L bin


class _Passes(NamedTuple):
    """One row for each crossing of an L bin by a probe within a time bin."""

    probe: npt.NDArray[np.int64]
    time_bin: npt.NDArray[np.int64]
    L_bin: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    n: Array
    time: npt.NDArray[np.datetime64]  # mean of the samples
    L: Array  # mean of the samples
    log_field_ratio: Array  # mean of log(B_equator / B)


def binned_series(
    truth: Truth | int = DEFAULT_SEED,
    *,
    L: tuple[float, float] = (2.0, 6.0),
    time_bin_hours: float = PERIOD_HOURS,
    max_MLAT: float = 10.0,
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
    L : tuple of float
        Lower and upper edge of the L grid, which is 0.1 wide.
    time_bin_hours : float
        Width of the time bins; default the orbit, so that every bin holds one pass outward and one inward.
    max_MLAT : float
        Largest magnetic latitude used, deg.
    probes : tuple of str
        Any of "a", "b".
    counting_noise : bool
        Whether counts are drawn; otherwise they are their expectation.

    Returns
    -------
    xarray.Dataset
        Additive sums over (probe, time, L, energy), in the layout of `ringdecay.bin_flux`.

    Raises
    ------
    InputError
        If the grid is empty or a probe is not known.
    """
    if not isinstance(truth, Truth):
        truth = make_truth(truth)
    if not set(probes) <= set(PHASE) or not probes:
        raise InputError(f"probes must be among {sorted(PHASE)}, got {probes}.")
    n_L = round((L[1] - L[0]) / _WIDTH)
    if n_L < 1 or time_bin_hours <= 0:
        raise InputError(f"the L grid {L} and the time bin of {time_bin_hours} h must have a positive width.")
    n_time = int(np.ceil(truth.days * 24.0 / time_bin_hours))
    passes = _passes(truth.start, truth.days, L[0], n_L, time_bin_hours, max_MLAT, probes)
    centre = truth.start + np.round((np.arange(n_time) + 0.5) * time_bin_hours * 3600e9).astype("timedelta64[ns]")

    power = truth.pitch_angle_power
    flux = np.exp(log_flux(truth, passes.time, passes.L))
    flux *= omnidirectional_factor(power) * np.exp(0.5 * power * passes.log_field_ratio)[:, None]
    flux += truth.floor
    sample_exposure = omnidirectional_exposure(power)
    n = passes.n[:, None]
    counts = flux * (n * sample_exposure)
    if counting_noise:
        counts = np.random.default_rng([truth.seed, 5]).poisson(counts).astype(np.float64)
    sums = _sums(counts, n, sample_exposure)
    sums["sum_time"] = n * ((passes.time - centre[passes.time_bin]) / np.timedelta64(1, "ns") / 1e9)[:, None]

    shape = (len(probes), n_time, n_L, ENERGY.size)
    cell = (passes.probe * n_time + passes.time_bin) * n_L + passes.L_bin
    variables: dict[str, Any] = {}
    for name, values in sums.items():
        total = np.zeros((cell.size and int(np.prod(shape[:3])), ENERGY.size))
        for group in range(4):
            # Within a group no cell comes twice, so that plain indexing adds.
            rows = passes.group == group
            total[cell[rows]] += values[rows]
        variables[name] = (("probe", "time", "L", "energy"), total.reshape(shape))
    return _dataset(truth, variables, probes, centre, np.round(L[0] + _WIDTH * np.arange(n_L + 1.0), 6), time_bin_hours, max_MLAT)


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


@lru_cache(maxsize=8)
def _passes(
    start: np.datetime64, days: float, lowest_L: float, n_L: int, time_bin_hours: float, max_MLAT: float, probes: tuple[str, ...]
) -> _Passes:
    """Group the records of the probes into crossings; the same for every seed, so kept."""
    tables = [_passes_of_probe(i, probe, start, days, lowest_L, n_L, time_bin_hours, max_MLAT) for i, probe in enumerate(probes)]
    return _Passes(*map(np.concatenate, zip(*tables, strict=True)))


def _passes_of_probe(
    number: int, probe: str, start: np.datetime64, days: float, lowest_L: float, n_L: int, time_bin_hours: float, max_MLAT: float
) -> _Passes:
    seconds = np.arange(RECORD_SECONDS / 2.0, days * 86400.0, RECORD_SECONDS)
    where = ephemeris(probe, start + np.round(seconds * 1e9).astype("timedelta64[ns]"))
    L_bin = np.floor((where.L - lowest_L) / _WIDTH).astype(np.int64)
    used = (np.abs(where.MLAT) <= max_MLAT) & (L_bin >= 0) & (L_bin < n_L)
    time_bin = np.floor(seconds / (time_bin_hours * 3600.0)).astype(np.int64)
    # Outward and inward, even and odd orbit: a time bin may hold the end of one crossing and the begin of the next.
    group = (where.orbit % 2) * 2 + where.outbound
    key = ((time_bin * n_L + L_bin) * 4 + group)[used]
    unique, row = np.unique(key, return_inverse=True)
    n = np.bincount(row).astype(np.float64)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(row, weights=values[used]) / n)

    return _Passes(
        probe=np.full(unique.size, number, dtype=np.int64),
        time_bin=unique // 4 // n_L,
        L_bin=unique // 4 % n_L,
        group=unique % 4,
        n=n,
        time=start + np.round(mean(seconds) * 1e9).astype("timedelta64[ns]"),
        L=mean(where.L),
        log_field_ratio=mean(np.log(field_ratio(where.MLAT))),
    )


def _dataset(
    truth: Truth,
    variables: dict[str, Any],
    probes: tuple[str, ...],
    centre: npt.NDArray[np.datetime64],
    L_edges: Array,
    time_bin_hours: float,
    max_MLAT: float,
) -> xr.Dataset:
    half = np.timedelta64(round(time_bin_hours * 1800e9), "ns")
    text = np.array([], dtype="U1")
    return xr.Dataset(
        variables
        | dict.fromkeys(("file_name", "file_probe", "file_date", "file_status", "file_reason"), ("file", text))
        | {name: ("file", np.array([], dtype=np.int64)) for name in ("file_records", "file_records_used")},
        coords={
            "probe": list(probes),
            "time": centre,
            "L": ("L", np.round((L_edges[:-1] + L_edges[1:]) / 2.0, 6), {"units": "1", "long_name": "dipole L"}),
            "energy": ("energy", ENERGY, {"units": "keV"}),
            "time_bounds": (("time", "bound"), np.stack([centre - half, centre + half], axis=-1)),
            "L_bounds": (("L", "bound"), np.stack([L_edges[:-1], L_edges[1:]], axis=-1)),
        },
        attrs={
            "title": "SIMULATED binned proton flux",
            "product": "rbspice-pap-tofxeh",
            "L_definition": "L",
            "time_bin_hours": time_bin_hours,
            "time_bin_origin": str(truth.start),
            "max_MLAT": max_MLAT,
            "units_flux": "cm-2 s-1 sr-1 keV-1",
            "simulated": "yes",
            "seed": truth.seed,
        },
    )
