"""Decays of storms with a known surface of rates, drawn without any flux; for the tests of the surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

ENERGY = np.geomspace(45.0, 600.0, 10)
SHELLS = np.linspace(2.55, 5.85, 12)


def population_rate(energy: Any, L: Any) -> Any:
    """1/day; a bend in energy and a power of L, from tau of 1 day to several hundred."""
    return 1 / ((2 + 8 * (np.asarray(energy) / 100) ** 2.3) * (np.asarray(L) / 4) ** 3)


def decays(
    seed: int = 0, *, storms: int = 10, scatter: float = 0.2, noise: float = 0.004, rate: Any = population_rate, **attrs: Any
) -> xr.Dataset:
    """Fits of storms as `fit_decays` would give them.

    Every storm has rates of its own (lognormal about the population's, mean 1, shared by neighbouring cells) and an error of size `noise`
    (1/day), of which three quarters of the variance are shared by all cells of the storm.
    """
    rng = np.random.default_rng(seed)
    truth = rate(ENERGY[:, None], SHELLS[None, :])
    x, y = np.linspace(-1, 1, len(ENERGY))[:, None], np.linspace(-1, 1, len(SHELLS))[None, :]
    loads = np.stack([np.ones_like(x * y), x + 0 * y, y + 0 * x])
    loads /= np.sqrt((loads**2).sum(0))
    sigma = np.sqrt(np.log1p(scatter**2))
    own = truth * np.exp(sigma * np.einsum("sk,kel->sel", rng.normal(size=(storms, 3)), loads) - sigma**2 / 2)
    size = noise * rng.uniform(0.5, 2.0, (storms, 1, 1))
    error = size * (np.sqrt(0.75) * rng.normal(size=(storms, 1, 1)) + 0.5 * rng.normal(size=own.shape))
    values = {"rate": own + error, "rate_se": np.broadcast_to(size, own.shape), "df": np.full(own.shape, 20.0)}
    flag = np.zeros(own.shape, dtype=np.int32)
    return xr.Dataset(
        {name: (("storm", "probe", "energy", "L"), array[:, None].copy()) for name, array in (values | {"flag": flag}).items()},
        coords={"storm": np.arange(storms) + 1, "probe": ["merged"], "energy": ENERGY, "L": SHELLS},
        attrs={"mode": "calibrated", "product": "rbspice-pap-tofxeh", "L_definition": "L", "simulated": "yes"} | attrs,
    )
