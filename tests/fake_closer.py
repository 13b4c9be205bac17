"""Small results for the figures that look closer, with numbers that can be told by heart; beside `fake_results`."""

from __future__ import annotations

import numpy as np
import xarray as xr
from fake_results import ENERGY, HOURS, SHELLS, decays, lifetimes

ANGLE = "equatorial_pitch_angle"


def varied(n: int = 8, probes: tuple[str, ...] = ("a", "b", "merged"), simulated: str = "yes", mode: str = "calibrated") -> xr.Dataset:
    """Decays whose rates differ: 0.1/day at 99.4 keV, more below and less above; the storms by up to 40 %; probe b a tenth above a.

    What `decays` says is not resolved stays so.
    """
    base = decays(simulated, mode, n)
    by_energy = xr.DataArray(np.array([2.0, 1.0, 0.5, 1.0]), dims="energy")
    by_storm = xr.DataArray(1 + 0.4 * np.sin(2.0 * np.arange(n)), dims="storm")
    parts = []
    for k, probe in enumerate(probes):
        own = {"a": 1.0, "b": 1.1}.get(probe, 1.05)
        wiggle = xr.DataArray(1 + 0.05 * np.sin(np.arange(n) * (k + 1.0))[:, None] * np.cos(np.arange(SHELLS.size)), dims=("storm", "L"))
        factor = (own * by_energy * by_storm * wiggle).transpose("storm", "energy", "L")
        one = base.isel(probe=0, drop=True)
        one = one.assign({name: (one[name] * factor).transpose(*one[name].dims) for name in ("rate", "rate_low", "rate_high", "rate_se")})
        with np.errstate(divide="ignore"):
            tau = 1 / one["rate"].where(one["rate"] > 0)
            one = one.assign(tau=tau, tau_low=1 / one["rate_high"].where(one["rate_high"] > 0), tau_high=1 / one["rate_low"].clip(min=0))
        parts.append(one)
    out = xr.concat(parts, dim="probe", coords="minimal", compat="override").assign_coords(probe=list(probes))
    return out.transpose("storm", "probe", "energy", "L", ...)


def means(simulated: str = "yes", mode: str = "calibrated") -> xr.Dataset:
    """Lifetimes that go with `varied`: 0.1/day (0.08 to 0.12) at 99.4 keV, the next storm 0.03 to 0.17, theory 0.05 to 0.07."""
    out = lifetimes(simulated, mode).copy()
    middle = xr.DataArray(np.array([0.2, 0.1, 0.05, 0.002]), dims="energy", coords={"energy": ENERGY}) * xr.ones_like(out["L"])
    ends = {"rate_predicted_low": 0.5, "rate_predicted_high": 0.7}
    if mode == "calibrated":
        ends |= {"rate": 1.0, "rate_low": 0.8, "rate_high": 1.2, "rate_pred_low": 0.3, "rate_pred_high": 1.7}
    out = out.assign({name: factor * middle.transpose("energy", "L") for name, factor in ends.items()})
    return out.assign(tau=1 / middle.transpose("energy", "L"))


def left(n: int = 6, rho: float = 0.4, simulated: str = "yes", bins: int = 32) -> xr.Dataset:
    """Residuals of 0.2 in size whose neighbours correlate as `rho`; the third bin is missing, and all at 54.7 keV and L = 3.05."""
    rng = np.random.default_rng(7)
    shape = (n, 1, ENERGY.size, SHELLS.size)
    values = np.empty((*shape, bins))
    values[..., 0] = rng.normal(size=shape)
    for k in range(1, bins):
        values[..., k] = rho * values[..., k - 1] + np.sqrt(1 - rho**2) * rng.normal(size=shape)
    values[..., 2] = np.nan
    values[:, :, 0, 0] = np.nan
    days = np.where(np.isnan(values), np.nan, np.arange(bins) * HOURS / 24)
    dims = ("storm", "probe", "energy", "L")
    theta = -HOURS / 24 / np.log(rho) if rho > 0 else 0.0
    fits = {"rho": rho, "sigma": 0.2, "theta": theta}
    variables = {"residual": ((*dims, "bin"), 0.2 * values), "days": ((*dims, "bin"), days), "noise": ((*dims, "bin"), 1e-4 + 0 * days)}
    return xr.Dataset(
        variables | {name: (dims, np.full(shape, value)) for name, value in fits.items()},
        coords={"storm": np.arange(1, n + 1), "probe": ["merged"], "energy": ENERGY, "L": SHELLS},
        attrs={"product": "rbspice-pap-tofxeh", "mode": "calibrated", "lag_hours": HOURS, "simulated": simulated},
    )


def by_angle(simulated: str = "yes", mode: str = "calibrated") -> xr.Dataset:
    """Lifetimes by pitch angle: those of `lifetimes` at 82.5 degrees, and less by the sine of the angle below."""
    angles = np.arange(7.5, 90, 15.0)
    sine = xr.DataArray(np.sin(np.radians(angles)) / np.sin(np.radians(82.5)), dims=ANGLE, coords={ANGLE: angles})
    base = lifetimes(simulated, mode)
    scaled = [name for name in ("tau", "tau_low", "tau_high", "tau_sd") if name in base]
    out = base.assign({name: base[name] * sine for name in scaled})
    others = {name: base[name].expand_dims({ANGLE: angles}) for name in base.data_vars if name not in scaled}
    out = out.assign(others).assign(rate_predicted_low=0.8 / out["tau"], rate_predicted_high=1.2 / out["tau"])
    bounds = ((ANGLE, "bound"), np.stack([angles - 7.5, angles + 7.5], axis=-1))
    return out.assign_coords({f"{ANGLE}_bounds": bounds}).assign_attrs(flux="by equatorial pitch angle")


def choices(simulated: str = "yes", mode: str = "calibrated") -> xr.Dataset:
    """The decay times of `lifetimes` under five choices: 1, 0.9, 1.1, 1.3 and 0.7 times the run's own."""
    base = lifetimes(simulated, mode)
    factor = xr.DataArray(np.array([1.0, 0.9, 1.1, 1.3, 0.7]), dims="choice")
    scaled = [name for name in ("tau", "tau_low", "tau_high", "tau_limit", "tau_sd") if name in base]
    out = base.assign({name: base[name] * factor for name in scaled})
    out = out.assign({name: base[name].expand_dims(choice=5) for name in base.data_vars if name not in scaled})
    names = ["as in the run", "start 0.5 d after the minimum", "time bins of 17.9 h", "L bins of 0.3", "theil_sen"]
    return out.assign_coords(choice=names, kind=("choice", ["own", "window", "binning", "binning", "estimator"]))
