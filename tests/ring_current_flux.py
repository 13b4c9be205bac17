"""Binned flux of a ring current whose energy is known by heart, and an index that recovers with it; for the tests of its energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

START = np.datetime64("2015-04-15T00:00:00", "ns")
ENERGY = np.array([44.7, 54.7, 67.1, 81.6, 99.4, 121.0, 148.0, 181.0, 220.0, 269.0, 328.0, 400.0, 489.0, 598.0])
EDGES = np.round(np.arange(3.0, 5.01, 0.25), 6)
HOURS = 8.97
ONSET, MINIMUM = np.array([4.6, 24.6]), np.array([5.0, 25.0])


def at(days: Any) -> Any:
    return START + (np.asarray(days, dtype=float) * 86_400e9).round().astype("timedelta64[ns]")


def since_minimum(days: np.ndarray) -> np.ndarray:
    """Days since the last minimum; before the first, as long after one as it gets."""
    gaps = np.asarray(days, dtype=float)[..., None] - MINIMUM
    return np.where(gaps >= 0, gaps, 20.0).min(axis=-1)


def binned(
    tau: float | np.ndarray = 8.0, *, probes: Sequence[str] = ("a", "b"), n_days: float = 44.0, noise: float = 0.0, flux: float = 1e4
) -> xr.Dataset:
    """Flux that is the same at all L, starts at `flux` with each storm's minimum and decays with `tau` (days, one or one an energy)."""
    n = int(n_days * 24 / HOURS)
    centre = (np.arange(n) + 0.5) * HOURS / 24
    decay = np.exp(-since_minimum(centre)[:, None] / np.broadcast_to(tau, ENERGY.shape))
    shape = (len(probes), n, EDGES.size - 1, ENERGY.size)
    values = flux * np.broadcast_to(decay[None, :, None, :], shape) * np.exp(noise * np.random.default_rng(3).standard_normal((1, n, 1, 1)))
    begin = at(centre - HOURS / 48)
    return xr.Dataset(
        {
            "n_samples": (("probe", "time", "L", "energy"), np.full(shape, 10.0)),
            "sum_flux": (("probe", "time", "L", "energy"), 10.0 * values),
        },
        coords={
            "probe": np.array(probes, dtype=object),
            "time": at(centre),
            "time_bounds": (("time", "bound"), np.stack([begin, begin + np.timedelta64(round(HOURS * 3600e9), "ns")], axis=-1)),
            "L": (EDGES[1:] + EDGES[:-1]) / 2,
            "L_bounds": (("L", "bound"), np.stack([EDGES[:-1], EDGES[1:]], axis=-1)),
            "energy": ENERGY,
        },
        attrs={"product": "rbspice-pap-tofxeh", "ion": "H+", "flux": "omnidirectional", "time_bin_hours": HOURS, "simulated": "yes"},
    )


def index(tau: float = 1.5, *, pressure: float | None = None, every_hours: float = 1.0, quiet: float = 0.0) -> xr.DataArray:
    """SYM-H of two storms of -120 nT that recover with `tau` (days); with a pressure (nPa), shifted as O'Brien and McPherron say."""
    t = np.arange(0.0, 44.0, every_hours / 24)
    values = quiet - 120.0 * np.exp(-since_minimum(t + every_hours / 48) / tau)
    main = ((t[:, None] >= ONSET) & (t[:, None] < MINIMUM)).any(axis=-1)
    values = np.where(main, -60.0, values) + (0.0 if pressure is None else 7.26 * np.sqrt(pressure) - 11.0)
    attrs = {"units": "nT", "simulated": "yes", "time_label": "start of the interval"}
    return xr.DataArray(values, coords={"time": at(t)}, dims="time", name="SYM-H", attrs=attrs)


def solar_wind(pressure: float = 2.0, field: float = 0.0) -> xr.Dataset:
    """Solar wind that never changes, hour by hour."""
    time = at(np.arange(0.0, 44.0, 1 / 24))
    said = {"time_label": "start of the hour"}
    values = {"Pdyn": ("time", np.full(time.size, pressure), said), "Ey": ("time", np.full(time.size, field), said)}
    return xr.Dataset(values, coords={"time": time}, attrs={"simulated": "yes"})


def storms() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "storm": [1, 2],
            "onset": at(ONSET),
            "minimum": at(MINIMUM),
            "last_minimum": at(MINIMUM),
            "recovery_end": at(MINIMUM + 3.0),
            "depth": [-120.0, -120.0],
            "storm_class": "intense",
            "n_dips": 1,
            "complete": True,
        }
    )
