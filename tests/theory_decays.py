"""Decays of a flux with a known spectrum and known rates, drawn without any flux; for the tests of the comparison with theory."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

START = np.datetime64("2015-03-01T00:00:00", "ns")


def after(days: Any) -> np.ndarray:
    return START + (np.asarray(days, dtype=float) * 86_400e9).round().astype("timedelta64[ns]")


def decays(rate: np.ndarray, energy: Any, L: Any, *, g: Any = 2.0, rate_se: Any = 0.001, length: Any = 10.0, **attrs: Any) -> xr.Dataset:
    """Fits as `fit_decays` would give them: `rate` over (storm, energy, L), flux as energy to the power -g in the middle of each fit.

    Storms are 30 days apart; a fit is `length` days long. A NaN in `rate` is no fit.
    """
    storms, energy = len(rate), np.asarray(energy, dtype=float)
    shape = rate.shape
    length, rate_se = np.broadcast_to(length, shape), np.broadcast_to(rate_se, shape)
    begin = np.broadcast_to(30.0 * np.arange(storms)[:, None, None], shape)
    level = 10.0 - np.asarray(g) * np.log(energy)[None, :, None] + rate * length / 2
    start, stop = after(begin), after(begin + length)
    none = np.isnan(rate)
    start[none] = stop[none] = np.datetime64("NaT", "ns")
    values = {
        "rate": rate,
        "rate_se": np.where(none, np.nan, rate_se),
        "df": np.where(none, np.nan, 20.0),
        "log_flux_start": level,
        "start": start,
        "stop": stop,
        "flag": np.where(none, 2, 0).astype(np.int32),
    }
    return xr.Dataset(
        {name: (("storm", "probe", "energy", "L"), np.asarray(value)[:, None].copy()) for name, value in values.items()},
        coords={
            "storm": np.arange(storms) + 1,
            "minimum": ("storm", after(30.0 * np.arange(storms) - 1)),
            "depth": ("storm", np.full(storms, -100.0)),
            "probe": ["merged"],
            "energy": energy,
            "L": np.atleast_1d(np.asarray(L, dtype=float)),
        },
        attrs={"mode": "calibrated", "product": "rbspice-pap-tofxeh", "ion": "H+", "flux": "omnidirectional", "L_definition": "L"}
        | {"simulated": "yes"}
        | attrs,
    )
