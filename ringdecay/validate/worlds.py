"""Binned recoveries with known decay rates: every storm and cell an independent series, so that the trials can be counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

Floats = NDArray[np.float64]

START = np.datetime64("2015-04-15T00:00:00", "ns")
ORBIT_DAYS = 8.97 / 24
PEAK_FLUX = 1e5  # cm-2 s-1 sr-1 keV-1, at the begin of a window


def bins_of(points: int, gaps: float) -> int:
    """Time bins of a window that keeps so many points when a share of its bins is missing."""
    return int(np.ceil(points / (1 - gaps) - 1e-9))


@dataclass(frozen=True)
class World:
    """What a world is made of; one energy channel, and as many L-shells as cells.

    Attributes
    ----------
    storms, cells : int
        Their product is the number of series.
    points : int
        Points of every series, after the gaps.
    tau : float
        Population decay time, days; infinite for flat flux, negative for growth.
    rho, rho_range : float
        Lag-1 correlation of the fluctuation: of every series even within rho +- rho_range, cut to 0 to 0.95.
    gaps : float
        Share of the window's bins that are missing, at random.
    size : float
        Standard deviation of the log flux about its decay.
    noise : float
        Standard deviation of the counting noise at the middle of the window, in units of `size`.
    scatter : float
        Relative standard deviation of the rate between storms; lognormal of mean 1, so that `tau` belongs to the arithmetic mean.
    floor : float
        Flux of the instrument's floor, in units of the first flux.
    bin_days : float
        Width of a time bin.
    """

    storms: int
    cells: int
    points: int
    tau: float
    rho: float = 0.4
    rho_range: float = 0.075
    gaps: float = 0.0
    size: float = 0.2
    noise: float = 0.2
    scatter: float = 0.0
    floor: float = 0.0
    bin_days: float = ORBIT_DAYS

    @property
    def bins(self) -> int:
        """Time bins of a window, the missing ones too."""
        return bins_of(self.points, self.gaps)


@dataclass(frozen=True)
class Draw:
    """Binned flux and storms for `fit_decays` (in windows with no delay of the start), the rate of every (storm, cell), and the floor."""

    binned: xr.Dataset
    storms: pd.DataFrame
    rate: Floats
    floor: xr.DataArray


def draw(world: World, seed: tuple[int, ...]) -> Draw:
    """Draw a world.

    Parameters
    ----------
    world : World
        What it is made of.
    seed : tuple of int
        The same gives the same.
    """
    rng = np.random.default_rng(seed)
    shape = (world.storms, world.cells, world.bins)
    step = round(world.bin_days * 86_400e9)
    width = step / 86_400e9
    # The samples of a bin lie anywhere in its middle half, each series' elsewhere.
    t = (np.arange(world.bins) + 0.5 + rng.uniform(-0.25, 0.25, shape)) * width
    spread = np.sqrt(np.log1p(world.scatter**2))
    rate = np.exp(spread * rng.normal(size=shape[:2]) - 0.5 * spread**2) / world.tau
    rho = np.clip(world.rho + rng.uniform(-world.rho_range, world.rho_range, shape[:2]), 0.0, 0.95)
    log_signal = -rate[..., None] * t + world.size * _fluctuation(rng, t, rho, width)
    flux = PEAK_FLUX * (np.exp(log_signal) + world.floor)
    middle = PEAK_FLUX * np.exp(-world.bins * width / (2 * world.tau))
    exposure = 1 / (world.noise * world.size) ** 2 / middle
    counts = rng.poisson(exposure * flux).astype(float)
    keep = np.argsort(np.argsort(rng.random(shape), axis=2), axis=2) < world.points
    binned = _binned(counts, exposure, keep, t - (np.arange(world.bins) + 0.5) * width, step)
    floor = xr.DataArray([world.floor * PEAK_FLUX or np.nan], dims="energy", coords={"energy": binned["energy"]}, name="floor")
    return Draw(binned, _storms(world, step), rate, floor)


def _fluctuation(rng: np.random.Generator, t: Floats, rho: Floats, width: float) -> Floats:
    """Ornstein-Uhlenbeck process of unit variance at times (storm, cell, point), exactly, whatever the spacing."""
    noise = rng.normal(size=t.shape)
    out = np.empty_like(noise)
    out[..., 0] = noise[..., 0]
    for k in range(1, t.shape[2]):
        phi = rho ** ((t[..., k] - t[..., k - 1]) / width)
        out[..., k] = phi * out[..., k - 1] + np.sqrt(1 - phi**2) * noise[..., k]
    return out


def _storms(world: World, step: int) -> pd.DataFrame:
    """Storms whose windows hold `world.bins` whole bins each; a bin before each window is the main phase."""
    second = np.timedelta64(1, "s")
    onset = START + (np.arange(world.storms) * (world.bins + 1) * step).astype("timedelta64[ns]") + second
    minimum = onset + np.timedelta64(step, "ns") - 2 * second
    return pd.DataFrame(
        {
            "storm": np.arange(1, world.storms + 1),
            "onset": onset,
            "minimum": minimum,
            "last_minimum": minimum,
            "recovery_end": minimum + np.timedelta64(step, "ns"),
            "depth": -100.0,
            "storm_class": "intense",
            "n_dips": 1,
        }
    )


def _binned(counts: Floats, exposure: float, keep: NDArray[np.bool_], offset: Floats, step: int) -> xr.Dataset:
    """Lay the series out as `bin_flux` would, ten samples a bin; none in the main phases and in gaps."""
    n_storms, n_cells, n_bins = counts.shape
    samples = 10.0

    def laid(values: Floats) -> tuple[tuple[str, ...], Floats]:
        out = np.zeros((n_storms, n_bins + 1, n_cells))
        out[:, 1:] = np.moveaxis(np.where(keep, values, 0.0), 1, 2)
        # A last main phase ends the last window, so that no bin of it is at the end of the data.
        return ("probe", "time", "L", "energy"), np.concatenate([out.reshape(-1, n_cells), np.zeros((1, n_cells))])[None, ..., None]

    mean = counts / exposure
    log = np.log(np.where(mean > 0, mean, 1.0))
    sums = {
        "n_samples": np.full(counts.shape, samples),
        "n_zero": samples * (mean == 0),
        "sum_flux": samples * mean,
        "sum_flux_squared": samples * mean**2,
        "sum_log_flux": samples * log,
        "sum_log_flux_squared": samples * log**2,
        "counts": counts,
        "exposure": np.full(counts.shape, exposure),
        "sum_time": samples * offset * 86_400,
    }
    n_time = n_storms * (n_bins + 1) + 1
    binned = xr.Dataset(
        {name: laid(values) for name, values in sums.items()},
        coords={
            "probe": ["merged"],
            "time": START + (np.arange(n_time) * step + step // 2).astype("timedelta64[ns]"),
            "L": 3 + 0.001 * np.arange(n_cells),
            "energy": [100.0],
        },
        attrs={"time_bin_hours": step / 3600e9, "simulated": "yes", "ion": "H+"},
    )
    binned["sum_flux"].attrs["units"] = "cm-2 s-1 sr-1 keV-1"
    return binned
