"""Small results in the form of the data contract, with numbers that can be told by heart; for the tests of figures and tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

ENERGY = np.array([54.7, 99.4, 148.0, 269.0])
SHELLS = np.array([3.05, 3.15, 4.05, 4.15, 5.05])
START = np.datetime64("2015-04-15T00:00:00", "ns")
DAY = np.timedelta64(86_400_000_000_000, "ns")
HOURS = 8.97
FIT_FLAGS = {"no_window": 1, "too_few_points": 2, "not_resolved": 4, "growth": 8, "floor_reached": 16, "not_accepted": 32}
LIFETIME_FLAGS = {"no_fits": 1, "single_storm": 2, "not_resolved": 4, "growth": 8, "storms_lost_to_floor": 16}


def days(values: Any) -> Any:
    return START + (np.asarray(values, dtype=float) * 86_400e9).round().astype("timedelta64[ns]")


def storms(n: int = 2) -> pd.DataFrame:
    onset = 5.0 + 14.0 * np.arange(n)
    return pd.DataFrame(
        {
            "storm": np.arange(1, n + 1),
            "onset": days(onset),
            "minimum": days(onset + 0.5),
            "last_minimum": days(onset + 0.5),
            "recovery_end": days(onset + 3.0),
            "depth": -100.0 - 20.0 * np.arange(n),
            "storm_class": "intense",
            "n_dips": 1,
        }
    )


def index(name: str = "SYM-H", n_days: float = 40.0, every: float = 1 / 24) -> xr.DataArray:
    t = np.arange(0, n_days, every)
    values = np.full(t.size, -5.0)
    for row in storms().itertuples():
        minimum = (np.datetime64(row.minimum) - START) / DAY
        values += row.depth * np.where(t < minimum, np.exp(-(((t - minimum) / 0.2) ** 2)), np.exp(-(t - minimum) / 0.8))
    return xr.DataArray(values, coords={"time": days(t)}, dims="time", name=name, attrs={"units": "nT"})


def binned(simulated: str = "yes", n_days: float = 33.0, probes: tuple[str, ...] = ("a", "b")) -> xr.Dataset:
    """Flux that decays with tau = 10 days from 1e4 in every cell after each storm; an empty bin and a bin of zero."""
    n = int(n_days * 24 / HOURS)
    centre = (np.arange(n) + 0.5) * HOURS / 24
    offset = 0.05 * np.sin(np.arange(n))  # days
    since = np.min(np.where((since := (centre + offset)[:, None] - [5.5, 19.5]) >= 0, since, 40.0), axis=1)
    flux = 1e4 * np.exp(-since / 10.0)
    flux[3] = 0.0
    samples = np.full(n, 5.0)
    samples[7] = 0.0
    shape = (len(probes), n, SHELLS.size, ENERGY.size)

    def full(values: Any) -> Any:
        return ("probe", "time", "L", "energy"), np.broadcast_to(np.asarray(values)[None, :, None, None], shape).copy()

    return xr.Dataset(
        {
            "n_samples": full(samples),
            "sum_flux": full(samples * flux),
            "counts": full(samples * flux / 50),
            "sum_time": full(samples * offset * 86_400),
        },
        coords={"probe": list(probes), "time": days(centre), "L": SHELLS, "energy": ENERGY},
        attrs={
            "product": "rbspice-pap-tofxeh",
            "flux": "omnidirectional",
            "L_definition": "L",
            "time_bin_hours": HOURS,
            "max_MLAT": 10.0,
            "simulated": simulated,
        },
    )


def _flag_attrs(flags: dict[str, int]) -> dict[str, Any]:
    return {"long_name": "what to know", "flag_masks": np.array(list(flags.values()), dtype=np.int32), "flag_meanings": " ".join(flags)}


def decays(simulated: str = "yes", mode: str = "calibrated", n: int = 2) -> xr.Dataset:
    """All fits 10 d (8 to 12.5), but at 269 keV a limit of 35.7 d; growth in its last L; nothing in the first L of 54.7 keV."""
    shape = (n, 1, ENERGY.size, SHELLS.size)
    rate = np.full(shape, 0.1)
    values = {name: np.full(shape, value) for name, value in (("rate_se", 0.01), ("rate_low", 0.08), ("rate_high", 0.125), ("r2", 0.9))}
    values |= {"tau_low": np.full(shape, 8.0), "tau_high": np.full(shape, 12.5), "tau_limit": np.full(shape, np.nan)}
    values |= {"floor": np.full(shape, 20.0), "index_change": np.full(shape, 30.0), "log_flux_start": np.full(shape, np.log(1e4) - 0.1)}
    flag, n_points = np.zeros(shape, dtype=np.int32), np.full(shape, 28)
    rate[:, :, 3], values["rate_low"][:, :, 3], values["tau_high"][:, :, 3], values["tau_limit"][:, :, 3] = 0.001, -0.02, np.inf, 35.7
    flag[:, :, 3] = FIT_FLAGS["not_resolved"]
    rate[:, :, 3, -1], values["rate_high"][:, :, 3, -1], values["tau_limit"][:, :, 3, -1] = -0.1, -0.05, np.inf
    values["tau_low"][:, :, 3, -1] = np.inf
    flag[:, :, 3, -1] |= FIT_FLAGS["growth"]
    nothing = (slice(None), slice(None), 0, 0)
    for array in (rate, *values.values()):
        array[nothing] = np.nan
    flag[nothing], n_points[nothing] = FIT_FLAGS["too_few_points"], 0
    table = storms(n)
    onset = (table["onset"].to_numpy() - START) / DAY
    start = np.broadcast_to(days(onset + 1.6)[:, None, None, None], shape).copy()
    stop = np.broadcast_to(days(onset + 12.3456789)[:, None, None, None], shape).copy()
    start[nothing] = stop[nothing] = np.datetime64("NaT", "ns")
    data = (
        {"rate": rate} | values | {"tau": np.where(rate > 0, 1 / rate, np.nan), "n": n_points, "start": start, "stop": stop, "flag": flag}
    )
    dims = ("storm", "probe", "energy", "L")
    return xr.Dataset(
        {name: (dims, array, _flag_attrs(FIT_FLAGS) if name == "flag" else {"units": "1"}) for name, array in data.items()},
        coords={
            "storm": table["storm"].to_numpy(),
            "onset": ("storm", table["onset"].to_numpy()),
            "minimum": ("storm", table["minimum"].to_numpy()),
            "depth": ("storm", table["depth"].to_numpy(), {"units": "nT"}),
            "storm_class": ("storm", table["storm_class"].to_numpy(str)),
            "probe": ["merged"],
            "energy": ENERGY,
            "L": SHELLS,
            "L_bounds": (("L", "bound"), np.stack([SHELLS - 0.05, SHELLS + 0.05], axis=-1)),
        },
        attrs={"product": "rbspice-pap-tofxeh", "L_definition": "L", "mode": mode, "confidence": 0.95, "simulated": simulated},
    )


def compared(simulated: str = "yes") -> xr.Dataset:
    """The decays with those of another estimator beside: rates higher by a tenth and intervals half as wide; none at 148 keV."""
    fits = decays(simulated)
    other = {"rate": 1.1 * fits["rate"], "rate_se": 0.5 * fits["rate_se"]}
    half = (fits["rate_high"] - fits["rate_low"]) / 4
    other |= {"rate_low": other["rate"] - half, "rate_high": other["rate"] + half}
    for name, values in other.items():
        both = xr.concat([fits[name], values.where(fits["energy"] != 148.0)], dim="estimator")
        fits[f"{name}_by_estimator"] = both.transpose("estimator", "storm", "probe", "energy", "L")
    return fits.assign_coords(estimator=["gls", "theil_sen"])


def lifetimes(simulated: str = "yes", mode: str = "calibrated") -> xr.Dataset:
    """Tau = (energy / 10 keV) (L / 4)^3 days, 20 % to both sides; otherwise as `decays`.

    A single storm at (54.7 keV, 3.15), and storms lost to the floor at (99.4 keV, 3.05).
    """
    tau = (ENERGY[:, None] / 10) * (SHELLS / 4) ** 3
    limit, flag, n = np.full(tau.shape, np.nan), np.zeros(tau.shape, dtype=np.int32), np.full(tau.shape, 2)
    high = 1.2 * tau
    limit[3], high[3], flag[3] = 35.7, np.inf, LIFETIME_FLAGS["not_resolved"]
    limit[3, -1] = np.inf
    flag[3, -1] |= LIFETIME_FLAGS["growth"]
    n[0, 0], flag[0, 0] = 0, LIFETIME_FLAGS["no_fits"]
    n[0, 1], flag[0, 1] = 1, LIFETIME_FLAGS["single_storm"]
    flag[1, 0] = LIFETIME_FLAGS["storms_lost_to_floor"]
    values = {"tau": tau, "tau_low": 0.8 * tau, "tau_high": high, "tau_limit": limit, "rate": 1 / tau, "scatter": 0.2 / tau}
    for array in values.values():
        array[0, 0] = np.nan
    tau[3, -1] = np.nan
    resolved = n * (np.isnan(limit))
    values |= {"n_storms": n, "n_resolved": resolved, "n_limits": n - resolved, "n_growth": np.zeros_like(n)}
    if mode == "paper":
        kept = ("n_storms", "n_resolved", "n_limits", "n_growth")
        values = {"tau": tau, "tau_sd": 0.1 * tau, "n_accepted": resolved} | {name: values[name] for name in kept}
        tau[3] = values["tau_sd"][3] = np.nan
        flag[3] = 0
    values["flag"] = flag
    return xr.Dataset(
        {
            name: (("energy", "L"), array, _flag_attrs(LIFETIME_FLAGS) if name == "flag" else {"units": "1"})
            for name, array in values.items()
        },
        coords={"energy": ENERGY, "L": SHELLS, "L_bounds": (("L", "bound"), np.stack([SHELLS - 0.05, SHELLS + 0.05], axis=-1))},
        attrs={"product": "rbspice-pap-tofxeh", "L_definition": "L_star", "mode": mode, "confidence": 0.95, "simulated": simulated},
    )


def truth() -> xr.Dataset:
    rate = 1 / ((ENERGY[:, None] / 10) * (SHELLS / 4) ** 3)
    return xr.Dataset({"population_rate": (("energy", "L"), rate)}, coords={"energy": ENERGY, "L": SHELLS}, attrs={"simulated": "yes"})
