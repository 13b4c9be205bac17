"""Fits of many cells over storms, with a known truth; for the tests of what is said over storms."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ringdecay.decays import FLAGS

# Vaccine trials against tuberculosis: cases and others among the vaccinated and among the controls (Colditz et al. 1994, JAMA 271, 698),
# and the latitude. The standard example of random effects; reference values by metafor 4 (R), as its documentation prints them.
TRIALS = np.array(
    [(4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079),
     (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197),
     (5, 2493, 3, 2338), (27, 16886, 29, 17825)], dtype=float,
)  # fmt: skip
LATITUDE = np.array([44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33], dtype=float)


def log_risk_ratios() -> tuple[np.ndarray, np.ndarray]:
    """Values and variances, shape (trial, 1)."""
    a, b, c, d = TRIALS.T
    return np.log(a / (a + b) * (c + d) / c)[:, None], (1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))[:, None]


def decays_of(rate: np.ndarray, se: np.ndarray, df: float = 1e9, mode: str = "calibrated", flags: np.ndarray | int = 0) -> xr.Dataset:
    """Fits of one energy; (storm,) or (storm, L) arrays."""
    rate, se = (np.atleast_2d(np.asarray(a, float).T).T for a in (rate, se))
    low, high = rate - 1.96 * se, rate + 1.96 * se
    flag = np.where(low <= 0, FLAGS["not_resolved"], 0) | np.where(high < 0, FLAGS["growth"], 0) | np.atleast_2d(np.asarray(flags).T).T
    with np.errstate(divide="ignore"):
        values = {"rate": rate, "rate_se": se, "df": np.full(rate.shape, df), "tau": 1 / rate, "flag": flag.astype(np.int32)}
    n = len(rate)
    minimum = np.datetime64("2015-01-01", "ns") + (36.524 * np.arange(n) * 86_400e9).astype("timedelta64[ns]")
    start = np.broadcast_to((minimum + np.timedelta64(1, "D"))[:, None, None, None], (n, 1, 1, rate.shape[1]))
    dims = ("storm", "probe", "energy", "L")
    return xr.Dataset(
        {name: (dims, v[:, None, None, :]) for name, v in values.items()}
        | {"start": (dims, start.copy()), "stop": (dims, start + np.timedelta64(10, "D"))},
        coords={
            "storm": np.arange(1, n + 1),
            "minimum": ("storm", minimum),
            "depth": ("storm", np.linspace(-60.0, -200.0, n)),
            "probe": ["merged"],
            "energy": [99.0],
            "L": 4.0 + 0.1 * np.arange(rate.shape[1]),
        },
        attrs={"mode": mode},
    )


def rates(rng: np.random.Generator, n_storms: int, n_cells: int, scatter: float) -> np.ndarray:
    """Rates of storms, lognormal with arithmetic mean 1 and this standard deviation."""
    width = np.sqrt(np.log1p(scatter**2))
    return np.exp(width * rng.normal(size=(n_storms, n_cells)) - width**2 / 2)


def measured(rng: np.random.Generator, rate: np.ndarray, error: np.ndarray, df: int = 10) -> xr.Dataset:
    """Fits of these rates: normal errors, and standard errors that are estimates with `df` degrees of freedom."""
    error = np.broadcast_to(error, rate.shape)
    return decays_of(rate + error * rng.normal(size=rate.shape), error * np.sqrt(rng.chisquare(df, rate.shape) / df), df)


def errors(rng: np.random.Generator, kind: str, rate: np.ndarray) -> np.ndarray:
    """Errors of fits: all 0.01 or 0.2, spread twentyfold, one long recovery among short ones, or in proportion to the rate."""
    if kind == "twentyfold":
        return 10 ** rng.uniform(np.log10(0.02), np.log10(0.4), rate.shape)
    if kind == "one long recovery":
        return np.where(np.arange(len(rate))[:, None] == 0, 0.025, 0.5) * np.ones(rate.shape)
    if kind == "with the rate":
        return 0.15 * rate
    return np.full(rate.shape, {"small": 0.01, "equal": 0.2}[kind])
