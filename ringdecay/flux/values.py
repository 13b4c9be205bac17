"""Values of a file's variables with what is missing as NaN, and what one file gives in the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import CdfVariable, StoredVariable
from ringdecay.flux.kernels import keep_measured, refuse_flags

#: Those variables of a file, by their roles, that are as large as the flux and are read piece by piece.
Stored = Mapping[str, StoredVariable | CdfVariable]
#: Name to values over time and attributes.
Coordinates = Mapping[str, tuple[npt.NDArray[np.float64], dict[str, str]]]


@dataclass(frozen=True)
class Piece:
    """The flux of some records that follow each other.

    Attributes
    ----------
    records : slice
        Which records these are.
    flux : ndarray, shape (n, energies, pitch angles)
        cm-2 s-1 sr-1 keV-1, NaN where missing or not good; one's own to change.
    counting_error : ndarray or None
        Percent, of the same shape, NaN where it says nothing of the counts.
    """

    records: slice
    flux: npt.NDArray[Any]
    counting_error: npt.NDArray[Any] | None


@dataclass
class Tally:
    """How many values of a file are missing (`fill`), how many more have a flag that is not good (`refused`), and how many a good one."""

    fill: int = 0
    refused: int = 0
    left: int = 0

    def refuse(self, flux: npt.NDArray[Any], flags: npt.NDArray[Any], good: npt.NDArray[Any]) -> set[int]:
        """Set flux to NaN in place where its flag is not good, and count; see `refuse_flags`.

        Returns
        -------
        set of int
            The flags of measured values, as long as none was good.
        """
        measured = np.isfinite(flux) if not self.left else None
        refused, left = refuse_flags(flux, flags, good)
        self.refused, self.left = self.refused + refused, self.left + left
        return set() if self.left or measured is None else set(np.unique(np.broadcast_to(flags, flux.shape)[measured]).tolist())


@dataclass(frozen=True)
class Measured:
    """What one file has measured, by time, energy and pitch angle; its flux is read piece by piece.

    Attributes
    ----------
    time : ndarray of datetime64, shape (n,)
        UTC; NaT is allowed.
    pitch_angle, bounds : ndarray, shape (m,) and (m, 2)
        Centres and edges, degrees.
    coordinates : mapping
        From `coordinates_of`.
    pieces : iterator of Piece
        All records in their order, once. A file none of whose flags is good raises FileError at the end.
    tally : Tally
        Complete when the pieces have been read.
    n_dropped : int
        How many records are left out.
    """

    time: npt.NDArray[np.datetime64]
    pitch_angle: npt.NDArray[np.float64]
    bounds: npt.NDArray[np.float64]
    coordinates: Coordinates
    pieces: Iterator[Piece]
    tally: Tally
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


def flux_cleaner(variable: CdfVariable | StoredVariable) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """Make a function that gives values of the flux with missing ones as NaN, in a new array.

    What is missing is what `measured` says. Zero is a measurement even where the file begins its valid range above it (NASA's record of
    MagEIS begins that of its spin averages at 1e-6): without zeros a weak flux would be too high. A negative flux is none, as no product
    here has its background subtracted.
    """
    return _cleaner(variable, 0.0, zero_is_measured=not np.array_equal(variable.attributes.get("FILLVAL", -1e31), 0))


def error_cleaner(found: Stored) -> Callable[[Mapping[str, npt.NDArray[Any]]], npt.NDArray[Any] | None]:
    """Make a function from values by role to the counting error in percent, 100 / sqrt(counts), in the file's shape.

    An error of zero or below, and a count of zero, say nothing of the counts: they are NaN. If the file has neither errors nor counts
    it gives None.
    """
    if "counting_error" in found:
        clean_error = _cleaner(found["counting_error"], np.nextafter(0.0, 1.0), zero_is_measured=False)
        return lambda values: clean_error(values["counting_error"])
    if "counts" in found:
        clean_counts = _cleaner(found["counts"], np.nextafter(0.0, 1.0), zero_is_measured=False)
        return lambda values: 100.0 / np.sqrt(clean_counts(values["counts"]))
    return lambda _: None


def _cleaner(
    variable: CdfVariable | StoredVariable, least: float, *, zero_is_measured: bool
) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """Make a function that does what `measured` does in one pass, and takes what is below `least` as missing too."""
    sizes = variable.shape[1:] if variable.record_varying else variable.shape
    # No value of a whole-number type is taken as missing for being fill or out of range.
    real = variable.dtype.kind == "f"
    fill, low, high = (_limit(variable if real else None, key, sizes).ravel() for key in ("FILLVAL", "VALIDMIN", "VALIDMAX"))
    width = math.prod(sizes)

    def clean(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        values = values if real else values.astype(np.float64)
        kept = np.empty(values.shape, dtype=values.dtype)
        rows = np.ascontiguousarray(values).reshape(-1, width)
        keep_measured(rows, fill, low, high, least, zero_is_measured, kept.reshape(-1, width))
        return kept

    return clean


def _limit(variable: CdfVariable | StoredVariable | None, key: str, sizes: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Give an attribute at each place of a record, as `CdfVariable.masked` and `measured` apply it; where it says nothing, no limit."""
    none = {"FILLVAL": np.nan, "VALIDMIN": -np.inf, "VALIDMAX": np.inf}[key]
    limit = np.asarray(None if variable is None else variable.attributes.get(key))
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
