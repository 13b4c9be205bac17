"""The decay time at any energies and L inside the range of a surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.decays.result import flag_attrs
from ringdecay.errors import InputError
from ringdecay.surface.fitting import FLAGS, VARIABLES, stated
from ringdecay.surface.splines import Floats


def tau(energy: Any, L: Any, surface: xr.Dataset) -> xr.Dataset:
    """Give the decay time with its interval at energies and L-shells.

    Parameters
    ----------
    energy, L : float, array_like or DataArray
        keV, and L-shells of the surface's own kind (`surface.attrs["L_definition"]`). Arrays broadcast as in numpy, DataArrays by the
        names of their dimensions.
    surface : xarray.Dataset
        From `fit_surface`, or its netCDF file opened with `open_dataset`.

    Returns
    -------
    xarray.Dataset
        The variables of the surface (`tau`, `tau_low`, `tau_high`, `tau_limit` in days, `rate` and its interval in 1/day, `supported`,
        `flag`, ...) over the dimensions of the arguments, with `energy` and `L` as variables. On a grid point it is the grid's value;
        between, the rate is interpolated over ln energy and ln L, within 0.3 % of the surface itself. Outside the stated range `tau` is
        NaN and `flag` says why.

    Raises
    ------
    InputError
        If `surface` is not one or is empty, or the arguments do not broadcast.

    Examples
    --------
    >>> surface = ringdecay.open_dataset("results/demo/surface.nc")  # doctest: +SKIP
    >>> ringdecay.tau(100.0, [3.5, 4.0, 4.5], surface).tau  # doctest: +SKIP
    """
    if not {"rate", "rate_se", "df", "n_storms", "flag"} <= set(surface) or "rate_scale" not in surface.attrs:
        raise InputError("tau needs the surface that fit_surface returns")
    where_energy, where_L = _broadcast(energy, L)
    surface = surface.transpose("energy", "L", ...)
    if not surface["rate"].size:
        raise InputError(f"the surface is empty; its range is {surface.attrs.get('range', 'not stated')}")
    corners = _corners(surface, where_energy.to_numpy().astype(np.float64), where_L.to_numpy().astype(np.float64))

    def between(values: npt.NDArray[Any]) -> Floats:
        # A corner without weight must not spoil the point with its NaN; a weight that is NaN must.
        out: Floats = np.sum([np.where(w == 0, 0.0, w * values[i, j]) for i, j, w in corners], axis=0)
        return out

    scale = float(surface.attrs["rate_scale"])
    grid = {name: surface[name].to_numpy().astype(np.float64) for name in ("rate", "rate_se", "df", "n_storms")}
    values = {
        "rate": scale * np.sinh(between(np.arcsinh(grid["rate"] / scale))),
        "rate_se": np.exp(between(np.log(grid["rate_se"]))),
        "df": between(grid["df"]),
        "n_storms": between(grid["n_storms"]),
    }
    # NaN at a corner that counts: the point is not between data.
    result = stated(values, np.isfinite(values["rate"]), float(surface.attrs["confidence"]))
    variables = {
        name: (where_energy.dims, result[name], dict(said) | (flag_attrs(FLAGS) if name == "flag" else {}))
        for name, said in VARIABLES.items()
    }
    out = xr.Dataset(variables, coords=where_energy.coords, attrs=surface.attrs)
    for name, given, said in (("energy", where_energy, {"units": "keV"}), ("L", where_L, {"units": "1"})):
        if name not in out.coords:
            out = out.assign_coords({name: (given.dims, given.to_numpy(), said)})
    return out


def _broadcast(energy: Any, L: Any) -> tuple[xr.DataArray, xr.DataArray]:
    """Make DataArrays of one shape; plain arrays by numpy's rules."""
    try:
        if isinstance(energy, xr.DataArray) or isinstance(L, xr.DataArray):
            # Coordinates named energy and L are the arguments themselves; they come back as variables of the result.
            first, second = xr.broadcast(xr.DataArray(energy), xr.DataArray(L))
        else:
            first, second = map(xr.DataArray, np.broadcast_arrays(np.asarray(energy, dtype=np.float64), np.asarray(L, dtype=np.float64)))
    except ValueError as error:
        raise InputError(f"energy and L do not go together: {error}") from error
    return first, second.transpose(*first.dims)


def _corners(surface: xr.Dataset, energy: Floats, shells: Floats) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]]:
    """Give for each point its four corners of the grid: row, column, weight (NaN outside the grid)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        along = [_between(np.log(surface[name].to_numpy()), np.log(x)) for name, x in (("energy", energy), ("L", shells))]
    (i, p), (j, q) = along
    return [(i, j, (1 - p) * (1 - q)), (i + 1, j, p * (1 - q)), (i, j + 1, (1 - p) * q), (i + 1, j + 1, p * q)]


def _between(grid: Floats, x: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Position of the grid value below and the part of the way to the next; NaN outside."""
    below = np.clip(np.searchsorted(grid, x, side="right") - 1, 0, len(grid) - 2)
    part = (x - grid[below]) / (grid[below + 1] - grid[below])
    # Rounding must not put a point of the grid beside it.
    near = np.abs(part - np.round(part)) < 1e-6
    part = np.where(near, np.round(part), part)
    return below, np.where((part >= 0) & (part <= 1), part, np.nan)
