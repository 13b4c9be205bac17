"""Real electron count rates of RBSP-A, 16 to 20 March 2013, binned as `bin_flux` would, for fits of the storm of 17 March.

The files are not the mission's own: rates by L*, energy and spin from a student's exercise, whose processing is not documented. What
can be seen of it: there is no rate of zero, and values are missing where rates are lowest, so that zeros seem to have been taken out; rates
are no multiples of one number, so that counts cannot be had from them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from scipy.io import loadmat

BIN_HOURS = 8.97 / 2  # half an orbit: each bin holds about one pass through an L-shell, because a window of two days has few orbits
L_EDGES = np.arange(2.0, 5.51, 0.5)
# MATLAB counts days from the year 0; this is 1970-01-01.
_UNIX_EPOCH = 719_529


def binned_rates(folder: Path) -> xr.Dataset:
    """Sum the count rates in bins of half an orbit, half an L* and the ten energies."""
    data = loadmat(folder / "RBSP.mat")
    energy = loadmat(folder / "RBSPenergy.mat")["E"][:, 0].astype(float)
    seconds, L, rate = (data["T"][:, 0] - _UNIX_EPOCH) * 86_400, data["Lstar"][:, 0], data["CountRate"]
    first = np.floor(seconds[0] / 86_400) * 86_400
    row = np.floor((seconds - first) / 3600 / BIN_HOURS).astype(int)
    column = np.digitize(L, L_EDGES) - 1
    centre = first + (np.arange(row.max() + 1) + 0.5) * BIN_HOURS * 3600
    shape = (len(centre), len(L_EDGES) - 1, len(energy))
    sums = {name: np.zeros(shape) for name in ("n_samples", "sum_flux", "sum_log_flux", "sum_time")}
    inside = np.isfinite(L) & (column >= 0) & (column < shape[1])
    for e in range(len(energy)):
        use = inside & np.isfinite(rate[:, e])
        cell = (row[use], column[use], np.full(use.sum(), e))
        for name, values in (
            ("n_samples", 1.0),
            ("sum_flux", rate[use, e]),
            ("sum_log_flux", np.log(rate[use, e])),
            ("sum_time", seconds[use] - centre[row[use]]),
        ):
            np.add.at(sums[name], cell, values)
    sums |= {"n_zero": np.zeros(shape), "counts": np.full(shape, np.nan), "exposure": np.full(shape, np.nan)}
    return xr.Dataset(
        {name: (("probe", "time", "L", "energy"), values[None]) for name, values in sums.items()},
        coords={
            "probe": ["a"],
            "time": np.round(centre * 1e9).astype("M8[ns]"),
            "L": (L_EDGES[:-1] + L_EDGES[1:]) / 2,
            "L_bounds": (("L", "bound"), np.stack([L_EDGES[:-1], L_EDGES[1:]], axis=1)),
            "energy": energy,
        },
        attrs={"time_bin_hours": BIN_HOURS, "L_definition": "L_star", "ion": "e-"},
    )
