"""What `loss_rate` takes, brought to one form: DataArrays of float64 whose coordinates agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from ringdecay.errors import InputError
from ringdecay.theory.ranges import Floats

Values = ArrayLike | xr.DataArray

# Dimensions that hold the choices of a model while rates are worked out.
CHOICES = ("cross_section", "geocorona", "plasmasphere", "field_line")

# No cross section here holds above 2 MeV; protons of more than 10 MeV are no ring current, so a greater number is in eV by mistake.
_HIGHEST = 1e4


def arguments(energy: Values, L: Values, angle: Values, g: Values, kp: Values | None) -> dict[str, xr.DataArray]:
    """Give the arguments of `loss_rate` by name, as DataArrays that can be broadcast against each other."""
    arrays = {
        "energy": _data_array("energy", energy),
        "L": _data_array("L", L),
        "equatorial_pitch_angle": _data_array("equatorial_pitch_angle", angle),
        "spectral_index": _data_array("spectral_index", g, vector=False),
        "kp_max": _data_array("kp_max", np.nan if kp is None else kp, vector=False),
    }
    for name, array in arrays.items():
        if np.isinf(array.values).any():
            raise InputError(f"{name} has an infinite value; put NaN where it is not known.")
    if bool((arrays["energy"] <= 0.0).any()):
        raise InputError(f"energies are above 0 keV, but the least is {float(arrays['energy'].min()):g}.")
    if bool((arrays["energy"] > _HIGHEST).any()):
        raise InputError(
            f"energies are in keV and at most {_HIGHEST:g}, but the greatest is {float(arrays['energy'].max()):g}; is it in eV?"
        )
    if bool((arrays["L"] < 1.0).any()):
        raise InputError(f"L is at least 1, but the least is {float(arrays['L'].min()):g}.")
    _check_dimensions(arrays)
    try:
        aligned = xr.align(*arrays.values(), join="exact")
    except ValueError as error:
        raise InputError(f"the coordinates of the arguments do not agree; take all of them from one grid ({error}).") from error
    return dict(zip(arrays, aligned, strict=True))


def _check_dimensions(arrays: dict[str, xr.DataArray]) -> None:
    for name, array in arrays.items():
        for dim in map(str, array.dims):
            if dim in CHOICES:
                raise InputError(f"{name} has a dimension {dim!r}, a word for the choice of a model; rename it.")
            if dim in arrays and dim != name and arrays[dim].dims != (dim,):
                raise InputError(f"{name} has a dimension {dim!r}, but {dim} is not a 1-D array along it; rename the dimension.")


def _data_array(name: str, values: Values, *, vector: bool = True) -> xr.DataArray:
    if isinstance(values, xr.DataArray):
        # Coordinates that are no dimension (a storm, a probe) would only clash between arguments.
        array = values.copy(data=_numbers(name, values.values)).reset_coords(drop=True).rename(name)
        # An array along its own dimension gets that dimension's coordinate, if it came without one.
        return array.assign_coords({name: array.data}) if array.dims == (name,) and name not in array.coords else array
    numbers = _numbers(name, values)
    if numbers.ndim == 0:
        return xr.DataArray(numbers, name=name)
    if numbers.ndim == 1 and vector:
        return xr.DataArray(numbers, dims=name, coords={name: numbers}, name=name)
    wanted = "a number, a 1-D array or a DataArray" if vector else "a number or a DataArray"
    raise InputError(f"{name} is {wanted}, but it has {numbers.ndim} dimension(s); a DataArray says which dimension is which.")


def _numbers(name: str, values: Any) -> Floats:
    """Give an array of float64 from one of real numbers, NaN where it is masked; nothing else is guessed to be a number."""
    array: np.ma.MaskedArray[Any, Any] = np.ma.asarray(None if isinstance(values, xr.Dataset) else values)
    if array.dtype.kind not in "iuf" and array.size:
        raise InputError(f"{name} has to be a number or an array of numbers, but it is {_short(values)}.")
    return np.asarray(np.ma.filled(array.astype(np.float64), np.nan))


def _short(values: Any) -> str:
    text = " ".join(repr(values).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
