"""Coarser bins from finer ones: sums add up, so that the files need not be read again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.binned.grid import Grid
from ringdecay.binned.merge import sum_names, time_coordinates
from ringdecay.errors import InputError


def coarser(binned: xr.Dataset, *, time_bins: int = 1, L_bins: int = 1) -> xr.Dataset:
    """Add up neighbouring bins of time and of L.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux`, or of its merged probes.
    time_bins : int
        How many time bins become one; they are counted from 2012, as all bins are, so that two runs have the same ones. The coarse bin may
        not be longer than a day.
    L_bins : int
        How many L bins become one, an odd number: every bin with as many neighbours on both sides, so that its centre stays. Bins then
        overlap, and those at the ends have fewer neighbours.

    Returns
    -------
    Dataset
        The sums over the coarser bins; `sum_time` from the centres of the new time bins. Exclusions and files are those of the fine bins.

    Raises
    ------
    InputError
        If a number does not make sense.
    """
    if time_bins < 1 or L_bins < 1 or L_bins % 2 == 0:
        raise InputError(f"coarser bins need at least 1 time bin and an odd number of L bins, not {time_bins} and {L_bins}")
    out = binned if L_bins == 1 else _wider(binned, (L_bins - 1) // 2)
    return out if time_bins == 1 else _longer(out, time_bins)


def _wider(binned: xr.Dataset, beside: int) -> xr.Dataset:
    n = binned.sizes["L"]
    first, last = np.maximum(np.arange(n) - beside, 0), np.minimum(np.arange(n) + beside, n - 1)

    def added(values: xr.DataArray) -> xr.DataArray:
        axis = values.get_axis_num("L")
        # Not differences of running sums: flux of one L would leave its rounding errors in all.
        rows = [values.to_numpy().take(range(a, b + 1), axis).sum(axis) for a, b in zip(first, last, strict=True)]
        return values.copy(data=np.stack(rows, axis=axis))

    out = binned.assign({name: added(binned[name]) for name in sum_names(binned)})
    if "L_bounds" in binned.coords:
        bounds = binned["L_bounds"].to_numpy()
        out = out.assign_coords(L_bounds=binned["L_bounds"].copy(data=np.stack([bounds[first, 0], bounds[last, 1]], axis=-1)))
    return out


def _longer(binned: xr.Dataset, time_bins: int) -> xr.Dataset:
    hours = float(binned.attrs["time_bin_hours"])
    grid = Grid(time_bin_hours=hours * time_bins)
    number = Grid(time_bin_hours=hours).time_index(binned["time"].to_numpy()) // time_bins
    first = int(number[0]) if number.size else 0
    starts = np.flatnonzero(np.diff(number, prepend=first - 1))
    coordinates = time_coordinates(grid, first, starts.size)
    shift = _seconds_between(binned["time"].to_numpy(), coordinates["time"][1][number - first])
    variables: dict[str, Any] = {}
    for name in sum_names(binned):
        values = binned[name]
        axis = values.get_axis_num("time")
        data = values.to_numpy()
        if name.startswith("sum_time"):
            samples = binned[name.replace("sum_time", "n_samples")].transpose(*values.dims).to_numpy()
            data = data + samples * shift.reshape([-1 if k == axis else 1 for k in range(data.ndim)])
        variables[name] = (values.dims, np.add.reduceat(data, starts, axis=axis, dtype=data.dtype) if starts.size else data, values.attrs)
    out = binned.drop_dims("time").assign(variables).assign_coords(coordinates)
    return out.assign_attrs(time_bin_hours=grid.time_bin_hours, first_bin=first)


def _seconds_between(fine: npt.NDArray[np.datetime64], coarse: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Seconds from the centres of the coarse bins to those of the fine bins in them."""
    return np.asarray((fine.astype("datetime64[ns]") - coarse).astype(np.int64) / 1e9, dtype=np.float64)
