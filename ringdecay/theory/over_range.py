"""Predictions over the range of energies and L-shells of a result."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.errors import InputError
from ringdecay.theory.loss import loss_rate

# Fine enough for smooth lines in a figure of a page's width.
_POINTS = 80


def loss_rate_over(result: xr.Dataset, **options: Any) -> xr.Dataset:
    """Predict loss rates on a fine grid from the least to the greatest energy and L-shell of a result, for its ion.

    Parameters
    ----------
    result : Dataset
        With `energy` in keV and `L`, such as from `lifetimes`; the ion is its attribute `ion`, protons if it has none. L is taken as the
        dipole's, whatever the result's definition. Of a single energy or L-shell the grid is 5 % to both sides.
    **options
        Passed to `loss_rate`, except its `species`.

    Returns
    -------
    xarray.Dataset
        From `loss_rate`, 80 energies evenly spaced in their logarithm by 80 L-shells.

    Raises
    ------
    InputError
        If the result has no energies or no L-shells, or `loss_rate` refuses an option.
    """
    if not all(name in result.coords and result[name].size for name in ("energy", "L")):
        raise InputError("predictions over the range of a result need its energies and L-shells, but it has none.")
    energy, shells = (_ends(result[name].to_numpy()) for name in ("energy", "L"))
    return loss_rate(np.geomspace(*energy, _POINTS), np.linspace(*shells, _POINTS), species=str(result.attrs.get("ion", "H+")), **options)


def _ends(values: npt.NDArray[np.floating]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (0.95 * low, 1.05 * high)
