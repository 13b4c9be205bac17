"""Values of a file's variables with what is missing as NaN, and what one file gives in the end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import CdfVariable
from ringdecay.flux.kernels import keep_measured

#: Name to values over time and attributes.
Coordinates = Mapping[str, tuple[npt.NDArray[np.float64], dict[str, str]]]


@dataclass(frozen=True)
class Measured:
    """Flux of one file, by time, energy and pitch angle.

    Attributes
    ----------
    time : ndarray of datetime64, shape (n,)
        UTC; NaT is allowed.
    flux : ndarray, shape (n, energies, pitch angles)
        cm-2 s-1 sr-1 keV-1, NaN where missing or not good.
    counting_error : ndarray or None
        Percent, of the same shape, NaN where it says nothing of the counts.
    pitch_angle, bounds : ndarray, shape (m,) and (m, 2)
        Centres and edges, degrees.
    coordinates : mapping
        From `coordinates_of`.
    n_fill, n_bad_quality, n_dropped : int
        How many values of the file are missing, how many more have a flag that is not good, and how many records are left out.
    """

    time: npt.NDArray[np.datetime64]
    flux: npt.NDArray[Any]
    counting_error: npt.NDArray[Any] | None
    pitch_angle: npt.NDArray[np.float64]
    bounds: npt.NDArray[np.float64]
    coordinates: Coordinates
    n_fill: int
    n_bad_quality: int
    n_dropped: int = 0


def measured(variable: CdfVariable) -> npt.NDArray[Any]:
    """Give the values with missing ones as NaN: `CdfVariable.masked`, and valid ranges that are given for each place on an axis.

    ISTP allows VALIDMIN and VALIDMAX to be arrays. One of the shape of a record, or as long as one axis of it alone, is applied; of
    any other it is not said which values it is for.
    """
    values = variable.masked()
    if values.dtype.kind != "f":
        return values
    sizes = values.shape[1:] if variable.record_varying else values.shape
    for key, is_bad in (("VALIDMIN", np.less), ("VALIDMAX", np.greater)):
        limit = np.asarray(variable.attributes.get(key, 0))
        if limit.ndim == 0 or limit.size < 2 or limit.dtype.kind not in "fiu":
            continue
        if limit.shape != sizes:
            places = [axis for axis, size in enumerate(sizes) if (size,) == limit.shape]
            if len(places) != 1:
                continue
            limit = limit.reshape([-1 if axis == places[0] else 1 for axis in range(len(sizes))])
        values = np.where(is_bad(values, limit), np.asarray(np.nan, dtype=values.dtype), values)
    return values


def measured_flux(variable: CdfVariable) -> npt.NDArray[Any]:
    """Give the flux with missing values as NaN, in a new array.

    What is missing is what `measured` says. Zero is a measurement even where the file begins its valid range above it (NASA's record of
    MagEIS begins that of its spin averages at 1e-6): without zeros a weak flux would be too high. A negative flux is none, as no product
    here has its background subtracted.
    """
    return _kept(variable, 0.0, zero_is_measured=not np.array_equal(variable.attributes.get("FILLVAL", -1e31), 0))


def measured_error(found: Mapping[str, CdfVariable]) -> npt.NDArray[Any] | None:
    """Give the counting error in percent, 100 / sqrt(counts), in the file's shape; None if the file has neither errors nor counts.

    An error of zero or below, and a count of zero, say nothing of the counts: they are NaN.
    """
    if "counting_error" in found:
        return _kept(found["counting_error"], np.nextafter(0.0, 1.0), zero_is_measured=False)
    if "counts" in found:
        counts = measured(found["counts"])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(counts > 0, 100.0 / np.sqrt(counts), np.nan)
    return None


def _kept(variable: CdfVariable, least: float, *, zero_is_measured: bool) -> npt.NDArray[Any]:
    """Give `measured` in one pass, without what is below `least`."""
    values = variable.values
    sizes = values.shape[1:] if variable.record_varying else values.shape
    if values.dtype.kind != "f":
        # No value of another type is taken as missing for being fill or out of range.
        values = values.astype(np.float64)
        fill, low, high = (np.full(sizes, limit) for limit in (np.nan, -np.inf, np.inf))
    else:
        fill, low, high = (_limit(variable, key, sizes) for key in ("FILLVAL", "VALIDMIN", "VALIDMAX"))
    width = math.prod(sizes)
    kept = np.empty(values.shape, dtype=values.dtype)
    rows = np.ascontiguousarray(values).reshape(-1, width)
    keep_measured(rows, fill.ravel(), low.ravel(), high.ravel(), least, zero_is_measured, kept.reshape(-1, width))
    return kept


def _limit(variable: CdfVariable, key: str, sizes: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Give an attribute at each place of a record, as `CdfVariable.masked` and `measured` apply it; where it says nothing, no limit."""
    none = {"FILLVAL": np.nan, "VALIDMIN": -np.inf, "VALIDMAX": np.inf}[key]
    limit = np.asarray(variable.attributes.get(key))
    if limit.dtype.kind not in "fiu":
        return np.full(sizes, none)
    if limit.ndim == 0 or limit.shape == sizes[-1:]:
        return np.array(np.broadcast_to(limit, sizes), dtype=np.float64)
    places = [axis for axis, size in enumerate(sizes) if (size,) == limit.shape]
    if key != "FILLVAL" and limit.shape == sizes:
        return limit.astype(np.float64)
    if key != "FILLVAL" and len(places) == 1:
        limit = limit.reshape([-1 if axis == places[0] else 1 for axis in range(len(sizes))])
        return np.array(np.broadcast_to(limit, sizes), dtype=np.float64)
    return np.full(sizes, none)
