"""Binned storms with known decay rates, for the tests of the statistics; written apart from the package's own simulator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

START = np.datetime64("2015-04-15T00:00:00", "ns")
BIN_HOURS = 8.97


@dataclass(frozen=True)
class Truth:
    """The data, the storms and the rates behind them: population (energy, L), storms (storm, energy, L)."""

    binned: xr.Dataset
    storms: pd.DataFrame
    population_rate: np.ndarray
    storm_rate: np.ndarray
    floor: np.ndarray


def storm_table(gaps: tuple[float, ...], first: float = 3.0) -> pd.DataFrame:
    """Storms with the given days from each onset to the next; the minimum follows the onset by 12 hours."""
    onset = START + (np.cumsum([first, *gaps[:-1]]) * 86_400e9).round().astype("timedelta64[ns]")
    minimum = onset + np.timedelta64(12, "h")
    return pd.DataFrame(
        {
            "storm": np.arange(1, len(gaps) + 1),
            "onset": onset,
            "minimum": minimum,
            "last_minimum": minimum,
            "recovery_end": minimum + np.timedelta64(5, "D"),
            "depth": np.linspace(-60, -200, len(gaps)),
            "storm_class": np.where(np.arange(len(gaps)) % 2, "intense", "moderate"),
            "n_dips": 1,
        }
    )


TEN_STORMS = (13.0, 12.0, 15.0, 35.0, 14.0, 12.5, 16.0, 13.5, 12.0, 14.0)


def ornstein_uhlenbeck(rng: np.random.Generator, t: np.ndarray, theta: float, shape: tuple[int, ...] = ()) -> np.ndarray:
    """Unit-variance process at times t (last axis), exactly, whatever the spacing."""
    u = np.empty((*shape, len(t)))
    u[..., 0] = rng.normal(size=shape)
    for k in range(1, len(t)):
        phi = np.exp(-(t[k] - t[k - 1]) / theta) if theta > 0 else 0.0
        u[..., k] = phi * u[..., k - 1] + np.sqrt(1 - phi**2) * rng.normal(size=shape)
    return u


def simulate(
    seed: int,
    tau: np.ndarray,
    peak_counts: np.ndarray,
    *,
    gaps: tuple[float, ...] = TEN_STORMS,
    scatter: float = 0.2,
    sigma: float = 0.15,
    theta: float = 0.5,
    floor_decades: float = 3.0,
    missing: float = 0.3,
) -> Truth:
    """One probe's binned flux over storms.

    `tau` (energy, L) in days (negative: growth, infinite: flat); `peak_counts` (energy,) are the counts of a bin at the storm's peak.
    Fluctuation and scatter between storms are smooth over cells: three processes mixed with weights that turn slowly.
    """
    rng = np.random.default_rng(seed)
    storms = storm_table(gaps)
    n_e, n_l = tau.shape
    n_t = int((sum(gaps) + 3.0) * 24 / BIN_HOURS)
    centre = (np.arange(n_t) + 0.5) * BIN_HOURS / 24
    offset = rng.uniform(-0.25, 0.25, (n_t, 1, 1)) * BIN_HOURS / 24 + rng.uniform(-0.02, 0.02, (n_t, n_e, n_l))
    t = centre[:, None, None] + offset
    angle = np.linspace(0, 1.5, n_l) + np.linspace(0, 1.0, n_e)[:, None]
    mix = np.stack([np.cos(angle), np.sin(angle) * np.cos(2 * angle), np.sin(angle) * np.sin(2 * angle)])
    u = np.einsum("kel,kt->tel", mix, ornstein_uhlenbeck(rng, centre, theta, (3,)))
    population = 1 / tau
    between = np.einsum("kel,ks->sel", mix, rng.normal(size=(3, len(storms))))
    storm_rate = population * (1 + scatter * between)
    peak_time = (storms["last_minimum"].to_numpy("datetime64[ns]") - START) / np.timedelta64(1, "D")
    which = np.clip(np.searchsorted(peak_time, centre) - 1, 0, None)
    since = t - peak_time[which][:, None, None]
    peak = 1e5 * np.geomspace(1, 1e-3, n_e)[:, None] * np.linspace(0.5, 1, n_l)
    floor = peak.max(1) * 10.0**-floor_decades
    flux = peak * np.exp(-storm_rate[which] * np.where(since > 0, since, 0) + sigma * u) + floor[:, None]
    n_samples = rng.integers(3, 9, (n_t, 1, 1)) * (rng.random((n_t, n_e, n_l)) >= missing)
    per_flux = (peak_counts / peak.max(1))[:, None] / 5.5
    counts = rng.poisson(per_flux * n_samples * flux).astype(float)
    mean = np.divide(counts, per_flux * n_samples, out=np.zeros_like(flux), where=n_samples > 0)
    logs = np.log(np.where(mean > 0, mean, 1.0))
    sums = {
        "n_samples": n_samples,
        "n_zero": n_samples * (mean <= 0),
        "sum_flux": n_samples * mean,
        "sum_flux_squared": n_samples * mean**2,
        "sum_log_flux": n_samples * logs,
        "sum_log_flux_squared": n_samples * logs**2,
        "counts": counts,
        "exposure": per_flux * n_samples,
        "sum_time": n_samples * offset * 86_400,
    }
    binned = xr.Dataset(
        {name: (("probe", "time", "L", "energy"), np.moveaxis(np.asarray(v, float), 1, 2)[None]) for name, v in sums.items()},
        coords={
            "probe": ["merged"],
            "time": START + (centre * 86_400e9).round().astype("timedelta64[ns]"),
            "L": np.linspace(3, 6, n_l) if n_l > 1 else [4.0],
            "energy": np.geomspace(45, 598, n_e) if n_e > 1 else [99.0],
        },
        attrs={"time_bin_hours": BIN_HOURS, "simulated": "yes"},
    )
    binned["sum_flux"].attrs["units"] = "cm-2 s-1 sr-1 keV-1"
    return Truth(binned, storms, population, storm_rate, floor)


def mission(seed: int, n_e: int = 14, n_l: int = 40, **settings: float) -> Truth:
    """Ten storms with e-folding times of 2 to 120 days over energy, rising with L; counting noise from negligible to dominant."""
    tau = np.geomspace(2, 120, n_e)[:, None] * np.geomspace(1, 1, n_l)
    return simulate(seed, tau, np.geomspace(1e5, 20, n_e), **settings)
